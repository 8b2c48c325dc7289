// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// Opening, closing in all orders, and attacks on both.

#include <gtest/gtest.h>

#include "libs/net/tcp_script.hpp"

namespace xok::net {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the fixture and its constants

// Opening.

TEST_F(TcpScript, ActiveOpenSendsASynWithMssAndScale) {
  host.ring.resize(1 << 20);
  open_active();
  const TcpSegment syn = sent();
  EXPECT_EQ(syn.flags, kTcpSyn);
  EXPECT_EQ(syn.sequence, kOurIss);
  EXPECT_EQ(syn.mss, kMss);
  EXPECT_EQ(syn.window_scale, 5);
  EXPECT_EQ(syn.window, 0xFFFF);
  now += kMillisecond;
  EXPECT_EQ(host.deliver(now, peer_syn(kTcpSyn | kTcpAck)), kTcpConnected);
  const TcpSegment third = sent();
  EXPECT_EQ(third.flags, kTcpAck);
  EXPECT_EQ(third.acknowledgement, kPeerIss + 1);
  EXPECT_EQ(state(), TcpState::Established);
}

TEST_F(TcpScript, PassiveOpenAnswersAndEstablishes) {
  open_passive(peer_syn(kTcpSyn));
  const TcpSegment answer = sent();
  EXPECT_EQ(answer.flags, kTcpSyn | kTcpAck);
  EXPECT_EQ(answer.acknowledgement, kPeerIss + 1);
  EXPECT_EQ(answer.window_scale, kNoWindowScale) << "the peer did not offer it";
  EXPECT_EQ(ack(0), kTcpConnected);
  EXPECT_EQ(state(), TcpState::Established);
  EXPECT_EQ(sent_count(), 0u);
}

TEST_F(TcpScript, ASynSentAgainIsAnsweredAgain) {
  open_passive(peer_syn(kTcpSyn));
  sent();
  host.deliver(now, peer_syn(kTcpSyn));
  EXPECT_EQ(sent().flags, kTcpSyn | kTcpAck);
}

TEST_F(TcpScript, DataWithTheThirdHandshakeSegmentIsTaken) {
  open_passive(peer_syn(kTcpSyn));
  EXPECT_EQ(data(0, 10, kTcpAck | kTcpPsh), kTcpConnected | kTcpReadable);
  EXPECT_EQ(host.read(now), stream_bytes(10));
}

TEST_F(TcpScript, SimultaneousOpenEstablishes) {
  open_active();
  sent();
  host.deliver(now, peer_syn(kTcpSyn));
  EXPECT_EQ(state(), TcpState::SynReceived);
  EXPECT_EQ(sent().flags, kTcpSyn | kTcpAck);
  EXPECT_EQ(host.deliver(now, peer_syn(kTcpSyn | kTcpAck)), kTcpConnected);
  EXPECT_EQ(state(), TcpState::Established);
}

TEST_F(TcpScript, OpeningChecksItsArguments) {
  const auto open = [&](std::span<std::uint8_t> ring, const TcpSegment* syn) {
    return host.with(now, [&](const TcpContext& ctx) {
      if (syn != nullptr) return host.connection.open_passive(ctx, kFlowA, kOurIss, ring, *syn);
      return host.connection.open_active(ctx, kFlowA, kOurIss, ring);
    });
  };
  EXPECT_EQ(open(std::span{host.ring}.first(1000), nullptr).error(), Errc::BadArgument);
  const TcpSegment wrong = peer_syn(kTcpSyn | kTcpAck);
  EXPECT_EQ(open(host.ring, &wrong).error(), Errc::BadArgument);
  host.config.mss = 63;
  EXPECT_EQ(open(host.ring, nullptr).error(), Errc::BadArgument);
  host.config.mss = kMss;
  EXPECT_TRUE(open(host.ring, nullptr).has_value());
  EXPECT_EQ(open(host.ring, nullptr).error(), Errc::Busy);
}

TEST_F(TcpScript, ARstAnsweringOurSynMeansRefused) {
  open_active();
  sent();
  TcpSegment rst = from_peer(kTcpRst | kTcpAck, 0, 5);
  EXPECT_EQ(host.deliver(now, rst), 0u) << "acknowledges what we did not send";
  EXPECT_EQ(state(), TcpState::SynSent);
  rst.acknowledgement = kOurIss + 1;
  EXPECT_EQ(host.deliver(now, rst), kTcpClosed);
  EXPECT_EQ(host.connection.error(), Errc::Refused);
}

TEST_F(TcpScript, AnOldAcknowledgementOfASynGetsARst) {
  open_active();
  sent();
  TcpSegment stale = peer_syn(kTcpSyn | kTcpAck);
  stale.acknowledgement = kOurIss + 77;
  host.deliver(now, stale);
  const TcpSegment rst = sent();
  EXPECT_EQ(rst.flags, kTcpRst);
  EXPECT_EQ(rst.sequence, kOurIss + 77);
  EXPECT_EQ(state(), TcpState::SynSent);
}

TEST_F(TcpScript, SynTimeOutsDoubleFromOneSecondAndEndInTimedOut) {
  open_active();
  std::uint64_t expected = kStart;
  for (int i = 0; i <= host.config.syn_retries; ++i) {
    EXPECT_EQ(sent_count(), 1u) << i;
    expected += std::min(kSecond << i, host.config.max_rto_ns);
    ASSERT_EQ(host.connection.next_deadline(), expected) << i;
    next_timer();
  }
  EXPECT_EQ(host.connection.error(), Errc::TimedOut);
  EXPECT_EQ(host.connection.next_deadline(), kNever);
}

TEST_F(TcpScript, AfterALostSynTheTimeOutIsThreeSecondsAndTheWindowOneSegment) {
  open_active();
  next_timer();
  host.deliver(now, peer_syn(kTcpSyn | kTcpAck));
  host.take();
  ASSERT_TRUE(host.send(now, 5000));
  EXPECT_EQ(sent_count(), 1u);
  EXPECT_EQ(host.connection.next_deadline(), now + 3 * kSecond) << "RFC 6298 (5.7)";
}

TEST_F(TcpScript, UnreachableReportsEndOpeningOrExplainATimeOut) {
  open_active();
  EXPECT_EQ(host.connection.on_unreachable(kOurIss + 9, Errc::Refused), 0u) << "not in flight";
  EXPECT_EQ(host.connection.on_unreachable(kOurIss, Errc::Unreachable), 0u);
  while (state() != TcpState::Closed) next_timer();
  EXPECT_EQ(host.connection.error(), Errc::Unreachable);
  open_active();
  EXPECT_EQ(host.connection.on_unreachable(kOurIss, Errc::Refused), kTcpClosed);
  EXPECT_EQ(host.connection.error(), Errc::Refused);
}

// Attacks (RFC 5961).

TEST_F(TcpScript, OnlyTheExactNextNumberResets) {
  establish();
  EXPECT_EQ(host.deliver(now, from_peer(kTcpRst, 100000, 0)), 0u);
  EXPECT_EQ(sent_count(), 0u) << "outside the window: dropped";
  EXPECT_EQ(host.deliver(now, from_peer(kTcpRst, 5, 0)), 0u);
  EXPECT_EQ(sent().flags, kTcpAck) << "in the window: challenged";
  EXPECT_EQ(host.deliver(now, from_peer(kTcpRst, 0, 0)), kTcpClosed);
  EXPECT_EQ(host.connection.error(), Errc::Reset);
}

TEST_F(TcpScript, ASynInAConnectionIsChallengedAtABoundedRate) {
  establish();
  for (int i = 0; i < 50; ++i) host.deliver(now, from_peer(kTcpSyn, 5, 0));
  EXPECT_EQ(sent_count(), 10u);
  EXPECT_EQ(state(), TcpState::Established);
  now += kSecond;
  host.deliver(now, from_peer(kTcpSyn, 5, 0));
  EXPECT_EQ(sent_count(), 1u);
}

TEST_F(TcpScript, AcknowledgementsOfTheFutureAreChallenged) {
  establish();
  EXPECT_EQ(data(0, 10, kTcpAck, 99), 0u);
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 1);
}

