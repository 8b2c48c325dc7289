// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "exos/error.hpp"
#include "exos/fd/open_file.hpp"
#include "exos/rt/wait.hpp"
#include "libs/net/address.hpp"

/// Sockets of ExOS: TCP, UDP and raw IPv4, over libs/net, in the memory that all processes share.
/// Nothing of Linux' binary interface is here (exos/linux/calls_sockets.cpp has that).
///
/// Whoever calls works on the protocols himself: takes what the ring holds, runs the state
/// machines, sends. The network service does the same while nobody calls, and minds the timers.
/// Locks: these take the network lock; the file lock may be held around them, never inside.
/// Blocking calls end with Interrupted when a signal comes. A file in non-blocking mode
/// (kOpenNonBlocking), or Wait::No, gives WouldBlock instead, and so does a timeout that the
/// options set (connect: InProgress).
namespace xok::exos {

struct Socket;

enum class SocketType : std::uint8_t {
  Stream,    ///< TCP
  Datagram,  ///< UDP
  Raw,       ///< IPv4 packets of one protocol, with their headers when received
};

/// An IPv4 address and port, host order. For raw sockets the port is 0.
struct Endpoint {
  net::Ipv4Address address;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

enum class Wait : std::uint8_t { Yes, No };
enum class Peek : std::uint8_t { No, Yes };
enum class Shutdown : std::uint8_t { Read, Write, Both };

/// A new socket's open file, with one reference. The first socket starts the network service.
/// protocol  Raw only: the IPv4 protocol number, 1 to 255
/// Errors    NoMemory; NoSpace  too many sockets
Outcome<OpenFile*> make_socket(SocketType type, std::uint8_t protocol, std::uint32_t flags);

/// Names the socket. Address zero: any; port 0: one that is free is chosen (EADDRINUSE: Overlap).
/// Errors  Overlap      the port is taken
///         BadArgument  bound already
///         NotFound     the address is not ours (EADDRNOTAVAIL)
///         Denied       a port below 1024 by another than root
Outcome<> bind_socket(OpenFile& file, Endpoint local);

/// TCP: opens and waits for the peer. UDP, raw: sets the peer; no address ends that.
/// Errors  Refused, TimedOut, Unreachable, Reset; Exists  connected already (EISCONN)
///         InProgress   not waiting: the connection is under way (EINPROGRESS)
///         Busy         an earlier connect is under way (EALREADY)
///         NotSupported a listener
Outcome<> connect_socket(OpenFile& file, std::optional<Endpoint> peer);

/// TCP: takes connections. backlog is brought into 1 to 128.
/// Errors  NotSupported  not a stream;  BadArgument  connected;  Overlap
Outcome<> listen_socket(OpenFile& file, int backlog);

struct Accepted {
  OpenFile* file;
  Endpoint peer;
};
/// The next connection, as an open file with `flags` and one reference.
/// Errors  NotSupported  not a stream;  BadArgument  not listening;  WouldBlock, Interrupted,
///         NoMemory
Outcome<Accepted> accept_socket(OpenFile& file, std::uint32_t flags);

/// TCP: as many bytes as could be sent without an error, all of them when waiting. UDP, raw: one
/// datagram, to `peer` or the connected one.
/// Errors  Closed        TCP: shut or closed (the caller raises SIGPIPE)
///         NotConnected  no peer (ENOTCONN, EDESTADDRREQ)
///         TooBig        datagram (EMSGSIZE);  Unreachable;  the pending error of the socket
Outcome<std::size_t> send_socket(OpenFile& file, std::span<const std::byte> bytes,
                                 std::optional<Endpoint> peer, Wait wait);

struct Received {
  std::size_t bytes = 0;   ///< stored; 0 of a stream: its end
  std::size_t length = 0;  ///< of the datagram, may be more than was stored
  Endpoint peer{};
};
/// Errors  NotConnected; WouldBlock, Interrupted; the pending error of the socket
Outcome<Received> receive_socket(OpenFile& file, std::span<std::byte> to, Peek peek, Wait wait);

/// Errors  NotConnected
Outcome<> shutdown_socket(OpenFile& file, Shutdown how);

Endpoint local_of(const OpenFile& file);
/// Nothing: not connected.
std::optional<Endpoint> peer_of(const OpenFile& file);
SocketType type_of(const OpenFile& file);
std::uint8_t protocol_of(const OpenFile& file);
bool is_listening(const OpenFile& file);
/// Names the socket among all that ever were.
std::uint64_t number_of(const OpenFile& file);
/// Bytes that a receive would give now (FIONREAD); for datagrams, those of the first.
std::size_t readable_bytes(const OpenFile& file);
/// The pending error (SO_ERROR), which is then forgotten.
std::optional<Error> take_error(OpenFile& file);

/// What is kept of socket options. Times in nanoseconds; 0: none.
struct SocketOptions {
  bool reuse_address = false;
  bool broadcast = false;       ///< UDP: without it a broadcast is refused (Denied)
  bool keep_alive = false;      ///< TCP
  bool no_delay = false;        ///< TCP
  bool include_header = false;  ///< raw: the sender writes the IPv4 header
  std::uint8_t ttl = 64;
  bool linger = false;
  std::uint32_t linger_s = 0;  ///< `linger` and 0: closing sends a reset
  std::uint64_t receive_timeout_ns = 0;
  std::uint64_t send_timeout_ns = 0;
  /// What changes nothing here and is kept for the program to read back: exos/linux says which.
  std::array<std::int32_t, 32> kept{};
};
SocketOptions& options_of(OpenFile& file);

// The cases of exos/fd/operations.hpp.
std::uint32_t poll_socket(const OpenFile& file);
void watch_socket(const OpenFile& file, rt::WaitSet& wait);
void close_socket(OpenFile& file);

}  // namespace xok::exos
