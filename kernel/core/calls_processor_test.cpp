// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/schedule.hpp"
#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kSlice = 10'000'000;  // cycles: the fake clock has 1 GHz
constexpr std::uint64_t kGrace = 1'000'000;

class Processor : public ::testing::Test {
 protected:
  void TearDown() override {
    if (!bed.machine.stopped) {
      EXPECT_EQ(bed.sweep(), "");
    }
  }
  void pass(std::uint64_t cycles) {
    bed.machine.clock += cycles;
    bed.timer();
  }
  void predicate(const WakeTerm& term) {
    bed.put(kScratch + 1024, term);
    ASSERT_EQ(bed.call(wakeup_set, kScratch + 1024, 1), 0);
  }
  static WakeTerm word_is(std::uint64_t address, std::uint64_t value, std::uint32_t tag = 0) {
    return {address, value, WakeOperand::Word64, WakeOperand::Immediate, WakeComparison::Equal,
            1,       tag};
  }
  static WakeTerm clock_from(std::uint64_t when, std::uint32_t tag = 0) {
    return {0, when, WakeOperand::Clock, WakeOperand::Immediate, WakeComparison::GreaterEqual,
            1, tag};
  }
  volatile Uenv& uenv(EnvId id) { return bed.machine.uenv(env_index(id)); }
  Context& context(EnvId id) { return bed.machine.context(env_index(id)); }
  Slice& slice(std::size_t at) { return bed.machine.tables().slices[at]; }
  TestBed bed;
  const EnvId first = bed.current_id();
};

// -- The vector

TEST_F(Processor, SlicesAreAllocatedByPositionOrAnywhere) {
  EXPECT_EQ(bed.call(slice_alloc, 0, 0, 5, kSelf), 5);
  EXPECT_EQ(bed.call(slice_alloc, 0, 0, kAnyPosition, kSelf), 1);
  EXPECT_EQ(slice(5).owner, first);
  EXPECT_EQ(slice(5).guard, kRootCapability);
  EXPECT_EQ(bed.self().slices, 3u);
  EXPECT_EQ(bed.call(slice_alloc, 0, 0, 5, kSelf), error(Errc::Exists));
}

TEST_F(Processor, SliceArgumentsAreChecked) {
  EXPECT_EQ(bed.call(slice_alloc, 0, 1, 0, kSelf), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(slice_alloc, 0, ~0ull, 0, kSelf), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(slice_alloc, 0, 0, kSlicesPerProcessor, kSelf), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(slice_alloc, 9, 0, 1, kSelf), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(slice_alloc, 0, 0, 1, 4444), error(Errc::BadEnv));
  bed.call(cap_forge, 0, 1, Capability::make({1}, Permission::Write).bits(), 0);
  EXPECT_EQ(bed.call(slice_alloc, 1, 0, 1, kSelf), error(Errc::Denied));
  EXPECT_EQ(bed.call(slice_free, 0, 0, 9), error(Errc::NotFound));
  EXPECT_EQ(bed.call(slice_free, 0, 0, ~0ull), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(slice_transfer, 0, 0, 9, kSelf), error(Errc::NotFound));
  EXPECT_EQ(bed.call(slice_transfer, 0, 0, 0, 4444), error(Errc::BadEnv));
}

