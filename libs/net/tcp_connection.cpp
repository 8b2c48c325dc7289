// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// The owner's side of a connection: opening, announcing data, reading, closing. What arrives is
// handled in tcp_input.cpp, what leaves and the timers in tcp_output.cpp.

#include "libs/net/tcp_connection.hpp"

#include <algorithm>
#include <type_traits>

namespace xok::net {
namespace {

constexpr std::uint16_t kMinMss = 64;  ///< a peer that names less would make us send dust
constexpr std::size_t kMaxUnscaledWindow = 0xFFFF;

std::uint8_t scale_for(std::size_t ring_size) {
  std::uint8_t scale = 0;
  while (scale < kMaxWindowScale && ring_size >> scale > kMaxUnscaledWindow) ++scale;
  return scale;
}

constexpr std::optional<Errc> optional_error(std::uint8_t code) {
  if (code == 0) return std::nullopt;
  return static_cast<Errc>(code);
}

}  // namespace

static_assert(std::is_trivially_copyable_v<TcpConnection>, "lives in shared memory");

Result<> TcpConnection::start(const TcpContext& ctx, const TcpFlow& flow, std::uint32_t iss,
                              std::span<std::uint8_t> memory) {
  if (state_ != TcpState::Closed) return fail(Errc::Busy);
  if (ctx.config.mss < kMinMss) return fail(Errc::BadArgument);
  ReceiveBuffer buffer;
  XOK_TRY(buffer.attach(memory));
  const std::uint64_t kept_cookie = cookie_;
  const std::uint32_t kept_heap_index = heap_index_;
  *this = {};
  cookie_ = kept_cookie;
  heap_index_ = kept_heap_index;
  receive_ = buffer;
  flow_ = flow;
  iss_ = iss;
  mss_ = std::min(kDefaultMss, ctx.config.mss);
  receive_mss_ = mss_;
  receive_scale_ = scale_for(memory.size());
  last_receive_ns_ = ctx.now_ns;
  congestion_.start(mss_, ctx.config.initial_window_segments);
  return {};
}

Result<> TcpConnection::open_active(const TcpContext& ctx, const TcpFlow& flow, std::uint32_t iss,
                                    std::span<std::uint8_t> receive_memory) {
  XOK_TRY(start(ctx, flow, iss, receive_memory));
  scale_offered_ = true;
  enter(TcpState::SynSent);
  emit_syn(ctx);
  return {};
}

Result<> TcpConnection::open_passive(const TcpContext& ctx, const TcpFlow& flow, std::uint32_t iss,
                                     std::span<std::uint8_t> receive_memory,
                                     const TcpSegment& syn) {
  if (!syn.has(kTcpSyn) || syn.has(kTcpAck | kTcpRst)) return fail(Errc::BadArgument);
  XOK_TRY(start(ctx, flow, iss, receive_memory));
  passive_ = true;
  scale_offered_ = syn.window_scale != kNoWindowScale;
  learn_from_syn(ctx, syn);
  enter(TcpState::SynReceived);
  emit_syn(ctx);
  return {};
}

/// Takes over what a SYN tells: the peer's initial sequence number, segment size and scale.
void TcpConnection::learn_from_syn(const TcpContext& ctx, const TcpSegment& syn) {
  irs_ = syn.sequence;
  const std::uint16_t offered = syn.mss == 0 ? kDefaultMss : std::max(syn.mss, kMinMss);
  mss_ = std::min(offered, ctx.config.mss);
  if (scale_offered_ && syn.window_scale != kNoWindowScale) {
    send_scale_ = syn.window_scale;
  } else {
    receive_scale_ = 0;
  }
  send_window_ = syn.window;  // never scaled on a SYN
  max_send_window_ = syn.window;
  window_sequence_ = 0;
  window_acknowledged_ = 0;
  advertised_edge_ = 1;
  congestion_.start(mss_, ctx.config.initial_window_segments);
}

bool TcpConnection::can_send() const {
  switch (state_) {
    case TcpState::SynSent:
    case TcpState::SynReceived:
    case TcpState::Established:
    case TcpState::CloseWait:
      return !fin_queued_;
    default:
      return false;
  }
}

Result<> TcpConnection::send_available(const TcpContext& ctx, std::uint64_t total_length,
                                       Finish finish) {
  if (!can_send()) return fail(Errc::Closed);
  if (total_length < send_limit_) return fail(Errc::BadArgument);
  send_limit_ = total_length;
  if (finish == Finish::Yes) queue_fin();
  output(ctx);
  return {};
}

/// Our stream ends at `send_limit_`. In SynReceived the state moves on when established.
void TcpConnection::queue_fin() {
  fin_queued_ = true;
  if (state_ == TcpState::Established) enter(TcpState::FinWait1);
  if (state_ == TcpState::CloseWait) enter(TcpState::LastAck);
}

Result<> TcpConnection::close(const TcpContext& ctx) {
  if (!can_send()) return fail(Errc::Closed);
  if (state_ == TcpState::SynSent) {
    finish_connection(std::nullopt);
    return {};
  }
  return send_available(ctx, send_limit_, Finish::Yes);
}

void TcpConnection::abort(const TcpContext& ctx) {
  if (state_ == TcpState::Closed) return;
  if (state_ != TcpState::SynSent && state_ != TcpState::TimeWait) send_reset(ctx);
  finish_connection(std::nullopt);
}

void TcpConnection::detach(const TcpContext& ctx) {
  if (readable_bytes() != 0) return abort(ctx);
  detached_ = true;
  if (can_send()) {
    (void)close(ctx);
  } else if (state_ == TcpState::FinWait2 && ctx.config.fin_wait2_ns != 0) {
    idle_deadline_ns_ = ctx.now_ns + ctx.config.fin_wait2_ns;
  }
}

Result<> TcpConnection::consume(const TcpContext& ctx, std::uint32_t count) {
  XOK_TRY(receive_.consume(count));
  const bool receiving = state_ == TcpState::Established || state_ == TcpState::FinWait1 ||
                         state_ == TcpState::FinWait2;
  if (!receiving) return {};
  // RFC 9293 section 3.8.6.2.2: tell of more room only when it is worth a segment.
  const std::uint64_t edge = receive_next() + receive_.free_bytes();
  const std::uint32_t worth =
      std::min<std::uint32_t>(receive_.capacity() / 2, 2 * std::uint32_t{receive_mss_});
  if (edge >= advertised_edge_ + worth) send_ack(ctx);
  return {};
}

/// The connection is over; what was received stays readable.
void TcpConnection::finish_connection(std::optional<Errc> error) {
  enter(TcpState::Closed);
  error_ = error ? static_cast<std::uint8_t>(*error) : std::uint8_t{0};
  send_timer_ = SendTimer::Off;
  send_deadline_ns_ = 0;
  ack_deadline_ns_ = 0;
  idle_deadline_ns_ = 0;
  ack_need_ = AckNeed::None;
  events_ |= kTcpClosed;
}

void TcpConnection::enter_time_wait(const TcpContext& ctx) {
  enter(TcpState::TimeWait);
  send_timer_ = SendTimer::Off;
  send_deadline_ns_ = 0;
  idle_deadline_ns_ = ctx.now_ns + ctx.config.time_wait_ns;
  events_ |= kTcpTimeWait;
}

void TcpConnection::on_path_mtu(const TcpContext& ctx, std::uint32_t sequence, std::uint16_t mtu) {
  constexpr std::uint16_t kHeaders = kIpv4HeaderSize + kTcpHeaderSize;
  const std::uint16_t limit =
      mtu > kHeaders + kMinMss ? static_cast<std::uint16_t>(mtu - kHeaders) : kMinMss;
  const std::uint32_t ahead = sequence - wire(send_una_);
  if (state_ < TcpState::Established || ahead >= in_flight() || limit >= mss_) return;
  mss_ = limit;
  send_next_ = send_una_;
  timed_end_ = 0;
  output(ctx);
}

TcpEvents TcpConnection::on_unreachable(std::uint32_t sequence, Errc reason) {
  events_ = 0;
  const std::uint32_t ahead = sequence - wire(send_una_);
  if (state_ == TcpState::Closed || ahead >= in_flight()) return 0;
  const bool opening = state_ == TcpState::SynSent || state_ == TcpState::SynReceived;
  if (opening && reason == Errc::Refused) {
    finish_connection(reason);
  } else {
    soft_error_ = static_cast<std::uint8_t>(reason);
  }
  return events_;
}

std::optional<Errc> TcpConnection::error() const { return optional_error(error_); }

std::uint64_t TcpConnection::acknowledged() const {
  if (send_una_ == 0) return 0;
  return std::min(send_una_ - 1, send_limit_);
}

std::uint64_t TcpConnection::next_deadline() const {
  std::uint64_t deadline = kNever;
  for (const std::uint64_t each : {send_deadline_ns_, ack_deadline_ns_, idle_deadline_ns_})
    if (each != 0) deadline = std::min(deadline, each);
  return deadline;
}

}  // namespace xok::net
