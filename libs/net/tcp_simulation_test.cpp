// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// Two connections over a bad network, all decided by one seed: loss, delay (and with it
// reordering), duplication, corruption, slow readers, every order of closing. Both streams must
// arrive whole and both ends must close in good order.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "libs/net/net_test_support.hpp"

namespace xok::net {
namespace {

using testing::Frame;
using testing::TestHost;

/// What the network does, in per mille.
struct Weather {
  unsigned loss = 0;
  unsigned duplication = 0;
  unsigned corruption = 0;
  std::uint64_t min_delay_ns = kMillisecond;
  std::uint64_t jitter_ns = 0;
};

enum class Opening : std::uint8_t { Passive, Simultaneous };

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_{seed}, seed_{seed} {}

  void run(const Weather& weather, Opening opening) {
    SCOPED_TRACE(::testing::Message() << "replay: XOK_NET_SEED=" << seed_
                                      << " net_test --gtest_filter='TcpSimulation.*'");
    weather_ = weather;
    for (Side& side : sides_) set_up(side);
    open(opening);
    std::uint64_t steps = 0;
    while (!finished() && !::testing::Test::HasFailure()) {
      ASSERT_LT(++steps, 2'000'000u) << "no progress";
      ASSERT_TRUE(step()) << "nothing scheduled, not finished: " << state_text();
    }
    for (const Side& side : sides_) {
      EXPECT_EQ(side.received, side.expected) << "stream broken";
      EXPECT_FALSE(side.host.connection.error().has_value()) << state_text();
    }
  }

 private:
  struct Side {
    TestHost host;
    std::uint64_t total = 0;      ///< length of the stream it sends
    std::uint64_t announced = 0;  ///< so far
    bool close_after_peer = false;
    bool finish_with_data = false;
    bool closed = false;
    bool lazy_reader = false;
    std::uint64_t next_action_ns = 0;
    std::uint64_t received = 0;
    std::uint64_t expected = 0;
  };
  struct Delivery {
    std::size_t to;
    Frame frame;
  };

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  void flip_bit(std::uint8_t& byte) { byte = static_cast<std::uint8_t>(byte ^ 1u << below(8)); }
  bool chance(unsigned per_mille) { return below(1000) < per_mille; }

  void set_up(Side& side) {
    side.host.ring.resize(std::size_t{1} << (9 + below(9)));
    side.host.config.mss = static_cast<std::uint16_t>(100 + below(1361));
    side.host.config.nagle = chance(500);
    side.host.config.time_wait_ns = 600 * kSecond;  // outlasts any run of lost FINs
    side.host.config.data_retries = 40;
    side.host.config.syn_retries = 40;
    side.host.piece_bytes = chance(500) ? static_cast<std::uint32_t>(200 + below(700)) : 0;
    side.host.salt = static_cast<std::uint32_t>(below(1000));
    side.total = chance(200) ? below(3) : below(std::uint64_t{1} << (6 + below(11)));
    side.close_after_peer = chance(300);
    side.finish_with_data = chance(500);
    side.lazy_reader = chance(400);
    side.host.stream = testing::stream_bytes(side.total, side.host.salt);
  }

  void open(Opening opening) {
    sides_[0].expected = sides_[1].total;
    sides_[1].expected = sides_[0].total;
    if (sides_[0].close_after_peer) sides_[1].close_after_peer = false;
    active_open(0);
    if (opening == Opening::Simultaneous) active_open(1);
  }
  void active_open(std::size_t index) {
    TestHost& host = sides_[index].host;
    const auto iss = static_cast<std::uint32_t>(random_());
    const TcpFlow& flow = index == 0 ? testing::kFlowA : testing::kFlowB;
    const Result<> opened = host.with(now_, [&](const TcpContext& ctx) {
      return host.connection.open_active(ctx, flow, iss, host.ring);
    });
    ASSERT_TRUE(opened.has_value());
    transmit(index);
  }

  /// Puts what `from` has sent on the wire.
  void transmit(std::size_t from) {
    for (Frame& frame : sides_[from].host.take()) {
      ASSERT_LE(frame.size(), 54u + 8 + sides_[from].host.config.mss);
      if (chance(weather_.loss)) continue;
      const int copies = chance(weather_.duplication) ? 2 : 1;
      for (int i = 0; i < copies; ++i) {
        Frame copy = frame;
        if (chance(weather_.corruption)) flip_bit(copy[14 + below(copy.size() - 14)]);
        const std::uint64_t jitter = weather_.jitter_ns == 0 ? 0 : below(weather_.jitter_ns);
        wire_.emplace(now_ + weather_.min_delay_ns + jitter, Delivery{1 - from, std::move(copy)});
      }
    }
  }

  void receive(const Delivery& delivery) {
    const Result<TcpSegment> segment = testing::segment_in(delivery.frame);
    if (!segment) return;
    TestHost& host = sides_[delivery.to].host;
    if (!opened_[delivery.to] && host.connection.state() == TcpState::Closed &&
        segment->has(kTcpSyn) && !segment->has(kTcpAck)) {
      const auto iss = static_cast<std::uint32_t>(random_());
      (void)host.with(now_, [&](const TcpContext& ctx) {
        return host.connection.open_passive(ctx, testing::kFlowB, iss, host.ring, *segment);
      });
    } else {
      host.deliver(now_, *segment);
    }
    opened_[delivery.to] = true;
    check_invariants(sides_[delivery.to]);
  }

