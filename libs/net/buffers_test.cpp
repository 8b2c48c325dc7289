// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <random>

#include "libs/net/isn.hpp"
#include "libs/net/net_test_support.hpp"
#include "libs/net/send_buffer.hpp"

namespace xok::net {
namespace {

TEST(ReceiveBuffer, TakesOnlyRingsOfAPowerOfTwo) {
  std::vector<std::uint8_t> memory(96);
  ReceiveBuffer buffer;
  EXPECT_EQ(buffer.attach(memory).error(), Errc::BadArgument);
  EXPECT_EQ(buffer.attach({}).error(), Errc::BadArgument);
  EXPECT_TRUE(buffer.attach(std::span{memory}.first(64)).has_value());
  EXPECT_EQ(buffer.free_bytes(), 64u);
  EXPECT_EQ(buffer.consume(1).error(), Errc::BadArgument);
}

TEST(ReceiveBuffer, MoreIntervalsThanItCanRememberAreDropped) {
  std::vector<std::uint8_t> memory(256);
  ReceiveBuffer buffer;
  ASSERT_TRUE(buffer.attach(memory));
  const auto bytes = testing::stream_bytes(256);
  for (std::size_t i = 1; i <= ReceiveBuffer::kMaxIntervals + 1; ++i)
    EXPECT_EQ(buffer.store(10 * i, std::span{bytes}.subspan(10 * i, 1)), 0u);
  EXPECT_EQ(buffer.store(0, std::span{bytes}.first(10 * ReceiveBuffer::kMaxIntervals)),
            10 * ReceiveBuffer::kMaxIntervals + 1);
  EXPECT_FALSE(buffer.has_gaps());
}

TEST(ReceiveBuffer, TouchingPiecesBecomeOneInterval) {
  std::vector<std::uint8_t> memory(256);
  const auto bytes = testing::stream_bytes(256);
  for (const bool descending : {true, false}) {
    ReceiveBuffer buffer;
    ASSERT_TRUE(buffer.attach(memory));
    for (std::size_t i = 1; i <= 2 * ReceiveBuffer::kMaxIntervals; ++i) {
      const std::size_t at = 10 * (descending ? 2 * ReceiveBuffer::kMaxIntervals + 1 - i : i);
      buffer.store(at, std::span{bytes}.subspan(at, 10));
    }
    EXPECT_EQ(buffer.store(0, std::span{bytes}.first(10)), 20 * ReceiveBuffer::kMaxIntervals + 10);
  }
}

/// Random pieces in random order against a model that marks which bytes have come: the seed is the
/// test's parameter.
class ReceiveBufferModel : public ::testing::TestWithParam<unsigned> {};

TEST_P(ReceiveBufferModel, DeliversExactlyTheBytesThatCame) {
  std::mt19937 random{GetParam()};
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  const std::size_t capacity = std::size_t{1} << (1 + below(9));
  const auto stream = testing::stream_bytes(4000, GetParam());
  std::vector<std::uint8_t> memory(capacity);
  ReceiveBuffer buffer;
  ASSERT_TRUE(buffer.attach(memory));
  std::uint64_t read = 0;
  for (int step = 0; step < 20000 && read < stream.size(); ++step) {
    const std::uint64_t low = buffer.next_offset() > 20 ? buffer.next_offset() - 20 : 0;
    const std::uint64_t at = std::min<std::uint64_t>(low + below(capacity + 40), stream.size());
    const std::uint64_t length = std::min<std::uint64_t>(below(60), stream.size() - at);
    const std::uint64_t before = buffer.next_offset();
    const std::uint32_t gained = buffer.store(at, std::span{stream}.subspan(at, length));
    ASSERT_EQ(buffer.next_offset(), before + gained);
    if (gained != 0) {
      ASSERT_TRUE(at <= before && at + length > before);
    }
    ASSERT_LE(buffer.readable_bytes(), capacity);
    const auto readable = buffer.readable();
    std::vector<std::uint8_t> got(readable.first.begin(), readable.first.end());
    got.insert(got.end(), readable.second.begin(), readable.second.end());
    ASSERT_TRUE(std::equal(got.begin(), got.end(), stream.begin() + static_cast<long>(read)));
    const auto taken = static_cast<std::uint32_t>(below(got.size() + 1));
    ASSERT_TRUE(buffer.consume(taken));
    read += taken;
  }
  EXPECT_EQ(read, stream.size());
}
INSTANTIATE_TEST_SUITE_P(Seeds, ReceiveBufferModel, ::testing::Range(1u, 40u));

TEST(SendBuffer, KeepsWhatIsWrittenUntilItIsReleased) {
  std::vector<std::uint8_t> memory(64);
  SendBuffer buffer;
  EXPECT_EQ(buffer.attach(std::span{memory}.first(63)).error(), Errc::BadArgument);
  ASSERT_TRUE(buffer.attach(memory));
  const auto stream = testing::stream_bytes(200);
  EXPECT_EQ(buffer.write(std::span{stream}.first(100)), 64u);
  EXPECT_EQ(buffer.write(stream), 0u);
  ASSERT_TRUE(buffer.release(50));
  EXPECT_EQ(buffer.write(std::span{stream}.subspan(64, 30)), 30u);
  EXPECT_EQ(buffer.written(), 94u);
  EXPECT_EQ(buffer.free_bytes(), 20u);
  std::array<PayloadPiece, 2> pieces;
  ASSERT_EQ(buffer.gather(55, 39, pieces), 2u);
  std::vector<std::uint8_t> got(pieces[0].data, pieces[0].data + pieces[0].length);
  got.insert(got.end(), pieces[1].data, pieces[1].data + pieces[1].length);
  EXPECT_TRUE(std::ranges::equal(got, std::span{stream}.subspan(55, 39)));
  EXPECT_EQ(buffer.gather(49, 1, pieces), 0u) << "released";
  EXPECT_EQ(buffer.gather(94, 1, pieces), 0u) << "not written";
  EXPECT_EQ(buffer.gather(55, 39, std::span{pieces}.first(1)), 0u) << "no room";
  EXPECT_EQ(buffer.release(95).error(), Errc::BadArgument);
}

TEST(SipHash, GivesTheReferenceVectors) {
  const SecretKey key{.k0 = 0x0706050403020100, .k1 = 0x0F0E0D0C0B0A0908};
  std::array<std::uint8_t, 15> bytes{};
  for (std::uint8_t i = 0; i < 15; ++i) bytes[i] = i;
  EXPECT_EQ(siphash(key, {}), 0x726FDB47DD0E0E31u);
  EXPECT_EQ(siphash(key, bytes), 0xA129CA6149BE45E5u);
}

TEST(InitialSequence, GrowsWithTimeAndDiffersBetweenTuples) {
  const SecretKey key{.k0 = 1, .k1 = 2};
  const std::uint32_t first = initial_sequence(key, testing::kFlowA, kSecond);
  EXPECT_EQ(initial_sequence(key, testing::kFlowA, 2 * kSecond) - first, 250'000u);
  TcpFlow other = testing::kFlowA;
  ++other.local_port;
  EXPECT_NE(initial_sequence(key, other, kSecond), first);
}

}  // namespace
}  // namespace xok::net
