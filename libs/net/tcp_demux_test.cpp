// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <deque>

#include "libs/net/net_test_support.hpp"
#include "libs/net/tcp_demux.hpp"

namespace xok::net {
namespace {

using testing::Frame;
using testing::kIpA;
using testing::kIpB;

/// A server with a demultiplexer at kIpB; clients are segments written by hand.
class Demux : public ::testing::Test {
 protected:
  struct Block {
    TcpConnection connection;
    std::array<std::uint8_t, 1024> ring{};
  };

  void SetUp() override {
    ASSERT_TRUE(demux.attach(
        {.table = table, .listeners = listeners, .timers = timers, .time_waits = time_waits},
        {.k0 = 5, .k1 = 6}));
    ASSERT_TRUE(demux.listen({.port = 80, .backlog = 4}));
  }

  template <class Action>
  auto with(Action action) {
    auto source = [](const TcpConnection&, std::uint64_t, std::uint32_t,
                     std::span<PayloadPiece>) -> std::size_t { return 0; };
    auto sink = [this](const OutPacket& packet) { sent.push_back(testing::flatten(packet)); };
    return action(TcpContext{.now_ns = now, .config = config, .source = source, .sink = sink});
  }
  TcpDelivery deliver(std::uint16_t port, std::uint8_t flags, std::uint32_t sequence,
                      std::uint32_t acknowledgement = 0, std::uint16_t to = 80) {
    sent.clear();
    const TcpSegment segment{.source = kIpA,
                             .destination = kIpB,
                             .source_port = port,
                             .destination_port = to,
                             .sequence = sequence,
                             .acknowledgement = acknowledgement,
                             .window = 1000,
                             .flags = flags};
    const auto acceptor = [this](const TcpListener&, const TcpFlow&) {
      Block& block = blocks.emplace_back();
      return TcpResources{.connection = &block.connection, .receive_memory = block.ring};
    };
    return with([&](const TcpContext& ctx) {
      return demux.on_segment(ctx, segment, testing::kMacB, testing::kMacA, acceptor);
    });
  }
  /// The segment that the last delivery was answered with.
  TcpSegment answer() const {
    EXPECT_EQ(sent.size(), 1u);
    return sent.empty() ? TcpSegment{} : *testing::segment_in(sent[0]);
  }
  TcpConnection& establish(std::uint16_t port) {
    TcpConnection* const connection = deliver(port, kTcpSyn, 100).connection;
    server_iss = answer().sequence;
    EXPECT_EQ(deliver(port, kTcpAck, 101, server_iss + 1).events, kTcpConnected);
    return *connection;
  }
  void close(TcpConnection& connection) {
    with([&](const TcpContext& ctx) {
      EXPECT_TRUE(connection.close(ctx).has_value());
      demux.changed(ctx, connection);
    });
  }

