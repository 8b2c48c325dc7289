// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// The table is open addressing with linear probing; removal shifts followers back, so there are no
// tombstones. It is kept at most three quarters full.

#include "libs/net/tcp_demux.hpp"

#include <algorithm>
#include <type_traits>

#include "libs/net/power_of_two.hpp"
#include "libs/net/tcp_hash.hpp"

namespace xok::net {

static_assert(std::is_trivially_copyable_v<TcpDemux>, "lives in shared memory");

Result<> TcpDemux::attach(const Memory& memory, const SecretKey& key) {
  if (!is_power_of_two(memory.table.size()) || memory.table.size() < 4 ||
      memory.table.size() > std::size_t{1} << 30)
    return fail(Errc::BadArgument);
  TimeWaitTable time_waits;
  XOK_TRY(time_waits.attach(memory.time_waits, key));
  std::fill(memory.table.begin(), memory.table.end(), nullptr);
  std::fill(memory.listeners.begin(), memory.listeners.end(), TcpListener{});
  table_ = memory.table.data();
  mask_ = static_cast<std::uint32_t>(memory.table.size() - 1);
  count_ = 0;
  listeners_ = memory.listeners;
  timers_.attach(memory.timers);
  time_waits_ = time_waits;
  key_ = key;
  return {};
}

Result<> TcpDemux::listen(const TcpListener& listener) {
  if (listener.port == 0 || listener.backlog == 0) return fail(Errc::BadArgument);
  TcpListener* place = nullptr;
  for (TcpListener& each : listeners_) {
    if (each.port == 0 && place == nullptr) place = &each;
    const bool overlaps =
        each.local == listener.local || each.local.is_zero() || listener.local.is_zero();
    if (each.port == listener.port && overlaps) return fail(Errc::Exists);
  }
  if (place == nullptr) return fail(Errc::NoSpace);
  *place = listener;
  place->pending = 0;
  return {};
}

Result<> TcpDemux::unlisten(Ipv4Address local, std::uint16_t port) {
  for (TcpListener& each : listeners_) {
    if (port == 0 || each.port != port || each.local != local) continue;
    // Its connections no longer count against anybody: the place may get another listener.
    const auto tag = static_cast<std::uint32_t>(&each - listeners_.data()) + 1;
    for (std::uint32_t i = 0; i <= mask_; ++i)
      if (table_[i] != nullptr && table_[i]->listener_ == tag) table_[i]->listener_ = 0;
    each = {};
    return {};
  }
  return fail(Errc::NotFound);
}

Result<> TcpDemux::connect(const TcpContext& ctx, TcpConnection& connection, const TcpFlow& flow,
                           std::span<std::uint8_t> receive_memory) {
  const TcpSegment answer{.source = flow.remote,
                          .destination = flow.local,
                          .source_port = flow.remote_port,
                          .destination_port = flow.local_port};
  if (find(answer) != nullptr) return fail(Errc::Exists);
  if (!has_room() || timers_.full()) return fail(Errc::NoSpace);
  const std::uint32_t iss = initial_sequence(key_, flow, ctx.now_ns);
  XOK_TRY(connection.open_active(ctx, flow, iss, receive_memory));
  insert(connection);
  return {};
}

TcpDelivery TcpDemux::on_segment(const TcpContext& ctx, const TcpSegment& segment,
                                 const MacAddress& local_mac, const MacAddress& remote_mac,
                                 TcpAcceptor acceptor) {
  TcpConnection* const connection = find(segment);
  if (connection == nullptr) {
    return on_unknown(ctx, segment, flow_to_answer(segment, local_mac, remote_mac), acceptor);
  }
  const TcpEvents events = connection->on_segment(ctx, segment);
  return {.connection = connection, .events = settle(ctx, *connection, events)};
}

/// A segment for no control block: an old connection's, a new one's SYN, or nobody's.
TcpDelivery TcpDemux::on_unknown(const TcpContext& ctx, const TcpSegment& segment,
                                 const TcpFlow& flow, TcpAcceptor acceptor) {
  // RFC 1122 section 4.2.3.10: never answer what came from, or was sent to, more than one host.
  if (segment.source.is_multicast() || segment.source.is_broadcast() ||
      segment.destination.is_multicast() || segment.destination.is_broadcast())
    return {};
  const TimeWaitTable::Lookup old = time_waits_.on_segment(ctx, segment);
  if (old.verdict == TimeWaitTable::Verdict::Consumed) return {};
  TcpListener* const listener = listener_for(segment);
  if (listener == nullptr || segment.has(kTcpAck)) {
    answer_with_reset(ctx, flow, segment);
    return {};
  }
  if (!segment.has(kTcpSyn) || segment.has(kTcpRst | kTcpFin)) return {};
  std::uint32_t iss = initial_sequence(key_, flow, ctx.now_ns);
  const bool too_low = static_cast<std::int32_t>(iss - old.send_next) <= 0;
  if (old.verdict == TimeWaitTable::Verdict::Reopen && too_low) iss = old.send_next + 1;
  return accept(ctx, segment, flow, *listener, iss, acceptor);
}

TcpDelivery TcpDemux::accept(const TcpContext& ctx, const TcpSegment& segment, const TcpFlow& flow,
                             TcpListener& listener, std::uint32_t iss, TcpAcceptor acceptor) {
  if (listener.pending >= listener.backlog || !has_room() || timers_.full()) return {};
  const TcpResources resources = acceptor(listener, flow);
  if (resources.connection == nullptr) return {};
  TcpConnection& connection = *resources.connection;
  if (!connection.open_passive(ctx, flow, iss, resources.receive_memory, segment)) return {};
  connection.listener_ = static_cast<std::uint32_t>(&listener - listeners_.data()) + 1;
  ++listener.pending;
  insert(connection);
  return {.connection = &connection, .events = 0, .opened = true};
}

void TcpDemux::on_timer(const TcpContext& ctx,
                        FunctionRef<void(TcpConnection&, TcpEvents)> report) {
  while (TcpConnection* const connection = timers_.due(ctx.now_ns)) {
    const TcpEvents events = connection->on_timer(ctx);
    const TcpEvents all = settle(ctx, *connection, events);
    if (all != 0) report(*connection, all);
  }
}

void TcpDemux::changed(const TcpContext& ctx, TcpConnection& connection) {
  (void)settle(ctx, connection, 0);
}

void TcpDemux::taken(TcpConnection& connection) {
  if (connection.listener_ == 0) return;
  TcpListener& listener = listeners_[connection.listener_ - 1];
  connection.listener_ = 0;
  if (listener.pending != 0) --listener.pending;
}

/// Brings table and timers up to date with what has happened to the connection.
TcpEvents TcpDemux::settle(const TcpContext& ctx, TcpConnection& connection, TcpEvents events) {
  if (connection.state() == TcpState::TimeWait && time_waits_.capacity() != 0) {
    time_waits_.add(ctx.now_ns, ctx.config.time_wait_ns, connection);
    connection.finish_connection(std::nullopt);
    events |= kTcpTimeWait | kTcpClosed;
  }
  if (connection.state() == TcpState::Closed) {
    remove(connection);
  } else {
    (void)timers_.update(connection);  // has room: see `connect` and `accept`
  }
  return events;
}

TcpConnection* TcpDemux::find(const TcpSegment& segment) const {
  std::uint32_t at =
      tcp_hash(key_, segment.source, segment.source_port, segment.destination_port) & mask_;
  while (table_[at] != nullptr) {
    if (same_flow(table_[at]->flow(), segment)) return table_[at];
    at = (at + 1) & mask_;
  }
  return nullptr;
}

std::uint32_t TcpDemux::home(const TcpFlow& flow) const {
  return tcp_hash(key_, flow.remote, flow.remote_port, flow.local_port) & mask_;
}

std::uint32_t TcpDemux::slot_of(const TcpConnection& connection) const {
  std::uint32_t at = home(connection.flow());
  while (table_[at] != nullptr) {
    if (table_[at] == &connection) return at;
    at = (at + 1) & mask_;
  }
  return kNone;
}

void TcpDemux::insert(TcpConnection& connection) {
  std::uint32_t at = home(connection.flow());
  while (table_[at] != nullptr) at = (at + 1) & mask_;
  table_[at] = &connection;
  ++count_;
  (void)timers_.update(connection);
}

void TcpDemux::remove(TcpConnection& connection) {
  timers_.remove(connection);
  std::uint32_t hole = slot_of(connection);
  if (hole == kNone) return;
  taken(connection);
  --count_;
  for (std::uint32_t at = (hole + 1) & mask_; table_[at] != nullptr; at = (at + 1) & mask_) {
    // An entry may move back to the hole unless its home lies cyclically in (hole, at].
    const std::uint32_t from_home = (at - home(table_[at]->flow())) & mask_;
    if (from_home < ((at - hole) & mask_)) continue;
    table_[hole] = table_[at];
    hole = at;
  }
  table_[hole] = nullptr;
}

TcpListener* TcpDemux::listener_for(const TcpSegment& segment) {
  for (TcpListener& each : listeners_) {
    if (each.port == 0 || each.port != segment.destination_port) continue;
    if (each.local.is_zero() || each.local == segment.destination) return &each;
  }
  return nullptr;
}

}  // namespace xok::net
