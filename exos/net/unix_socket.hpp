// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "exos/error.hpp"
#include "exos/fd/open_file.hpp"
#include "exos/fd/pipe.hpp"
#include "exos/net/socket.hpp"
#include "exos/proc/proc.hpp"
#include "exos/rt/wait.hpp"

/// Sockets between processes of this machine: streams and datagrams, named by a file or by a name
/// of their own. Every socket has a queue of bytes that it reads (a Pipe), which its peers write.
/// All of it is shared memory under the file lock, which no call holds while it waits.
/// Blocking, timeouts and Interrupted are as in socket.hpp. Types are Stream and Datagram.
namespace xok::exos {

/// A path or, after a first 0 byte, a name in a table of its own ("abstract").
struct UnixName {
  std::array<char, 108> bytes{};
  std::uint8_t length = 0;  ///< 0: none

  [[nodiscard]] std::string_view text() const { return {bytes.data(), length}; }
  [[nodiscard]] bool is_abstract() const { return length != 0 && bytes[0] == 0; }
};

/// A process as its peers see it.
struct UnixOwner {
  Pid pid = 0;
  std::uint32_t uid = ~0u;
  std::uint32_t gid = ~0u;
};

/// A socket's state. It lives as long as somebody refers to it: its open file, a peer, a listener.
struct UnixSocket {
  UnixSocket* next;  ///< of all
  SocketType type;
  std::uint32_t references;
  bool open;              ///< it can be sent to
  bool listening;         ///< Stream
  bool made_by_listener;  ///< it has the listener's name, which does not lead to it
  bool shut_read;
  bool shut_write;
  std::uint8_t pending_error;  ///< an Errc, 0: none
  UnixSocket* peer;            ///< held; of a stream also after it was closed
  UnixSocket* first_waiting;   ///< listening: connections not yet accepted, the oldest first
  UnixSocket* next_waiting;
  std::uint32_t waiting;
  std::uint32_t backlog;
  UnixOwner owner;       ///< who connects or listens
  UnixOwner peer_owner;  ///< who did at the other end
  UnixName name;
  Vnode node;  ///< of a path: held
  Pipe in;     ///< what is to be read; Datagram: each after a head
  SocketOptions options;
};

/// Errors  NoMemory
Outcome<OpenFile*> make_unix_socket(SocketType type, std::uint32_t flags);
struct UnixPair {
  OpenFile* first;
  OpenFile* second;
};
/// Two that are connected. Errors  NoMemory
Outcome<UnixPair> make_unix_pair(SocketType type, std::uint32_t flags);

/// Names the socket; a path makes a file. No name: one that is free is chosen.
/// Errors  BadArgument  it has a name;  Overlap  the name is taken;  and those of making a file
Outcome<> bind_unix(OpenFile& file, const UnixName& name);

/// Stream: connects with a listener, waiting while too many wait. Datagram: sets whom to send to;
/// nullptr: nobody.
/// Errors  Refused      nobody listens or receives there;  BadFormat  a socket of another type
///         Exists       connected already;  BadArgument  a listener;  WouldBlock, Interrupted
///         NotPermitted it receives from another only;  NoMemory;  and those of finding a file
Outcome<> connect_unix(OpenFile& file, const UnixName* name);

/// Errors  NotSupported  not a stream;  BadArgument  without a name, or connected
Outcome<> listen_unix(OpenFile& file, int backlog);
/// Errors  NotSupported;  BadArgument  not listening;  WouldBlock, Interrupted, NoMemory
Outcome<OpenFile*> accept_unix(OpenFile& file, std::uint32_t flags);

/// Stream: as socket.hpp says. Datagram: one, whole, to `to` or (nullptr) the connected peer.
/// Errors  Closed;  NotConnected;  TooBig;  NoMemory;  for datagrams also those of connect_unix
Outcome<std::size_t> send_unix(OpenFile& file, std::span<const std::byte> bytes, const UnixName* to,
                               Wait wait);

struct UnixReceived {
  std::size_t bytes = 0;   ///< stored; 0 of a stream: its end
  std::size_t length = 0;  ///< of the datagram, may be more than was stored
  UnixName peer;
};
/// Errors  BadArgument  a stream that is not connected;  Reset;  WouldBlock, Interrupted
Outcome<UnixReceived> receive_unix(OpenFile& file, std::span<std::byte> to, Peek peek, Wait wait);

void shutdown_unix(OpenFile& file, Shutdown how);

/// Bytes that a receive would give now; for datagrams, those of the first.
std::size_t readable_bytes_unix(const OpenFile& file);

// The cases of exos/fd/operations.hpp.
std::uint32_t poll_unix(const OpenFile& file);
void watch_unix(const OpenFile& file, rt::WaitSet& wait);
void close_unix(OpenFile& file);

// Private to the implementation. Hold the file lock.
/// The open socket that a name stands for. Errors  Refused, and those of finding a file
Outcome<UnixSocket*> find_unix(const UnixName& name);
/// The names of a socket that is closed are free again.
void forget_unix_name(UnixSocket& socket);

}  // namespace xok::exos