TEST_F(Processor, ASlicesGuardDecidesWhoMayTakeIt) {
  bed.call(cap_forge, 0, 1, Capability::make({1}).bits(), 0);
  const EnvId child = bed.spawn(1);
  bed.run(child);
  EXPECT_EQ(bed.call(slice_free, 0, 0, 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(slice_transfer, 0, 0, 0, child), error(Errc::Denied));
  EXPECT_EQ(bed.call(slice_transfer, 0, 0, 1, first), 0);
  EXPECT_EQ(slice(1).owner, first);
  EXPECT_EQ(bed.call(slice_free, 0, 0, 1), 0);
  EXPECT_EQ(slice(1).owner, 0u);
}

TEST_F(Processor, NobodyTakesTheWholeVector) {
  std::int64_t last = 0;
  for (int i = 0; i < 2000 && last >= 0; i++)
    last = bed.call(slice_alloc, 0, 0, kAnyPosition, kSelf);
  EXPECT_EQ(last, error(Errc::NoSpace));
  EXPECT_EQ(bed.self().slices, kSlicesPerEnv);
  const EnvId child = bed.spawn();
  EXPECT_EQ(bed.call(slice_transfer, 0, 0, kSlicesPerEnv, first), error(Errc::NoSpace));
  EXPECT_EQ(bed.env(child).slices, 1u);
}

TEST_F(Processor, AFullVectorIsNoSpace) {
  for (int k = 0; k < 4; k++) {
    const EnvId child = bed.spawn();
    while (bed.call(slice_alloc, 0, 0, kAnyPosition, child) >= 0) continue;
  }
  EXPECT_EQ(bed.call(slice_alloc, 0, 0, kAnyPosition, kSelf), error(Errc::NoSpace));
}

// -- Turns

TEST_F(Processor, TurnsFollowTheVector) {
  const EnvId a = bed.spawn();
  const EnvId b = bed.spawn();
  bed.call(yield, 0, 0);
  EXPECT_EQ(bed.current_id(), a);
  pass(kSlice);
  EXPECT_EQ(bed.current_id(), b);
  pass(kSlice);
  EXPECT_EQ(bed.current_id(), first);
}

TEST_F(Processor, MorePositionsGiveMoreTime) {
  const EnvId a = bed.spawn();
  ASSERT_GE(bed.call(slice_alloc, 0, 0, kAnyPosition, a), 0);
  ASSERT_GE(bed.call(slice_alloc, 0, 0, 900, a), 0);
  std::uint64_t turns = 0;
  for (int i = 0; i < 400; i++) {
    pass(kSlice);
    if (bed.current_id() == a) turns++;
  }
  EXPECT_EQ(turns, 300u);
}

TEST_F(Processor, TheTimerIsSetToTheEndOfTheSlice) {
  EXPECT_EQ(bed.machine.timer_deadline, bed.cpu.slice_end);
  bed.spawn();
  bed.machine.timer_deadline = 0;
  bed.timer();  // too early: nothing happens but that it is set again
  EXPECT_EQ(bed.current_id(), first);
  EXPECT_EQ(bed.machine.timer_deadline, bed.cpu.slice_end);
}

TEST_F(Processor, AloneItJustGoesOn) {
  uenv(first).slice_end_entry = 0x1000;
  const Context before = context(first);
  const std::uint64_t switches = bed.self().switches;
  pass(kSlice);
  EXPECT_EQ(bed.current_id(), first);
  EXPECT_EQ(context(first).rip, before.rip);
  EXPECT_EQ(bed.self().switches, switches);
  EXPECT_GT(bed.machine.timer_deadline, bed.machine.clock);
}

TEST_F(Processor, RunTimeIsAccounted) {
  const EnvId a = bed.spawn();
  const std::uint64_t before = bed.self().run_cycles;
  bed.machine.clock += 12345;
  bed.run(a);
  EXPECT_GE(bed.env(first).run_cycles, before + 12345);
  EXPECT_EQ(bed.env(a).switches, 1u);
}

// -- Slice ends

TEST_F(Processor, WithoutAnEntryItIsSwitchedOutSilently) {
  const EnvId a = bed.spawn();
  context(first).rip = 0x4242;
  pass(kSlice);
  EXPECT_EQ(bed.current_id(), a);
  EXPECT_EQ(context(first).rip, 0x4242u);
  EXPECT_EQ(bed.env(first).overruns, 0u);
}

TEST_F(Processor, TheSliceEndUpcallSavesWhatItReplaces) {
  const EnvId a = bed.spawn();
  uenv(first).slice_end_entry = 0x9000;
  uenv(first).slice_end_stack = 0x8000;
  context(first).rip = 0x4242;
  context(first).rsp = 0x4343;
  context(first).rflags = 0x202 | 0x100 | 0x400;
  context(first).rax = 17;
  pass(kSlice);
  EXPECT_EQ(bed.current_id(), first);
  EXPECT_EQ(context(first).rip, 0x9000u);
  EXPECT_EQ(context(first).rsp, 0x8000u);
  EXPECT_EQ(context(first).rflags, 0x202u);
  EXPECT_EQ(context(first).rax, 17u);
  EXPECT_EQ(uenv(first).slice_end.rip, 0x4242u);
  EXPECT_EQ(uenv(first).slice_end.rsp, 0x4343u);
  EXPECT_EQ(uenv(first).slice_end.rflags, 0x702u);
  bed.call(yield, 0, 0);
  EXPECT_EQ(bed.current_id(), a);
  EXPECT_EQ(bed.env(first).overruns, 0u);
}

TEST_F(Processor, TimeInTheUpcallIsForfeited) {
  bed.spawn();
  uenv(first).slice_end_entry = 0x9000;
  pass(kSlice);
  bed.machine.clock += 600'000;
  bed.call(yield, 0, 0);
  EXPECT_GE(slice(0).forfeited_us, 600u);
  EXPECT_LT(slice(0).forfeited_us, 700u);
  pass(kSlice);  // its turn again: shorter by that
  ASSERT_EQ(bed.current_id(), first);
  EXPECT_EQ(slice(0).forfeited_us, 0u);
  EXPECT_LE(bed.cpu.slice_end - bed.cpu.entered, kSlice - 600'000);
}

TEST_F(Processor, OverrunsAreSwitchedByForceWithEverythingKept) {
  const EnvId a = bed.spawn();
  uenv(first).slice_end_entry = 0x9000;
  bed.machine.clock_step = 0;
  pass(kSlice);
  ASSERT_EQ(bed.current_id(), first);
  EXPECT_EQ(bed.machine.timer_deadline, bed.machine.clock + kGrace);
  context(first).rbx = 99;
  pass(kGrace);
  EXPECT_EQ(bed.current_id(), a);
  EXPECT_EQ(bed.env(first).overruns, 1u);
  EXPECT_EQ(context(first).rbx, 99u);
  EXPECT_GE(slice(0).forfeited_us, 1000u);
}

TEST_F(Processor, DebtsBeyondASliceCostWholeTurns) {
  const EnvId a = bed.spawn();
  slice(0).forfeited_us = 25'000;
  bed.run(a);
  std::vector<EnvId> turns;
  for (int i = 0; i < 4; i++) {
    pass(kSlice);
    turns.push_back(bed.current_id());
  }
  EXPECT_EQ(turns, (std::vector<EnvId>{a, a, a, first}));
}

TEST_F(Processor, DebtsDoNotLeaveTheProcessorIdle) {
  slice(0).forfeited_us = 4'000'000'000;
  bed.call(yield, 0, 0);
  EXPECT_EQ(bed.current_id(), first);
}

TEST_F(Processor, ACriticalSectionDefersTheEndOnce) {
  const EnvId a = bed.spawn();
  uenv(first).critical_depth = 1;
  uenv(first).slice_end_entry = 0x9000;
  context(first).rip = 0x4242;
  pass(kSlice);
  EXPECT_EQ(bed.current_id(), first);
  EXPECT_EQ(context(first).rip, 0x4242u);
  EXPECT_EQ(uenv(first).interrupted, 1u);
  pass(kGrace);
  EXPECT_EQ(bed.current_id(), a);
  EXPECT_EQ(bed.env(first).overruns, 1u);
}

TEST_F(Processor, TheSliceStartUpcallFollowsAForcedSwitchOnly) {
  const EnvId a = bed.spawn();
  uenv(first).slice_start_entry = 0xa000;
  uenv(first).slice_start_stack = 0xb000;
  context(first).rip = 0x4242;
  bed.run(a);
  bed.run(first);
  EXPECT_EQ(context(first).rip, 0x4242u);  // it yielded
  pass(kSlice);
  ASSERT_EQ(bed.current_id(), a);
  pass(kSlice);
  ASSERT_EQ(bed.current_id(), first);
  EXPECT_EQ(context(first).rip, 0xa000u);
  EXPECT_EQ(context(first).rsp, 0xb000u);
  EXPECT_EQ(uenv(first).slice_start.rip, 0x4242u);
  EXPECT_EQ(uenv(first).slice_start_active, 1u);
  pass(kSlice);
  pass(kSlice);  // active: not again
  ASSERT_EQ(bed.current_id(), first);
  EXPECT_EQ(uenv(first).slice_start.rip, 0x4242u);
}

TEST_F(Processor, EntriesThatAreNoUserAddressesCountAsNone) {
  const EnvId a = bed.spawn();
  uenv(first).slice_end_entry = kUserTop;
  uenv(first).slice_start_entry = 0xffff'8000'0000'0000;
  context(first).rip = 0x4242;
  pass(kSlice);
  EXPECT_EQ(bed.current_id(), a);
  pass(kSlice);
  EXPECT_EQ(bed.current_id(), first);
  EXPECT_EQ(context(first).rip, 0x4242u);
}

TEST_F(Processor, WhoNeverYieldsDiesInTheEnd) {
  const EnvId a = bed.spawn();
  bed.run(a);
  uenv(a).slice_end_entry = 0x9000;
  for (std::uint32_t i = 0; i < 4 * kMaxOverruns && bed.env(a).status != EnvStatus::Dead; i++) {
    if (bed.current_id() == first) bed.run(a);
    pass(kSlice);
    if (bed.env(a).status == EnvStatus::Dead) break;
    pass(kGrace);
  }
  EXPECT_EQ(bed.env(a).status, EnvStatus::Dead);
  EXPECT_EQ(bed.env(a).death, DeathReason::SliceOverrun);
  EXPECT_EQ(bed.env(a).overruns, kMaxOverruns);
  EXPECT_EQ(bed.current_id(), first);
}

// -- yield

TEST_F(Processor, DirectedYieldGivesTheRestOfTheSlice) {
  const EnvId a = bed.spawn();
  bed.spawn();
  const std::uint64_t end = bed.cpu.slice_end;
  bed.run(a);
  EXPECT_EQ(bed.cpu.slice_end, end);
  bed.run(first);
  EXPECT_EQ(bed.cpu.slice_end, end);
}

TEST_F(Processor, DirectedYieldToASleeperTriesItsPredicate) {
  const EnvId a = bed.spawn();
  bed.run(a);
  predicate(word_is(kScratch, 7, 33));
  bed.call(yield, first, kYieldSleep);
  ASSERT_EQ(bed.current_id(), first);
  bed.call(yield, a, 0);
  EXPECT_EQ(bed.current_id(), first);  // not ready: the next in the vector, and a is not either
  std::uint64_t page = 0;
  Translation where;
  ASSERT_TRUE(bed.machine.walk(bed.env(a).table_page, kScratch, where));
  page = where.page;
  bed.machine.page(PageNumber{page})[0] = std::byte{7};
  bed.call(yield, a, 0);
  EXPECT_EQ(bed.current_id(), a);
  EXPECT_EQ(context(a).rax, 33u);
  EXPECT_EQ(uenv(a).wake_tag, 33u);
}

TEST_F(Processor, YieldAfterTheEndCannotGiveTheRest) {
  const EnvId a = bed.spawn();
  const EnvId b = bed.spawn();
  uenv(first).slice_end_entry = 0x9000;
  pass(kSlice);
  bed.call(yield, b, 0);
  EXPECT_EQ(bed.current_id(), a);
}

TEST_F(Processor, SleepReturnsAtOnceIfThePredicateHolds) {
  bed.poke(kScratch, 7);
  predicate(word_is(kScratch, 7, 12));
  EXPECT_EQ(bed.call(yield, 0, kYieldSleep), 12);
  EXPECT_EQ(bed.self().status, EnvStatus::Runnable);
  EXPECT_EQ(uenv(first).wake_tag, 12u);
}

TEST_F(Processor, YieldChecksItsArguments) {
  EXPECT_EQ(bed.call(yield, 0, 2), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(yield, 0, kYieldSleep), error(Errc::BadArgument));  // no predicate
  EXPECT_EQ(bed.call(yield, 98765, 0), error(Errc::BadEnv));
  EXPECT_EQ(bed.call(yield, ~0ull, 0), error(Errc::BadEnv));
  EXPECT_EQ(bed.call(yield, first, 0), 0);
}

TEST_F(Processor, IdleSleepsUntilTheClockOfAPredicate) {
  const std::uint64_t when = bed.machine.clock + 50'000'000;
  predicate(clock_from(when, 4));
  bed.call(yield, 0, kYieldSleep);
  EXPECT_EQ(bed.current(), kNoEnv);
  EXPECT_EQ(bed.machine.timer_deadline, when);
  pass(1000);
  EXPECT_EQ(bed.current(), kNoEnv);
  EXPECT_EQ(bed.machine.timer_deadline, when);
  pass(50'000'000);
  ASSERT_EQ(bed.current(), 1u);
  EXPECT_EQ(context(first).rax, 4u);
  EXPECT_GE(bed.machine.info().idle_cycles, 50'000'000u);
}

TEST_F(Processor, ADeviceWakesTheIdleProcessor) {
  predicate({kExposedBase + offsetof(SystemInfo, deaths), 1, WakeOperand::Word64,
             WakeOperand::Immediate, WakeComparison::Equal, 1, 8});
  bed.call(yield, 0, kYieldSleep);
  ASSERT_EQ(bed.current(), kNoEnv);
  bed.wake();
  EXPECT_EQ(bed.current(), kNoEnv);
  bed.machine.info().deaths = 1;
  bed.wake();
  EXPECT_EQ(bed.current(), 1u);
}

TEST_F(Processor, FreeingTheOnlyRunnableOneLoadsTheIdleTable) {
  const EnvId a = bed.spawn();
  predicate(word_is(kScratch, 1));
  bed.call(yield, a, kYieldSleep);
  ASSERT_EQ(bed.current_id(), a);
  const std::uint64_t table = bed.self().table_page;
  bed.call(env_free, kSelf);
  EXPECT_EQ(bed.current(), kNoEnv);
  EXPECT_NE(bed.machine.loaded, table);
}

// -- wakeup_set

class Wakeup : public Processor {
 protected:
  std::int64_t set(std::vector<WakeTerm> terms) {
    for (std::size_t i = 0; i < terms.size(); i++) bed.put(kScratch + 512 + 24 * i, terms[i]);
    return bed.call(wakeup_set, kScratch + 512, terms.size());
  }
  static WakeTerm term(std::uint64_t left, WakeComparison c, std::uint64_t right, bool ends = true,
                       std::uint32_t tag = 0) {
    return {left,
            right,
            WakeOperand::Immediate,
            WakeOperand::Immediate,
            c,
            static_cast<std::uint8_t>(ends ? 1 : 0),
            tag};
  }
  std::int64_t holds(std::vector<WakeTerm> terms) {
    if (const std::int64_t done = set(std::move(terms)); done != 0) return done;
    const std::int64_t tag = bed.call(yield, 0, kYieldSleep);
    if (bed.current() != kNoEnv) return tag;
    bed.env(first).status = EnvStatus::Runnable;
    bed.wake();
    return -1000;
  }
};

TEST_F(Wakeup, EveryComparisonIsUnsigned) {
  using enum WakeComparison;
  const auto yes = [&](std::uint64_t l, WakeComparison c, std::uint64_t r) {
    return holds({term(l, c, r)}) == 0;
  };
  EXPECT_TRUE(yes(5, Equal, 5) && !yes(5, Equal, 6));
  EXPECT_TRUE(yes(5, NotEqual, 6) && !yes(5, NotEqual, 5));
  EXPECT_TRUE(yes(5, Less, ~0ull) && !yes(~0ull, Less, 5) && !yes(5, Less, 5));
  EXPECT_TRUE(yes(5, LessEqual, 5) && !yes(6, LessEqual, 5));
  EXPECT_TRUE(yes(~0ull, Greater, 0) && !yes(5, Greater, 5));
  EXPECT_TRUE(yes(5, GreaterEqual, 5) && !yes(4, GreaterEqual, 5));
}

TEST_F(Wakeup, AProductNeedsAllItsTermsASumOneProduct) {
  using enum WakeComparison;
  const auto t = term(1, Equal, 1, false);
  const auto f = term(1, Equal, 2, false);
  const auto end = [](WakeTerm x, std::uint32_t tag) {
    x.ends_product = 1;
    x.tag = tag;
    return x;
  };
  EXPECT_EQ(holds({t, t, end(t, 1)}), 1);
  EXPECT_EQ(holds({t, f, end(t, 1)}), -1000);
  EXPECT_EQ(holds({t, end(f, 1), f, end(t, 2), end(t, 3)}), 3);
  EXPECT_EQ(holds({f, end(t, 1), t, end(t, 2), end(t, 3)}), 2);
}

TEST_F(Wakeup, WordsAreReadAtTheirWidth) {
  bed.poke(kScratch + 8, 0x1111'2222'3333'4444);
  WakeTerm w = term(kScratch + 8, WakeComparison::Equal, 0x3333'4444);
  w.left_kind = WakeOperand::Word32;
  EXPECT_EQ(holds({w}), 0);
  w.left = kScratch + 12;
  w.right = 0x1111'2222;
  EXPECT_EQ(holds({w}), 0);
}

TEST_F(Wakeup, RefusesMalformedTerms) {
  WakeTerm bad = term(1, WakeComparison::Equal, 1);
  bad.ends_product = 0;
  EXPECT_EQ(set({bad}), error(Errc::BadArgument));
  bad.ends_product = 2;
  EXPECT_EQ(set({bad}), error(Errc::BadArgument));
  bad = term(1, static_cast<WakeComparison>(6), 1);
  EXPECT_EQ(set({bad}), error(Errc::BadArgument));
  bad = term(1, WakeComparison::Equal, 1);
  bad.right_kind = static_cast<WakeOperand>(4);
  EXPECT_EQ(set({bad}), error(Errc::BadArgument));
  bad = word_is(kScratch + 4, 1);
  EXPECT_EQ(set({bad}), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(wakeup_set, kScratch, kMaxWakeTerms + 1), error(Errc::TooBig));
  EXPECT_EQ(bed.call(wakeup_set, 0x1000, 1), error(Errc::Fault));
}

TEST_F(Wakeup, RefusesWordsThatCannotBeRead) {
  for (const std::uint64_t address : std::initializer_list<std::uint64_t>{
           0x1000, kUserTop + kSlotSize - 8, kPageTableWindow, ~7ull,
           std::uint64_t{0xffff'8000'0000'0000}, std::uint64_t{0x8000'0000'0000},
           kExposedEnvs + sizeof(Env) * kMaxEnvironments, kExposedFilters - 8,
           kExposedPages + sizeof(PageInfo) * 200})
    EXPECT_EQ(set({word_is(address, 1)}), error(Errc::Fault)) << std::hex << address;
  EXPECT_EQ(set({word_is(kExposedPages + sizeof(PageInfo) * 199, 1)}), 0);
  EXPECT_EQ(set({word_is(kExposedSlices, 1)}), 0);
}

TEST_F(Wakeup, PinsPagesUntilReplaced) {
  const std::int64_t page = bed.call(pte_insert, 0, fresh_page(), 0x60'0000, 0);
  PageInfo& info = bed.machine.page_info(static_cast<std::uint64_t>(page));
  ASSERT_EQ(set({word_is(0x60'0000, 1)}), 0);
  EXPECT_EQ(bed.self().predicate_terms, 1u);
  EXPECT_EQ(info.pins, 1u);
  ASSERT_EQ(bed.call(pte_insert, 0, 0, 0x60'0000, 0), 0);
  EXPECT_EQ(info.status, PageStatus::User);  // unmapped, but still read by the predicate
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_EQ(set({}), 0);
  EXPECT_EQ(info.status, PageStatus::Free);
  EXPECT_EQ(bed.self().predicate_terms, 0u);
}

TEST_F(Wakeup, AfterAnErrorTheOldOneStands) {
  ASSERT_EQ(set({word_is(kScratch, 0, 21)}), 0);
  EXPECT_EQ(set({word_is(kScratch + 8, 1), word_is(0x1000, 1)}), error(Errc::Fault));
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_EQ(bed.call(yield, 0, kYieldSleep), 21);
}

TEST_F(Wakeup, TooManyPinsAreNoSpace) {
  Translation where;
  ASSERT_TRUE(bed.machine.walk(bed.self().table_page, kScratch, where));
  PageInfo& info = bed.machine.page_info(where.page);
  info.pins = 0xfffe;
  EXPECT_EQ(set({word_is(kScratch, 1), word_is(kScratch, 2)}), error(Errc::NoSpace));
  EXPECT_EQ(info.pins, 0xfffe);
  EXPECT_EQ(bed.call(ring_create, kScratch, 2), 0);
  EXPECT_EQ(bed.call(ring_create, kScratch, 2), error(Errc::NoSpace));
  EXPECT_EQ(bed.call(ring_delete, 0), 0);
  info.pins = 0;
}

TEST_F(Wakeup, TheFirstOneNeedsAPage) {
  std::uint64_t va = 0x40'2000;
  while (bed.machine.info().free_pages > 0)
    ASSERT_GE(bed.call(pte_insert, 0, fresh_page(), va += kPageSize, 0), 0);
  EXPECT_EQ(set({term(1, WakeComparison::Equal, 1)}), error(Errc::NoMemory));
  ASSERT_EQ(bed.call(pte_insert, 0, 0, va, 0), 0);
  EXPECT_EQ(set({term(1, WakeComparison::Equal, 1)}), 0);
}

TEST_F(Wakeup, DeadlinesCoverEveryComparisonWithTheClock) {
  const std::uint64_t later = bed.machine.clock + 1'000'000;
  const auto deadline = [&](WakeTerm t) {
    EXPECT_EQ(set({t}), 0);
    bed.call(yield, 0, kYieldSleep);
    EXPECT_EQ(bed.current(), kNoEnv);
    const std::uint64_t when = bed.machine.timer_deadline;
    bed.env(first).status = EnvStatus::Runnable;
    bed.wake();
    return when;
  };
  const auto clock_left = [&](WakeComparison c) {
    return WakeTerm{0, later, WakeOperand::Clock, WakeOperand::Immediate, c, 1, 0};
  };
  const auto clock_right = [&](WakeComparison c) {
    return WakeTerm{later, 0, WakeOperand::Immediate, WakeOperand::Clock, c, 1, 0};
  };
  using enum WakeComparison;
  EXPECT_EQ(deadline(clock_left(GreaterEqual)), later);
  EXPECT_EQ(deadline(clock_left(Greater)), later + 1);
  EXPECT_EQ(deadline(clock_left(Equal)), later);
  EXPECT_EQ(deadline(clock_right(LessEqual)), later);
  EXPECT_EQ(deadline(clock_right(Less)), later + 1);
  EXPECT_EQ(deadline(word_is(kScratch, 99)), ~0ull);
}

}  // namespace
}  // namespace xok::kernel::testing
