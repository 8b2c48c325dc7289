// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/schedule.hpp"
#include "kernel/core/testing/test_bed.hpp"

/// yield(to, 0) by the machine alone (Cpu::straight): that it is done when it may be, leaves what
/// the kernel's own yield leaves, and is not done when more is due.
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kSlice = 10'000'000;  // cycles: the fake clock has 1 GHz
constexpr std::uint64_t kGrace = 1'000'000;

class Straight : public ::testing::Test {
 protected:
  void SetUp() override { back_and_forth(); }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  /// Both have yielded since the kernel last had to do with them.
  void back_and_forth() {
    bed.run(other);
    bed.run(first);
  }
  /// Whether this yield of the current environment is the machine's own.
  bool straight(EnvId to) {
    const std::uint64_t before = bed.machine.straight_switches;
    bed.call(yield, to, 0);
    return bed.machine.straight_switches != before;
  }
  volatile Uenv& uenv(EnvId id) { return bed.machine.uenv(env_index(id)); }
  TestBed bed;
  const EnvId first = bed.current_id();
  const EnvId other = bed.spawn();
};

TEST_F(Straight, AYieldBetweenTwoThatYieldedIsTheMachinesOwn) {
  const Env before = bed.env(first);
  const std::uint64_t switches = bed.env(other).switches;
  bed.machine.clock += 500;
  EXPECT_TRUE(straight(other));
  EXPECT_EQ(bed.current_id(), other);
  EXPECT_EQ(bed.env(first).calls, before.calls + 1);
  EXPECT_GE(bed.env(first).run_cycles, before.run_cycles + 500);
  EXPECT_EQ(bed.env(other).switches, switches + 1);
  EXPECT_EQ(bed.core().state(env_index(first)).processor, kNowhere);
  EXPECT_EQ(bed.core().state(env_index(other)).processor, 0u);
  EXPECT_TRUE(straight(first));
}

TEST_F(Straight, TheKernelsNextEntryKnowsWhoRuns) {
  ASSERT_TRUE(straight(other));
  EXPECT_EQ(bed.call(null_call), 0);
  EXPECT_EQ(bed.current_id(), other);
  bed.machine.clock += kSlice;
  bed.timer();  // the first one's slice is over, the other one's begins
  EXPECT_EQ(bed.current_id(), other);
  bed.machine.clock += kSlice;
  bed.timer();
  EXPECT_EQ(bed.current_id(), first);
}

TEST_F(Straight, YieldToNobodyBeginsTheNextSlice) {
  bed.call(yield, 0, 0);
  bed.call(yield, 0, 0);  // now the vector's order is known
  const std::uint32_t position = bed.cpu.position;
  EXPECT_TRUE(straight(0));
  EXPECT_EQ(bed.current_id(), other);
  EXPECT_NE(bed.cpu.position, position);
  EXPECT_GT(bed.cpu.slice_end, bed.machine.clock + kSlice / 2);
  EXPECT_TRUE(straight(0));
  EXPECT_EQ(bed.current_id(), first);
}

