// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "apps/cheetah/connection.hpp"
#include "apps/cheetah/responder.hpp"
#include "libs/net/tcp_demux.hpp"

/// Cheetah: a web server that is its own network stack. It takes Ethernet frames of TCP port 80
/// and sends frames; the bytes of files go from the file system's pages into the frames, with no
/// copy of the server's and with checksums kept from the last time.
///
/// The core here is pure: frames and times in, frames and a deadline out, memory from the owner,
/// files through FileStore. The same sources run in the guest (main.cpp, exos_files.cpp) and, with
/// a simulated network, under the host's tests.
///
///   Server      frames -> TcpDemux -> Connection; timeouts; which connection must go
///   Connection  one client: TCP block, RequestParser, AnswerQueue
///   Responder   request -> answer; HeadCache
///   AnswerQueue what is being sent; ChecksumCache
///   FileStore   where files come from
namespace xok::cheetah {

inline constexpr std::uint16_t kPort = 80;

/// Where frames go.
class FrameSink {
 public:
  /// Sends a frame; gathers or copies it before returning.
  virtual void send(const net::OutPacket& packet) = 0;

 protected:
  ~FrameSink() = default;
};

/// Where a frame came from.
enum class Origin : std::uint8_t {
  Card,      ///< the network: a sender may lie
  Loopback,  ///< this machine
};

/// What has happened since the start.
struct Counters {
  std::uint64_t accepted = 0;   ///< connections
  std::uint64_t requests = 0;   ///< answered
  std::uint64_t evicted = 0;    ///< connections given up for new ones
  std::uint64_t timed_out = 0;  ///< connections whose client took too long
  std::uint64_t broken = 0;     ///< connections reset because their file became shorter
  std::uint64_t dropped = 0;    ///< frames that were not for us, or damaged
};

/// The server. Connections are limited; when all are in use, a new client takes the place of the
/// one that has made no progress for the longest time: whoever stalls loses, however he stalls. If
/// all have made some lately, the SYN is dropped, and comes again.
///
/// Use: `start`, `set_address`; then each frame to `on_frame`, and `on_timer` at `next_deadline`.
///
/// Context  one thread at a time
/// Cost     in the core alone, measured on the host with 1 KiB files: see the budgets at `on_frame`
/// Source   own; Ganger et al., "Fast and flexible application-level networking on exokernel
///          systems" (TOCS 2002) for merged acknowledgements and FINs, kept sums, and sending from
///          the file cache without a retransmission copy
class Server {
 public:
  /// All that a server works in. The owner keeps it as long as the server.
  struct Memory {
    std::span<Connection> connections;           ///< zero bytes
    std::span<net::TcpConnection*> table;        ///< TcpDemux; more than 4/3 of the connections
    std::span<net::TcpListener> listeners;       ///< at least 1
    std::span<net::DeadlineHeap::Slot> timers;   ///< one more than connections
    std::span<net::TimeWaitTable::Entry> waits;  ///< TcpDemux
    std::span<HeadCache::Entry> heads;
    std::span<ChecksumCache::Entry> sums;
  };

  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Begins to listen. `files` and `sink` outlive the server.
  ///
  /// wall_ns  nanoseconds from 1970 to the zero of all `now_ns`
  /// Errors   BadArgument  a part of the memory has not the size that it must have
  Result<> start(const Memory& memory, FileStore& files, FrameSink& sink, const net::SecretKey& key,
                 std::uint64_t wall_ns, const Patience& patience = {});

  /// This machine's address on the network; zero: it has none.
  void set_address(net::Ipv4Address address) { address_ = address; }

  /// Handles a received frame. Whatever is in it, the worst is that it is dropped.
  ///
  /// Cost  measured on the host in instructions, without store and sink, 1 KiB file, budget in []:
  ///       a GET on a kept connection, which acknowledges the last answer too: 4400 [5000], of
  ///       which the request's parser takes 1260 and building the segment 1040; 3170 if the
  ///       request is the last one again;
  ///       a whole connection with one GET, five frames in and three out: 10200 [12000], or 8900
  void on_frame(std::uint64_t now_ns, std::span<const std::uint8_t> frame, Origin origin);

  /// Does what has fallen due. Too early is harmless.
  void on_timer(std::uint64_t now_ns);
  std::uint64_t next_deadline() const;

  const Counters& counters() const { return counters_; }
  std::uint32_t connection_count() const { return used_; }

 private:
  template <class Action>
  void with_context(std::uint64_t now_ns, Action action);

  // server.cpp: frames and requests.
  bool may_come(const net::Ipv4View& ip, Origin origin) const;
  void deliver(const net::TcpContext& ctx, const net::TcpSegment& segment,
               const net::EthernetView& ethernet);
  void on_events(const net::TcpContext& ctx, Connection& connection, net::TcpEvents events);
  void serve(const net::TcpContext& ctx, Connection& connection);
  void settle(const net::TcpContext& ctx, Connection& connection);

  // slots.cpp: which connections there are, and which must go.
  void link_free(std::uint32_t index);
  net::TcpResources offer_slot(const net::TcpContext& ctx);
  void take_slot(const net::TcpContext& ctx, Connection& connection);
  void retire(Connection& connection);
  Connection* find_victim(std::uint64_t now_ns);
  void evict(const net::TcpContext& ctx, Connection& connection);
  void sweep(const net::TcpContext& ctx);
  void lose_patience(const net::TcpContext& ctx, Connection& connection);

  Connection& connection_of(const net::TcpConnection& tcp) { return connections_[tcp.cookie()]; }

  std::span<Connection> connections_{};
  std::uint32_t first_free_ = 0;  ///< 1 + index; 0: none
  std::uint32_t used_ = 0;
  net::Ipv4Address address_{};
  FileStore* files_ = nullptr;
  FrameSink* sink_ = nullptr;
  std::uint64_t wall_ns_ = 0;
  std::uint64_t next_sweep_ns_ = net::kNever;
  bool any_broken_ = false;
  Patience patience_;
  Counters counters_;
  net::TcpConfig config_;
  net::TcpDemux demux_;
  Responder responder_;
  ChecksumCache sums_;
};

/// A server with all its memory: 256 connections take 6.4 MB. Put it into zero-filled pages.
template <std::size_t Connections, std::size_t Waits = 4096, std::size_t Heads = 512,
          std::size_t Sums = 8192>
struct ServerBlock {
  /// Errors as Server::start.
  Result<> start(FileStore& files, FrameSink& sink, const net::SecretKey& key,
                 std::uint64_t wall_ns, const Patience& patience = {}) {
    return server.start({.connections = connections,
                         .table = table,
                         .listeners = listeners,
                         .timers = timers,
                         .waits = waits,
                         .heads = heads,
                         .sums = sums},
                        files, sink, key, wall_ns, patience);
  }

  Server server;
  std::array<net::TcpListener, 1> listeners;
  std::array<net::DeadlineHeap::Slot, Connections + 1> timers;
  std::array<net::TcpConnection*, 2 * Connections> table;
  std::array<net::TimeWaitTable::Entry, Waits> waits;
  std::array<HeadCache::Entry, Heads> heads;
  std::array<ChecksumCache::Entry, Sums> sums;
  std::array<Connection, Connections> connections;
};

}  // namespace xok::cheetah
