// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

// -- table_share

class Share : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  std::int64_t insert(std::uint64_t entry, std::uint64_t va, std::uint64_t cap = 0) {
    return bed.call(pte_insert, cap, entry, va, 0);
  }
  void name(std::uint64_t slot, std::uint8_t n) {
    ASSERT_EQ(bed.call(cap_forge, 0, slot, Capability::make({n}).bits(), 0),
              static_cast<std::int64_t>(slot));
  }
  PageInfo& info(std::int64_t page) {
    return bed.machine.page_info(static_cast<std::uint64_t>(page));
  }
  static constexpr std::uint64_t kRegion = 0x8000'0000;  // aligned to 1 GiB
  Share() : child{bed.spawn()} {}
  std::int64_t share(std::uint64_t va, std::uint64_t level) {
    return bed.call(table_share, va, level, 0, make_target(0, child));
  }
  TestBed bed;
  EnvId child;
};

TEST_F(Share, BothSeeLaterChangesAtEachLevel) {
  for (std::uint64_t level = 1; level <= 3; level++) {
    const std::uint64_t va = level == 3 ? std::uint64_t{3} << 39 : level * kRegion;
    ASSERT_GT(insert(fresh_page(), va), 0);
    ASSERT_EQ(share(va, level), 0);
    ASSERT_GT(insert(fresh_page(), va + kPageSize), 0);
    bed.poke(va + kPageSize, 40 + level);
    EXPECT_EQ(bed.sweep(), "");
    bed.run(child);
    EXPECT_EQ(bed.peek(va + kPageSize), 40 + level);
    bed.poke(va, 50 + level);
    ASSERT_EQ(bed.call(pte_insert, 0, 0, va + kPageSize, 0), 0);
    bed.run(1025);
    EXPECT_EQ(bed.peek(va), 50 + level);
    EXPECT_FALSE(bed.readable(va + kPageSize));
  }
}

TEST_F(Share, PagesAreCountedOnceAndFreedWithTheLastHolder) {
  const std::int64_t page = insert(fresh_page(), kRegion);
  ASSERT_EQ(share(kRegion, 1), 0);
  EXPECT_EQ(info(page).mappings, 1u);
  ASSERT_EQ(bed.call(env_free, make_target(0, child)), 0);
  EXPECT_EQ(info(page).mappings, 1u);
  bed.poke(kRegion, 3);
  EXPECT_EQ(bed.sweep(), "");
}

TEST_F(Share, TheCopyOutlivesTheSource) {
  bed.run(child);
  const std::int64_t page = insert(fresh_page(), kRegion);
  bed.poke(kRegion, 123);
  bed.run(1025);
  ASSERT_EQ(bed.call(table_share, kRegion, 1, make_target(0, child), 0), 0);
  ASSERT_EQ(bed.call(env_free, make_target(0, child)), 0);
  EXPECT_EQ(bed.peek(kRegion), 123u);
  EXPECT_EQ(insert(0, kRegion), 0);
  EXPECT_EQ(info(page).status, PageStatus::Free);
}

TEST_F(Share, SharedTablesLeaveTheCountsOfTheirMaker) {
  const std::uint64_t before = bed.self().mapped_pages;
  ASSERT_GT(insert(fresh_page(), kRegion), 0);
  EXPECT_EQ(bed.self().mapped_pages, before + 1);
  ASSERT_EQ(share(kRegion, 1), 0);
  EXPECT_EQ(bed.self().mapped_pages, before);
  ASSERT_GT(insert(fresh_page(), kRegion + kPageSize), 0);
  EXPECT_EQ(bed.self().mapped_pages, before);
}

