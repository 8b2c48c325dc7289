// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// What leaves, and the three timers: *send* (retransmission, or persist while the peer's window
// holds us up), *acknowledgement* (the delayed one), and *idle* (keep-alive, FIN-WAIT-2, 2 MSL).
//
// `output` sends segments while windows and the silly-window rules allow, then an acknowledgement
// if one is still owed, then sets the send timer to fit what is in flight. A retransmission is
// nothing special: `send_next_` goes back and `output` runs; the source is asked for the bytes once
// more.

#include <algorithm>
#include <array>

#include "libs/net/checksum.hpp"
#include "libs/net/tcp_connection.hpp"

namespace xok::net {
namespace {

constexpr std::uint8_t kMaxBackoff = 16;

/// Asks the source for bytes and sums them.
struct Gathered {
  std::array<PayloadPiece, kMaxPieces> pieces;
  std::size_t count = 0;
  std::uint32_t length = 0;
  std::uint16_t sum = 0;
};

void gather(Gathered& out, const TcpContext& ctx, const TcpConnection& connection,
            std::uint64_t offset, std::uint32_t length) {
  const std::size_t named =
      std::min(ctx.source(connection, offset, length, out.pieces), kMaxPieces);
  const bool want_sum = ctx.config.transmit_checksum == TransmitChecksum::Full;
  while (out.count < named && out.length < length) {
    PayloadPiece& piece = out.pieces[out.count];
    if (piece.length > length - out.length) {
      piece.length = length - out.length;
      piece.has_checksum = false;
    }
    if (want_sum) {
      const std::uint16_t sum =
          piece.has_checksum ? piece.checksum : checksum_partial({piece.data, piece.length});
      out.sum = checksum_combine(out.sum, out.length, sum);
    }
    out.length += piece.length;
    ++out.count;
  }
}

}  // namespace

void answer_with_reset(const TcpContext& ctx, const TcpFlow& flow, const TcpSegment& segment) {
  if (segment.has(kTcpRst)) return;
  TcpFields fields{.flags = kTcpRst};
  if (segment.has(kTcpAck)) {
    fields.sequence = segment.acknowledgement;
  } else {
    fields.acknowledgement = segment.sequence + static_cast<std::uint32_t>(segment.payload.size()) +
                             (segment.has(kTcpSyn) ? 1 : 0) + (segment.has(kTcpFin) ? 1 : 0);
    fields.flags = kTcpRst | kTcpAck;
  }
  std::array<std::uint8_t, kTcpFrameHeaderMax> frame;
  const std::size_t size = write_tcp_frame(frame, flow, fields, 0, 0, ctx.config.transmit_checksum);
  ctx.sink({.header = std::span{frame}.first(size), .payload = {}});
}

void TcpConnection::output(const TcpContext& ctx) {
  if (state_ >= TcpState::Established) {
    const bool idle = send_una_ == send_max_ && send_next_ < send_end() && last_send_ns_ != 0;
    if (idle && ctx.now_ns - last_send_ns_ > timeout_ns(ctx.config))
      congestion_.on_idle(mss_, ctx.config.initial_window_segments);
    while (send_next_ < send_end() && send_one(ctx)) {
    }
  }
  if (ack_need_ == AckNeed::Now) send_ack(ctx);
  update_send_timer(ctx);
}

/// Sends the segment at `send_next_` if the windows and the rules allow. False: nothing was sent.
bool TcpConnection::send_one(const TcpContext& ctx) {
  const std::uint64_t allowed = send_una_ + std::min(send_window_, congestion_.allowance(mss_));
  if (allowed <= send_next_) return false;
  const std::uint64_t usable = allowed - send_next_;
  const std::uint64_t data_end = 1 + send_limit_;
  const std::uint64_t queued = data_end > send_next_ ? data_end - send_next_ : 0;
  const auto data = static_cast<std::uint32_t>(std::min({queued, usable, std::uint64_t{mss_}}));
  const bool last = data == queued;
  const bool fin = fin_queued_ && last && usable > data;
  if (!worth_sending(ctx, data, last)) return false;
  std::uint8_t flags = kTcpAck;
  if (last && data != 0) flags |= kTcpPsh;
  if (fin) flags |= kTcpFin;
  const std::uint32_t sent = emit(ctx, send_next_, data, flags);
  send_next_ += sent;
  return sent != 0;
}

/// Nagle's algorithm and the sender's silly-window avoidance (RFC 9293 section 3.8.6.2.1).
bool TcpConnection::worth_sending(const TcpContext& ctx, std::uint32_t data, bool last) const {
  if (data == mss_ || send_next_ < send_max_) return true;  // full, or a retransmission
  const bool nothing_in_flight = send_next_ == send_una_;
  if (last && (fin_queued_ || nothing_in_flight || !ctx.config.nagle)) return true;
  return nothing_in_flight && data != 0 && data >= max_send_window_ / 2;
}

/// Builds and sends the segment at `position` with up to `length` bytes.
///
/// Returns  the positions it covers, a FIN included; 0 if the source had nothing
std::uint32_t TcpConnection::emit(const TcpContext& ctx, std::uint64_t position,
                                  std::uint32_t length, std::uint8_t flags) {
  if (length == 0) {
    const std::uint32_t covered = (flags & (kTcpSyn | kTcpFin)) != 0 ? 1 : 0;
    if (covered != 0) note_sent(ctx, position, covered);
    emit_frame(ctx, position, flags, {}, 0, 0);
    return covered;
  }
  Gathered payload;
  gather(payload, ctx, *this, position - 1, length);
  if (payload.length == 0) return 0;
  if (payload.length < length) flags &= static_cast<std::uint8_t>(~kTcpFin);
  const std::uint32_t covered = payload.length + ((flags & kTcpFin) != 0 ? 1 : 0);
  note_sent(ctx, position, covered);
  emit_frame(ctx, position, flags, std::span{payload.pieces}.first(payload.count), payload.length,
             payload.sum);
  return covered;
}

/// Accounts for what is about to be sent: timing, Karn's rule, the highest position.
void TcpConnection::note_sent(const TcpContext& ctx, std::uint64_t position,
                              std::uint32_t covered) {
  const std::uint64_t end = position + covered;
  if (position < send_max_) {
    ++retransmissions_;
    if (position < timed_end_) timed_end_ = 0;  // never time what was sent twice
  } else if (timed_end_ == 0) {
    timed_end_ = end;
    timed_at_ns_ = ctx.now_ns;
  }
  send_max_ = std::max(send_max_, end);
  last_send_ns_ = ctx.now_ns;
}

/// Writes the headers and hands the frame to the sink.
void TcpConnection::emit_frame(const TcpContext& ctx, std::uint64_t position, std::uint8_t flags,
                               std::span<const PayloadPiece> pieces, std::uint32_t length,
                               std::uint16_t sum) {
  TcpFields fields{.sequence = wire(position), .window = advertise(), .flags = flags};
  if ((flags & kTcpSyn) != 0) {
    fields.window =
        static_cast<std::uint16_t>(std::min<std::uint32_t>(receive_.free_bytes(), 0xFFFF));
    fields.mss = ctx.config.mss;
    if (scale_offered_) fields.window_scale = receive_scale_;
  }
  if ((flags & kTcpAck) != 0) {
    acked_position_ = receive_next();
    fields.acknowledgement = receive_wire(acked_position_);
    ack_need_ = AckNeed::None;
    ack_deadline_ns_ = 0;
  }
  std::array<std::uint8_t, kTcpFrameHeaderMax> frame;
  const std::size_t size =
      write_tcp_frame(frame, flow_, fields, length, sum, ctx.config.transmit_checksum);
  ctx.sink({.header = std::span{frame}.first(size), .payload = pieces});
}

void TcpConnection::emit_syn(const TcpContext& ctx) {
  const bool first = send_max_ == 0;
  emit(ctx, 0, 0, state_ == TcpState::SynSent ? kTcpSyn : kTcpSyn | kTcpAck);
  send_next_ = 1;
  if (first || send_timer_ == SendTimer::Off) start_send_timer(ctx, SendTimer::Retransmit);
}

/// An acknowledgement alone. Its number must lie in the peer's window, or the peer drops it: after
/// a probe into a closed window `send_max_` is one too far.
void TcpConnection::send_ack(const TcpContext& ctx) {
  const std::uint64_t edge = std::max(send_next_, send_una_ + send_window_);
  emit(ctx, std::min(send_max_, edge), 0, kTcpAck);
}

void TcpConnection::send_reset(const TcpContext& ctx) {
  emit(ctx, send_max_, 0, kTcpRst | kTcpAck);
}

void TcpConnection::need_ack(const TcpContext& ctx, AckNeed need) {
  if (need == AckNeed::Now || ctx.config.delayed_ack_ns == 0) {
    ack_need_ = AckNeed::Now;
    return;
  }
  if (ack_need_ != AckNeed::None) return;
  ack_need_ = AckNeed::Delayed;
  ack_deadline_ns_ = ctx.now_ns + ctx.config.delayed_ack_ns;
}

/// Sends the first unacknowledged segment once more, without going back.
void TcpConnection::retransmit_first(const TcpContext& ctx) {
  const std::uint64_t data_end = 1 + send_limit_;
  const std::uint64_t queued = data_end > send_una_ ? data_end - send_una_ : 0;
  const auto data =
      static_cast<std::uint32_t>(std::min({queued, send_max_ - send_una_, std::uint64_t{mss_}}));
  const bool fin = fin_queued_ && data == queued && send_max_ == send_end();
  emit(ctx, send_una_, data, fin ? kTcpAck | kTcpFin : kTcpAck);
}

/// The window field to send: it never takes back what was offered, and grows only by steps worth a
/// segment (RFC 9293 section 3.8.6.2.2).
std::uint16_t TcpConnection::advertise() {
  const std::uint64_t next = receive_next();
  std::uint64_t window = receive_.free_bytes();
  const std::uint32_t step = std::min<std::uint32_t>(receive_.capacity() / 2, receive_mss_);
  if (next + window < advertised_edge_ + step)
    window = advertised_edge_ > next ? advertised_edge_ - next : 0;
  const std::uint64_t field = std::min<std::uint64_t>(window >> receive_scale_, 0xFFFF);
  advertised_edge_ = std::max(advertised_edge_, next + (field << receive_scale_));
  return static_cast<std::uint16_t>(field);
}

/// The current retransmission timeout, backed off and bounded (RFC 6298 sections 2 and 5).
std::uint64_t TcpConnection::timeout_ns(const TcpConfig& config) const {
  std::uint64_t base = config.initial_rto_ns;
  if (rtt_.has_sample()) {
    base = std::max(rtt_.timeout_us() * kMicrosecond, config.min_rto_ns);
  } else if (state_ >= TcpState::Established) {
    base *= 3;  // (5.7): the SYN had to be sent again
  }
  return std::min(base << backoff_, config.max_rto_ns);
}

void TcpConnection::start_send_timer(const TcpContext& ctx, SendTimer kind) {
  send_timer_ = kind;
  send_deadline_ns_ = ctx.now_ns + timeout_ns(ctx.config);
}

/// Makes the send timer fit: retransmission while something is in flight, persist while something
/// waits and nothing is in flight, else off. A timer that fits already keeps its deadline.
void TcpConnection::update_send_timer(const TcpContext& ctx) {
  if (state_ == TcpState::Closed || state_ == TcpState::TimeWait) return;
  if (send_next_ > send_una_) {
    if (send_timer_ != SendTimer::Retransmit) start_send_timer(ctx, SendTimer::Retransmit);
  } else if (send_next_ < send_end() && state_ >= TcpState::Established) {
    if (send_timer_ != SendTimer::Persist) start_send_timer(ctx, SendTimer::Persist);
  } else {
    send_timer_ = SendTimer::Off;
    send_deadline_ns_ = 0;
  }
}

TcpEvents TcpConnection::on_timer(const TcpContext& ctx) {
  events_ = 0;
  if (ack_deadline_ns_ != 0 && ctx.now_ns >= ack_deadline_ns_) {
    ack_need_ = AckNeed::Now;
    output(ctx);
  }
  if (send_deadline_ns_ != 0 && ctx.now_ns >= send_deadline_ns_) on_send_timer(ctx);
  if (idle_deadline_ns_ != 0 && ctx.now_ns >= idle_deadline_ns_) on_idle_timer(ctx);
  return events_;
}

void TcpConnection::on_send_timer(const TcpContext& ctx) {
  if (give_up(ctx.config)) return;
  ++retries_;
  backoff_ = std::min<std::uint8_t>(static_cast<std::uint8_t>(backoff_ + 1), kMaxBackoff);
  if (send_timer_ == SendTimer::Persist) return on_persist(ctx);
  on_retransmit_timeout(ctx);
}

/// Too many time-outs in a row end the connection. True: it has ended.
bool TcpConnection::give_up(const TcpConfig& config) {
  const bool opening = state_ == TcpState::SynSent || state_ == TcpState::SynReceived;
  if (retries_ < (opening ? config.syn_retries : config.data_retries)) return false;
  finish_connection(soft_error_ != 0 ? static_cast<Errc>(soft_error_) : Errc::TimedOut);
  return true;
}

void TcpConnection::on_retransmit_timeout(const TcpContext& ctx) {
  timed_end_ = 0;
  if (state_ == TcpState::SynSent || state_ == TcpState::SynReceived) {
    emit_syn(ctx);
  } else {
    congestion_.on_timeout(
        send_max_, in_flight(), mss_,
        retries_ == 1 ? TcpCongestion::Timeout::First : TcpCongestion::Timeout::Repeated);
    send_next_ = send_una_;
    output(ctx);
  }
  if (send_timer_ == SendTimer::Retransmit) start_send_timer(ctx, SendTimer::Retransmit);
}

/// The window has held us up for long: force out what fits, or probe with one byte (RFC 9293
/// section 3.8.6.1). The probe does not move `send_next_`: most likely it will be refused.
void TcpConnection::on_persist(const TcpContext& ctx) {
  const std::uint64_t data_end = 1 + send_limit_;
  const std::uint64_t queued = data_end > send_next_ ? data_end - send_next_ : 0;
  const std::uint64_t fits = std::min({queued, std::uint64_t{send_window_}, std::uint64_t{mss_}});
  const auto data = static_cast<std::uint32_t>(std::min(queued, std::max<std::uint64_t>(fits, 1)));
  const bool fin = fin_queued_ && data == queued;
  const std::uint32_t sent = emit(ctx, send_next_, data, fin ? kTcpAck | kTcpFin : kTcpAck);
  timed_end_ = 0;
  if (send_window_ != 0) send_next_ += sent;
  update_send_timer(ctx);
  if (send_timer_ == SendTimer::Persist) start_send_timer(ctx, SendTimer::Persist);
}

void TcpConnection::on_idle_timer(const TcpContext& ctx) {
  idle_deadline_ns_ = 0;
  if (state_ == TcpState::TimeWait) return finish_connection(std::nullopt);
  if (state_ == TcpState::FinWait2) {
    if (detached_) finish_connection(std::nullopt);
    return;
  }
  const TcpConfig& config = ctx.config;
  if (config.keepalive_idle_ns == 0 || state_ < TcpState::Established) return;
  const std::uint64_t quiet_until = last_receive_ns_ + config.keepalive_idle_ns;
  if (ctx.now_ns < quiet_until) {
    idle_deadline_ns_ = quiet_until;
    return;
  }
  if (probes_ >= config.keepalive_probes) {
    send_reset(ctx);
    return finish_connection(Errc::TimedOut);
  }
  ++probes_;
  send_keepalive(ctx);
  idle_deadline_ns_ = ctx.now_ns + config.keepalive_interval_ns;
}

/// An old sequence number makes the peer acknowledge (RFC 9293 section 3.8.4).
void TcpConnection::send_keepalive(const TcpContext& ctx) { emit(ctx, send_una_ - 1, 0, kTcpAck); }

}  // namespace xok::net
