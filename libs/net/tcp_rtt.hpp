// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstdint>

namespace xok::net {

/// Estimates the round-trip time and from it the retransmission timeout, in microseconds.
///
/// Source   RFC 6298 section 2; scaled integers as in Jacobson, "Congestion Avoidance and
///          Control" (1988), appendix A
class TcpRtt {
 public:
  /// Clock granularity G of RFC 6298: the least variance that a timeout allows for.
  static constexpr std::uint32_t kGranularityUs = 1'000;

  /// Takes the measured time of one segment that was sent exactly once (Karn's rule is the
  /// caller's). Values above a minute count as a minute.
  void sample(std::uint64_t round_trip_us) {
    const auto rtt = static_cast<std::uint32_t>(std::min<std::uint64_t>(round_trip_us, 60'000'000));
    if (!has_sample()) {
      smoothed_x8_ = std::max<std::uint32_t>(rtt, 1) * 8;
      variance_x4_ = rtt * 2;
      return;
    }
    const std::uint32_t smoothed = smoothed_x8_ / 8;
    const std::uint32_t error = smoothed > rtt ? smoothed - rtt : rtt - smoothed;
    variance_x4_ += error - variance_x4_ / 4;
    smoothed_x8_ = std::max<std::uint32_t>(smoothed_x8_ + rtt - smoothed, 8);
  }

  bool has_sample() const { return smoothed_x8_ != 0; }
  std::uint32_t smoothed_us() const { return smoothed_x8_ / 8; }
  /// SRTT + max(G, 4 RTTVAR), not yet bounded or backed off; meaningless before the first sample.
  std::uint32_t timeout_us() const {
    return smoothed_us() + std::max(kGranularityUs, variance_x4_);
  }

 private:
  std::uint32_t smoothed_x8_ = 0;  ///< 8 SRTT; 0: no sample yet
  std::uint32_t variance_x4_ = 0;  ///< 4 RTTVAR
};

}  // namespace xok::net
