// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// Which connections there are, and which must go. Three ways lead out: TCP ends the connection, the
// client tries our patience (a sweep over all connections once a second, while there are any), or
// all places are taken and a new client needs one.

#include "apps/cheetah/server.hpp"
#include "apps/cheetah/server_context.hpp"

namespace xok::cheetah {
namespace {

constexpr std::uint64_t kSweepPeriodNs = net::kSecond;

}  // namespace

void Server::link_free(std::uint32_t index) {
  connections_[index].next_free = first_free_;
  first_free_ = index + 1;
}

/// A place for a new connection. It is taken only when TCP has opened it: `take_slot`.
net::TcpResources Server::offer_slot(const net::TcpContext& ctx) {
  if (first_free_ == 0) {
    Connection* const victim = find_victim(ctx.now_ns);
    if (victim == nullptr) return {};
    evict(ctx, *victim);
  }
  Connection& connection = connections_[first_free_ - 1];
  return {.connection = &connection.tcp, .receive_memory = connection.receive_ring};
}

void Server::take_slot(const net::TcpContext& ctx, Connection& connection) {
  first_free_ = connection.next_free;
  connection.start(ctx.now_ns);
  ++used_;
  ++counters_.accepted;
  if (next_sweep_ns_ == net::kNever) next_sweep_ns_ = ctx.now_ns + kSweepPeriodNs;
}

/// TCP is done with the connection: its place is free.
void Server::retire(Connection& connection) {
  if (!connection.in_use) return;
  connection.answers.clear(*files_);
  connection.in_use = false;
  --used_;
  link_free(static_cast<std::uint32_t>(connection.tcp.cookie()));
}

/// The connection without progress for the longest time, or null if all have made some lately.
Connection* Server::find_victim(std::uint64_t now_ns) {
  Connection* victim = nullptr;
  for (Connection& each : connections_) {
    if (!each.in_use || !each.may_be_evicted(now_ns, patience_)) continue;
    if (victim == nullptr || each.progress_ns < victim->progress_ns) victim = &each;
  }
  return victim;
}

void Server::evict(const net::TcpContext& ctx, Connection& connection) {
  ++counters_.evicted;
  connection.tcp.abort(ctx);
  demux_.changed(ctx, connection.tcp);
  retire(connection);
}

/// Looks at every connection.
void Server::sweep(const net::TcpContext& ctx) {
  any_broken_ = false;
  for (Connection& each : connections_) {
    if (!each.in_use) continue;
    if (each.answers.is_broken()) {
      settle(ctx, each);
    } else if (ctx.now_ns >= each.deadline(patience_)) {
      lose_patience(ctx, each);
    }
  }
  next_sweep_ns_ = used_ == 0 ? net::kNever : ctx.now_ns + kSweepPeriodNs;
}

void Server::lose_patience(const net::TcpContext& ctx, Connection& connection) {
  ++counters_.timed_out;
  switch (connection.waiting()) {
    case Waiting::Handshake:
    case Waiting::Write:
      connection.tcp.abort(ctx);
      break;
    case Waiting::Linger:
      connection.tcp.detach(ctx);
      break;
    case Waiting::Request:
      if (connection.request_began_ns != 0) {
        responder_.set_time(static_cast<http::Seconds>((wall_ns_ + ctx.now_ns) / net::kSecond));
        (void)responder_.refuse(408, connection.answers);
      }
      [[fallthrough]];
    case Waiting::Idle:
      connection.progress_ns = ctx.now_ns;
      connection.closing = true;
      connection.discard(ctx);
      connection.announce(ctx);
      break;
  }
  settle(ctx, connection);
}

}  // namespace xok::cheetah