// Closing, in all orders.

TEST_F(TcpScript, WeCloseFirst) {
  establish();
  ASSERT_TRUE(host.close(now));
  EXPECT_EQ(sent().flags, kTcpFin | kTcpAck);
  ack(1);
  EXPECT_EQ(state(), TcpState::FinWait2);
  EXPECT_EQ(data(0, 10, kTcpAck | kTcpFin, 1), kTcpReadable | kTcpPeerClosed | kTcpTimeWait);
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 12);
  EXPECT_EQ(host.connection.next_deadline(), now + host.config.time_wait_ns);
  EXPECT_EQ(next_timer(), kTcpClosed);
  EXPECT_FALSE(host.connection.error().has_value());
  EXPECT_EQ(host.read(now), stream_bytes(10)) << "readable after the end";
}

TEST_F(TcpScript, ThePeerClosesFirstAndOurFinCarriesTheAcknowledgement) {
  establish();
  EXPECT_EQ(data(0, 0, kTcpAck | kTcpFin), kTcpPeerClosed);
  EXPECT_EQ(state(), TcpState::CloseWait);
  EXPECT_EQ(sent_count(), 0u);
  ASSERT_TRUE(host.send(now, 10, Finish::Yes));
  const TcpSegment last = sent();
  EXPECT_EQ(last.acknowledgement, kPeerIss + 2);
  EXPECT_EQ(last.flags, kTcpAck | kTcpPsh | kTcpFin);
  EXPECT_EQ(state(), TcpState::LastAck);
  EXPECT_EQ(ack(11, 1), kTcpAcknowledged | kTcpClosed);
  EXPECT_FALSE(host.connection.error().has_value());
}

