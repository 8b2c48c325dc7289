// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kUenv = 0x7000'0000;

TEST(SystemCall, UnknownNumbersAreRefused) {
  TestBed bed;
  EXPECT_EQ(bed.raw_call(0x05, {}), error(Errc::NoSuchCall));
  EXPECT_EQ(bed.raw_call(0x7f, {}), error(Errc::NoSuchCall));
  EXPECT_EQ(bed.raw_call(~0ull, {}), error(Errc::NoSuchCall));
  EXPECT_EQ(bed.self().calls, 3u);
}

TEST(EnvAlloc, NewEnvironmentHasOneCapabilityAndOneCleanPage) {
  TestBed bed;
  bed.call(cap_forge, 0, 1, Capability::make({1}).bits(), 0);
  const auto id = static_cast<EnvId>(bed.call(env_alloc, 1, 0, kUenv));
  const Env& child = bed.env(id);
  EXPECT_EQ(child.id, id);
  EXPECT_EQ(child.status, EnvStatus::Sleeping);
  EXPECT_EQ(child.capabilities[0], Capability::make({1}));
  for (std::size_t i = 1; i < kCapabilitySlots; i++) EXPECT_FALSE(child.capabilities[i].valid());
  EXPECT_EQ(child.mapped_pages, 1u);
  EXPECT_EQ(child.table_pages, 4u);
  Translation uenv;
  ASSERT_TRUE(bed.machine.walk(child.table_page, kUenv, uenv));
  EXPECT_EQ(uenv.page, child.uenv_page);
  EXPECT_TRUE(uenv.writable);
  EXPECT_EQ(bed.machine.page_info(uenv.page).acl[0], Capability::make({1}));
  EXPECT_EQ(bed.sweep(), "");
}

TEST(EnvAlloc, DoesNotRunBeforeItsContextIsSet) {
  TestBed bed;
  const auto id = static_cast<EnvId>(bed.call(env_alloc, 0, 0, kUenv));
  ASSERT_EQ(bed.call(slice_alloc, 0, 0, kAnyPosition, id), 1);
  EXPECT_EQ(bed.call(yield, id, 0), 0);
  EXPECT_EQ(bed.current(), 1u);
}

TEST(EnvAlloc, NeedsAllPermissions) {
  TestBed bed;
  bed.call(cap_forge, 0, 1, Capability::make({1}, Permission::Write | Permission::Allocate).bits(),
           0);
  EXPECT_EQ(bed.call(env_alloc, 1, 0, kUenv), error(Errc::Denied));
  EXPECT_EQ(bed.call(env_alloc, 2, 0, kUenv), error(Errc::BadCapability));
}

TEST(EnvAlloc, ChecksFlagsAndUenvAddress) {
  TestBed bed;
  EXPECT_EQ(bed.call(env_alloc, 0, 2, kUenv), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(env_alloc, 0, 0, kUenv + 8), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(env_alloc, 0, 0, kUserTop), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(env_alloc, 0, 0, ~0ull - 4095), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(env_alloc, 0, kShareAddressSpace, kScratch), error(Errc::BadArgument));
  EXPECT_EQ(bed.sweep(), "");
}

