// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// The way of a request: a frame is taken apart and checked, the demultiplexer finds or makes its
// connection, and TCP says what has changed. `serve` then reads as many requests as there are and
// as there is room for answers, and announces all answers at once: so they share segments, the
// first carries the acknowledgement of the requests, and the last the FIN. TCP asks for bytes
// through `with_context`'s source when it builds a segment, now or when the window allows.

#include "apps/cheetah/server.hpp"

#include "apps/cheetah/server_context.hpp"

namespace xok::cheetah {
namespace {

constexpr bool is_localhost(net::Ipv4Address address) { return address.value >> 24 == 127; }

bool is_power_of_two(std::size_t n) { return n != 0 && (n & (n - 1)) == 0; }

net::TcpConfig tcp_config() {
  net::TcpConfig config;
  config.nagle = false;  // whole answers are announced: there are no small writes to gather
  config.syn_retries = 3;
  config.data_retries = 8;
  // When we give a lingering connection up, its block goes at once; a late FIN gets a RST.
  config.fin_wait2_ns = net::kMillisecond;
  return config;
}

}  // namespace

Result<> Server::start(const Memory& memory, FileStore& files, FrameSink& sink,
                       const net::SecretKey& key, std::uint64_t wall_ns, const Patience& patience) {
  const std::size_t count = memory.connections.size();
  const bool caches_fit = (memory.heads.empty() || is_power_of_two(memory.heads.size())) &&
                          (memory.sums.empty() || is_power_of_two(memory.sums.size()));
  if (count == 0 || count > 60000 || memory.timers.size() <= count ||
      memory.table.size() / 4 * 3 <= count || memory.listeners.empty() || !caches_fit)
    return fail(Errc::BadArgument);
  XOK_TRY(demux_.attach({.table = memory.table,
                         .listeners = memory.listeners,
                         .timers = memory.timers,
                         .time_waits = memory.waits},
                        key));
  XOK_TRY(demux_.listen({.port = kPort, .backlog = static_cast<std::uint16_t>(count + 1)}));
  config_ = tcp_config();
  patience_ = patience;
  files_ = &files;
  sink_ = &sink;
  wall_ns_ = wall_ns;
  responder_.attach(files, memory.heads);
  sums_.attach(memory.sums);
  connections_ = memory.connections;
  for (std::size_t i = count; i-- != 0;) {
    connections_[i].tcp.set_cookie(i);
    link_free(static_cast<std::uint32_t>(i));
  }
  return {};
}

/// A machine's own addresses never arrive from outside, and 127/8 is on no wire.
bool Server::may_come(const net::Ipv4View& ip, Origin origin) const {
  if (ip.protocol != net::kProtocolTcp || ip.source.is_zero()) return false;
  const bool own = !address_.is_zero() && ip.destination == address_;
  if (origin == Origin::Loopback) return own || is_localhost(ip.destination);
  return own && ip.source != address_ && !is_localhost(ip.source);
}

void Server::on_frame(std::uint64_t now_ns, std::span<const std::uint8_t> frame, Origin origin) {
  ++counters_.dropped;  // until it has proved good
  const auto ethernet = net::parse_ethernet(frame);
  if (!ethernet || ethernet->type != net::kEtherTypeIpv4 || ethernet->destination.is_group() ||
      ethernet->source.is_group())
    return;
  const auto ip = net::parse_ipv4(ethernet->payload);
  if (!ip || !may_come(*ip, origin)) return;
  const auto segment = net::parse_tcp(*ip, net::ReceiveChecksum::Verify);
  if (!segment || segment->destination_port != kPort || segment->source_port == 0) return;
  --counters_.dropped;
  with_context(now_ns, [&](const net::TcpContext& ctx) { deliver(ctx, *segment, *ethernet); });
}

void Server::deliver(const net::TcpContext& ctx, const net::TcpSegment& segment,
                     const net::EthernetView& ethernet) {
  const auto acceptor = [&](const net::TcpListener&, const net::TcpFlow&) {
    return offer_slot(ctx);
  };
  const net::TcpDelivery delivery =
      demux_.on_segment(ctx, segment, ethernet.destination, ethernet.source, acceptor);
  if (delivery.connection == nullptr) return;
  Connection& connection = connection_of(*delivery.connection);
  if (delivery.opened) return take_slot(ctx, connection);
  on_events(ctx, connection, delivery.events);
}

void Server::on_events(const net::TcpContext& ctx, Connection& connection, net::TcpEvents events) {
  if ((events & net::kTcpClosed) != 0) return retire(connection);
  if ((events & net::kTcpConnected) != 0) {
    demux_.taken(connection.tcp);
    connection.progress_ns = ctx.now_ns;
  }
  if ((events & net::kTcpAcknowledged) != 0) {
    connection.progress_ns = ctx.now_ns;
    connection.answers.release(*files_, connection.tcp.acknowledged());
  }
  // All that came earlier has been read, or else `request_ready` holds. So an acknowledgement alone
  // calls for nothing more: TCP has sent what it allowed.
  const bool brings_bytes = (events & (net::kTcpReadable | net::kTcpPeerClosed)) != 0;
  const bool makes_room = connection.request_ready && (events & net::kTcpAcknowledged) != 0;
  const bool calls_for_work = brings_bytes || makes_room;
  if (calls_for_work) serve(ctx, connection);
  if (calls_for_work || connection.answers.is_broken()) settle(ctx, connection);
}

/// Reads requests, answers them, announces the answers.
void Server::serve(const net::TcpContext& ctx, Connection& connection) {
  using Outcome = Responder::Outcome;
  bool has_time = false;
  while (!connection.closing && (connection.request_ready || connection.read_request(ctx))) {
    if (!has_time)
      responder_.set_time(static_cast<http::Seconds>((wall_ns_ + ctx.now_ns) / net::kSecond));
    has_time = true;
    const Outcome outcome = responder_.respond(connection.parser.request(), connection.answers);
    if (outcome == Outcome::NoRoom) break;
    ++counters_.requests;
    connection.finish_request(outcome == Outcome::Close);
  }
  // The client has ended its stream, and all that was in it is answered: so do we.
  if (connection.tcp.peer_finished() && !connection.request_ready) connection.closing = true;
  if (connection.closing) connection.discard(ctx);
  connection.announce(ctx);
}

/// Brings everything up to date with what has been done to the connection.
void Server::settle(const net::TcpContext& ctx, Connection& connection) {
  const bool is_broken = connection.answers.is_broken();
  if (is_broken) ++counters_.broken;
  if (is_broken || connection.discarded > patience_.linger_bytes) connection.tcp.abort(ctx);
  demux_.changed(ctx, connection.tcp);
  if (connection.tcp.state() == net::TcpState::Closed) retire(connection);
}

void Server::on_timer(std::uint64_t now_ns) {
  with_context(now_ns, [&](const net::TcpContext& ctx) {
    demux_.on_timer(ctx, [&](net::TcpConnection& tcp, net::TcpEvents events) {
      on_events(ctx, connection_of(tcp), events);
    });
    if (now_ns >= next_sweep_ns_ || any_broken_) sweep(ctx);
  });
}

std::uint64_t Server::next_deadline() const {
  return std::min(demux_.next_deadline(), next_sweep_ns_);
}

}  // namespace xok::cheetah