TEST_F(Share, ChecksArguments) {
  ASSERT_GT(insert(fresh_page(), kRegion), 0);
  EXPECT_EQ(share(kRegion, 0), error(Errc::BadArgument));
  EXPECT_EQ(share(kRegion, 4), error(Errc::BadArgument));
  EXPECT_EQ(share(kRegion + kPageSize, 1), error(Errc::BadArgument));
  EXPECT_EQ(share(kRegion, 3), error(Errc::BadArgument));
  EXPECT_EQ(share(kUserTop, 1), error(Errc::BadArgument));
  EXPECT_EQ(share(kRegion * 4, 1), error(Errc::NotFound));
  EXPECT_EQ(share(kScratch & ~0x1f'ffffull, 1), error(Errc::Exists));
  EXPECT_EQ(bed.call(table_share, kRegion, 1, 0, 0), error(Errc::Exists));
}

TEST_F(Share, NeedsARightOverBoth) {
  name(1, 1);
  name(2, 2);
  const EnvId one = bed.spawn(1);
  const EnvId two = bed.spawn(2);
  bed.run(one);
  EXPECT_EQ(bed.call(table_share, 0, 1, 0, make_target(0, two)), error(Errc::Denied));
  EXPECT_EQ(bed.call(table_share, 0, 1, make_target(0, two), 0), error(Errc::Denied));
}

TEST_F(Share, NoMemoryForTheTablesAbove) {
  ASSERT_GT(insert(fresh_page(), std::uint64_t{3} << 39), 0);
  std::uint64_t va = 0x40'2000;
  while (bed.machine.info().free_pages > 1) ASSERT_GE(insert(fresh_page(), va += kPageSize), 0);
  EXPECT_EQ(share(std::uint64_t{3} << 39, 1), error(Errc::NoMemory));
  EXPECT_EQ(share(std::uint64_t{3} << 39, 2), 0);
}

// -- table_fork, table_own, table_drop

/// The first environment has pages at kHeap (with a 1 in the first word) and kStack, in tables that
/// differ from the second level on; its child has nothing there.
class Fork : public Share {
 protected:
  static constexpr std::uint64_t kSlot = std::uint64_t{3} << 39;
  static constexpr std::uint64_t kHeap = kSlot + 0x1000'0000;
  static constexpr std::uint64_t kStack = kSlot + 0x40'0000'0000;
  Fork() {
    for (unsigned i = 0; i < 3; i++) {
      EXPECT_GT(insert(fresh_page(), kHeap + i * kPageSize), 0);
      EXPECT_GT(insert(fresh_page(), kStack + i * kPageSize), 0);
    }
    bed.poke(kHeap, 1);
    bed.poke(kStack, 2);
  }
  std::int64_t fork(std::uint64_t va = kSlot, std::uint64_t level = 3) {
    return bed.call(table_fork, va, level, 0, make_target(0, child));
  }
  std::int64_t own(std::uint64_t va, std::uint64_t cap = 0) {
    return bed.call(table_own, cap, va, 0);
  }
  std::int64_t make_writable(std::uint64_t va, std::uint64_t cap = 0) {
    return bed.call(pte_modify_range, va, 1, kPteWritable, 0, cap, 0);
  }
  std::uint64_t page_at(std::uint64_t va) {
    return entry_page(bed.core().page_tables.lookup(bed.self().table_page, va));
  }
  const EnvId first = bed.current_id();
};

TEST_F(Fork, BothSeeEverythingAndCanWriteNothing) {
  const std::uint64_t kernel_pages = bed.machine.info().kernel_pages;
  ASSERT_TRUE(bed.writable(kHeap));
  ASSERT_EQ(fork(), 0);
  EXPECT_EQ(bed.machine.info().kernel_pages, kernel_pages);  // one entry, no table
  for (const EnvId id : {first, child}) {
    bed.run(id);
    EXPECT_EQ(bed.peek(kHeap), 1u);
    EXPECT_EQ(bed.peek(kStack), 2u);
    EXPECT_FALSE(bed.writable(kHeap));
    EXPECT_FALSE(bed.writable(kStack));
  }
  EXPECT_TRUE(bed.writable(kScratch));
}

TEST_F(Fork, NobodyChangesAnEntryBelow) {
  ASSERT_EQ(fork(), 0);
  const auto unchanged = [&] {
    EXPECT_EQ(insert(fresh_page(), kHeap), error(Errc::Busy));
    EXPECT_EQ(insert(fresh_page(), kHeap + 9 * kPageSize), error(Errc::Busy));
    EXPECT_EQ(insert(fresh_page(), kHeap + 0x4000'0000), error(Errc::Busy));  // needs a table
    EXPECT_EQ(insert(0, kHeap), error(Errc::Busy));
    EXPECT_EQ(insert(8, kHeap + 9 * kPageSize), error(Errc::Busy));
    EXPECT_EQ(make_writable(kHeap), error(Errc::Busy));
    EXPECT_EQ(bed.call(large_insert, 0, kPtePresent | kPteLarge, kHeap + 0x20'0000, 0),
              error(Errc::Busy));
    EXPECT_EQ(bed.call(env_alloc, 0, kShareAddressSpace, kHeap + 9 * kPageSize),
              error(Errc::BadArgument));
    EXPECT_EQ(bed.call(table_drop, kHeap, 1, 0), error(Errc::Busy));
    EXPECT_EQ(bed.call(table_share, kSlot, 3, 0, make_target(0, child)), error(Errc::Exists));
  };
  unchanged();
  bed.run(child);
  unchanged();
  EXPECT_EQ(bed.peek(kHeap), 1u);
}

TEST_F(Fork, DevicesWriteNothingThatIsFrozen) {
  ASSERT_TRUE(bed.writable(kHeap));
  ASSERT_EQ(fork(), 0);
  EXPECT_EQ(bed.call(message_ring_create, kHeap, 32, bed.self().capabilities[0].bits()),
            error(Errc::Fault));
  EXPECT_EQ(bed.call(ring_create, kHeap, 2), error(Errc::Fault));
}

TEST_F(Fork, EachOwnsWhatItTouchesAndTheOtherKeepsItsOwn) {
  const std::uint64_t mapped = bed.self().mapped_pages;
  const std::uint64_t tables = bed.self().table_pages;
  ASSERT_EQ(fork(), 0);
  EXPECT_EQ(bed.self().mapped_pages, mapped - 6);
  EXPECT_EQ(own(kHeap), 3);
  EXPECT_EQ(bed.self().mapped_pages, mapped - 3);
  EXPECT_EQ(bed.self().table_pages, tables - 2);
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_FALSE(bed.writable(kHeap));  // mapped twice: its owner decides
  const std::uint64_t page = page_at(kHeap);
  EXPECT_EQ(bed.machine.page_info(page).mappings, 2u);
  EXPECT_EQ(bed.machine.page_info(page).writers, 0u);
  ASSERT_GT(insert(fresh_page(), kHeap), 0);
  bed.poke(kHeap, 7);
  EXPECT_EQ(own(kHeap), 0);
  EXPECT_EQ(own(kStack), 2);  // the table of the slot is its own already
  bed.run(child);
  EXPECT_EQ(bed.peek(kHeap), 1u);
  EXPECT_EQ(own(kHeap), 3);  // alone now, without copies
  EXPECT_EQ(make_writable(kHeap), 0);
  bed.poke(kHeap, 8);
  EXPECT_EQ(bed.peek(kStack), 2u);
  bed.run(first);
  EXPECT_EQ(bed.peek(kHeap), 7u);
}

TEST_F(Fork, WhoIsLeftKeepsItsTablesAndItsRights) {
  const std::uint64_t mapped = bed.self().mapped_pages;
  const std::uint64_t tables = bed.self().table_pages;
  const std::uint64_t kernel_pages = bed.machine.info().kernel_pages;
  ASSERT_EQ(fork(), 0);
  ASSERT_EQ(bed.call(env_free, make_target(0, child)), 0);
  EXPECT_EQ(own(kHeap), 3);
  EXPECT_EQ(own(kStack), 2);
  bed.poke(kHeap, 5);  // never copied: as it was
  bed.poke(kStack + kPageSize, 6);
  EXPECT_EQ(bed.self().mapped_pages, mapped);
  EXPECT_EQ(bed.self().table_pages, tables);
  EXPECT_LT(bed.machine.info().kernel_pages, kernel_pages);
}

TEST_F(Fork, WhoIsLeftDoesNotGetMoreThanItsCapabilityGives) {
  name(1, 5);
  name(2, 6);
  ASSERT_GT(insert(fresh_page(), kHeap + 3 * kPageSize, 1), 0);
  ASSERT_GT(insert(fresh_page(), kHeap + 4 * kPageSize, 2), 0);
  const EnvId stranger = bed.spawn(1);
  ASSERT_EQ(bed.call(table_fork, kSlot, 3, 0, make_target(1, stranger)), 0);
  ASSERT_EQ(bed.call(table_drop, kSlot, 3, 0), 0);
  bed.run(stranger);
  EXPECT_EQ(own(kHeap, 9), error(Errc::BadCapability));
  EXPECT_EQ(own(kHeap), 3);
  EXPECT_TRUE(bed.writable(kHeap + 3 * kPageSize));  // guarded by {5}, which it holds
  EXPECT_FALSE(bed.writable(kHeap));
  EXPECT_FALSE(bed.writable(kHeap + 4 * kPageSize));
  EXPECT_EQ(make_writable(kHeap + 4 * kPageSize), error(Errc::Denied));
}

TEST_F(Fork, WhoIsLeftWithATableOfASharedOneCountsItsPages) {
  constexpr std::uint64_t kRegionHere = kSlot + 0x8000'0000;  // aligned to 1 GiB
  ASSERT_GT(insert(fresh_page(), kRegionHere), 0);
  ASSERT_EQ(share(kRegionHere, 2), 0);
  for (unsigned i = 1; i < 4; i++)  // counted nowhere
    ASSERT_GT(insert(fresh_page(), kRegionHere + i * kPageSize), 0);
  const EnvId third = bed.spawn();
  const std::uint64_t mapped = bed.env(third).mapped_pages;
  ASSERT_EQ(bed.call(table_fork, kRegionHere, 1, 0, make_target(0, third)), 0);
  ASSERT_EQ(bed.call(table_drop, kRegionHere, 2, 0), 0);
  ASSERT_EQ(bed.call(table_drop, kRegionHere, 2, make_target(0, child)), 0);
  bed.timer();  // takes the tables down
  ASSERT_EQ(bed.call(table_own, 0, kRegionHere, make_target(0, third)), 1);
  EXPECT_EQ(bed.env(third).mapped_pages, mapped + 4);
  EXPECT_EQ(bed.sweep(), "");
  for (unsigned i = 0; i < 4; i++)
    ASSERT_EQ(bed.call(pte_insert, 0, 0, kRegionHere + i * kPageSize, make_target(0, third)), 0);
  EXPECT_EQ(bed.env(third).mapped_pages, mapped);
}

TEST_F(Fork, TheAclOfAPageThatGoesWithADroppedTableIsNotExtended) {
  const std::uint64_t page = page_at(kHeap);
  while (bed.machine.info().free_pages > 0)
    ASSERT_GT(insert(fresh_page(), kHeap + 0x10'0000 + kPageSize * bed.machine.info().free_pages),
              0);
  ASSERT_EQ(bed.call(table_drop, kSlot, 3, 0), 0);
  EXPECT_EQ(bed.call(page_acl_resize, 0, page, 4), error(Errc::Denied));
  EXPECT_EQ(bed.sweep(), "");
}

TEST_F(Fork, ThreeMayHoldOneTable) {
  const EnvId third = bed.spawn();
  ASSERT_EQ(fork(), 0);
  ASSERT_EQ(bed.call(table_fork, kSlot, 3, 0, make_target(0, third)), 0);
  EXPECT_EQ(own(kHeap), 3);
  EXPECT_EQ(bed.call(table_fork, kSlot + 0x4000'0000, 2, 0, make_target(0, third)),
            error(Errc::NotFound));
  bed.run(third);
  EXPECT_EQ(own(kHeap), 3);
  EXPECT_EQ(bed.sweep(), "");
  bed.run(child);
  EXPECT_EQ(own(kHeap), 3);
  EXPECT_EQ(bed.peek(kHeap), 1u);
  EXPECT_EQ(bed.machine.page_info(page_at(kHeap)).mappings, 3u);
}

TEST_F(Fork, AForkOfWhatIsPartlyOwned) {
  ASSERT_EQ(fork(), 0);
  ASSERT_EQ(own(kHeap), 3);
  const EnvId third = bed.spawn();
  ASSERT_EQ(bed.call(table_fork, kSlot, 3, 0, make_target(0, third)), 0);
  EXPECT_EQ(bed.sweep(), "");
  bed.run(third);
  EXPECT_EQ(own(kStack), 3);
  EXPECT_EQ(bed.peek(kStack), 2u);
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_EQ(bed.call(env_free, make_target(0, child)), 0);
  bed.run(first);
  EXPECT_EQ(own(kStack), 3);
  EXPECT_EQ(own(kHeap), 2);
}

TEST_F(Fork, LargePagesAreReadOnlyInBoth) {
  TestBed big{1200};
  const EnvId other = big.spawn();
  constexpr std::uint64_t kVa = std::uint64_t{3} << 39;
  ASSERT_EQ(big.call(large_insert, 0, this_page(512) | kPteLarge, kVa, 0), 512);
  big.poke(kVa, 9);
  ASSERT_EQ(big.call(table_fork, kVa, 3, 0, make_target(0, other)), 0);
  EXPECT_EQ(big.call(table_own, 0, kVa, 0), 2);
  EXPECT_EQ(big.machine.page_info(600).mappings, 2u);
  EXPECT_EQ(big.machine.page_info(600).writers, 0u);
  EXPECT_EQ(big.sweep(), "");
  big.run(other);
  EXPECT_EQ(big.peek(kVa), 9u);
  EXPECT_EQ(big.call(table_own, 0, kVa, 0), 2);
  EXPECT_FALSE(big.writable(kVa));
  EXPECT_EQ(big.call(large_insert, 0, this_page(512) | kPteLarge, kVa, 0), 512);
  EXPECT_TRUE(big.writable(kVa));
  EXPECT_EQ(big.sweep(), "");
}

TEST_F(Fork, APageWithoutRoomForAReaderStaysOutOfTheCopy) {
  ASSERT_EQ(bed.call(page_set_limits, 0, page_at(kHeap), 1, 2), 0);
  ASSERT_EQ(fork(), 0);
  EXPECT_EQ(own(kHeap), 3);
  EXPECT_FALSE(bed.readable(kHeap));
  EXPECT_TRUE(bed.readable(kHeap + kPageSize));
  bed.run(child);
  EXPECT_EQ(bed.peek(kHeap), 1u);
}

TEST_F(Fork, ATableCanBeDroppedWhole) {
  const std::uint64_t free = bed.machine.info().free_pages;
  ASSERT_EQ(fork(), 0);
  ASSERT_EQ(own(kHeap), 3);
  ASSERT_EQ(bed.call(table_drop, kSlot, 3, 0), 0);
  EXPECT_FALSE(bed.readable(kHeap));
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_EQ(bed.call(table_drop, kSlot, 3, 0), error(Errc::NotFound));
  bed.run(child);
  EXPECT_EQ(bed.peek(kHeap), 1u);
  ASSERT_EQ(bed.call(table_drop, kSlot, 3, 0), 0);
  for (unsigned i = 0; i < 4; i++) bed.timer();
  EXPECT_EQ(bed.machine.info().free_pages, free + 6 + 5);  // six pages in five tables
}

TEST_F(Fork, DroppingGoesLevelByLevelToo) {
  ASSERT_EQ(bed.call(table_drop, kHeap & ~0x1f'ffffull, 1, 0), 0);
  EXPECT_FALSE(bed.readable(kHeap));
  EXPECT_EQ(bed.peek(kStack), 2u);
  ASSERT_EQ(bed.call(table_drop, kStack & ~0x3fff'ffffull, 2, 0), 0);
  EXPECT_FALSE(bed.readable(kStack));
  for (unsigned i = 0; i < 4; i++) bed.timer();
  EXPECT_GT(insert(fresh_page(), kHeap), 0);
}

TEST_F(Fork, ChecksArguments) {
  EXPECT_EQ(fork(kSlot, 0), error(Errc::BadArgument));
  EXPECT_EQ(fork(kSlot, 4), error(Errc::BadArgument));
  EXPECT_EQ(fork(kHeap, 3), error(Errc::BadArgument));
  EXPECT_EQ(fork(kUserTop, 1), error(Errc::BadArgument));
  EXPECT_EQ(fork(2 * kSlotSize), error(Errc::NotFound));
  EXPECT_EQ(own(kUserTop), error(Errc::BadArgument));
  EXPECT_EQ(own(2 * kSlotSize), 0);
  EXPECT_EQ(bed.call(table_drop, kHeap, 3, 0), error(Errc::BadArgument));
  ASSERT_EQ(bed.call(table_share, kSlot, 3, 0, make_target(0, child)), 0);
  const EnvId third = bed.spawn();
  EXPECT_EQ(bed.call(table_fork, kSlot, 3, 0, make_target(0, third)), error(Errc::Busy));
}

TEST_F(Fork, WhatIsFrozenIsNotShared) {
  ASSERT_EQ(fork(), 0);
  const EnvId third = bed.spawn();
  EXPECT_EQ(bed.call(table_share, kSlot, 3, 0, make_target(0, third)), error(Errc::Busy));
  EXPECT_EQ(bed.call(table_share, kHeap & ~0x3fff'ffffull, 2, 0, make_target(0, third)),
            error(Errc::Busy));
  EXPECT_EQ(bed.call(table_fork, kHeap & ~0x3fff'ffffull, 2, 0, make_target(0, third)),
            error(Errc::Busy));
}

TEST_F(Fork, NeedsARightOverBoth) {
  name(1, 1);
  const EnvId other = bed.spawn(1);
  bed.run(other);
  const std::uint64_t parent = make_target(0, first);
  EXPECT_EQ(bed.call(table_fork, kSlot, 3, parent, 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(table_own, 0, kHeap, parent), error(Errc::Denied));
  EXPECT_EQ(bed.call(table_drop, kSlot, 3, parent), error(Errc::Denied));
}

TEST_F(Fork, NoMemoryChangesNothing) {
  ASSERT_EQ(fork(), 0);
  while (insert(fresh_page(), kRegion + bed.machine.info().free_pages * kPageSize) > 0) {
  }
  EXPECT_EQ(own(kHeap), error(Errc::NoMemory));
  EXPECT_EQ(bed.peek(kHeap), 1u);
  EXPECT_FALSE(bed.writable(kHeap));
}

TEST_F(Fork, ThreadsOnOtherProcessorsForgetThatTheyMayWrite) {
  TestBed two{200, 2};
  const EnvId thread = two.spawn(0, true, 0x7000'0000, 1);
  const EnvId other = two.spawn(0, false, 0x7000'0000, 0);
  ASSERT_GT(two.call(pte_insert, 0, fresh_page(), kHeap, 0), 0);
  two.take_kicks();
  two.use(1);
  ASSERT_EQ(two.current_id(), thread);
  ASSERT_TRUE(two.writable(kHeap));
  two.use(0);
  ASSERT_EQ(two.call(table_fork, kSlot, 3, 0, make_target(0, other)), 0);
  two.use(1);
  EXPECT_FALSE(two.writable(kHeap));
  EXPECT_TRUE(two.readable(kHeap));
  EXPECT_EQ(two.sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