TEST_F(TcpScript, BothCloseAtOnce) {
  establish();
  ASSERT_TRUE(host.close(now));
  sent();
  data(0, 0, kTcpAck | kTcpFin);
  EXPECT_EQ(state(), TcpState::Closing);
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 2);
  EXPECT_EQ(ack(1, 1), kTcpAcknowledged | kTcpTimeWait);
}

TEST_F(TcpScript, AFinThatAcknowledgesOursGoesStraightToTimeWait) {
  establish();
  ASSERT_TRUE(host.close(now));
  data(0, 0, kTcpAck | kTcpFin, 1);
  EXPECT_EQ(state(), TcpState::TimeWait);
}

TEST_F(TcpScript, TimeWaitAcknowledgesTheFinAgainAndIgnoresResets) {
  establish();
  ASSERT_TRUE(host.close(now));
  data(0, 0, kTcpAck | kTcpFin, 1);
  host.take();
  now += kSecond;
  host.deliver(now, from_peer(kTcpRst, 1, 1));
  EXPECT_EQ(state(), TcpState::TimeWait);
  data(0, 0, kTcpAck | kTcpFin, 1);
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 2);
  EXPECT_EQ(host.connection.next_deadline(), now + host.config.time_wait_ns);
}

TEST_F(TcpScript, ClosingBeforeTheHandshakeIsCompleteStillSendsTheData) {
  open_passive(peer_syn(kTcpSyn));
  sent();
  ASSERT_TRUE(host.send(now, 10, Finish::Yes));
  EXPECT_EQ(sent_count(), 0u);
  ack(0);
  EXPECT_EQ(sent().flags, kTcpAck | kTcpPsh | kTcpFin);
  EXPECT_EQ(state(), TcpState::FinWait1);
}

TEST_F(TcpScript, CloseInSynSentForgetsTheConnection) {
  open_active();
  ASSERT_TRUE(host.close(now));
  EXPECT_EQ(state(), TcpState::Closed);
}

TEST_F(TcpScript, AbortSendsARst) {
  establish();
  host.with(now, [&](const TcpContext& ctx) { host.connection.abort(ctx); });
  EXPECT_TRUE(sent().has(kTcpRst));
  EXPECT_EQ(state(), TcpState::Closed);
  host.with(now, [&](const TcpContext& ctx) { host.connection.abort(ctx); });
  EXPECT_EQ(sent_count(), 0u);
}

TEST_F(TcpScript, ADetachedConnectionResetsOnFurtherData) {
  establish();
  host.with(now, [&](const TcpContext& ctx) { host.connection.detach(ctx); });
  EXPECT_EQ(sent().flags, kTcpFin | kTcpAck);
  EXPECT_EQ(data(0, 10, kTcpAck, 1) & kTcpClosed, kTcpClosed);
  EXPECT_TRUE(sent().has(kTcpRst));
}

TEST_F(TcpScript, ADetachedConnectionDoesNotWaitForEverForTheFin) {
  establish();
  host.with(now, [&](const TcpContext& ctx) { host.connection.detach(ctx); });
  ack(1);
  EXPECT_EQ(host.connection.next_deadline(), now + host.config.fin_wait2_ns);
  EXPECT_EQ(next_timer(), kTcpClosed);
}

TEST_F(TcpScript, DetachingWithUnreadDataAborts) {
  establish();
  data(0, 10);
  host.with(now, [&](const TcpContext& ctx) { host.connection.detach(ctx); });
  EXPECT_TRUE(sent().has(kTcpRst));
}

TEST_F(TcpScript, KeepAlivesFindADeadPeer) {
  host.config.keepalive_idle_ns = 100 * kSecond;
  establish();
  now += 50 * kSecond;
  data(0, 10);
  next_timer();
  sent();
  int probes = 0;
  while (state() != TcpState::Closed) {
    next_timer();
    if (state() == TcpState::Closed) break;
    if (const auto out = host.take(); !out.empty()) {
      ++probes;
      EXPECT_EQ(segment_in(out[0])->sequence, kOurIss) << "one before the window";
    }
  }
  EXPECT_EQ(probes, host.config.keepalive_probes);
  EXPECT_EQ(host.connection.error(), Errc::TimedOut);
}

TEST_F(TcpScript, AKeepAliveOfThePeerIsAnswered) {
  establish();
  host.deliver(now, from_peer(kTcpAck, ~std::uint32_t{0}, 0));
  EXPECT_EQ(sent().acknowledgement, kPeerIss + 1);
}

TEST_F(TcpScript, ZeroBytesAreAClosedConnection) {
  alignas(TcpConnection) std::array<std::uint8_t, sizeof(TcpConnection)> memory{};
  const auto& zero = *std::launder(reinterpret_cast<TcpConnection*>(memory.data()));
  EXPECT_EQ(zero.state(), TcpState::Closed);
  EXPECT_EQ(zero.next_deadline(), kNever);
  EXPECT_LE(sizeof(TcpConnection), 448u);
}

}  // namespace
}  // namespace xok::net
