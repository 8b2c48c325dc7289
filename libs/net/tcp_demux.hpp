// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "libs/net/deadline_heap.hpp"
#include "libs/net/isn.hpp"
#include "libs/net/tcp_connection.hpp"
#include "libs/net/time_wait.hpp"

namespace xok::net {

/// A port that takes connections.
struct TcpListener {
  Ipv4Address local{};        ///< zero: any address of ours
  std::uint16_t port = 0;     ///< 0: the place is free
  std::uint16_t backlog = 0;  ///< most connections that are half open or not yet taken
  std::uint16_t pending = 0;  ///< how many there are now
  std::uint64_t cookie = 0;   ///< the owner's word
};

/// What a listener's owner gives for a new connection: a Closed control block and a receive ring.
struct TcpResources {
  TcpConnection* connection = nullptr;  ///< null: none free; the SYN is dropped
  std::span<std::uint8_t> receive_memory{};
};
using TcpAcceptor = FunctionRef<TcpResources(const TcpListener& listener, const TcpFlow& flow)>;

/// What became of a segment.
struct TcpDelivery {
  TcpConnection* connection = nullptr;  ///< null: it was for none
  TcpEvents events = 0;
  bool opened = false;  ///< `connection` is new: a listener's, in SynReceived
};

/// Finds the connection that a segment belongs to: a hash table of 4-tuples, the listeners, the
/// table of TIME-WAITs, and all connections' timers. Everything lies in memory that the owner
/// gives; nothing is allocated.
///
/// Use: `attach` once; `listen` and `connect`; every received segment to `on_segment`; at
/// `next_deadline()` call `on_timer`. After calling a connection directly (send_available, consume,
/// close, ...) call `changed`. A connection that becomes TimeWait moves to the compact table: it
/// then reports kTcpTimeWait and kTcpClosed together, its control block is Closed without error,
/// and may be reused once its received data is consumed. Closed connections leave the table by
/// themselves.
///
/// Context  one thread at a time; zero bytes are an object without memory
/// Source   RFC 9293 sections 3.10.7.1 and 3.10.7.2; own
class TcpDemux {
 public:
  struct Memory {
    std::span<TcpConnection*> table;  ///< a power of two, at least 4, of which 3/4 are used
    std::span<TcpListener> listeners;
    std::span<DeadlineHeap::Slot> timers;        ///< one for each connection
    std::span<TimeWaitTable::Entry> time_waits;  ///< as TimeWaitTable::attach
  };

  /// Takes the memory and empties it.
  ///
  /// Errors   BadArgument  a size is not as documented
  Result<> attach(const Memory& memory, const SecretKey& key);

  /// Opens a port. `listener.pending` is ignored.
  ///
  /// Errors   BadArgument  port or backlog is 0
  ///          Exists       the port is taken at that address, or at any, or this asks for any
  ///          NoSpace      all places are taken
  Result<> listen(const TcpListener& listener);

  /// Closes the port; connections that exist stay.
  ///
  /// Errors   NotFound  there is no such listener
  Result<> unlisten(Ipv4Address local, std::uint16_t port);

  /// Opens `connection` actively and enters it.
  ///
  /// Errors   Exists   the 4-tuple is in use
  ///          NoSpace  the table or the timers are full
  ///          others   as TcpConnection::open_active
  Result<> connect(const TcpContext& ctx, TcpConnection& connection, const TcpFlow& flow,
                   std::span<std::uint8_t> receive_memory);

  /// Handles a segment: gives it to its connection, or the TIME-WAIT table, or a listener, or
  /// answers with a RST. A SYN beyond a listener's backlog, or with no room, is dropped silently:
  /// the peer tries again.
  ///
  /// local_mac, remote_mac  of the frame, seen from our side: where answers go
  /// Cost     hash and probe about 30 instructions, then the connection's
  TcpDelivery on_segment(const TcpContext& ctx, const TcpSegment& segment,
                         const MacAddress& local_mac, const MacAddress& remote_mac,
                         TcpAcceptor acceptor);

  /// Runs what has fallen due; `report` is called for each connection with its events.
  void on_timer(const TcpContext& ctx, FunctionRef<void(TcpConnection&, TcpEvents)> report);
  std::uint64_t next_deadline() const { return timers_.next_deadline(); }

  /// To be called after an owner's own call on a connection: its deadline or state may be new.
  void changed(const TcpContext& ctx, TcpConnection& connection);

  /// The owner has taken an established connection of a listener: the backlog has room again.
  void taken(TcpConnection& connection);

  /// The connection with this segment's addresses, or null.
  TcpConnection* find(const TcpSegment& segment) const;
  std::uint32_t connection_count() const { return count_; }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::uint32_t home(const TcpFlow& flow) const;
  std::uint32_t slot_of(const TcpConnection& connection) const;
  bool has_room() const { return count_ < (mask_ + 1) / 4 * 3; }
  void insert(TcpConnection& connection);
  void remove(TcpConnection& connection);
  TcpListener* listener_for(const TcpSegment& segment);
  TcpDelivery on_unknown(const TcpContext& ctx, const TcpSegment& segment, const TcpFlow& flow,
                         TcpAcceptor acceptor);
  TcpDelivery accept(const TcpContext& ctx, const TcpSegment& segment, const TcpFlow& flow,
                     TcpListener& listener, std::uint32_t iss, TcpAcceptor acceptor);
  TcpEvents settle(const TcpContext& ctx, TcpConnection& connection, TcpEvents events);

  TcpConnection** table_ = nullptr;
  std::uint32_t mask_ = 0;
  std::uint32_t count_ = 0;
  std::span<TcpListener> listeners_{};
  DeadlineHeap timers_;
  TimeWaitTable time_waits_;
  SecretKey key_;
};

}  // namespace xok::net
