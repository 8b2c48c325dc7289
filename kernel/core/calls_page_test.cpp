// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kVa = 0x60'0000;

class PageGuards : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::uint8_t n = 1; n <= 3; n++)
      ASSERT_EQ(bed.call(cap_forge, 0, n, Capability::make({n}).bits(), 0), n);
    page = static_cast<std::uint64_t>(bed.call(pte_insert, 1, fresh_page(), kVa, 0));
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  std::uint64_t free() { return bed.machine.info().free_pages; }
  std::int64_t resize(std::uint64_t size, std::uint64_t cap = 1) {
    return bed.call(page_acl_resize, cap, page, size);
  }
  std::int64_t set(std::uint64_t position, const Capability& value, std::uint64_t cap = 1) {
    return bed.call(page_set_acl, cap, page, position, value.bits());
  }
  Capability read(std::uint64_t position) {
    bed.poke(kScratch, 0);
    EXPECT_GT(bed.call(page_acl_read, page, position, kScratch, 1), 0);
    return Capability::from_bits(bed.peek(kScratch));
  }
  std::int64_t map(std::uint64_t cap, bool writable = true) {
    return bed.call(pte_insert, cap, this_page(page, writable), kVa + kPageSize, 0);
  }
  TestBed bed;
  std::uint64_t page = 0;
};

// -- ACL extension

TEST_F(PageGuards, AnExtendedAclGrantsByAllItsEntries) {
  ASSERT_EQ(set(1, Capability::make({2}, Permission::None)), 0);
  EXPECT_EQ(resize(kMaxPageAcl), 0);
  EXPECT_EQ(read(1), Capability::make({2}, Permission::None));  // kept its position
  EXPECT_EQ(map(3), error(Errc::Denied));
  EXPECT_EQ(set(kMaxPageAcl - 1, Capability::make({3})), 0);
  EXPECT_GT(map(3), 0);
  EXPECT_EQ(map(2), error(Errc::Denied));  // no Write
  EXPECT_GT(map(2, false), 0);
}

TEST_F(PageGuards, TheBoundariesOfAnExtension) {
  EXPECT_EQ(set(2, Capability::make({3})), error(Errc::BadArgument));  // not extended
  ASSERT_EQ(resize(5), 0);
  EXPECT_EQ(set(4, Capability::make({3})), 0);
  EXPECT_EQ(set(5, Capability::make({3})), error(Errc::BadArgument));
  EXPECT_EQ(set(kMaxPageAcl, Capability::make({3})), error(Errc::BadArgument));
  EXPECT_EQ(set(~0ull, Capability::make({3})), error(Errc::BadArgument));
  Capability pointer = Capability::make({3, 9, 9, 9});
  pointer.header |= Capability::kPointer;
  EXPECT_EQ(set(1, pointer), error(Errc::BadArgument));
  EXPECT_EQ(set(4, pointer), error(Errc::BadArgument));
  EXPECT_EQ(set(0, Capability{}), error(Errc::BadArgument));
  EXPECT_EQ(set(4, Capability{}), 0);
  EXPECT_EQ(resize(kMaxPageAcl + 1), error(Errc::TooBig));
  EXPECT_EQ(resize(1), error(Errc::BadArgument));
  EXPECT_EQ(resize(~0ull), error(Errc::TooBig));
}

TEST_F(PageGuards, ShrinkingForgetsEntriesForGood) {
  ASSERT_EQ(resize(10), 0);
  ASSERT_EQ(set(9, Capability::make({3})), 0);
  ASSERT_EQ(resize(9), 0);
  EXPECT_EQ(map(3), error(Errc::Denied));
  ASSERT_EQ(resize(10), 0);
  EXPECT_EQ(map(3), error(Errc::Denied));  // it does not come back
}

TEST_F(PageGuards, TheExtensionIsFreedWithItsPageOrWhenTheAclShrinks) {
  const std::uint64_t before = free();
  ASSERT_EQ(set(1, Capability::make({2})), 0);
  ASSERT_EQ(resize(100), 0);
  EXPECT_EQ(free(), before - 1);
  EXPECT_EQ(resize(2), 0);
  EXPECT_EQ(free(), before);
  EXPECT_EQ(bed.machine.page_info(page).acl[1], Capability::make({2}));
  ASSERT_EQ(resize(100), 0);
  ASSERT_EQ(bed.call(pte_insert, 0, 0, kVa, 0), 0);
  EXPECT_EQ(free(), before + 1);  // the page and its extension
}

