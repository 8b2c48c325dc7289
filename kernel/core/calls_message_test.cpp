// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "abi/message_ring.hpp"
#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kRing = 0x60'0000;
constexpr std::uint64_t kBody = kScratch + 64;
const std::uint64_t kGate = Capability::make({7, 1}).bits();

/// The first environment has a ring; slot 1 {7} opens it, slot 2 {8} and slot 3 ({7} without Write)
/// do not.
class Messages : public ::testing::Test {
 protected:
  void SetUp() override {
    bed.call(cap_forge, 0, 1, Capability::make({7}).bits(), 0);
    bed.call(cap_forge, 0, 2, Capability::make({8}).bits(), 0);
    bed.call(cap_forge, 0, 3, Capability::make({7}, Permission::None).bits(), 0);
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kRing, 0), 0);
    ASSERT_EQ(bed.call(message_ring_create, kRing, 32, kGate), 0);
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  std::int64_t send(std::uint64_t n = 8, std::uint64_t slot = 1, EnvId to = kSelf) {
    return bed.call(message_send, make_target(slot, to), kBody, n);
  }
  MessageSlot slot(std::uint64_t at) {
    MessageSlot out;
    EXPECT_TRUE(bed.machine.user_read(kRing + at * sizeof out, &out, sizeof out));
    return out;
  }
  TestBed bed;
  const EnvId first = bed.current_id();
};

TEST_F(Messages, ArriveInOrderWithTheirSender) {
  const EnvId child = bed.spawn(1);
  bed.run(child);
  bed.poke(kBody, 0x1234);
  EXPECT_EQ(send(8, 0, first), 0);
  bed.poke(kBody, 0x5678);
  EXPECT_EQ(send(2, 0, first), 0);
  bed.run(first);
  EXPECT_EQ(slot(0).owner, 8u);
  EXPECT_EQ(slot(0).sender, child);
  EXPECT_EQ(slot(0).capability, Capability::make({7}).bits());
  EXPECT_EQ(slot(0).body[0], 0x34);
  EXPECT_EQ(slot(1).owner, 2u);
  EXPECT_EQ(slot(1).body[0], 0x78);
  EXPECT_EQ(slot(2).owner, 0u);
}

TEST_F(Messages, AFullRingRefusesAndGoesOnWhenTheReceiverLetsGo) {
  for (int i = 0; i < 32; i++) EXPECT_EQ(send(), 0);
  EXPECT_EQ(send(), error(Errc::WouldBlock));
  const std::uint32_t zero = 0;
  bed.put(kRing + 128, zero);  // not the next one
  EXPECT_EQ(send(), error(Errc::WouldBlock));
  bed.put(kRing, zero);
  EXPECT_EQ(send(16), 0);
  EXPECT_EQ(slot(0).owner, 16u);
  EXPECT_EQ(send(24), 0);
  EXPECT_EQ(slot(1).owner, 24u);
}

TEST_F(Messages, OnlyTheGateOpens) {
  EXPECT_EQ(send(8, 2), error(Errc::Denied));
  EXPECT_EQ(send(8, 3), error(Errc::Denied));
  EXPECT_EQ(send(8, 9), error(Errc::BadCapability));
  EXPECT_EQ(send(8, 1u << 20), error(Errc::BadCapability));
  EXPECT_EQ(slot(0).owner, 0u);
}

TEST_F(Messages, ArgumentsAreChecked) {
  EXPECT_EQ(send(0), error(Errc::BadArgument));
  EXPECT_EQ(send(kMaxMessageBytes + 1), error(Errc::TooBig));
  EXPECT_EQ(send(~0ull), error(Errc::TooBig));
  EXPECT_EQ(send(kMaxMessageBytes), 0);
  EXPECT_EQ(bed.call(message_send, make_target(1, 0), kScratch + kPageSize - 4, 8),
            error(Errc::Fault));
  EXPECT_EQ(bed.call(message_send, make_target(1, 0), ~0ull, 8), error(Errc::Fault));
  EXPECT_EQ(slot(1).owner, 0u);
  const EnvId child = bed.spawn();
  EXPECT_EQ(send(8, 1, child), error(Errc::NotFound));
  EXPECT_EQ(send(8, 1, child + kMaxEnvironments), error(Errc::BadEnv));
}

TEST_F(Messages, RingsAreMadeOnceOfWritablePages) {
  EXPECT_EQ(bed.call(message_ring_create, kRing, 32, kGate), error(Errc::Exists));
  EXPECT_EQ(bed.call(message_ring_delete), 0);
  EXPECT_EQ(bed.call(message_ring_delete), error(Errc::NotFound));
  EXPECT_EQ(send(), error(Errc::NotFound));
  for (const std::uint64_t n : {0ull, 16ull, 33ull, 256ull, ~0ull, 1ull << 63})
    EXPECT_EQ(bed.call(message_ring_create, kRing, n, kGate), error(Errc::BadArgument)) << n;
  EXPECT_EQ(bed.call(message_ring_create, kRing + 128, 32, kGate), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(message_ring_create, kRing, 32, 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(message_ring_create, kRing, 32, kGate | Capability::kPointer),
            error(Errc::BadArgument));
  EXPECT_EQ(bed.call(message_ring_create, kRing, 64, kGate), error(Errc::Fault));
  EXPECT_EQ(bed.call(message_ring_create, 0x20'0000, 32, kGate), error(Errc::Fault));  // code
  EXPECT_EQ(bed.call(message_ring_create, kUserTop, 32, kGate), error(Errc::Fault));
  EXPECT_EQ(bed.call(message_ring_create, kUserTop - kPageSize, 128, kGate), error(Errc::Fault));
  EXPECT_EQ(bed.call(message_ring_create, kRing, 32, kGate), 0);
}

TEST_F(Messages, AnUnmappedRingKeepsReceivingIntoItsOwnPages) {
  const auto page = static_cast<std::uint64_t>(bed.call(pte_insert, 0, 0, kRing, 0));
  EXPECT_EQ(page, 0u);
  EXPECT_EQ(send(), 0);
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_EQ(bed.call(message_ring_delete), 0);
  EXPECT_EQ(bed.sweep(), "");
}

TEST_F(Messages, TooManyPinsAreNoSpace) {
  const std::uint64_t page =
      bed.core().page_tables.lookup(bed.self().table_page, kRing) >> 12 & 0xff;
  EXPECT_EQ(bed.call(message_ring_delete), 0);
  bed.machine.page_info(page).pins = Pages::kMaxPins;
  EXPECT_EQ(bed.call(message_ring_create, kRing, 32, kGate), error(Errc::NoSpace));
  bed.machine.page_info(page).pins = 0;
}

TEST_F(Messages, TheRingEndsWithItsOwner) {
  const EnvId child = bed.spawn();
  bed.run(child);
  ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kRing, 0), 0);
  ASSERT_EQ(bed.call(message_ring_create, kRing, 32, kGate), 0);
  bed.run(first);
  EXPECT_EQ(send(8, 1, child), 0);
  EXPECT_EQ(bed.call(env_free, make_target(0, child)), 0);
  EXPECT_EQ(send(8, 1, child), error(Errc::BadEnv));
  const EnvId next = bed.spawn();
  EXPECT_EQ(send(8, 1, next), error(Errc::NotFound));
}

}  // namespace
}  // namespace xok::kernel::testing
