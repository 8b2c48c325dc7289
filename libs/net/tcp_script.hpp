// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

// For tests only: one connection against a peer that the test plays by hand. The peer's initial
// sequence number is kPeerIss, ours kOurIss; both streams' byte n has the number iss + 1 + n.

#include <gtest/gtest.h>

#include "libs/net/net_test_support.hpp"

namespace xok::net::testing {

inline constexpr std::uint32_t kOurIss = 0xFFFF'FFF0;  // wraps during every test
inline constexpr std::uint32_t kPeerIss = 7000;
inline constexpr std::uint16_t kMss = 1000;
inline constexpr std::uint64_t kStart = 100 * kSecond;

class TcpScript : public ::testing::Test {
 protected:
  TcpScript() { host.config.mss = kMss; }

  TcpSegment from_peer(std::uint8_t flags, std::uint32_t offset, std::uint32_t acked,
                       std::span<const std::uint8_t> payload = {}) const {
    return {.source = kIpB,
            .destination = kIpA,
            .source_port = 80,
            .destination_port = 4000,
            .sequence = kPeerIss + 1 + offset,
            .acknowledgement = kOurIss + 1 + acked,
            .window = peer_window,
            .flags = flags,
            .payload = payload};
  }
  TcpSegment peer_syn(std::uint8_t flags) const {
    TcpSegment syn = from_peer(flags, 0, 0);
    --syn.sequence;
    syn.mss = kMss;
    return syn;
  }
  TcpEvents ack(std::uint32_t acked, std::uint32_t offset = 0) {
    return host.deliver(now, from_peer(kTcpAck, offset, acked));
  }
  TcpEvents data(std::uint32_t offset, std::size_t length, std::uint8_t flags = kTcpAck,
                 std::uint32_t acked = 0) {
    const auto all = stream_bytes(offset + length);
    return host.deliver(now, from_peer(flags, offset, acked, std::span{all}.subspan(offset)));
  }

  /// Takes the one frame that must have been sent since the last look.
  TcpSegment sent() {
    frames = host.take();
    EXPECT_EQ(frames.size(), 1u);
    if (frames.empty()) return {};
    const Result<TcpSegment> segment = segment_in(frames.front());
    EXPECT_TRUE(segment.has_value());
    return segment.value_or(TcpSegment{});
  }
  std::size_t sent_count() { return host.take().size(); }
  std::uint32_t sent_offset(const TcpSegment& segment) const {
    return segment.sequence - kOurIss - 1;
  }

  void open_active() {
    ASSERT_TRUE(host.with(now, [&](const TcpContext& ctx) {
      return host.connection.open_active(ctx, kFlowA, kOurIss, host.ring);
    }));
  }
  void open_passive(const TcpSegment& syn) {
    ASSERT_TRUE(host.with(now, [&](const TcpContext& ctx) {
      return host.connection.open_passive(ctx, kFlowA, kOurIss, host.ring, syn);
    }));
  }
  /// An established connection, without frames left to look at; the round trip takes 10 ms.
  void establish() {
    open_active();
    now += 10 * kMillisecond;
    EXPECT_EQ(host.deliver(now, peer_syn(kTcpSyn | kTcpAck)), kTcpConnected);
    host.take();
    ASSERT_EQ(state(), TcpState::Established);
  }
  /// Lets the next timer run.
  TcpEvents next_timer() {
    now = host.connection.next_deadline();
    return host.timer(now);
  }
  TcpState state() const { return host.connection.state(); }

  TestHost host{16 * 1024};
  std::vector<Frame> frames;
  std::uint64_t now = kStart;
  std::uint16_t peer_window = 60000;
};

}  // namespace xok::net::testing