TEST_F(PageGuards, ChangingAnAclNeedsModify) {
  ASSERT_EQ(set(1, Capability::make({2}, Permission::Write)), 0);
  EXPECT_EQ(resize(4, 2), error(Errc::Denied));
  EXPECT_EQ(resize(4, 3), error(Errc::Denied));
  EXPECT_EQ(resize(4, 9), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(page_acl_resize, 0, 1u << 30, 4), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(page_acl_resize, 0, 1, 4), error(Errc::Denied));  // the kernel's
  ASSERT_EQ(resize(4), 0);
  ASSERT_EQ(set(3, Capability::make({3}, Permission::Modify)), 0);
  EXPECT_EQ(resize(5, 3), 0);  // by an entry of the extension
}

TEST_F(PageGuards, AnEntryOfTheExtensionIsNoWayToThePointer) {
  // A holder of the empty name stands above all; one whose bytes are those of the pointer does not.
  ASSERT_EQ(resize(4), 0);
  Capability bytes = bed.machine.page_info(page).acl[1];
  ASSERT_TRUE(bytes.pointer());
  Capability same = Capability::make({bytes.name[0], bytes.name[1], bytes.name[2], bytes.name[3],
                                      bytes.name[4], bytes.name[5], bytes.name[6]});
  ASSERT_EQ(bed.call(cap_forge, 0, 5, same.bits(), 0), 5);
  EXPECT_EQ(map(5, false), error(Errc::Denied));
}

TEST_F(PageGuards, ReadingAnAclNeedsNoRightAndStaysInBounds) {
  ASSERT_EQ(resize(6), 0);
  for (std::uint64_t i = 0; i < 9; i++) bed.poke(kScratch + i * 8, 0x7777);
  EXPECT_EQ(bed.call(page_acl_read, page, 4, kScratch, kMaxPageAcl), 6);
  EXPECT_EQ(bed.peek(kScratch + 8), 0u);
  EXPECT_EQ(bed.peek(kScratch + 16), 0x7777u);
  EXPECT_EQ(bed.call(page_acl_read, page, 6, kScratch, 1), 6);
  EXPECT_EQ(bed.call(page_acl_read, page, ~0ull, kScratch, 1), 6);
  EXPECT_EQ(bed.call(page_acl_read, page, 0, kScratch, kMaxPageAcl + 1), error(Errc::TooBig));
  EXPECT_EQ(bed.call(page_acl_read, page, 0, kUserTop, 1), error(Errc::Fault));
  EXPECT_EQ(bed.call(page_acl_read, 1, 0, kScratch, 1), error(Errc::Denied));
  EXPECT_EQ(bed.call(page_acl_read, 1u << 30, 0, kScratch, 1), error(Errc::BadArgument));
}

// -- Limits

TEST_F(PageGuards, LimitsHoldForNewMappingsAndNewRights) {
  EXPECT_EQ(bed.call(page_set_limits, 1, page, 2, 1), 0);
  EXPECT_EQ(map(1), error(Errc::Busy));
  EXPECT_GT(map(1, false), 0);
  EXPECT_EQ(bed.call(pte_modify_range, kVa + kPageSize, 1, kPteWritable, 0, 1, 0),
            error(Errc::Busy));
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, 0, kPteWritable, 1, 0), 0);
  EXPECT_EQ(bed.call(pte_modify_range, kVa + kPageSize, 1, kPteWritable, 0, 1, 0), 0);
  EXPECT_EQ(bed.call(page_set_limits, 1, page, 1, 1), error(Errc::Busy));  // two map it
  EXPECT_EQ(bed.call(page_set_limits, 1, page, 2, 0), error(Errc::Busy));  // one writes
  EXPECT_EQ(bed.call(pte_insert, 1, 0, kVa, 0), 0);
  EXPECT_EQ(bed.call(page_set_limits, 1, page, 1, 1), 0);
  EXPECT_EQ(bed.call(pte_insert, 1, this_page(page, false), kVa, 0), error(Errc::Busy));
  EXPECT_GT(map(1), 0);  // in its own place
}