  static void check_invariants(const Side& side) {
    const ReceiveBuffer& buffer = side.host.connection.receive_buffer();
    ASSERT_LE(buffer.read_offset(), buffer.next_offset());
    ASSERT_LE(buffer.next_offset(), side.expected);
    ASSERT_LE(buffer.readable_bytes(), buffer.capacity());
  }

  /// The application: reads, announces more, closes.
  void act(Side& side, std::size_t index) {
    TcpConnection& connection = side.host.connection;
    side.next_action_ns = now_ + (side.lazy_reader ? below(300 * kMillisecond) : 0) + kMillisecond;
    const std::size_t most = side.lazy_reader ? 1 + below(2000) : ~std::size_t{0};
    for (const std::uint8_t byte : side.host.read(now_, most))
      ASSERT_EQ(byte, testing::stream_byte(side.received++, sides_[1 - index].host.salt));
    if (connection.state() == TcpState::Closed || side.closed) return transmit(index);
    if (connection.state() == TcpState::SynSent) return;
    if (side.announced < side.total) {
      side.announced += 1 + below(side.total - side.announced);
      const bool last = side.announced == side.total;
      const Finish finish =
          last && side.finish_with_data && may_close(side) ? Finish::Yes : Finish::No;
      ASSERT_TRUE(side.host.send(now_, side.announced, finish).has_value());
      side.closed = finish == Finish::Yes;
    } else if (may_close(side)) {
      ASSERT_TRUE(side.host.close(now_).has_value());
      side.closed = true;
    }
    transmit(index);
  }
  static bool may_close(const Side& side) {
    return !side.close_after_peer || side.host.connection.peer_finished();
  }

  /// Advances to the next event. False: there is none.
  bool step() {
    std::uint64_t next = wire_.empty() ? kNever : wire_.begin()->first;
    for (const Side& side : sides_) {
      next = std::min(next, side.host.connection.next_deadline());
      const bool done = side.closed && side.received == side.expected;
      if (!done && ever_opened(side)) next = std::min(next, side.next_action_ns);
    }
    if (next == kNever) return false;
    now_ = std::max(now_, next);
    while (!wire_.empty() && wire_.begin()->first <= now_) {
      const Delivery delivery = std::move(wire_.begin()->second);
      wire_.erase(wire_.begin());
      receive(delivery);
      transmit(delivery.to);
    }
    for (std::size_t index = 0; index < 2; ++index) {
      Side& side = sides_[index];
      if (side.host.connection.next_deadline() <= now_) side.host.timer(now_);
      transmit(index);
      if (ever_opened(side) && side.next_action_ns <= now_) act(side, index);
    }
    return true;
  }
  static bool ever_opened(const Side& side) {
    return side.host.connection.receive_buffer().capacity() != 0;
  }
  bool finished() const {
    for (const Side& side : sides_) {
      if (side.host.connection.state() != TcpState::Closed || !ever_opened(side)) return false;
      if (side.received != side.expected && !side.host.connection.error()) return false;
    }
    return true;
  }
  std::string state_text() const {
    std::string text;
    for (const Side& side : sides_)
      text += "state " + std::to_string(static_cast<int>(side.host.connection.state())) +
              " error " +
              std::to_string(static_cast<int>(side.host.connection.error().value_or(Errc{}))) +
              " received " + std::to_string(side.received) + "/" + std::to_string(side.expected) +
              " acknowledged " + std::to_string(side.host.connection.acknowledged()) + "; ";
    return text;
  }

  std::mt19937_64 random_;
  std::uint64_t seed_;
  Weather weather_;
  std::uint64_t now_ = kSecond;
  std::array<Side, 2> sides_;
  std::array<bool, 2> opened_{true, false};
  std::multimap<std::uint64_t, Delivery> wire_;
};

void run_seeds(const Weather& weather, std::uint64_t count, Opening opening = Opening::Passive) {
  if (const char* const replay = std::getenv("XOK_NET_SEED")) {
    Simulation{std::strtoull(replay, nullptr, 0)}.run(weather, opening);
    return;
  }
  for (std::uint64_t seed = 1; seed <= count && !::testing::Test::HasFailure(); ++seed)
    Simulation{seed}.run(weather, opening);
}

TEST(TcpSimulation, ACleanNetworkDeliversBothStreams) { run_seeds({}, 200); }

TEST(TcpSimulation, LossIsRepaired) { run_seeds({.loss = 150}, 150); }

TEST(TcpSimulation, ReorderingIsRepaired) { run_seeds({.jitter_ns = 30 * kMillisecond}, 150); }

TEST(TcpSimulation, DuplicatesDoNoHarm) {
  run_seeds({.duplication = 300, .jitter_ns = 20 * kMillisecond}, 150);
}

TEST(TcpSimulation, CorruptedPacketsAreDropped) { run_seeds({.corruption = 100}, 150); }

TEST(TcpSimulation, EverythingAtOnce) {
  run_seeds({.loss = 100, .duplication = 100, .corruption = 50, .jitter_ns = 50 * kMillisecond},
            300);
}

TEST(TcpSimulation, SimultaneousOpensMeet) {
  run_seeds({}, 50, Opening::Simultaneous);
  run_seeds({.loss = 100, .duplication = 100, .jitter_ns = 10 * kMillisecond}, 150,
            Opening::Simultaneous);
}

}  // namespace
}  // namespace xok::net