TEST(EnvAlloc, NoMemoryChangesNothing) {
  TestBed bed;
  std::uint64_t va = 0x40'2000;
  while (bed.machine.info().free_pages > 4)
    ASSERT_GE(bed.call(pte_insert, 0, fresh_page(), va += kPageSize, 0), 0);
  EXPECT_EQ(bed.call(env_alloc, 0, 0, kUenv), error(Errc::NoMemory));
  EXPECT_EQ(bed.machine.info().free_pages, 4u);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(EnvAlloc, RefusedContextChangesNothing) {
  TestBed bed;
  const std::uint64_t free = bed.machine.info().free_pages;
  bed.machine.refuse_context = true;
  EXPECT_EQ(bed.call(env_alloc, 0, 0, kUenv), error(Errc::NoMemory));
  EXPECT_EQ(bed.machine.info().free_pages, free);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(EnvAlloc, EveryChoiceOfFreePagesSucceedsOrChangesNothing) {
  for (std::uint64_t left = 0; left < 8; left++) {
    TestBed bed;
    std::uint64_t va = 0x40'2000;
    while (bed.machine.info().free_pages > left)
      ASSERT_GE(bed.call(pte_insert, 0, fresh_page(), va += kPageSize, 0), 0);
    const std::int64_t made = bed.call(env_alloc, 0, 0, kUenv);
    EXPECT_EQ(made > 0, left >= 5);
    EXPECT_EQ(bed.machine.info().free_pages, left >= 5 ? left - 5 : left);
    EXPECT_EQ(bed.sweep(), "");
  }
}

TEST(EnvAlloc, NoSpaceWhenAllSlotsLiveAndDeadOnesGiveWay) {
  TestBed bed{12000};
  std::vector<EnvId> all;
  for (std::size_t i = 2; i < kMaxEnvironments; i++) {
    const std::int64_t id = bed.call(env_alloc, 0, kShareAddressSpace, kUenv + i * kPageSize);
    ASSERT_GT(id, 0);
    all.push_back(static_cast<EnvId>(id));
  }
  EXPECT_EQ(bed.call(env_alloc, 0, 0, kUenv), error(Errc::NoSpace));
  EXPECT_EQ(bed.machine.info().environments, kMaxEnvironments - 1);

  Context context{};
  context.rip = 0x20'0000;
  bed.put(kScratch, context);
  ASSERT_EQ(bed.call(env_set_context, make_target(0, all[5]), kScratch), 0);
  bed.run(all[5]);
  bed.fault(FaultVector::InvalidOpcode);  // no entry: dies
  EXPECT_EQ(bed.env(all[5]).status, EnvStatus::Dead);
  const std::int64_t reused = bed.call(env_alloc, 0, 0, kUenv);
  ASSERT_GT(reused, 0);
  EXPECT_EQ(env_index(static_cast<EnvId>(reused)), env_index(all[5]));
  EXPECT_NE(static_cast<EnvId>(reused), all[5]);
}

TEST(EnvAlloc, ThreadSharesTheAddressSpace) {
  TestBed bed;
  const EnvId thread = bed.spawn(0, true, kUenv);
  EXPECT_EQ(bed.env(thread).table_page, bed.self().table_page);
  EXPECT_EQ(bed.env(thread).address_space, 1u);
  EXPECT_EQ(bed.env(thread).mapped_pages, 0u);
  bed.poke(kScratch, 77);
  bed.run(thread);
  EXPECT_EQ(bed.peek(kScratch), 77u);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(EnvFree, ThreadOutlivesTheOneThatMadeIt) {
  TestBed bed;
  const EnvId child = bed.spawn();
  bed.run(child);
  const EnvId thread = bed.spawn(0, true, kUenv + kPageSize);
  const std::uint64_t mapped = bed.env(child).mapped_pages;
  bed.poke(kScratch, 78);
  bed.run(bed.env(thread).id);
  ASSERT_EQ(bed.call(env_free, make_target(0, child)), 0);
  EXPECT_EQ(bed.self().address_space, env_index(thread));
  EXPECT_EQ(bed.self().mapped_pages, mapped);
  EXPECT_EQ(bed.peek(kScratch), 78u);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(EnvFree, GivesEverythingBack) {
  TestBed bed;
  const std::uint64_t free = bed.machine.info().free_pages;
  const EnvId child = bed.spawn();
  bed.run(child);
  for (std::uint64_t i = 1; i < 20; i++)
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), i << 30, 0), 0);
  ASSERT_GE(bed.call(ring_create, kScratch, 2), 0);
  bed.put(kScratch, WakeTerm{kScratch, 1, WakeOperand::Word64, WakeOperand::Immediate,
                             WakeComparison::Equal, 1, 5});
  ASSERT_EQ(bed.call(wakeup_set, kScratch, 1), 0);
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_EQ(bed.call(env_free, kSelf), 0);
  EXPECT_EQ(bed.current(), 1u);
  EXPECT_EQ(bed.machine.info().free_pages, free);
  EXPECT_EQ(bed.machine.info().deaths, 1u);
  EXPECT_EQ(bed.machine.info().environments, 1u);
  EXPECT_EQ(bed.self().slices, 1u);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(EnvFree, LargeAddressSpaceIsTakenDownInSteps) {
  TestBed bed{700};
  const std::uint64_t free = bed.machine.info().free_pages;
  const EnvId child = bed.spawn();
  bed.run(child);
  for (std::uint64_t i = 1; i <= 200; i++)
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), i << 30, 0), 0);
  bed.call(env_free, kSelf);
  const std::uint64_t at_once = bed.machine.info().free_pages;
  EXPECT_LT(at_once, free);
  EXPECT_EQ(bed.sweep(), "");
  for (int i = 0; i < 10; i++) bed.timer();
  EXPECT_EQ(bed.machine.info().free_pages, free);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(EnvFree, PageOnlyHeldByADyingSpaceCanBeSharedAndStaysWhole) {
  TestBed bed{700};
  const EnvId child = bed.spawn();
  bed.run(child);
  for (std::uint64_t i = 1; i <= 200; i++)
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), i << 30, 0), 0);
  Translation last;  // the lowest are taken down last
  ASSERT_TRUE(bed.machine.walk(bed.self().table_page, std::uint64_t{1} << 30, last));
  bed.call(env_free, kSelf);
  ASSERT_EQ(bed.machine.page_info(last.page).status, PageStatus::User);
  std::uint64_t va = 0x40'2000;  // exhaust memory, so that the next insert has to reap
  while (bed.machine.info().free_pages > 0)
    ASSERT_GE(bed.call(pte_insert, 0, fresh_page(), va += kPageSize, 0), 0);
  EXPECT_FALSE(bed.core().page_tables.reaping());  // what the dead held was there to be had
  for (int i = 0; i < 8; i++) {
    EXPECT_EQ(bed.call(pte_insert, 0, this_page(last.page), 0x41'0000, 0),
              static_cast<std::int64_t>(last.page));
    EXPECT_EQ(bed.sweep(), "");
  }
}

