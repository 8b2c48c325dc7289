// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "abi/wakeup.hpp"
#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kVa = 0x4000'0000;
constexpr std::uint64_t kFirst = 512;  // the only run of 512 in a bed of 1100 pages

constexpr std::uint64_t large(std::uint64_t first, bool writable = true) {
  return this_page(first, writable) | kPteLarge;
}

class Large : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  std::int64_t insert(std::uint64_t entry, std::uint64_t va = kVa, std::uint64_t cap = 0,
                      std::uint64_t target = 0) {
    return bed.call(large_insert, cap, entry, va, target);
  }
  std::uint64_t free() { return bed.machine.info().free_pages; }
  TestBed bed{1100};
};

TEST_F(Large, MapsZeroedPagesInARow) {
  const std::uint64_t before = free();
  ASSERT_EQ(insert(large(kFirst)), static_cast<std::int64_t>(kFirst));
  EXPECT_EQ(before - free(), 512u + 1);  // and a page directory
  EXPECT_EQ(bed.peek(kVa), 0u);
  EXPECT_EQ(bed.peek(kVa + kLargeSize - 8), 0u);
  bed.poke(kVa + 5 * kPageSize, 77);
  EXPECT_EQ(bed.call(pte_insert, 0, this_page(kFirst + 5), 0x60'0000, 0),
            static_cast<std::int64_t>(kFirst + 5));
  EXPECT_EQ(bed.peek(0x60'0000), 77u);
  EXPECT_EQ(bed.machine.page_info(kFirst + 5).mappings, 2u);
}

TEST_F(Large, UnmappingFreesWhatNobodyElseMaps) {
  const std::uint64_t before = free();
  ASSERT_GT(insert(large(kFirst)), 0);
  bed.poke(kVa, 1);
  ASSERT_GT(bed.call(pte_insert, 0, this_page(kFirst + 1), 0x60'0000, 0), 0);
  EXPECT_EQ(insert(0), 0);
  EXPECT_FALSE(bed.readable(kVa));
  EXPECT_EQ(before - free(), 3u);  // directory, the other's table, the page that is mapped twice
  EXPECT_EQ(insert(0), 0);
}

TEST_F(Large, StoringItAgainChangesItsBits) {
  ASSERT_GT(insert(large(kFirst)), 0);
  bed.poke(kVa, 1);
  ASSERT_GT(insert(large(kFirst, false)), 0);
  EXPECT_FALSE(bed.writable(kVa));
  EXPECT_EQ(bed.peek(kVa), 1u);
  EXPECT_EQ(bed.machine.page_info(kFirst).writers, 0u);
}

TEST_F(Large, TakesThePlaceOfAnEmptyTableOnly) {
  ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kVa + kPageSize, 0), 0);
  EXPECT_EQ(insert(large(kFirst)), error(Errc::Busy));
  EXPECT_EQ(insert(0), error(Errc::Busy));
  ASSERT_EQ(bed.call(pte_insert, 0, 6, kVa + kPageSize, 0), 0);  // the application's word
  EXPECT_EQ(insert(large(kFirst)), error(Errc::Busy));
  ASSERT_EQ(bed.call(pte_insert, 0, 0, kVa + kPageSize, 0), 0);
  const std::uint64_t tables = bed.self().table_pages;
  EXPECT_GT(insert(large(kFirst)), 0);
  EXPECT_EQ(bed.self().table_pages, tables - 1);
}

TEST_F(Large, SharedTablesAreNotPutAway) {
  const EnvId child = bed.spawn();
  ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kVa, 0), 0);
  ASSERT_EQ(bed.call(pte_insert, 0, 0, kVa, 0), 0);
  ASSERT_EQ(bed.call(table_share, kVa, 1, 0, make_target(0, child)), 0);
  EXPECT_EQ(insert(large(kFirst)), error(Errc::Busy));
}

TEST_F(Large, CannotBeSplit) {
  ASSERT_GT(insert(large(kFirst)), 0);
  const std::uint64_t inside = kVa + 3 * kPageSize;
  EXPECT_EQ(bed.call(pte_insert, 0, fresh_page(), inside, 0), error(Errc::Busy));
  EXPECT_EQ(bed.call(pte_insert, 0, 0, inside, 0), error(Errc::Busy));
  EXPECT_EQ(bed.call(pte_insert, 0, 2, inside, 0), error(Errc::Busy));
  EXPECT_EQ(bed.call(pte_modify_range, inside, 1, 0, kPteWritable, 0, 0), error(Errc::Busy));
  EXPECT_EQ(bed.call(env_alloc, 0, kShareAddressSpace, inside), error(Errc::BadArgument));
  const EnvId child = bed.spawn();
  EXPECT_EQ(bed.call(table_share, kVa, 1, 0, make_target(0, child)), error(Errc::NotFound));
  EXPECT_EQ(bed.call(table_share, kVa, 1, make_target(0, child), 0), error(Errc::NotFound));
  EXPECT_TRUE(bed.writable(inside));
}

TEST_F(Large, WrongFormsAreRefused) {
  const std::uint64_t before = free();
  EXPECT_EQ(insert(large(kFirst), kVa + kPageSize), error(Errc::BadArgument));
  EXPECT_EQ(insert(large(kFirst), kUserTop), error(Errc::BadArgument));
  EXPECT_EQ(insert(this_page(kFirst)), error(Errc::BadArgument));     // not large
  EXPECT_EQ(insert(kPteLarge | 1u << 12), error(Errc::BadArgument));  // not present
  EXPECT_EQ(insert(large(kFirst + 1)), error(Errc::BadArgument));     // not a multiple of 512
  EXPECT_EQ(insert(large(kAnyPage)), error(Errc::BadArgument));
  EXPECT_EQ(insert(large(1024)), error(Errc::BadArgument));  // runs past the last page
  EXPECT_EQ(insert(large(1u << 20)), error(Errc::BadArgument));
  EXPECT_EQ(insert(large(kFirst), kVa, 9), error(Errc::BadCapability));
  EXPECT_EQ(free(), before);
}

TEST_F(Large, OneForeignPageOrTableAmongThemIsEnoughToRefuse) {
  ASSERT_EQ(bed.call(cap_forge, 0, 1, Capability::make({1}).bits(), 0), 1);
  ASSERT_EQ(bed.call(cap_forge, 0, 2, Capability::make({2}).bits(), 0), 2);
  ASSERT_GT(bed.call(pte_insert, 2, this_page(kFirst + 300), 0x60'0000, 0), 0);
  const std::uint64_t before = free();
  EXPECT_EQ(insert(large(kFirst), kVa, 1), error(Errc::Denied));
  EXPECT_EQ(free(), before);
  EXPECT_EQ(insert(large(kFirst), kVa, 0), static_cast<std::int64_t>(kFirst));  // the root may
}

TEST_F(Large, APageTableOfMineAmongThemIsRefused) {
  // Take pages until one of 512..1023 becomes a page table.
  for (std::uint64_t i = 0; free() > 300; i++) {
    if (bed.call(pte_insert, 0, fresh_page(), 0x8000'0000 + i * kPageSize, 0) < 0) break;
  }
  for (std::uint64_t i = 0; i < 4; i++)
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), (std::uint64_t{20} + i) << 39, 0), 0);
  bool table = false;
  for (std::uint64_t page = kFirst; page < 1024; page++)
    table = table || bed.machine.page_info(page).status == PageStatus::Kernel;
  ASSERT_TRUE(table);
  EXPECT_EQ(insert(large(kFirst)), error(Errc::Denied));
}

TEST_F(Large, LimitsHoldForEachPage) {
  ASSERT_GT(insert(large(kFirst)), 0);
  ASSERT_EQ(bed.call(page_set_limits, 0, kFirst + 7, 1, 1), 0);
  EXPECT_EQ(insert(large(kFirst), kVa + kLargeSize), error(Errc::Busy));
  EXPECT_GT(insert(large(kFirst, false)), 0);  // in its own place
}

TEST_F(Large, NeedsRoomForItsTablesAndInTheAccount) {
  const EnvId child = bed.spawn();
  const std::uint64_t target = make_target(0, child);
  ASSERT_EQ(bed.call(env_set_quota, target, 500, 0), 0);
  EXPECT_EQ(insert(large(kFirst), kVa, 0, target), error(Errc::NoSpace));
  ASSERT_EQ(bed.call(env_set_quota, target, 513, 0), 0);
  EXPECT_GT(insert(large(kFirst), kVa, 0, target), 0);
  EXPECT_EQ(insert(0, kVa, 0, target), 0);
  while (free() > 512) {
    static std::uint64_t next = 0x9000'0000;
    // Leave the run of 512 alone: name the other pages.
    std::uint64_t page = 1;
    while (page < 1100 && (bed.machine.page_info(page).status != PageStatus::Free ||
                           (page >= kFirst && page < 1024)))
      page++;
    if (page == 1100) break;
    ASSERT_GT(bed.call(pte_insert, 0, this_page(page), next, 0), 0);
    next += kPageSize;
  }
  EXPECT_EQ(insert(large(kFirst), std::uint64_t{33} << 39), error(Errc::NoMemory));
}

TEST_F(Large, PredicatesAndTransfersReachIntoThem) {
  ASSERT_GT(insert(large(kFirst)), 0);
  const WakeTerm term{.left = kVa + 9 * kPageSize + 8,
                      .right = 5,
                      .left_kind = WakeOperand::Word64,
                      .right_kind = WakeOperand::Immediate,
                      .comparison = WakeComparison::Equal,
                      .ends_product = 1,
                      .tag = 3};
  bed.put(kScratch, term);
  ASSERT_EQ(bed.call(wakeup_set, kScratch, 1), 0);
  EXPECT_EQ(bed.machine.page_info(kFirst + 9).pins, 1u);
  ASSERT_EQ(insert(0), 0);
  EXPECT_EQ(bed.machine.page_info(kFirst + 9).status, PageStatus::User);  // pinned
}

TEST_F(Large, TheDeathOfItsOwnerFreesIt) {
  const std::uint64_t before = free();
  const EnvId child = bed.spawn();
  ASSERT_GT(insert(large(kFirst), kVa, 0, make_target(0, child)), 0);
  ASSERT_EQ(bed.call(env_free, make_target(0, child)), 0);
  while (bed.core().page_tables.reap(64)) continue;
  EXPECT_EQ(free(), before);
}

}  // namespace
}  // namespace xok::kernel::testing