TEST_F(Straight, ADebtOfTheNextPositionIsPaid) {
  bed.call(yield, 0, 0);
  bed.call(yield, 0, 0);
  bed.machine.tables().slices[1 - bed.cpu.position].forfeited_us = 100;
  EXPECT_FALSE(straight(0));
  EXPECT_EQ(bed.current_id(), other);
  EXPECT_LT(bed.cpu.slice_end - bed.machine.clock, kSlice - 50'000);
}

TEST_F(Straight, TheVectorsChangeIsSeen) {
  bed.call(yield, 0, 0);
  bed.call(yield, 0, 0);
  ASSERT_TRUE(straight(0));
  ASSERT_TRUE(straight(0));
  ASSERT_EQ(bed.current_id(), first);
  const EnvId third = bed.spawn();
  bed.run(third);
  bed.run(first);
  EXPECT_TRUE(straight(other));
  bed.run(first);
  bed.call(slice_free, 0, 0, 1);  // the other one's
  bed.call(yield, 0, 0);
  EXPECT_EQ(bed.current_id(), third);
}

TEST_F(Straight, NamesThatAreNotExactlyAnIdAreTheKernels) {
  for (const std::uint64_t name : {std::uint64_t{1} << 32 | other, std::uint64_t{other} + 1024,
                                   ~std::uint64_t{0}, std::uint64_t{1} << 32}) {
    EXPECT_EQ(bed.call(yield, name, 0), error(Errc::BadEnv)) << name;
    EXPECT_EQ(bed.current_id(), first);
  }
  EXPECT_EQ(bed.call(yield, other, 2), error(Errc::BadArgument));
}

TEST_F(Straight, ADeadOneAndItsSuccessorAreNotEntered) {
  ASSERT_EQ(bed.call(env_free, make_target(0, other)), 0);
  EXPECT_EQ(bed.call(yield, other, 0), error(Errc::BadEnv));
  const EnvId successor = bed.spawn();
  EXPECT_EQ(env_index(successor), env_index(other));
  EXPECT_EQ(bed.call(yield, other, 0), error(Errc::BadEnv));
  EXPECT_FALSE(straight(successor));  // its first turn is the kernel's
  EXPECT_EQ(bed.current_id(), successor);
}

TEST_F(Straight, OneWhoseContextWasSetAgainIsTheKernels) {
  Context context{};
  context.rip = 0x77'0000;
  bed.put(kScratch + 2048, context);
  ASSERT_EQ(bed.call(env_set_context, make_target(0, other), kScratch + 2048), 0);
  EXPECT_FALSE(straight(other));
  EXPECT_EQ(bed.current_id(), other);
  EXPECT_EQ(bed.machine.context(env_index(other)).rip, 0x77'0000u);
}

TEST_F(Straight, ASleeperIsAskedFirst) {
  bed.run(other);
  const WakeTerm never{
      kScratch, 1, WakeOperand::Word64, WakeOperand::Immediate, WakeComparison::Equal, 1, 0};
  bed.put(kScratch + 1024, never);
  ASSERT_EQ(bed.call(wakeup_set, kScratch + 1024, 1), 0);
  bed.call(yield, first, kYieldSleep);
  ASSERT_EQ(bed.current_id(), first);
  EXPECT_FALSE(straight(other));
  EXPECT_EQ(bed.current_id(), first);
}

TEST_F(Straight, OneThatOwesPagesIsToldFirst) {
  uenv(other).revocation.entry = 0x9000;
  ASSERT_EQ(bed.call(pages_request, make_target(0, other), 1, kSlice), 0);
  EXPECT_FALSE(straight(other));
  EXPECT_EQ(bed.current_id(), other);
  EXPECT_EQ(bed.machine.context(env_index(other)).rip, 0x9000u);
}

TEST_F(Straight, OneThatOwesPagesStillIsToldWhenItComesBack) {
  uenv(other).revocation.entry = 0x9000;
  uenv(other).critical_depth = 1;  // not to be told yet
  ASSERT_EQ(bed.call(pages_request, make_target(0, other), 1, kSlice), 0);
  EXPECT_FALSE(straight(other));
  EXPECT_FALSE(straight(first));
  uenv(other).critical_depth = 0;
  EXPECT_FALSE(straight(other));
  EXPECT_EQ(bed.machine.context(env_index(other)).rip, 0x9000u);
}

TEST_F(Straight, InItsGraceItHasToSettleFirst) {
  uenv(first).slice_end_entry = 0x9000;
  bed.machine.clock += kSlice;
  bed.timer();
  ASSERT_EQ(bed.current_id(), first);
  bed.machine.clock += kGrace / 2;
  EXPECT_FALSE(straight(other));
  EXPECT_GT(bed.machine.tables().slices[0].forfeited_us, 0u);
}

TEST_F(Straight, WhoWasForcedOutHasItsUpcallFirst) {
  uenv(first).slice_start_entry = 0xa000;
  bed.machine.clock += kSlice;
  bed.timer();  // switched out silently: forced
  ASSERT_EQ(bed.current_id(), other);
  EXPECT_FALSE(straight(first));
  EXPECT_EQ(bed.machine.context(env_index(first)).rip, 0xa000u);
}

TEST(StraightOnTwo, NothingIsStraightWithSeveralProcessors) {
  TestBed bed{200, 2};
  const EnvId first = bed.current_id();
  const EnvId other = bed.spawn();
  for (int i = 0; i < 4; i++) {
    bed.run(other);
    bed.run(first);
  }
  EXPECT_EQ(bed.machine.straight_switches, 0u);
  EXPECT_EQ(bed.sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