TEST(EnvFree, NeedsARight) {
  TestBed bed;
  bed.call(cap_forge, 0, 1, Capability::make({1}).bits(), 0);
  bed.call(cap_forge, 0, 2, Capability::make({2}).bits(), 0);
  const EnvId one = bed.spawn(1);
  const EnvId other = bed.spawn(2);
  bed.run(one);
  EXPECT_EQ(bed.call(env_free, make_target(0, other)), error(Errc::Denied));
  EXPECT_EQ(bed.call(env_free, make_target(3, other)), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(env_free, make_target(0, 1025)), error(Errc::Denied));
}

TEST(EnvFree, StaleIdsAreRefused) {
  TestBed bed;
  const EnvId child = bed.spawn();
  ASSERT_EQ(bed.call(env_free, make_target(0, child)), 0);
  EXPECT_EQ(bed.call(env_free, make_target(0, child)), error(Errc::BadEnv));
  const EnvId next = bed.spawn();
  EXPECT_EQ(env_index(next), env_index(child));
  EXPECT_EQ(bed.call(env_free, make_target(0, child)), error(Errc::BadEnv));
  EXPECT_EQ(bed.call(yield, child, 0), error(Errc::BadEnv));
}

TEST(EnvFree, GenerationsWrapWithoutEverBeingZero) {
  TestBed bed;
  const EnvId child = bed.spawn();
  bed.core().state(env_index(child)).generation = (1u << 22) - 1;
  ASSERT_EQ(bed.call(env_free, make_target(0, child)), 0);
  const EnvId next = bed.spawn();
  EXPECT_EQ(next, 1u << 10 | env_index(child));
}

TEST(EnvFree, TheFirstEnvironmentsEndStopsTheMachine) {
  TestBed bed;
  bed.call(env_free, kSelf);
  EXPECT_TRUE(bed.machine.stopped);
  EXPECT_EQ(bed.machine.stop_status, kStopFailure);
  ASSERT_FALSE(bed.machine.lines.empty());
  EXPECT_NE(bed.machine.lines.back().find("first environment"), std::string::npos);
}