TEST_F(PageGuards, OneCallCannotMakeTwoWritersWhereOneIsAllowed) {
  ASSERT_EQ(bed.call(pte_modify_range, kVa, 1, 0, kPteWritable, 1, 0), 0);
  ASSERT_GT(map(1, false), 0);
  ASSERT_EQ(bed.call(page_set_limits, 1, page, 2, 1), 0);
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 2, kPteWritable, 0, 1, 0), error(Errc::Busy));
  EXPECT_EQ(bed.machine.page_info(page).writers, 0u);
  EXPECT_FALSE(bed.writable(kVa));
}

TEST_F(PageGuards, SettingLimitsIsChecked) {
  EXPECT_EQ(bed.call(page_set_limits, 2, page, 1, 1), error(Errc::Denied));
  EXPECT_EQ(bed.call(page_set_limits, 9, page, 1, 1), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(page_set_limits, 1, page, 3, 1), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(page_set_limits, 1, page, 1, 3), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(page_set_limits, 1, 1u << 30, 1, 1), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(page_set_limits, 0, 1, 1, 1), error(Errc::Denied));
  EXPECT_EQ(bed.machine.page_info(page).reader_limit, 2);
}

TEST_F(PageGuards, AFreedPageForgetsItsLimits) {
  ASSERT_EQ(bed.call(page_set_limits, 1, page, 1, 0), error(Errc::Busy));
  ASSERT_EQ(bed.call(page_set_limits, 1, page, 1, 1), 0);
  ASSERT_EQ(bed.call(pte_insert, 0, 0, kVa, 0), 0);
  ASSERT_GT(map(1), 0);
  EXPECT_GT(bed.call(pte_insert, 1, this_page(page), kVa, 0), 0);
}

// -- Quotas

