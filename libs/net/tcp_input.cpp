// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// What arrives. `on_segment` first tries the short path for what nearly every segment of an
// established connection is: the next bytes in order, or an acknowledgement of the next bytes of
// ours (Jacobson's header prediction). Everything else takes the steps of RFC 9293 section 3.10.7,
// in its order: acceptability, RST, SYN, ACK, payload, FIN. After either path `output` sends what
// the segment has made possible; an acknowledgement that is needed rides on that data, or goes
// alone if there is none.
//
// `ahead` is always the signed distance from the next byte we expect to the segment's first.

#include <algorithm>

#include "libs/net/tcp_connection.hpp"

namespace xok::net {
namespace {

constexpr std::uint8_t kChallengesPerSecond = 10;

std::uint32_t sequence_length(const TcpSegment& segment) {
  return static_cast<std::uint32_t>(segment.payload.size()) + (segment.has(kTcpFin) ? 1 : 0);
}

}  // namespace

TcpEvents TcpConnection::on_segment(const TcpContext& ctx, const TcpSegment& segment) {
  events_ = 0;
  if (state_ == TcpState::Closed) return 0;
  if (predicted(segment)) {
    on_predicted(ctx, segment);
  } else {
    on_segment_slow(ctx, segment);
    if (state_ == TcpState::Closed) return events_;
  }
  const bool timer_stopped = send_timer_ == SendTimer::Off && send_next_ > send_una_;
  if (send_next_ < send_end() || timer_stopped) {
    output(ctx);
  } else if (ack_need_ == AckNeed::Now) {
    send_ack(ctx);
  }
  return events_;
}

/// Whether the segment is the next one in order, with no news but bytes and an acknowledgement.
bool TcpConnection::predicted(const TcpSegment& segment) const {
  const std::uint32_t acked = segment.acknowledgement - wire(send_una_);
  return state_ == TcpState::Established && (segment.flags & ~kTcpPsh) == kTcpAck &&
         segment.sequence == receive_wire(receive_next()) && acked <= in_flight() &&
         (acked != 0 || !segment.payload.empty()) && !receive_.has_gaps() && peer_fin_ == 0 &&
         segment.payload.size() <= receive_.free_bytes() && !detached_ &&
         window_sequence_ <= receive_next();
}

void TcpConnection::on_predicted(const TcpContext& ctx, const TcpSegment& segment) {
  last_receive_ns_ = ctx.now_ns;
  probes_ = 0;
  const std::uint32_t acked = segment.acknowledgement - wire(send_una_);
  window_sequence_ = receive_next();
  window_acknowledged_ = send_una_ + acked;
  send_window_ = std::uint32_t{segment.window} << send_scale_;
  max_send_window_ = std::max(max_send_window_, send_window_);
  if (acked != 0) advance_una(ctx, send_una_ + acked);
  on_acknowledged_probe();
  if (segment.payload.empty()) return;
  receive_.append(segment.payload);
  events_ |= kTcpReadable;
  note_received(ctx, segment.payload.size());
}

void TcpConnection::on_segment_slow(const TcpContext& ctx, const TcpSegment& received) {
  if (state_ == TcpState::SynSent) return on_segment_syn_sent(ctx, received);
  if (state_ == TcpState::TimeWait) return on_segment_time_wait(ctx, received);

  TcpSegment segment = received;
  std::int64_t ahead = static_cast<std::int32_t>(segment.sequence - receive_wire(receive_next()));
  if (state_ == TcpState::SynReceived && segment.has(kTcpSyn) && !segment.has(kTcpRst) &&
      segment.sequence == irs_) {
    if (!segment.has(kTcpAck)) return emit_syn(ctx);  // our SYN+ACK was lost
    // Simultaneous open: the peer's SYN again, now with the acknowledgement of ours.
    segment.flags &= static_cast<std::uint8_t>(~kTcpSyn);
    segment.window = static_cast<std::uint16_t>(segment.window >> send_scale_);  // not yet scaled
    ++ahead;
  }
  const std::uint32_t length = sequence_length(segment);
  if (segment.has(kTcpRst)) return on_reset(ctx, ahead);
  if (!acceptable(ahead, length)) {
    // Empty ones are answered at a bounded rate: two confused peers must not echo for ever.
    return length == 0 ? challenge(ctx) : need_ack(ctx, AckNeed::Now);
  }
  if (segment.has(kTcpSyn)) return challenge(ctx);
  if (!segment.has(kTcpAck)) return;

  last_receive_ns_ = ctx.now_ns;
  probes_ = 0;
  if (state_ == TcpState::SynReceived) {
    if (segment.acknowledgement != wire(1)) return answer_with_reset(ctx, flow_, segment);
    establish(ctx, std::uint32_t{segment.window} << send_scale_);
  }
  if (!process_ack(ctx, segment, ahead) || state_ == TcpState::Closed) return;
  if (length != 0) process_payload(ctx, segment, ahead);
}

/// Whether any part of the segment lies in the window (RFC 9293 section 3.4). An empty segment at
/// the right edge is let through: a peer that has filled the window sends those.
bool TcpConnection::acceptable(std::int64_t ahead, std::uint32_t length) const {
  const std::int64_t window = receive_.free_bytes();
  if (length == 0) return ahead >= 0 && ahead <= window;
  if (window == 0) return ahead == 0;  // a probe: its acknowledgement counts, its byte does not
  return ahead < window && ahead + length > 0;
}

/// RFC 5961 section 3.2: only the exact next number resets; others in the window are challenged.
void TcpConnection::on_reset(const TcpContext& ctx, std::int64_t ahead) {
  if (ahead < 0 || ahead >= std::max<std::int64_t>(receive_.free_bytes(), 1)) return;
  if (ahead != 0) return challenge(ctx);
  const bool orderly = state_ == TcpState::Closing || state_ == TcpState::LastAck;
  if (orderly && finish_acknowledged()) return finish_connection(std::nullopt);
  const bool was_refused = state_ == TcpState::SynReceived && !passive_;
  finish_connection(was_refused ? Errc::Refused : Errc::Reset);
}

void TcpConnection::on_segment_syn_sent(const TcpContext& ctx, const TcpSegment& segment) {
  const bool acknowledges = segment.has(kTcpAck);
  if (acknowledges && segment.acknowledgement != wire(1)) {
    if (!segment.has(kTcpRst)) answer_with_reset(ctx, flow_, segment);
    return;
  }
  if (segment.has(kTcpRst)) {
    if (acknowledges) finish_connection(Errc::Refused);
    return;
  }
  if (!segment.has(kTcpSyn)) return;
  last_receive_ns_ = ctx.now_ns;
  learn_from_syn(ctx, segment);
  if (!acknowledges) {  // simultaneous open
    enter(TcpState::SynReceived);
    timed_end_ = 0;
    return emit_syn(ctx);
  }
  establish(ctx, segment.window);  // never scaled on a SYN
  need_ack(ctx, AckNeed::Now);
}

/// Our SYN is acknowledged.
void TcpConnection::establish(const TcpContext& ctx, std::uint32_t window) {
  if (timed_end_ != 0) rtt_.sample((ctx.now_ns - timed_at_ns_) / kMicrosecond);
  timed_end_ = 0;
  send_una_ = 1;
  send_next_ = std::max<std::uint64_t>(send_next_, 1);
  send_window_ = window;
  max_send_window_ = std::max(max_send_window_, window);
  // RFC 5681 section 3.1: a lost SYN leaves an initial window of one segment.
  if (retransmissions_ != 0) congestion_.start(mss_, 1);
  backoff_ = 0;
  retries_ = 0;
  send_timer_ = SendTimer::Off;
  send_deadline_ns_ = 0;
  if (ctx.config.keepalive_idle_ns != 0)
    idle_deadline_ns_ = ctx.now_ns + ctx.config.keepalive_idle_ns;
  enter(fin_queued_ ? TcpState::FinWait1 : TcpState::Established);
  events_ |= kTcpConnected;
}

/// Takes the acknowledgement and the window. False: the segment is to be dropped.
bool TcpConnection::process_ack(const TcpContext& ctx, const TcpSegment& segment,
                                std::int64_t ahead) {
  const std::int64_t acked = static_cast<std::int32_t>(segment.acknowledgement - wire(send_una_));
  if (acked > in_flight() || acked < -std::int64_t{max_send_window_}) {
    challenge(ctx);  // RFC 5961 section 5.2
    return false;
  }
  if (acked < 0) return true;  // an old one: its payload may still be new

  const std::uint64_t una = send_una_ + static_cast<std::uint64_t>(acked);
  const std::uint32_t window = std::uint32_t{segment.window} << send_scale_;
  const bool duplicate = acked == 0 && in_flight() != 0 && sequence_length(segment) == 0 &&
                         window == send_window_ && send_timer_ != SendTimer::Persist;
  const std::uint64_t position =
      receive_next() + static_cast<std::uint64_t>(std::max<std::int64_t>(ahead, 0));
  if (window_sequence_ < position ||
      (window_sequence_ == position && window_acknowledged_ <= una)) {
    window_sequence_ = position;
    window_acknowledged_ = una;
    send_window_ = window;
    max_send_window_ = std::max(max_send_window_, window);
  }
  on_acknowledged_probe();
  if (acked != 0) {
    advance_una(ctx, una);
    on_fin_acknowledged(ctx);
  } else if (duplicate && congestion_.on_duplicate(una, send_max_, in_flight(), mss_) ==
                              TcpCongestion::AckAction::RetransmitFirst) {
    retransmit_first(ctx);
  }
  return true;
}

/// While we wait for the window, any answer shows that the peer lives.
void TcpConnection::on_acknowledged_probe() {
  if (send_timer_ != SendTimer::Persist) return;
  retries_ = 0;
  if (send_window_ != 0) backoff_ = 0;
}

/// The peer has acknowledged everything before `una`, which is past `send_una_`.
void TcpConnection::advance_una(const TcpContext& ctx, std::uint64_t una) {
  const auto acked = static_cast<std::uint32_t>(una - send_una_);
  const std::uint32_t flight = in_flight();
  if (timed_end_ != 0 && una >= timed_end_) {
    rtt_.sample((ctx.now_ns - timed_at_ns_) / kMicrosecond);
    timed_end_ = 0;
    backoff_ = 0;  // RFC 6298 section 5, last paragraph: only a measurement collapses it
  }
  send_una_ = una;
  send_next_ = std::max(send_next_, una);
  retries_ = 0;
  soft_error_ = 0;
  send_timer_ = SendTimer::Off;  // `output` starts it anew if anything is left (5.2, 5.3)
  send_deadline_ns_ = 0;
  events_ |= kTcpAcknowledged;
  if (congestion_.on_ack(una, acked, flight, mss_) == TcpCongestion::AckAction::RetransmitFirst)
    retransmit_first(ctx);
}

void TcpConnection::on_fin_acknowledged(const TcpContext& ctx) {
  if (!finish_acknowledged()) return;
  if (state_ == TcpState::FinWait1) {
    enter(TcpState::FinWait2);
    const bool bounded = detached_ && ctx.config.fin_wait2_ns != 0;
    idle_deadline_ns_ = bounded ? ctx.now_ns + ctx.config.fin_wait2_ns : 0;
  } else if (state_ == TcpState::Closing) {
    enter_time_wait(ctx);
  } else if (state_ == TcpState::LastAck) {
    finish_connection(std::nullopt);
  }
}

void TcpConnection::process_payload(const TcpContext& ctx, const TcpSegment& segment,
                                    std::int64_t ahead) {
  if (fin_received_) return need_ack(ctx, AckNeed::Now);  // nothing can follow a FIN
  const std::uint64_t next = receive_next();
  const std::uint64_t start = next + static_cast<std::uint64_t>(ahead);  // may lie before 0: wraps
  const std::uint64_t end = start + segment.payload.size();
  const bool brings_bytes = !segment.payload.empty() && static_cast<std::int64_t>(end - next) > 0;
  if (detached_ && brings_bytes) {
    send_reset(ctx);
    return finish_connection(std::nullopt);
  }

  const bool had_gaps = receive_.has_gaps();
  std::uint32_t gained = 0;
  if (brings_bytes) {
    std::span<const std::uint8_t> bytes = segment.payload;
    if (ahead < 0) bytes = bytes.subspan(static_cast<std::size_t>(-ahead));
    gained = receive_.store(
        receive_.next_offset() + static_cast<std::uint64_t>(std::max(ahead, std::int64_t{0})),
        bytes);
  }
  const std::uint64_t edge = receive_next() + receive_.free_bytes();
  if (segment.has(kTcpFin) && end <= edge && end >= receive_next()) peer_fin_ = end;

  if (gained != 0) {
    events_ |= kTcpReadable;
    note_received(ctx, segment.payload.size());
  }
  // A gap, its filling, or bytes that did not fit: the sender wants to know at once.
  if (had_gaps || receive_.has_gaps() || (brings_bytes && gained == 0) || ahead < 0)
    need_ack(ctx, AckNeed::Now);
  if (peer_fin_ != 0 && peer_fin_ == receive_next()) {
    on_peer_fin(ctx);
  } else if (segment.has(kTcpFin)) {
    need_ack(ctx, AckNeed::Now);
  }
}

void TcpConnection::on_peer_fin(const TcpContext& ctx) {
  fin_received_ = true;
  events_ |= kTcpPeerClosed;
  if (state_ == TcpState::Established) {
    // The owner often closes in reply: let that FIN carry the acknowledgement.
    enter(TcpState::CloseWait);
    return need_ack(ctx, AckNeed::Delayed);
  }
  need_ack(ctx, AckNeed::Now);
  if (state_ == TcpState::FinWait1) enter(TcpState::Closing);
  if (state_ == TcpState::FinWait2) enter_time_wait(ctx);
}

/// Decides when to acknowledge bytes that came in order: at once for every second full segment.
void TcpConnection::note_received(const TcpContext& ctx, std::size_t segment_bytes) {
  const std::size_t full = std::min<std::size_t>(segment_bytes, ctx.config.mss);
  receive_mss_ = std::max(receive_mss_, static_cast<std::uint16_t>(full));
  const std::uint64_t owed = receive_next() - acked_position_;
  need_ack(ctx, owed >= 2u * receive_mss_ ? AckNeed::Now : AckNeed::Delayed);
}

void TcpConnection::on_segment_time_wait(const TcpContext& ctx, const TcpSegment& segment) {
  if (segment.has(kTcpRst)) return;  // RFC 1337: must not cut the wait short
  if (segment.has(kTcpSyn) || sequence_length(segment) == 0) return challenge(ctx);
  need_ack(ctx, AckNeed::Now);
  if (segment.has(kTcpFin)) idle_deadline_ns_ = ctx.now_ns + ctx.config.time_wait_ns;
}

/// Acknowledges in answer to something suspicious, at a bounded rate (RFC 5961 section 7).
void TcpConnection::challenge(const TcpContext& ctx) {
  if (ctx.now_ns - challenge_period_ns_ >= kSecond) {
    challenge_period_ns_ = ctx.now_ns;
    challenges_ = 0;
  }
  if (challenges_ >= kChallengesPerSecond) return;
  ++challenges_;
  need_ack(ctx, AckNeed::Now);
}

}  // namespace xok::net
