// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "abi/wakeup.hpp"
#include "kernel/core/testing/test_bed.hpp"

/// What changes with more than one processor.
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

/// Two processors; `other` runs on the second one, the first environment on the first.
class Processors : public ::testing::Test {
 protected:
  void SetUp() override {
    other = bed.spawn(0, false, 0x7000'0000, 1);
    bed.take_kicks();
    bed.use(1);
    ASSERT_EQ(bed.current_id(), other);
    bed.use(0);
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }

  std::uint64_t target() { return make_target(0, other); }
  FakeProcessor& second() { return bed.machine.processors[1]; }
  /// `other` sleeps until the word at kScratch of its memory differs from 0; its processor idles.
  void put_to_sleep() {
    bed.use(1);
    const WakeTerm term{.left = kScratch,
                        .right = 0,
                        .left_kind = WakeOperand::Word64,
                        .right_kind = WakeOperand::Immediate,
                        .comparison = WakeComparison::NotEqual,
                        .ends_product = 1,
                        .tag = 7};
    bed.poke(kScratch, 0);
    bed.put(kScratch + 8, term);
    ASSERT_EQ(bed.call(wakeup_set, kScratch + 8, 1), 0);
    bed.call(yield, 0, kYieldSleep);
    ASSERT_EQ(bed.current(), kNoEnv);
    bed.use(0);
  }
  /// As a program on another processor would write `other`'s word: without a call.
  void write_silently() {
    const std::uint64_t page =
        entry_page(bed.core().page_tables.lookup(bed.env(other).table_page, kScratch));
    *reinterpret_cast<std::uint64_t*>(bed.machine.page(PageNumber{page})) = 1;
  }

  TestBed bed{200, 2};
  EnvId other = 0;
};

TEST_F(Processors, AreCountedAndIdleInATableOfTheirOwn) {
  TestBed three{200, 3};
  EXPECT_EQ(three.machine.info().processors, 3u);
  EXPECT_EQ(three.machine.processors[1].loaded, three.machine.processors[2].loaded);
  EXPECT_NE(three.machine.processors[0].loaded, three.machine.processors[1].loaded);
  EXPECT_EQ(three.call(slice_alloc, 0, 3, 0, 0), error(Errc::BadArgument));
  EXPECT_EQ(three.sweep(), "");
}

TEST_F(Processors, ASliceStartsItsOwnersProcessor) {
  EXPECT_EQ(bed.env(other).processor, 1u);
  EXPECT_EQ(second().loaded, bed.env(other).table_page);
}

TEST_F(Processors, AnEnvironmentRunsOnOneAtATime) {
  ASSERT_GE(bed.call(slice_alloc, 0, 0, kAnyPosition, other), 0);
  bed.call(yield, other, 0);
  EXPECT_EQ(bed.current(), 1u);  // nobody else can run here
  bed.call(yield, 0, 0);
  EXPECT_EQ(bed.current(), 1u);
}

TEST_F(Processors, OneThatLosesItsProcessorMayRunOnAnother) {
  const EnvId third = bed.spawn(0, false, 0x7000'0000, 1);
  bed.use(1);
  bed.run(third);
  bed.use(0);
  bed.run(other);
  EXPECT_EQ(bed.env(other).processor, 0u);
  EXPECT_GT(bed.machine.releases, 0u);
}

TEST_F(Processors, RegistersOfOneThatRunsAreNotReachable) {
  EXPECT_EQ(bed.call(env_set_context, target(), kScratch), error(Errc::Busy));
  EXPECT_EQ(bed.call(env_get_context, target(), kScratch), error(Errc::Busy));
  put_to_sleep();
  EXPECT_EQ(bed.call(env_get_context, target(), kScratch), 0);
}

TEST_F(Processors, OneThatEndsIsTakenFromItsProcessorFirst) {
  EXPECT_EQ(bed.call(env_free, target()), 0);
  EXPECT_EQ(second().seized, 1u);
  bed.use(1);
  EXPECT_EQ(bed.current(), kNoEnv);
  // It was on its way into the kernel for a call of the environment that is gone.
  EXPECT_EQ(bed.call(null_call), 0);
  EXPECT_EQ(bed.current(), kNoEnv);
  bed.fault(FaultVector::PageFault, 6, 0x1234);
  EXPECT_EQ(bed.current(), kNoEnv);
}

TEST_F(Processors, ASeizedProcessorRunsTheNextOfItsVector) {
  const EnvId third = bed.spawn(0, false, 0x7000'0000, 1);
  EXPECT_EQ(bed.call(env_free, target()), 0);
  bed.use(1);
  bed.wake();
  EXPECT_EQ(bed.current_id(), third);
}

TEST_F(Processors, UnmappingIsForgottenWhereTheSpaceIsLoaded) {
  bed.use(1);
  ASSERT_TRUE(bed.writable(kScratch));
  bed.use(0);
  EXPECT_EQ(bed.call(pte_insert, 0, 0, kScratch, target()), 0);
  EXPECT_EQ(second().interrupted, 1u);
  bed.use(1);
  EXPECT_FALSE(bed.readable(kScratch));
}

TEST_F(Processors, ADowngradeIsSeenAtOnce) {
  bed.use(1);
  ASSERT_TRUE(bed.writable(kScratch));
  bed.use(0);
  EXPECT_EQ(bed.call(pte_modify_range, kScratch, 1, 0, kPteWritable, 0, target()), 0);
  bed.use(1);
  EXPECT_TRUE(bed.readable(kScratch));
  EXPECT_FALSE(bed.writable(kScratch));
}

TEST_F(Processors, NobodyElseIsInterrupted) {
  EXPECT_EQ(bed.call(pte_insert, 0, 0, kScratch + 0x1000, 0), 0);
  bed.call(pte_insert, 0, fresh_page(), kScratch + 0x1000, 0);
  EXPECT_EQ(bed.call(pte_insert, 0, 0, kScratch + 0x1000, 0), 0);
  EXPECT_EQ(second().interrupted, 0u);
}

TEST_F(Processors, OneCallInterruptsOnceHoweverManyPages) {
  for (std::uint64_t i = 0; i < 40; i++)
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), 0x60'0000 + i * kPageSize, target()), 0);
  bed.use(1);
  for (std::uint64_t i = 0; i < 40; i++) ASSERT_TRUE(bed.writable(0x60'0000 + i * kPageSize));
  bed.use(0);
  EXPECT_EQ(bed.call(pte_modify_range, 0x60'0000, 40, 0, kPteWritable, 0, target()), 0);
  EXPECT_EQ(second().interrupted, 1u);
  bed.use(1);
  for (std::uint64_t i = 0; i < 40; i++) EXPECT_FALSE(bed.writable(0x60'0000 + i * kPageSize));
}

TEST_F(Processors, ASharedTableIsForgottenByAllThatRun) {
  const std::uint64_t va = 0x60'0000;
  ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), va, 0), 0);
  ASSERT_EQ(bed.call(table_share, va, 1, 0, target()), 0);
  bed.use(1);
  ASSERT_TRUE(bed.writable(va));
  bed.use(0);
  EXPECT_EQ(bed.call(pte_insert, 0, 0, va, 0), 0);
  EXPECT_EQ(second().interrupted, 1u);
  bed.use(1);
  EXPECT_FALSE(bed.readable(va));
}

TEST_F(Processors, APageIsNotTakenAgainBeforeItIsForgotten) {
  // In one call: unmap a page of the other one, and map that very page for ourselves.
  bed.use(1);
  ASSERT_TRUE(bed.writable(kScratch));
  bed.use(0);
  const std::uint64_t page =
      entry_page(bed.core().page_tables.lookup(bed.env(other).table_page, kScratch));
  BatchEntry entries[2] = {{.number = static_cast<std::uint64_t>(pte_insert),
                            .arguments = {0, 0, kScratch, target()},
                            .result = 0},
                           {.number = static_cast<std::uint64_t>(pte_insert),
                            .arguments = {0, this_page(page), 0x60'0000, 0},
                            .result = 0}};
  bed.put(kScratch + 256, entries);
  EXPECT_EQ(bed.call(batch, kScratch + 256, 2, kScratch), 0);
  EXPECT_EQ(second().interrupted, 1u);
  EXPECT_EQ(second().interrupted_with_free_page, 1u);  // before it was anybody's
  bed.use(1);
  EXPECT_FALSE(bed.readable(kScratch));
}

TEST_F(Processors, ThreadsOfOneSpaceForgetTogether) {
  const EnvId thread = bed.spawn(0, true, 0x7000'1000, 1);
  bed.use(1);
  bed.run(thread);
  ASSERT_TRUE(bed.writable(kScratch));
  bed.use(0);
  EXPECT_EQ(bed.call(pte_insert, 0, 0, kScratch, 0), 0);
  bed.use(1);
  EXPECT_FALSE(bed.readable(kScratch));
}

TEST_F(Processors, AnIdleOneLooksByItselfWhileOthersRun) {
  put_to_sleep();
  EXPECT_LE(second().timer_deadline, bed.machine.clock + kIdlePollNanoseconds);
  write_silently();
  bed.use(1);
  bed.machine.clock = second().timer_deadline;
  bed.timer();
  EXPECT_EQ(bed.current_id(), other);
}

TEST_F(Processors, ACallOfTheWriterWakesTheSleeperElsewhere) {
  put_to_sleep();
  write_silently();
  bed.machine.clock += 10 * kLookNanoseconds;
  bed.call(null_call);
  EXPECT_TRUE(second().kicked);
  bed.take_kicks();
  bed.use(1);
  EXPECT_EQ(bed.current_id(), other);
  EXPECT_EQ(bed.machine.context(bed.current()).rax, 7u);
}

TEST_F(Processors, NobodyIsWokenForNothing) {
  put_to_sleep();
  bed.machine.clock += 10 * kLookNanoseconds;
  bed.call(null_call);
  EXPECT_FALSE(second().kicked);
}

TEST_F(Processors, LookingForSleepersIsRare) {
  put_to_sleep();
  bed.machine.clock += 10 * kLookNanoseconds;
  bed.call(null_call);
  write_silently();
  bed.call(null_call);
  EXPECT_FALSE(second().kicked);
  bed.machine.clock += 2 * kLookNanoseconds;
  bed.call(null_call);
  EXPECT_TRUE(second().kicked);
}

TEST_F(Processors, WhoStartsToRunMakesIdleOnesLook) {
  put_to_sleep();
  const WakeTerm never{.left = 0,
                       .right = 1,
                       .left_kind = WakeOperand::Immediate,
                       .right_kind = WakeOperand::Immediate,
                       .comparison = WakeComparison::Equal,
                       .ends_product = 1,
                       .tag = 1};
  bed.put(kScratch + 8, never);
  ASSERT_EQ(bed.call(wakeup_set, kScratch + 8, 1), 0);
  bed.call(yield, 0, kYieldSleep);
  ASSERT_EQ(bed.current(), kNoEnv);  // all idle, and nobody looks
  bed.use(1);
  bed.timer();
  EXPECT_EQ(second().timer_deadline, ~0ull);
  // A device lets the first one run. Its writes must not go unseen.
  bed.use(0);
  bed.core().env(1).status = EnvStatus::Runnable;
  bed.wake();
  EXPECT_EQ(bed.current(), 1u);
  EXPECT_TRUE(second().kicked);
  bed.take_kicks();
  EXPECT_LE(second().timer_deadline, bed.machine.clock + kIdlePollNanoseconds);
}

TEST_F(Processors, ALargePageThatGoesIsForgottenWhole) {
  TestBed big{1100, 2};
  const EnvId there = big.spawn(0, false, 0x7000'0000, 1);
  big.take_kicks();
  constexpr std::uint64_t kVa = 0x4000'0000;
  ASSERT_EQ(big.call(large_insert, 0, this_page(512) | kPteLarge, kVa, make_target(0, there)), 512);
  big.use(1);
  ASSERT_EQ(big.current_id(), there);
  ASSERT_TRUE(big.writable(kVa));
  ASSERT_TRUE(big.writable(kVa + 300 * kPageSize));
  big.use(0);
  EXPECT_EQ(big.call(large_insert, 0, 0, kVa, make_target(0, there)), 0);
  EXPECT_EQ(big.machine.processors[1].interrupted, 1u);
  big.use(1);
  EXPECT_FALSE(big.readable(kVa));
  EXPECT_FALSE(big.readable(kVa + 300 * kPageSize));
  EXPECT_EQ(big.sweep(), "");
}

/// Its registers are in that processor; only one that runs nowhere can be entered.
TEST_F(Processors, AControlTransferDoesNotEnterOneThatRunsElsewhere) {
  volatile IpcArea& area = bed.machine.uenv(env_index(other)).ipc;
  area.entry = 0x20'0100;
  area.stack = 0x60'0000;
  area.allow = 6;
  area.gate = bed.self().capabilities[0].bits();
  for (const SyscallNumber kind : {ipc_call, ipc_send})
    EXPECT_EQ(bed.call(kind, target(), 1, 2, 3, 4, 5), error(Errc::WouldBlock));
  put_to_sleep();
  bed.call(ipc_call, target(), 1, 2, 3, 4, 5);
  EXPECT_EQ(bed.current_id(), other);
  EXPECT_EQ(bed.env(other).processor, 0u);
}

/// The right to run that a waiting caller hands on does not make its callee run twice.
TEST_F(Processors, SlicesOfOneThatWaitsAreNotGivenToACalleeThatRunsElsewhere) {
  put_to_sleep();
  volatile IpcArea& area = bed.machine.uenv(env_index(other)).ipc;
  area.entry = 0x20'0100;
  area.allow = 6;
  area.gate = bed.self().capabilities[0].bits();
  bed.call(ipc_call, target(), 1, 2, 3, 4, 5);
  ASSERT_EQ(bed.current_id(), other);
  bed.use(1);  // the callee has a slice there as well
  bed.wake();
  EXPECT_EQ(bed.current(), kNoEnv);
}

}  // namespace
}  // namespace xok::kernel::testing