class Quota : public ::testing::Test {
 protected:
  void SetUp() override {
    child = bed.spawn();
    target = make_target(0, child);
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  std::int64_t give(std::uint64_t va, std::uint64_t to) {
    return bed.call(pte_insert, 0, fresh_page(), va, to);
  }
  const Account& account(EnvId id) { return bed.machine.info().accounts[bed.env(id).account]; }
  TestBed bed;
  EnvId child = 0;
  std::uint64_t target = 0;
};

TEST_F(Quota, AnEnvironmentStartsInItsMakersAccount) {
  EXPECT_EQ(bed.env(child).account, 0u);
  EXPECT_EQ(bed.env(child).guaranteed, 16u);
}

TEST_F(Quota, AllocationStopsAtTheLimitAndGoesOnAfterAFree) {
  ASSERT_EQ(bed.call(env_set_quota, target, 4, 3), 0);
  EXPECT_EQ(bed.env(child).guaranteed, 3u);
  EXPECT_GT(give(kVa, target), 0);  // page and table
  EXPECT_GT(give(kVa + 0x1000, target), 0);
  EXPECT_GT(give(kVa + 0x2000, target), 0);
  EXPECT_EQ(account(child).used, 4u);
  EXPECT_EQ(give(kVa + 0x3000, target), error(Errc::NoSpace));
  EXPECT_EQ(bed.call(pte_insert, 0, 2, 0x8000'0000, target), error(Errc::NoSpace));  // a table
  EXPECT_EQ(bed.call(pte_insert, 0, 0, kVa, target), 0);
  EXPECT_GT(give(kVa + 0x3000, target), 0);
}

TEST_F(Quota, WhatALimitedEnvironmentMakesIsLimitedWithIt) {
  ASSERT_EQ(bed.call(env_set_quota, target, 9, 3), 0);
  bed.run(child);
  EXPECT_EQ(bed.call(env_alloc, 0, 0, 0x7000'0000), bed.env(child).id + 1);  // 5 pages
  EXPECT_EQ(account(child).used, 5u);
  EXPECT_EQ(account(child).members, 2u);
  EXPECT_EQ(bed.call(env_alloc, 0, 0, 0x7000'0000), error(Errc::NoSpace));
  const EnvId grandchild = bed.env(child).id + 1;
  EXPECT_EQ(bed.env(grandchild).guaranteed, 3u);
  // A limit of one's own for it does not lift the one above.
  const std::uint64_t grand = make_target(0, grandchild);
  ASSERT_EQ(bed.call(env_set_quota, grand, kUnlimited, 3), 0);
  EXPECT_EQ(bed.call(env_set_quota, grand, kUnlimited, 4), error(Errc::BadArgument));
  EXPECT_GT(give(kVa, grand), 0);  // and 2 tables
  EXPECT_EQ(account(child).used, 8u);
  EXPECT_GT(give(kVa + 0x1000, grand), 0);
  EXPECT_EQ(give(kVa + 0x2000, grand), error(Errc::NoSpace));
}

TEST_F(Quota, NobodyLiftsItsOwnLimitOrThatOfAStranger) {
  const EnvId other = bed.spawn();
  ASSERT_EQ(bed.call(env_set_quota, target, 8, 3), 0);
  ASSERT_EQ(bed.call(env_set_quota, make_target(0, other), 8, 3), 0);
  bed.run(child);
  EXPECT_EQ(bed.call(env_set_quota, 0, kUnlimited, 3), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(env_set_quota, make_target(0, other), kUnlimited, 3), error(Errc::Denied));
  EXPECT_EQ(bed.call(env_set_quota, make_target(9, other), 1, 3), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(env_set_quota, 0x7fff, 1, 3), error(Errc::BadEnv));
  EXPECT_EQ(account(other).limit, 8u);
}

TEST_F(Quota, AccountsNestToABoundAndEndWithTheirLast) {
  for (std::size_t i = 0; i < kMaxAccountDepth; i++) {
    ASSERT_EQ(bed.call(env_set_quota, target, kUnlimited, 3), 0);
    bed.run(child);
    child = bed.spawn();
    target = make_target(0, child);
  }
  EXPECT_EQ(bed.call(env_set_quota, target, kUnlimited, 0), error(Errc::NoSpace));
  bed.end_all();
  for (std::size_t i = 1; i < kMaxAccounts; i++)
    EXPECT_EQ(bed.machine.info().accounts[i].depth, 0u);
}

TEST_F(Quota, ThePayerPaysUntilThePageIsFreeAlsoAfterItsDeath) {
  ASSERT_EQ(bed.call(env_set_quota, target, 9, 3), 0);
  const std::int64_t page = give(kVa, target);
  ASSERT_GT(page, 0);
  const std::uint32_t number = bed.env(child).account;
  ASSERT_GT(bed.call(pte_insert, 0, this_page(static_cast<std::uint64_t>(page)), kVa, 0), 0);
  ASSERT_EQ(bed.call(env_free, target), 0);
  while (bed.core().page_tables.reap(64)) continue;
  EXPECT_EQ(bed.machine.info().accounts[number].used, 1u);
  EXPECT_EQ(bed.machine.info().accounts[number].members, 0u);
  ASSERT_EQ(bed.call(pte_insert, 0, 0, kVa, 0), 0);
  EXPECT_EQ(bed.machine.info().accounts[number].depth, 0u);
}

TEST_F(Quota, TheTableOfAccountsIsBounded) {
  std::int64_t made = 0;
  TestBed big{4000};
  for (std::size_t i = 0; i < kMaxAccounts + 2; i++) {
    made = big.call(env_alloc, 0, 0, 0x7000'0000);
    ASSERT_GT(made, 0);
    made = big.call(env_set_quota, make_target(0, static_cast<EnvId>(made)), 9, 0);
    if (made != 0) break;
  }
  EXPECT_EQ(made, error(Errc::NoSpace));
  EXPECT_EQ(big.sweep(), "");
}

TEST_F(Quota, PredicatesAndExtensionsArePaidFor) {
  ASSERT_EQ(bed.call(env_set_quota, target, 0, 3), 0);
  bed.run(child);
  bed.poke(kScratch, 0);
  EXPECT_EQ(bed.call(wakeup_set, kScratch, 1), error(Errc::NoSpace));
  const std::uint64_t page = bed.env(child).uenv_page;
  EXPECT_EQ(bed.call(page_acl_resize, 0, page, 4), error(Errc::NoSpace));
}

// -- Fresh pages

constexpr std::uint64_t kHere = kScratch & ~kPageMask;
constexpr std::uint64_t kWord = 0x1234'5678'9abc'def0;

TEST(PageFill, ACopyHasTheContentAndAnOwnerOfItsOwn) {
  TestBed bed;
  bed.poke(kScratch, kWord);
  ASSERT_EQ(bed.call(cap_forge, 0, 1, Capability::make({7}).bits(), 0), 1);
  const std::uint64_t free = bed.machine.info().free_pages;
  const std::int64_t page = bed.call(pte_fill, 1, fresh_page(), kVa, 1, kHere, 0);
  ASSERT_GT(page, 0);
  EXPECT_EQ(bed.machine.info().free_pages, free - 2);  // and a table
  const PageInfo& info = bed.machine.page_info(static_cast<std::uint64_t>(page));
  EXPECT_EQ(info.acl[0], Capability::make({7}));
  EXPECT_EQ(info.mappings, 1u);
  EXPECT_EQ(info.writers, 1u);
  EXPECT_EQ(bed.peek(kVa + (kScratch & kPageMask)), kWord);
  bed.poke(kVa + (kScratch & kPageMask), 1);
  EXPECT_EQ(bed.peek(kScratch), kWord);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(PageFill, MayTakeThePlaceOfItsSource) {
  TestBed bed;
  const auto old = static_cast<std::uint64_t>(bed.call(pte_insert, 0, fresh_page(), kVa, 0));
  bed.poke(kVa, kWord);
  const std::int64_t page = bed.call(pte_fill, 0, fresh_page(), kVa, 1, kVa, 0);
  ASSERT_GT(page, 0);
  EXPECT_NE(static_cast<std::uint64_t>(page), old);
  EXPECT_EQ(bed.peek(kVa), kWord);
  EXPECT_EQ(bed.machine.page_info(old).status, PageStatus::Free);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(PageFill, GoesToAnotherThatMayBeChangedAndIsPaidThere) {
  TestBed bed;
  bed.poke(kScratch, kWord);
  const EnvId child = bed.spawn();
  ASSERT_EQ(bed.call(env_set_quota, make_target(0, child), 2, 0), 0);
  ASSERT_GT(bed.call(pte_fill, 0, fresh_page(), kVa, 1, kHere, make_target(0, child)), 0);
  EXPECT_EQ(bed.call(pte_fill, 0, fresh_page(), kVa + kPageSize, 1, kHere, make_target(0, child)),
            error(Errc::NoSpace));
  bed.run(child);
  EXPECT_EQ(bed.peek(kVa + (kScratch & kPageMask)), kWord);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(PageFill, NeedsAllocateAndSomethingToCopy) {
  TestBed bed;
  const auto copy = [&](std::uint64_t slot, std::uint64_t entry, std::uint64_t va,
                        std::uint64_t source, std::uint64_t target = 0) {
    return bed.call(pte_fill, slot, entry, va, 1, source, target);
  };
  ASSERT_EQ(bed.call(cap_forge, 0, 1, Capability::make({1}, Permission::Write).bits(), 0), 1);
  ASSERT_EQ(bed.call(cap_forge, 0, 2, Capability::make({1}, Permission::Allocate).bits(), 0), 2);
  const std::uint64_t free = bed.machine.info().free_pages;
  EXPECT_EQ(copy(1, fresh_page(), kVa, kHere), error(Errc::Denied));
  EXPECT_EQ(copy(2, fresh_page(), kVa, kHere), error(Errc::Denied));
  EXPECT_EQ(copy(9, fresh_page(), kVa, kHere), error(Errc::BadCapability));
  EXPECT_EQ(copy(0, fresh_page(), kVa, kVa), error(Errc::Fault));
  EXPECT_EQ(copy(0, fresh_page(), kVa, kHere + 8), error(Errc::BadArgument));
  EXPECT_EQ(copy(0, fresh_page(), kVa, kUserTop), error(Errc::BadArgument));
  EXPECT_EQ(copy(0, fresh_page(), kVa + 1, kHere), error(Errc::BadArgument));
  EXPECT_EQ(copy(0, fresh_page(), kUserTop, kHere), error(Errc::BadArgument));
  EXPECT_EQ(copy(0, this_page(5), kVa, kHere), error(Errc::BadArgument));
  EXPECT_EQ(copy(0, 0, kVa, kHere), error(Errc::BadArgument));
  EXPECT_EQ(copy(0, fresh_page() | kPteLarge, kVa, kHere), error(Errc::NotSupported));
  EXPECT_EQ(copy(0, fresh_page(), kVa, kHere, 0x7fff), error(Errc::BadEnv));
  EXPECT_EQ(bed.machine.info().free_pages, free);
  EXPECT_GT(copy(2, fresh_page(false), kVa, kHere), 0);
}

TEST(PageFill, ManyAtOnceAreZeroedOrCopiedEach) {
  TestBed bed;
  const EnvId child = bed.spawn();
  const std::uint64_t mapped = bed.self().mapped_pages;
  ASSERT_GT(bed.call(pte_fill, 0, fresh_page(), kVa, 4, kFillZero, 0), 0);
  for (std::uint64_t i = 0; i < 4; i++) {
    EXPECT_EQ(bed.peek(kVa + i * kPageSize), 0u);
    bed.poke(kVa + i * kPageSize, kWord + i);
  }
  // Over what is there, and over itself.
  ASSERT_GT(bed.call(pte_fill, 0, fresh_page(), kVa + 8 * kPageSize, 1, kFillZero, 0), 0);
  ASSERT_GT(bed.call(pte_fill, 0, fresh_page(), kVa + 6 * kPageSize, 4, kVa, 0), 0);
  ASSERT_GT(bed.call(pte_fill, 0, fresh_page(), kVa, 4, kVa, 0), 0);
  ASSERT_GT(bed.call(pte_fill, 0, fresh_page(), kVa, 4, kVa, make_target(0, child)), 0);
  EXPECT_EQ(bed.self().mapped_pages, mapped + 8);
  for (std::uint64_t i = 0; i < 4; i++) {
    EXPECT_EQ(bed.peek(kVa + i * kPageSize), kWord + i);
    EXPECT_EQ(bed.peek(kVa + (6 + i) * kPageSize), kWord + i);
  }
  EXPECT_EQ(bed.sweep(), "");
  bed.run(child);
  for (std::uint64_t i = 0; i < 4; i++) EXPECT_EQ(bed.peek(kVa + i * kPageSize), kWord + i);
}

TEST(PageFill, AllAreCheckedBeforeTheFirstIsMapped) {
  TestBed bed;
  const auto fill = [&](std::uint64_t va, std::uint64_t n, std::uint64_t source) {
    return bed.call(pte_fill, 0, fresh_page(), va, n, source, 0);
  };
  ASSERT_GT(fill(kVa, 3, kFillZero), 0);
  const std::uint64_t mapped = bed.self().mapped_pages;
  EXPECT_EQ(fill(kVa, 0, kFillZero), error(Errc::BadArgument));
  EXPECT_EQ(fill(kVa, kMaxFill + 1, kFillZero), error(Errc::BadArgument));
  EXPECT_EQ(fill(kVa, ~0ull, kFillZero), error(Errc::BadArgument));
  EXPECT_EQ(fill(0x7f'f000, 2, kFillZero), error(Errc::BadArgument));  // two tables
  EXPECT_EQ(fill(kVa + 0x10'0000, 4, kVa), error(Errc::Fault));        // the last of the source
  EXPECT_EQ(fill(kVa + kPageSize, 3, kVa), error(Errc::BadArgument));  // partly over itself
  EXPECT_EQ(fill(kVa, 3, kVa + 2 * kPageSize), error(Errc::BadArgument));
  EXPECT_EQ(fill(kVa, 2, kUserTop - kPageSize), error(Errc::BadArgument));
  EXPECT_EQ(bed.self().mapped_pages, mapped);
  EXPECT_GT(fill(kVa + 3 * kPageSize, 3, kVa), 0);  // right behind
  EXPECT_EQ(bed.sweep(), "");
}

TEST(PageFill, NotIntoFrozenTables) {
  TestBed bed;
  const EnvId child = bed.spawn();
  const std::uint64_t target = make_target(0, child);
  constexpr std::uint64_t kSlot = std::uint64_t{50} << 39;
  ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kSlot, 0), 0);
  ASSERT_EQ(bed.call(table_fork, kSlot, 3, 0, target), 0);
  EXPECT_EQ(bed.call(pte_fill, 0, fresh_page(), kSlot, 1, kHere, 0), error(Errc::Busy));
  EXPECT_EQ(bed.call(pte_fill, 0, fresh_page(), kSlot, 1, kHere, target), error(Errc::Busy));
  EXPECT_GT(bed.call(pte_fill, 0, fresh_page(), kVa, 1, kSlot, 0), 0);  // but out of them
  EXPECT_EQ(bed.sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
