// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// What happens between the handshakes: windows, sending, loss, receiving.

#include <gtest/gtest.h>

#include "libs/net/tcp_script.hpp"

namespace xok::net {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the fixture and its constants

// Segment size and windows.

TEST_F(TcpScript, SegmentsAreNoLargerThanThePeersMss) {
  open_active();
  TcpSegment syn = peer_syn(kTcpSyn | kTcpAck);
  syn.mss = 300;
  host.deliver(now, syn);
  host.take();
  ASSERT_TRUE(host.send(now, 300));
  EXPECT_EQ(sent().payload.size(), 300u);
}

TEST_F(TcpScript, WithoutMssOptionTheDefaultHolds) {
  TcpSegment syn = peer_syn(kTcpSyn);
  syn.mss = 0;
  open_passive(syn);
  EXPECT_EQ(host.connection.send_mss(), kDefaultMss);
}

TEST_F(TcpScript, ThePeersWindowIsScaledExceptOnTheSyn) {
  open_active();
  TcpSegment syn = peer_syn(kTcpSyn | kTcpAck);
  syn.window_scale = 3;
  syn.window = 100;
  host.deliver(now, syn);
  EXPECT_EQ(host.connection.send_window(), 100u);
  peer_window = 100;
  ASSERT_TRUE(host.send(now, 50));
  ack(50);
  EXPECT_EQ(host.connection.send_window(), 800u);
}

TEST_F(TcpScript, OurWindowShrinksWithDataAndReopensInSteps) {
  establish();
  host.config.delayed_ack_ns = 0;
  data(0, 4000);
  EXPECT_EQ(sent().window, 16 * 1024 - 4000);
  host.read(now, 500);
  EXPECT_EQ(sent_count(), 0u) << "silly window";
  host.read(now, 3000);
  EXPECT_EQ(sent().window, 16 * 1024 - 500);
}

TEST_F(TcpScript, TheOfferedEdgeStaysUntilThereIsRoomForASegmentMore) {
  establish();
  host.config.delayed_ack_ns = 0;
  data(0, 4000);
  host.read(now, 500);
  host.take();
  data(4000, 10);
  EXPECT_EQ(sent().window, 16 * 1024 - 4010);
}

TEST_F(TcpScript, APathMtuReportMakesSegmentsSmaller) {
  establish();
  ASSERT_TRUE(host.send(now, 1000));
  sent();
  host.with(now, [&](const TcpContext& ctx) {
    host.connection.on_path_mtu(ctx, kOurIss + 500000, 540);
    EXPECT_EQ(host.connection.send_mss(), kMss) << "a report about nothing of ours";
    host.connection.on_path_mtu(ctx, kOurIss + 1, 540);
  });
  frames = host.take();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(segment_in(frames[0])->payload.size(), 500u);
}

TEST_F(TcpScript, AClosedWindowIsProbedUntilItOpens) {
  establish();
  peer_window = 0;
  ASSERT_TRUE(host.send(now, 1));
  sent();
  ack(1);
  ASSERT_TRUE(host.send(now, 2001));
  EXPECT_EQ(sent_count(), 0u);
  std::uint64_t last_wait = 0;
  for (int i = 0; i < 20; ++i) {  // far more than data_retries: a peer that answers is not dead
    const std::uint64_t wait = host.connection.next_deadline() - now;
    EXPECT_GE(wait, last_wait);
    last_wait = wait;
    next_timer();
    const TcpSegment probe = sent();
    EXPECT_EQ(sent_offset(probe), 1u);
    EXPECT_EQ(probe.payload.size(), 1u);
    ack(1);
  }
  EXPECT_EQ(last_wait, host.config.max_rto_ns);
  peer_window = 5000;
  ack(1);
  EXPECT_EQ(sent_count(), 2u);
  EXPECT_LE(host.connection.next_deadline(), now + kSecond) << "the probes' backoff is over";
}

TEST_F(TcpScript, AnAcknowledgementAfterAProbeLiesInThePeersClosedWindow) {
  establish();
  peer_window = 0;
  ack(0);
  ASSERT_TRUE(host.send(now, 100));
  next_timer();
  EXPECT_EQ(sent().payload.size(), 1u);
  host.config.delayed_ack_ns = 0;
  data(0, 10);
  EXPECT_EQ(sent_offset(sent()), 0u) << "one further, the peer would drop it";
}

TEST_F(TcpScript, AProbeOfOurClosedWindowIsAcknowledgedWithoutItsByte) {
  establish();
  host.config.delayed_ack_ns = 0;
  for (std::uint32_t at = 0; at < 16384; at += 1024) data(at, 1024);
  host.take();
  data(16384, 1);
  const TcpSegment answer = sent();
  EXPECT_EQ(answer.acknowledgement, kPeerIss + 1 + 16384);
  EXPECT_EQ(answer.window, 0);
  host.read(now);
  EXPECT_EQ(sent().window, 16384);
}

TEST_F(TcpScript, ASilentPeerBehindAClosedWindowTimesOut) {
  establish();
  peer_window = 0;
  ack(0);
  ASSERT_TRUE(host.send(now, 100));
  while (state() != TcpState::Closed) next_timer();
  EXPECT_EQ(host.connection.error(), Errc::TimedOut);
}

// Sending.

TEST_F(TcpScript, NagleHoldsASmallSegmentBackWhileOneIsOut) {
  establish();
  ASSERT_TRUE(host.send(now, 10));
  EXPECT_EQ(sent_count(), 1u);
  ASSERT_TRUE(host.send(now, 20));
  EXPECT_EQ(sent_count(), 0u);
  ack(10);
  EXPECT_EQ(sent().payload.size(), 10u);
  host.config.nagle = false;
  ASSERT_TRUE(host.send(now, 30));
  EXPECT_EQ(sent_count(), 1u);
}

TEST_F(TcpScript, TheFinRidesOnTheLastData) {
  establish();
  ASSERT_TRUE(host.send(now, 1500, Finish::Yes));
  frames = host.take();
  ASSERT_EQ(frames.size(), 2u);
  const TcpSegment last = *segment_in(frames[1]);
  EXPECT_EQ(last.payload.size(), 500u);
  EXPECT_EQ(last.flags, kTcpAck | kTcpPsh | kTcpFin);
  EXPECT_EQ(state(), TcpState::FinWait1);
  ack(1501);
  EXPECT_EQ(state(), TcpState::FinWait2);
  EXPECT_TRUE(host.connection.finish_acknowledged());
}

TEST_F(TcpScript, PrecomputedChecksumsOfOddPiecesAreCombined) {
  establish();
  host.piece_bytes = 333;
  ASSERT_TRUE(host.send(now, 1000));
  const TcpSegment segment = sent();  // `sent` verifies the checksum
  EXPECT_TRUE(std::ranges::equal(segment.payload, stream_bytes(1000)));
}

TEST_F(TcpScript, TheDeviceMayCompleteTheChecksum) {
  establish();
  host.config.transmit_checksum = TransmitChecksum::PseudoHeaderOnly;
  ASSERT_TRUE(host.send(now, 100));
  const Frame frame = host.take().at(0);
  const std::uint16_t field = static_cast<std::uint16_t>(frame[50] << 8 | frame[51]);
  EXPECT_EQ(field, pseudo_header_sum(kIpA, kIpB, kProtocolTcp, 120));
}

TEST_F(TcpScript, AnnouncingChecksItsArguments) {
  EXPECT_EQ(host.send(now, 1).error(), Errc::Closed);
  EXPECT_EQ(host.close(now).error(), Errc::Closed);
  establish();
  ASSERT_TRUE(host.send(now, 10));
  EXPECT_EQ(host.send(now, 9).error(), Errc::BadArgument);
  ASSERT_TRUE(host.close(now));
  EXPECT_EQ(host.send(now, 11).error(), Errc::Closed);
  EXPECT_EQ(host.close(now).error(), Errc::Closed);
  EXPECT_EQ(host.with(now, [&](const TcpContext& ctx) { return host.connection.consume(ctx, 1); })
                .error(),
            Errc::BadArgument);
}

TEST_F(TcpScript, ASourceWithoutBytesHoldsSendingUp) {
  establish();
  bool ready = false;
  const auto bytes = stream_bytes(100);
  auto source = [&](const TcpConnection&, std::uint64_t, std::uint32_t length,
                    std::span<PayloadPiece> out) -> std::size_t {
    if (!ready) return 0;
    out[0] = {.data = bytes.data(), .length = length};
    return 1;
  };
  auto sink = [&](const OutPacket& packet) { host.sent.push_back(flatten(packet)); };
  const TcpContext ctx{.now_ns = now, .config = host.config, .source = source, .sink = sink};
  ASSERT_TRUE(host.connection.send_available(ctx, 100));
  EXPECT_EQ(sent_count(), 0u);
  EXPECT_NE(host.connection.next_deadline(), kNever);
  ready = true;
  ASSERT_TRUE(host.connection.send_available(ctx, 100));
  EXPECT_EQ(sent().payload.size(), 100u);
}

// Loss and congestion.

TEST_F(TcpScript, TimeOutsFollowRfc6298) {
  establish();  // one sample of 10 ms: SRTT 10, RTTVAR 5, 4 RTTVAR 20 ms
  EXPECT_EQ(host.connection.round_trip().smoothed_us(), 10'000u);
  EXPECT_EQ(host.connection.round_trip().timeout_us(), 30'000u);
  ASSERT_TRUE(host.send(now, 100));
  sent();
  std::uint64_t wait = host.config.min_rto_ns;
  for (int i = 0; i < host.config.data_retries; ++i) {
    ASSERT_EQ(host.connection.next_deadline(), now + wait) << i;
    next_timer();
    EXPECT_EQ(sent_offset(sent()), 0u);
    wait = std::min(2 * wait, host.config.max_rto_ns);
  }
  EXPECT_EQ(next_timer(), kTcpClosed);
  EXPECT_EQ(host.connection.error(), Errc::TimedOut);
}

TEST_F(TcpScript, ABackedOffTimeOutStaysUntilAMeasurement) {
  establish();
  ASSERT_TRUE(host.send(now, 100));
  next_timer();
  host.take();
  ack(100);  // of a segment sent twice: Karn forbids to measure it
  ASSERT_TRUE(host.send(now, 200));
  EXPECT_EQ(host.connection.next_deadline(), now + 2 * host.config.min_rto_ns);
  ack(200);
  ASSERT_TRUE(host.send(now, 300));
  EXPECT_EQ(host.connection.next_deadline(), now + host.config.min_rto_ns);
}

TEST_F(TcpScript, AFastRetransmittedSegmentIsNotTimed) {
  establish();
  ASSERT_TRUE(host.send(now, 10000));
  for (int i = 0; i < 3; ++i) ack(0);
  now += 150 * kMillisecond;
  ack(10000);
  EXPECT_EQ(host.connection.round_trip().smoothed_us(), 10'000u);
}

TEST_F(TcpScript, DuplicatesCausedByOurOwnRetransmissionsDoNotStartRecovery) {
  establish();
  ASSERT_TRUE(host.send(now, 8000));
  next_timer();
  ack(1000);
  host.take();
  for (int i = 0; i < 4; ++i) ack(1000);
  EXPECT_FALSE(host.connection.congestion().recovering()) << "RFC 6582 section 3.2";
}

TEST_F(TcpScript, ATimeOutRestartsFromOneSegment) {
  establish();
  ASSERT_TRUE(host.send(now, 8000));
  EXPECT_EQ(sent_count(), 8u);
  next_timer();
  EXPECT_EQ(sent_offset(sent()), 0u);
  EXPECT_EQ(host.connection.congestion().window(), kMss);
  EXPECT_EQ(host.connection.congestion().threshold(), 4000u);
  ack(1000);
  EXPECT_EQ(sent_count(), 2u) << "slow start";
}

TEST_F(TcpScript, SlowStartGrowsByOneSegmentForEachAcknowledgement) {
  host.config.initial_window_segments = 2;
  establish();
  ASSERT_TRUE(host.send(now, 100000));
  EXPECT_EQ(sent_count(), 2u);
  ack(1000);
  EXPECT_EQ(sent_count(), 2u);
  ack(2000);
  EXPECT_EQ(sent_count(), 2u);
  EXPECT_EQ(host.connection.congestion().window(), 4u * kMss);
}

TEST_F(TcpScript, TheThirdDuplicateRetransmitsAtOnceAndRecoveryEndsAtHalf) {
  establish();
  ASSERT_TRUE(host.send(now, 10000));
  EXPECT_EQ(sent_count(), 10u);
  ack(0);
  ack(0);
  EXPECT_EQ(sent_count(), 0u);
  ack(0);
  const TcpSegment again = sent();
  EXPECT_EQ(sent_offset(again), 0u);
  EXPECT_EQ(again.payload.size(), kMss);
  EXPECT_TRUE(host.connection.congestion().recovering());
  EXPECT_EQ(host.connection.congestion().threshold(), 5000u);
  EXPECT_EQ(host.connection.congestion().window(), 8000u);
  ack(4000);  // partial: the next hole is sent without three more duplicates
  EXPECT_EQ(sent_offset(sent()), 4000u);
  EXPECT_TRUE(host.connection.congestion().recovering());
  ack(10000);
  EXPECT_FALSE(host.connection.congestion().recovering());
  EXPECT_LE(host.connection.congestion().window(), 5000u);
}

TEST_F(TcpScript, LimitedTransmitSendsNewDataOnTheFirstDuplicates) {
  establish();
  ASSERT_TRUE(host.send(now, 20000));
  EXPECT_EQ(sent_count(), 10u);
  ack(0);
  EXPECT_EQ(sent_offset(sent()), 10000u);
  ack(0);
  EXPECT_EQ(sent_offset(sent()), 11000u);
}

TEST_F(TcpScript, CongestionAvoidanceGrowsByOneSegmentForEachWindow) {
  TcpCongestion congestion;
  congestion.start(kMss, 10);
  congestion.on_timeout(1, 8000, kMss, TcpCongestion::Timeout::First);
  while (congestion.window() < 4000) congestion.on_ack(2, 1000, congestion.window(), kMss);
  for (int i = 0; i < 3; ++i) congestion.on_ack(2, 1000, 4000, kMss);
  EXPECT_EQ(congestion.window(), 4000u);
  congestion.on_ack(2, 1000, 4000, kMss);
  EXPECT_EQ(congestion.window(), 5000u);
}

TEST_F(TcpScript, AnUnusedWindowDoesNotGrow) {
  TcpCongestion congestion;
  congestion.start(kMss, 10);
  congestion.on_ack(1001, 1000, 1000, kMss);
  EXPECT_EQ(congestion.window(), 10000u);
}

TEST_F(TcpScript, InitialWindowWithoutOverrideIsRfc5681s) {
  EXPECT_EQ(TcpCongestion::initial_window(2200, 0), 4400u);
  EXPECT_EQ(TcpCongestion::initial_window(1460, 0), 4380u);
  EXPECT_EQ(TcpCongestion::initial_window(536, 0), 2144u);
}

TEST_F(TcpScript, AfterAnIdleTimeTheWindowIsTheInitialOneAgain) {
  host.config.initial_window_segments = 2;
  establish();
  ASSERT_TRUE(host.send(now, 8000));
  for (std::uint32_t acked = 1000; acked <= 8000; acked += 1000) ack(acked);
  ASSERT_GT(host.connection.congestion().window(), 3000u);
  host.take();
  now += 10 * kSecond;
  ASSERT_TRUE(host.send(now, 20000));
  EXPECT_EQ(sent_count(), 2u);
}

// Receiving.

TEST_F(TcpScript, EverySecondFullSegmentIsAcknowledgedAtOnceAndOthersLater) {
  establish();
  data(0, 1000);
  EXPECT_EQ(sent_count(), 0u);
  data(1000, 1000);
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 1 + 2000);
  data(2000, 1000);
  EXPECT_EQ(host.connection.next_deadline(), now + host.config.delayed_ack_ns);
  next_timer();
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 1 + 3000);
  EXPECT_EQ(host.connection.next_deadline(), kNever);
}

TEST_F(TcpScript, AnAcknowledgementRidesOnData) {
  establish();
  data(0, 100);
  ASSERT_TRUE(host.send(now, 50));
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 1 + 100);
  EXPECT_EQ(host.connection.next_deadline(), now + host.config.min_rto_ns) << "no delayed one left";
}

TEST_F(TcpScript, BytesPastAGapAreKeptAndEachIsAcknowledgedAtOnce) {
  establish();
  EXPECT_EQ(data(1000, 1000), 0u);
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 1);
  EXPECT_EQ(data(0, 1000), kTcpReadable);
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 1 + 2000);
  EXPECT_EQ(host.read(now), stream_bytes(2000));
}

TEST_F(TcpScript, OverlapsAreCutAtBothEdges) {
  establish();
  data(0, 1000);
  data(500, 1000);
  EXPECT_EQ(host.connection.readable_bytes(), 1500u);
  data(1000, 16384);
  EXPECT_EQ(host.connection.readable_bytes(), 16384u) << "the ring is full";
  EXPECT_EQ(host.read(now), stream_bytes(16384));
}

TEST_F(TcpScript, OldSegmentsAreAcknowledgedAndDropped) {
  establish();
  data(0, 100);
  data(0, 100);
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 1 + 100);
  EXPECT_EQ(host.connection.readable_bytes(), 100u);
}

TEST_F(TcpScript, AFinPastAGapCountsWhenTheGapIsFilled) {
  establish();
  EXPECT_EQ(data(500, 500, kTcpAck | kTcpFin), 0u);
  EXPECT_EQ(data(0, 500), kTcpReadable | kTcpPeerClosed);
  EXPECT_EQ(state(), TcpState::CloseWait);
  EXPECT_EQ(sent_count(), 2u);
}

}  // namespace
}  // namespace xok::net