  std::array<TcpConnection*, 64> table{};
  std::array<TcpListener, 2> listeners{};
  std::array<DeadlineHeap::Slot, 64> timers{};
  std::array<TimeWaitTable::Entry, 8> time_waits{};
  TcpDemux demux;
  TcpConfig config;
  std::deque<Block> blocks;
  std::vector<Frame> sent;
  std::uint64_t now = 10 * kSecond;
  std::uint32_t server_iss = 0;
};

TEST_F(Demux, AttachChecksSizes) {
  TcpDemux other;
  EXPECT_EQ(other
                .attach({.table = std::span{table}.first(48),
                         .listeners = {},
                         .timers = {},
                         .time_waits = {}},
                        {})
                .error(),
            Errc::BadArgument);
  EXPECT_EQ(other
                .attach({.table = table,
                         .listeners = {},
                         .timers = {},
                         .time_waits = std::span{time_waits}.first(4)},
                        {})
                .error(),
            Errc::BadArgument);
}

TEST_F(Demux, ListenersAreUniqueByPort) {
  EXPECT_EQ(demux.listen({.port = 0, .backlog = 1}).error(), Errc::BadArgument);
  EXPECT_EQ(demux.listen({.port = 81, .backlog = 0}).error(), Errc::BadArgument);
  EXPECT_EQ(demux.listen({.port = 80, .backlog = 1}).error(), Errc::Exists);
  EXPECT_EQ(demux.listen({.local = kIpB, .port = 80, .backlog = 1}).error(), Errc::Exists);
  EXPECT_TRUE(demux.listen({.port = 81, .backlog = 1}).has_value());
  EXPECT_EQ(demux.listen({.port = 82, .backlog = 1}).error(), Errc::NoSpace);
  EXPECT_TRUE(demux.unlisten({}, 81).has_value());
  EXPECT_EQ(demux.unlisten({}, 81).error(), Errc::NotFound);
}

TEST_F(Demux, AcceptsAConnectionAndFindsItAgain) {
  const TcpDelivery opened = deliver(5000, kTcpSyn, 100);
  EXPECT_TRUE(opened.opened);
  EXPECT_EQ(answer().flags, kTcpSyn | kTcpAck);
  EXPECT_EQ(parse_ethernet(sent[0])->destination, testing::kMacA);
  const TcpDelivery again = deliver(5000, kTcpAck, 101, answer().sequence + 1);
  EXPECT_EQ(again.connection, opened.connection);
  EXPECT_EQ(again.events, kTcpConnected);
}

TEST_F(Demux, NobodysSegmentsGetARst) {
  EXPECT_EQ(deliver(5000, kTcpSyn, 100, 0, 81).connection, nullptr);
  EXPECT_EQ(answer().flags, kTcpRst | kTcpAck);
  EXPECT_EQ(answer().acknowledgement, 101u);
  deliver(5000, kTcpAck, 100, 55);
  EXPECT_EQ(answer().flags, kTcpRst);
  EXPECT_EQ(answer().sequence, 55u);
  deliver(5000, kTcpRst, 100, 0, 81);
  EXPECT_TRUE(sent.empty()) << "a RST is not answered";
}

TEST_F(Demux, ABroadcastIsNotAnswered) {
  const TcpSegment segment{.source = kIpA, .destination = kBroadcastIpv4, .flags = kTcpSyn};
  const auto acceptor = [](const TcpListener&, const TcpFlow&) { return TcpResources{}; };
  with([&](const TcpContext& ctx) {
    demux.on_segment(ctx, segment, testing::kMacB, testing::kMacA, acceptor);
  });
  EXPECT_TRUE(sent.empty());
}

TEST_F(Demux, TheBacklogBoundsWhatIsNotTaken) {
  TcpConnection& first = establish(5000);
  for (std::uint16_t port = 5001; port < 5004; ++port) deliver(port, kTcpSyn, 100);
  EXPECT_FALSE(deliver(5004, kTcpSyn, 100).opened);
  EXPECT_TRUE(sent.empty()) << "silently";
  demux.taken(first);
  demux.taken(first);
  EXPECT_TRUE(deliver(5004, kTcpSyn, 100).opened);
  EXPECT_FALSE(deliver(5005, kTcpSyn, 100).opened);
}

TEST_F(Demux, AHalfOpenConnectionThatTimesOutGivesItsPlaceBack) {
  for (std::uint16_t port = 5000; port < 5004; ++port) deliver(port, kTcpSyn, 100);
  int closed = 0;
  while (demux.connection_count() != 0) {
    now = demux.next_deadline();
    ASSERT_NE(now, kNever);
    with([&](const TcpContext& ctx) {
      demux.on_timer(ctx, [&](TcpConnection&, TcpEvents events) {
        closed += (events & kTcpClosed) != 0 ? 1 : 0;
      });
    });
  }
  EXPECT_EQ(closed, 4);
  EXPECT_EQ(demux.next_deadline(), kNever);
  EXPECT_TRUE(deliver(5004, kTcpSyn, 100).opened);
}

TEST_F(Demux, ADeadlineThatMovesEarlierIsNoticed) {
  establish(5000);  // still placed at its SYN's time-out
  deliver(5000, kTcpFin | kTcpAck, 101, server_iss + 1);
  EXPECT_EQ(demux.next_deadline(), now + config.delayed_ack_ns);
  now = demux.next_deadline();
  with([&](const TcpContext& ctx) { demux.on_timer(ctx, [](TcpConnection&, TcpEvents) {}); });
  EXPECT_EQ(answer().acknowledgement, 102u);
}

TEST_F(Demux, TimeWaitMovesToTheCompactTable) {
  TcpConnection& connection = establish(5000);
  close(connection);
  const TcpDelivery last = deliver(5000, kTcpFin | kTcpAck, 101, server_iss + 2);
  EXPECT_EQ(last.events, kTcpAcknowledged | kTcpPeerClosed | kTcpTimeWait | kTcpClosed);
  EXPECT_EQ(answer().acknowledgement, 102u);
  EXPECT_EQ(connection.state(), TcpState::Closed);
  EXPECT_FALSE(connection.error().has_value());
  EXPECT_EQ(demux.connection_count(), 0u);

  EXPECT_EQ(deliver(5000, kTcpFin | kTcpAck, 101, server_iss + 2).connection, nullptr);
  EXPECT_EQ(answer().flags, kTcpAck) << "the FIN again";
  EXPECT_EQ(answer().sequence, server_iss + 2);
  EXPECT_EQ(answer().acknowledgement, 102u);
  deliver(5000, kTcpRst, 102, 0);
  EXPECT_TRUE(sent.empty());
  EXPECT_FALSE(deliver(5000, kTcpSyn, 90).opened) << "an old SYN";
  EXPECT_EQ(answer().flags, kTcpAck);
  EXPECT_TRUE(deliver(5000, kTcpSyn, 5000).opened) << "a new one";
  EXPECT_GT(static_cast<std::int32_t>(answer().sequence - server_iss), 0);
}

TEST_F(Demux, TimeWaitEnds) {
  TcpConnection& connection = establish(5000);
  close(connection);
  deliver(5000, kTcpFin | kTcpAck, 101, server_iss + 2);
  now += config.time_wait_ns;
  deliver(5000, kTcpFin | kTcpAck, 101, server_iss + 2);
  EXPECT_TRUE(answer().has(kTcpRst));
}

TEST_F(Demux, AFullTimeWaitTableForgetsTheOldest) {
  for (std::uint16_t port = 5000; port < 5009; ++port, now += kMillisecond) {
    close(establish(port));
    deliver(port, kTcpFin | kTcpAck, 101, server_iss + 2);
  }
  deliver(5000, kTcpFin | kTcpAck, 101, 1);
  EXPECT_TRUE(answer().has(kTcpRst)) << "forgotten";
  deliver(5001, kTcpFin | kTcpAck, 101, 1);
  EXPECT_EQ(answer().flags, kTcpAck);
}

TEST_F(Demux, ManyConnectionsComeAndGo) {
  ASSERT_TRUE(demux.unlisten({}, 80));
  ASSERT_TRUE(demux.listen({.port = 80, .backlog = 1000}));
  std::vector<TcpConnection*> open;
  std::uint16_t port = 1;
  for (int round = 0; round < 40; ++round) {
    while (open.size() < 48) open.push_back(&establish(port++));
    EXPECT_FALSE(deliver(60000, kTcpSyn, 1).opened) << "the table is full";
    for (std::size_t i = 0; i < open.size();) {
      if ((i * 7 + static_cast<std::size_t>(round)) % 3 != 0) {
        ++i;
        continue;
      }
      const TcpFlow& flow = open[i]->flow();
      EXPECT_EQ(deliver(flow.remote_port, kTcpRst, 101).events, kTcpClosed);
      open.erase(open.begin() + static_cast<long>(i));
    }
    EXPECT_EQ(demux.connection_count(), open.size());
    for (TcpConnection* const connection : open)
      EXPECT_EQ(deliver(connection->flow().remote_port, kTcpAck, 101, 1).connection, connection);
  }
}

TEST_F(Demux, ConnectsAndRefusesTheSameTupleTwice) {
  Block block;
  Block second;
  with([&](const TcpContext& ctx) {
    EXPECT_TRUE(demux.connect(ctx, block.connection, testing::kFlowB, block.ring).has_value());
    EXPECT_EQ(demux.connect(ctx, second.connection, testing::kFlowB, second.ring).error(),
              Errc::Exists);
  });
  const std::uint32_t iss = answer().sequence;
  EXPECT_EQ(deliver(4000, kTcpSyn | kTcpAck, 9, iss + 1).events, kTcpConnected);
  EXPECT_EQ(demux.find(
                {.source = kIpA, .destination = kIpB, .source_port = 4000, .destination_port = 80}),
            &block.connection);
}

}  // namespace
}  // namespace xok::net
