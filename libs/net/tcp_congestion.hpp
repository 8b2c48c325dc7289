// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstdint>

namespace xok::net {

/// How much may be in flight: slow start, congestion avoidance, fast retransmit and NewReno fast
/// recovery. Counts bytes; positions are TcpConnection's 64-bit sequence positions.
///
/// Source   RFC 5681 section 3; RFC 6582 (recovery point, partial acknowledgements);
///          RFC 3042 (limited transmit); RFC 6928 (initial window)
class TcpCongestion {
 public:
  static constexpr std::uint32_t kDuplicatesForRetransmit = 3;
  static constexpr std::uint32_t kMaxWindow = std::uint32_t{1} << 30;

  /// Starts with room for `initial_segments` segments; 0: two to four by RFC 5681's rule.
  void start(std::uint32_t mss, std::uint32_t initial_segments) {
    *this = {};
    window_ = initial_window(mss, initial_segments);
    threshold_ = kMaxWindow;
  }

  std::uint32_t window() const { return window_; }
  std::uint32_t threshold() const { return threshold_; }
  bool recovering() const { return recovering_; }
  std::uint32_t duplicates() const { return duplicates_; }

  /// Bytes that may be in flight now, limited transmit's two segments included.
  std::uint32_t allowance(std::uint32_t mss) const {
    if (recovering_ || duplicates_ == 0) return window_;
    return window_ + std::min<std::uint32_t>(duplicates_, 2) * mss;
  }

  enum class AckAction : std::uint8_t { None, RetransmitFirst };

  /// `acked` new bytes were acknowledged, up to position `una`; `flight` bytes were out before.
  AckAction on_ack(std::uint64_t una, std::uint32_t acked, std::uint32_t flight,
                   std::uint32_t mss) {
    duplicates_ = 0;
    if (recovering_) return on_ack_in_recovery(una, acked, flight - acked, mss);
    // A window that is not used says nothing about the path: do not grow it (RFC 7661).
    if (flight < window_ / 2) return AckAction::None;
    if (window_ < threshold_) {
      grow(std::min(acked, mss));
      return AckAction::None;
    }
    acked_in_avoidance_ += acked;
    if (acked_in_avoidance_ >= window_) {
      acked_in_avoidance_ -= window_;
      grow(mss);
    }
    return AckAction::None;
  }

  /// A duplicate acknowledgement for `una` came while `flight` bytes up to `max_sent` are out.
  AckAction on_duplicate(std::uint64_t una, std::uint64_t max_sent, std::uint32_t flight,
                         std::uint32_t mss) {
    if (recovering_) {
      grow(mss);
      return AckAction::None;
    }
    if (duplicates_ < kDuplicatesForRetransmit) ++duplicates_;
    // una <= recover_: these duplicates come from our own retransmissions (RFC 6582 section 3.2).
    if (duplicates_ != kDuplicatesForRetransmit || una <= recover_) return AckAction::None;
    halve(flight, mss);
    window_ = threshold_ + 3 * mss;
    recover_ = max_sent;
    recovering_ = true;
    return AckAction::RetransmitFirst;
  }

  enum class Timeout : std::uint8_t { First, Repeated };

  /// The retransmission timer ran out; `Repeated`: again for the same bytes.
  void on_timeout(std::uint64_t max_sent, std::uint32_t flight, std::uint32_t mss,
                  Timeout timeout) {
    if (timeout == Timeout::First) halve(flight, mss);
    window_ = mss;
    recover_ = max_sent;
    recovering_ = false;
    duplicates_ = 0;
    acked_in_avoidance_ = 0;
  }

  /// Nothing was sent for longer than a retransmission timeout (RFC 5681 section 4.1).
  void on_idle(std::uint32_t mss, std::uint32_t initial_segments) {
    window_ = std::min(window_, initial_window(mss, initial_segments));
  }

  static constexpr std::uint32_t initial_window(std::uint32_t mss, std::uint32_t segments) {
    if (segments != 0) return segments * mss;
    if (mss > 2190) return 2 * mss;
    return mss > 1095 ? 3 * mss : 4 * mss;
  }

 private:
  AckAction on_ack_in_recovery(std::uint64_t una, std::uint32_t acked, std::uint32_t left_in_flight,
                               std::uint32_t mss) {
    if (una >= recover_) {
      recovering_ = false;
      window_ = std::min(threshold_, std::max(left_in_flight, mss) + mss);
      acked_in_avoidance_ = 0;
      return AckAction::None;
    }
    // Partial acknowledgement: the next hole starts at `una`. Deflate by what left the network.
    window_ -= std::min(window_, acked);
    if (acked >= mss) window_ += mss;
    window_ = std::max(window_, mss);
    return AckAction::RetransmitFirst;
  }
  void halve(std::uint32_t flight, std::uint32_t mss) {
    threshold_ = std::max(flight / 2, 2 * mss);
  }
  void grow(std::uint32_t bytes) { window_ = std::min(window_ + bytes, kMaxWindow); }

  std::uint64_t recover_ = 0;  ///< recovery ends when this position is acknowledged
  std::uint32_t window_ = 0;
  std::uint32_t threshold_ = 0;
  std::uint32_t acked_in_avoidance_ = 0;
  std::uint8_t duplicates_ = 0;
  bool recovering_ = false;
};

}  // namespace xok::net