class EnvContext : public ::testing::Test {
 protected:
  EnvContext() : child{bed.spawn()} {}
  std::int64_t set(const Context& context) {
    bed.put(kScratch, context);
    return bed.call(env_set_context, make_target(0, child), kScratch);
  }
  TestBed bed;
  EnvId child;
  Context wanted{.rax = 1,
                 .rbx = 2,
                 .rcx = 3,
                 .rdx = 4,
                 .rsi = 5,
                 .rdi = 6,
                 .rbp = 7,
                 .r8 = 8,
                 .r9 = 9,
                 .r10 = 10,
                 .r11 = 11,
                 .r12 = 12,
                 .r13 = 13,
                 .r14 = 14,
                 .r15 = 15,
                 .rip = 0x1234,
                 .rsp = 0x5678,
                 .rflags = ~0ull,
                 .fs_base = 0x1000,
                 .gs_base = 0x2000};
};

TEST_F(EnvContext, IsSetAndReadBackWithSafeFlags) {
  ASSERT_EQ(set(wanted), 0);
  ASSERT_EQ(bed.call(env_get_context, make_target(0, child), kScratch + 1024), 0);
  EXPECT_EQ(bed.peek(kScratch + 1024 + 15 * 8), 0x1234u);
  const std::uint64_t flags = bed.machine.context(env_index(child)).rflags;
  EXPECT_EQ(flags & 0x202, 0x202u);              // interrupts on
  EXPECT_EQ(flags & 0x3000, 0u);                 // no I/O privilege
  EXPECT_EQ(flags & (1u << 14 | 1u << 17), 0u);  // no nested task, no virtual 8086
}

TEST_F(EnvContext, RefusesAddressesOutsideTheUserHalf) {
  Context bad = wanted;
  bad.rip = kUserTop;
  EXPECT_EQ(set(bad), error(Errc::BadArgument));
  bad = wanted;
  bad.fs_base = 1ull << 47;
  EXPECT_EQ(set(bad), error(Errc::BadArgument));
  bad = wanted;
  bad.gs_base = 0xffff'8000'0000'0000;
  EXPECT_EQ(set(bad), error(Errc::BadArgument));
}

TEST_F(EnvContext, FaultsOnBadMemoryAndRefusesTheCaller) {
  EXPECT_EQ(bed.call(env_set_context, make_target(0, child), 0x1000), error(Errc::Fault));
  EXPECT_EQ(bed.call(env_get_context, make_target(0, child), 0x20'0000), error(Errc::Fault));
  EXPECT_EQ(bed.call(env_set_context, 0, kScratch), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(env_get_context, 0, kScratch), 0);
  EXPECT_EQ(bed.call(env_set_context, make_target(0, 99999), kScratch), error(Errc::BadEnv));
}

TEST_F(EnvContext, SettingItWakesASleeper) {
  bed.run(child);
  bed.put(kScratch, WakeTerm{0, 1, WakeOperand::Immediate, WakeOperand::Immediate,
                             WakeComparison::Equal, 1, 0});
  ASSERT_EQ(bed.call(wakeup_set, kScratch, 1), 0);
  bed.call(yield, 0, kYieldSleep);
  ASSERT_EQ(bed.current(), 1u);
  EXPECT_EQ(bed.env(child).status, EnvStatus::Sleeping);
  ASSERT_EQ(set(wanted), 0);
  EXPECT_EQ(bed.env(child).status, EnvStatus::Runnable);
  bed.run(child);
}

TEST(Dead, OnlyFreeingIsPossible) {
  TestBed bed;
  const EnvId child = bed.spawn();
  bed.run(child);
  bed.fault(FaultVector::PageFault, 4, 0xdead);
  ASSERT_EQ(bed.current(), 1u);
  EXPECT_EQ(bed.env(child).status, EnvStatus::Dead);
  EXPECT_EQ(bed.env(child).death, DeathReason::NoFaultEntry);
  EXPECT_EQ(bed.machine.info().deaths, 1u);
  EXPECT_EQ(bed.call(env_get_context, make_target(0, child), kScratch), error(Errc::BadEnv));
  EXPECT_EQ(bed.call(pte_insert, 0, fresh_page(), 0x1000, make_target(0, child)),
            error(Errc::BadEnv));
  EXPECT_EQ(bed.call(yield, child, 0), error(Errc::BadEnv));
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_EQ(bed.call(env_free, make_target(0, child)), 0);
  EXPECT_EQ(bed.machine.info().deaths, 1u);
  EXPECT_EQ(bed.sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
