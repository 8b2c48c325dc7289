// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "apps/cheetah/connection.hpp"

namespace xok::cheetah {
namespace {

std::span<const char> characters(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void Connection::start(std::uint64_t now_ns) {
  progress_ns = now_ns;
  request_began_ns = 0;
  announced = 0;
  discarded = 0;
  in_use = true;
  request_ready = closing = finished = had_request = false;
  answers.start();
  if (parsed) return;  // what `repeated` knows is as good for this client
  parser.reset();
  repeated.forget();
}

bool Connection::read_request(const net::TcpContext& ctx) {
  const net::ReceiveBuffer::Readable received = tcp.readable();
  if (received.first.empty()) return false;
  std::size_t consumed = repeated.match(characters(received.first));
  if (consumed != 0) {
    parser.request().path_length = repeated.path_length();
  } else {
    consumed = feed(received);
  }
  (void)tcp.consume(ctx, static_cast<std::uint32_t>(consumed));  // it was readable
  if (!parsed) {
    if (request_began_ns == 0 && !parser.idle()) request_began_ns = ctx.now_ns;
    return false;
  }
  request_ready = true;
  had_request = true;
  progress_ns = ctx.now_ns;
  return true;
}

std::size_t Connection::feed(const net::ReceiveBuffer::Readable& received) {
  using State = http::RequestParser::State;
  if (parsed) {
    parser.reset();
    parsed = false;
  }
  repeated.forget();
  const bool is_first = parser.idle();
  http::RequestParser::Progress progress = parser.feed(characters(received.first));
  std::size_t consumed = progress.consumed;
  if (progress.state == State::Complete && is_first)
    repeated.remember(characters(received.first.first(consumed)), parser.request());
  if (progress.state == State::NeedMore && !received.second.empty()) {
    progress = parser.feed(characters(received.second));
    consumed += progress.consumed;
  }
  parsed = progress.state != State::NeedMore;
  return consumed;
}

void Connection::finish_request(bool last) {
  request_ready = false;
  request_began_ns = 0;
  closing = last;
}

void Connection::discard(const net::TcpContext& ctx) {
  const std::uint32_t count = tcp.readable_bytes();
  discarded += count;
  (void)tcp.consume(ctx, count);
}

void Connection::announce(const net::TcpContext& ctx) {
  const bool finish = closing && !finished;
  if (answers.end() == announced && !finish) return;
  announced = answers.end();
  finished = closing;
  (void)tcp.send_available(ctx, announced, closing ? net::Finish::Yes : net::Finish::No);
}

Waiting Connection::waiting() const {
  if (tcp.state() == net::TcpState::SynReceived) return Waiting::Handshake;
  if (!answers.empty() || (finished && !tcp.finish_acknowledged())) return Waiting::Write;
  if (finished) return Waiting::Linger;
  return request_began_ns != 0 || !had_request ? Waiting::Request : Waiting::Idle;
}

bool Connection::may_be_evicted(std::uint64_t now_ns, const Patience& patience) const {
  // A closed window: the client does not read.
  const bool writes = waiting() == Waiting::Write && tcp.send_window() != 0;
  return now_ns - progress_ns >= (writes ? patience.spared_write_ns : patience.spared_ns);
}

std::uint64_t Connection::deadline(const Patience& patience) const {
  switch (waiting()) {
    case Waiting::Handshake:
      return net::kNever;  // TCP has its own
    case Waiting::Request:
      return (request_began_ns != 0 ? request_began_ns : progress_ns) + patience.request_ns;
    case Waiting::Idle:
      return progress_ns + patience.idle_ns;
    case Waiting::Write:
      return progress_ns + patience.write_ns;
    case Waiting::Linger:
      return progress_ns + patience.linger_ns;
  }
  return net::kNever;
}

}  // namespace xok::cheetah
