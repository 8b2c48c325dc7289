// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kVa = 0x60'0000;

class Memory : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  std::int64_t insert(std::uint64_t entry, std::uint64_t va = kVa, std::uint64_t cap = 0,
                      std::uint64_t target = 0) {
    return bed.call(pte_insert, cap, entry, va, target);
  }
  /// Slot `slot` of the current environment becomes the name {n} with these permissions.
  void name(std::uint64_t slot, std::uint8_t n, Permission permissions = Permission::All) {
    ASSERT_EQ(bed.call(cap_forge, 0, slot, Capability::make({n}, permissions).bits(), 0),
              static_cast<std::int64_t>(slot));
  }
  PageInfo& info(std::int64_t page) {
    return bed.machine.page_info(static_cast<std::uint64_t>(page));
  }
  std::uint64_t stored(std::uint64_t va) {
    return bed.core().page_tables.lookup(bed.self().table_page, va);
  }
  TestBed bed;
};

// -- pte_insert

TEST_F(Memory, AnyPageIsZeroedAndOwnedByTheCapability) {
  name(1, 9);
  const std::int64_t page = insert(fresh_page(), kVa, 1);
  ASSERT_GT(page, 0);
  EXPECT_EQ(info(page).acl[0], Capability::make({9}));
  EXPECT_EQ(info(page).status, PageStatus::User);
  EXPECT_EQ(bed.peek(kVa), 0u);
  EXPECT_EQ(bed.peek(kVa + 4088), 0u);
}

TEST_F(Memory, AFreePageIsTakenByNumber) {
  const std::uint64_t page = bed.machine.info().page_count - 1;
  EXPECT_EQ(insert(this_page(page)), static_cast<std::int64_t>(page));
  bed.poke(kVa, 1);
  EXPECT_EQ(insert(this_page(page, false), kVa + kPageSize), static_cast<std::int64_t>(page));
  EXPECT_EQ(info(static_cast<std::int64_t>(page)).mappings, 2u);
  EXPECT_EQ(info(static_cast<std::int64_t>(page)).writers, 1u);
  EXPECT_FALSE(bed.writable(kVa + kPageSize));
}

TEST_F(Memory, FreedPagesAreZeroedBeforeTheNextUse) {
  const std::int64_t page = insert(fresh_page());
  bed.poke(kVa, 0x5ec2e7);
  ASSERT_EQ(insert(0), 0);
  EXPECT_EQ(info(page).status, PageStatus::Free);
  ASSERT_EQ(insert(this_page(static_cast<std::uint64_t>(page))), page);
  EXPECT_EQ(bed.peek(kVa), 0u);
}

TEST_F(Memory, TheFreeListIsFirstInFirstOut) {
  const std::int64_t page = insert(fresh_page());
  insert(0);
  EXPECT_NE(insert(fresh_page()), page);
}

TEST_F(Memory, AbsentEntriesBelongToTheApplication) {
  const std::uint64_t mine = 0xffff'ffff'ffff'fffe;
  EXPECT_EQ(insert(mine), 0);
  EXPECT_EQ(stored(kVa), mine);
  EXPECT_FALSE(bed.readable(kVa));
  ASSERT_GT(insert(fresh_page()), 0);
  EXPECT_EQ(insert(mine), 0);
  EXPECT_FALSE(bed.readable(kVa));
}

TEST_F(Memory, ZeroIntoNowhereMakesNoTables) {
  const std::uint64_t tables = bed.self().table_pages;
  EXPECT_EQ(insert(0, std::uint64_t{77} << 39), 0);
  EXPECT_EQ(bed.self().table_pages, tables);
  EXPECT_EQ(insert(2, std::uint64_t{77} << 39), 0);
  EXPECT_EQ(bed.self().table_pages, tables + 3);
}

TEST_F(Memory, BitsThatAreNotTheApplicationsAreDropped) {
  const std::uint64_t asked = ~(kPteLarge | kPtePageMask);
  bed.machine.info().caching_bits = 0;
  const std::int64_t page = insert(asked);
  ASSERT_GT(page, 0);
  EXPECT_EQ(stored(kVa), static_cast<std::uint64_t>(page) << 12 | kPtePresent | kPteWritable |
                             kPteUser | kPteAccessed | kPteDirty | kPteSoftware | kPteNoExecute);
}

TEST_F(Memory, CachingBitsAreKeptWhereTheProcessorAllowsThem) {
  bed.machine.info().caching_bits = kPteWriteThrough;
  ASSERT_GT(insert(fresh_page() | kPteWriteThrough | kPteCacheDisable), 0);
  EXPECT_EQ(stored(kVa) & (kPteWriteThrough | kPteCacheDisable), kPteWriteThrough);
  bed.machine.info().caching_bits = kPteWriteThrough | kPteCacheDisable;
  ASSERT_GT(insert(fresh_page() | kPteCacheDisable), 0);
  EXPECT_EQ(stored(kVa) & (kPteWriteThrough | kPteCacheDisable), kPteCacheDisable);
}

TEST_F(Memory, ARangeGoesOnAfterAFaultInItsEntries) {
  // The entries' second page is missing at first: 3 entries before its start are done.
  const std::uint64_t list = 0x61'0000 + kPageSize - 3 * 8;
  ASSERT_GT(insert(fresh_page(), 0x61'0000), 0);
  for (unsigned i = 0; i < 3; i++) bed.poke(list + i * 8, fresh_page());
  bed.poke(kScratch, 0);
  const auto go = [&](std::uint64_t n) {
    return bed.call(pte_insert_range, 0, list, n, kVa, kScratch, 0);
  };
  EXPECT_EQ(go(3), 0);
  EXPECT_EQ(bed.peek(kScratch), 3u);
  EXPECT_EQ(go(6), error(Errc::Fault));
  EXPECT_EQ(bed.peek(kScratch), 3u);
  ASSERT_GT(insert(fresh_page(), 0x61'1000), 0);
  for (unsigned i = 3; i < 6; i++) bed.poke(list + i * 8, fresh_page());
  EXPECT_EQ(go(6), 0);
  EXPECT_EQ(bed.peek(kScratch), 6u);
  EXPECT_TRUE(bed.writable(kVa + 5 * kPageSize));
}

TEST_F(Memory, TheCountOfMappingsNeverWraps) {
  const std::int64_t page = insert(fresh_page());
  const std::uint32_t real = info(page).mappings;
  info(page).mappings = ~std::uint32_t{0};
  EXPECT_EQ(insert(this_page(static_cast<std::uint64_t>(page)), kVa + kPageSize),
            error(Errc::Busy));
  info(page).mappings = real;
}

TEST_F(Memory, LargePagesHaveACallOfTheirOwn) {
  EXPECT_EQ(insert(fresh_page() | kPteLarge), error(Errc::NotSupported));
}

TEST_F(Memory, AddressesMustBeAlignedAndTheUsers) {
  EXPECT_EQ(insert(fresh_page(), kVa + 8), error(Errc::BadArgument));
  EXPECT_EQ(insert(fresh_page(), kUserTop), error(Errc::BadArgument));
  EXPECT_EQ(insert(fresh_page(), kPageTableWindow), error(Errc::BadArgument));
  EXPECT_EQ(insert(fresh_page(), 0xffff'8000'0000'0000), error(Errc::BadArgument));
  EXPECT_EQ(insert(0, ~0ull - 4095), error(Errc::BadArgument));
  EXPECT_GT(insert(fresh_page(), kUserTop - 0x20000), 0);
}

TEST_F(Memory, EveryPageOfTheMachineIsRefusedWithoutARight) {
  name(1, 1);
  const EnvId child = bed.spawn(1);
  bed.run(child);
  for (std::uint64_t page = 1; page < bed.machine.info().page_count + 16; page++) {
    const std::int64_t result = insert(this_page(page, false));
    if (page >= bed.machine.info().page_count) {
      EXPECT_EQ(result, error(Errc::BadArgument));
    } else if (result != error(Errc::Denied)) {
      EXPECT_EQ(info(static_cast<std::int64_t>(page)).acl[0], Capability::make({1}));
    }
  }
}

TEST_F(Memory, KernelPagesAndTablesAreDeniedEvenToTheRoot) {
  EXPECT_EQ(insert(this_page(1)), error(Errc::Denied));
  EXPECT_EQ(insert(this_page(5)), error(Errc::Denied));
  EXPECT_EQ(insert(this_page(bed.self().table_page, false)), error(Errc::Denied));
}

TEST_F(Memory, BootModulePagesAreReadOnlyAndTheRootsToGive) {
  const std::uint64_t page = FakeMachine::kFirstModulePage;
  EXPECT_EQ(insert(this_page(page)), error(Errc::Denied));
  EXPECT_EQ(insert(this_page(page, false)), static_cast<std::int64_t>(page));
  name(1, 1);
  const EnvId child = bed.spawn(1);
  EXPECT_EQ(insert(this_page(page, false), kVa, 1, make_target(0, child)), error(Errc::Denied));
  ASSERT_EQ(bed.call(page_set_acl, 0, page, 1, Capability::make({1}).bits()), 0);
  EXPECT_EQ(insert(this_page(page, false), kVa, 1, make_target(0, child)),
            static_cast<std::int64_t>(page));
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, kPteWritable, 0, 0, 0), error(Errc::Denied));
}

TEST_F(Memory, AllocatingNeedsAllocateAndWriting) {
  name(1, 1, Permission::Write);
  name(2, 1, Permission::Allocate);
  EXPECT_EQ(insert(fresh_page(), kVa, 1), error(Errc::Denied));
  EXPECT_EQ(insert(fresh_page(), kVa, 2), error(Errc::Denied));
  EXPECT_GT(insert(fresh_page(false), kVa, 2), 0);
  EXPECT_EQ(insert(fresh_page(), kVa, 9), error(Errc::BadCapability));
}

TEST_F(Memory, SharingNeedsWriteOnlyForWritableEntries) {
  name(1, 1);
  name(2, 1, Permission::None);
  const std::int64_t page = insert(fresh_page(), kVa, 1);
  const auto number = static_cast<std::uint64_t>(page);
  EXPECT_EQ(insert(this_page(number, false), kVa + kPageSize, 2), page);
  EXPECT_EQ(insert(this_page(number), kVa + kPageSize, 2), error(Errc::Denied));
}

TEST_F(Memory, ReaderLimitHolds) {
  const std::int64_t page = insert(fresh_page());
  const auto number = static_cast<std::uint64_t>(page);
  info(page).reader_limit = 1;
  EXPECT_EQ(insert(this_page(number), kVa + kPageSize), error(Errc::Busy));
  EXPECT_EQ(insert(this_page(number, false), kVa), page);  // replaces the only one
  info(page).reader_limit = 2;
}

TEST_F(Memory, CountsDoNotWrap) {
  const std::int64_t page = insert(fresh_page());
  const PageInfo saved = info(page);
  info(page).mappings = ~0u;
  EXPECT_EQ(insert(this_page(static_cast<std::uint64_t>(page)), kVa + kPageSize),
            error(Errc::Busy));
  info(page) = saved;
}

TEST_F(Memory, ReplacingAPageFreesItAndItsTranslation) {
  const std::int64_t first = insert(fresh_page());
  bed.poke(kVa, 1);  // the TLB knows it
  const std::int64_t second = insert(fresh_page());
  EXPECT_EQ(info(first).status, PageStatus::Free);
  EXPECT_NE(second, first);
  EXPECT_EQ(bed.peek(kVa), 0u);
}

TEST_F(Memory, NoMemoryIsReportedForPagesAndTablesAndChangesNothing) {
  std::uint64_t va = 0x40'2000;
  while (bed.machine.info().free_pages > 3) ASSERT_GE(insert(fresh_page(), va += kPageSize), 0);
  const std::uint64_t far = std::uint64_t{5} << 39;
  EXPECT_EQ(insert(fresh_page(), far), error(Errc::NoMemory));
  EXPECT_EQ(insert(this_page(bed.machine.info().free_list_head), far), error(Errc::NoMemory));
  EXPECT_EQ(bed.machine.info().free_pages, 3u);
  EXPECT_EQ(insert(2, far), 0);
  EXPECT_EQ(insert(fresh_page(), far), error(Errc::NoMemory));
}

TEST_F(Memory, AnotherEnvironmentsTablesNeedARightOverIt) {
  name(1, 1);
  name(2, 2);
  const EnvId child = bed.spawn(1);
  EXPECT_GT(insert(fresh_page(), kVa, 0, make_target(1, child)), 0);
  EXPECT_EQ(insert(fresh_page(), kVa, 0, make_target(2, child)), error(Errc::Denied));
  EXPECT_EQ(insert(0, kVa, 0, make_target(2, child)), error(Errc::Denied));
}

TEST_F(Memory, TheUenvPageStaysWhileTheEnvironmentLives) {
  const std::uint64_t page = bed.self().uenv_page;
  EXPECT_EQ(insert(0, kInitUenvAddress), 0);
  EXPECT_EQ(bed.machine.page_info(page).status, PageStatus::User);
  EXPECT_EQ(bed.machine.page_info(page).pins, 1u);
}

// -- The page-table window

TEST_F(Memory, TheWindowShowsTheTablesReadOnly) {
  const std::int64_t page = insert(fresh_page() | kPteNoExecute);
  const std::uint64_t top = bed.self().table_page;
  for (const std::uint64_t va :
       {pte_address(kVa), pde_address(kVa), pdpte_address(kVa), pml4e_address(kVa)}) {
    Translation table;
    ASSERT_TRUE(bed.machine.walk(top, va, table));
    EXPECT_FALSE(table.writable);
    EXPECT_EQ(bed.machine.page_info(table.page).status, PageStatus::Kernel);
  }
  Translation table;
  ASSERT_TRUE(bed.machine.walk(top, pte_address(kVa), table));
  std::uint64_t entry = 0;
  std::memcpy(&entry, bed.machine.page(PageNumber{table.page}) + (pte_address(kVa) & kPageMask), 8);
  EXPECT_EQ(entry_page(entry), static_cast<std::uint64_t>(page));
  EXPECT_FALSE(bed.machine.walk(top, pte_address(0xffff'8000'0000'0000), table));
}

// -- pte_insert_range

class Range : public Memory {
 protected:
  static constexpr std::uint64_t kDone = kScratch, kEntries = kScratch + 8;
  std::int64_t range(std::uint64_t n, std::uint64_t va = kVa, std::uint64_t entries = kEntries,
                     std::uint64_t done = kDone) {
    return bed.call(pte_insert_range, 0, entries, n, va, done, 0);
  }
};

TEST_F(Range, StoresAllAndCounts) {
  for (std::uint64_t i = 0; i < 100; i++) bed.poke(kEntries + 8 * i, fresh_page());
  EXPECT_EQ(range(100), 0);
  EXPECT_EQ(bed.peek(kDone), 100u);
  for (std::uint64_t i = 0; i < 100; i++) EXPECT_TRUE(bed.writable(kVa + i * kPageSize));
}

TEST_F(Range, StopsAtAnErrorAndResumes) {
  for (std::uint64_t i = 0; i < 5; i++) bed.poke(kEntries + 8 * i, fresh_page());
  bed.poke(kEntries + 8 * 3, this_page(1));
  EXPECT_EQ(range(5), error(Errc::Denied));
  EXPECT_EQ(bed.peek(kDone), 3u);
  EXPECT_FALSE(bed.readable(kVa + 3 * kPageSize));
  bed.poke(kEntries + 8 * 3, fresh_page());
  EXPECT_EQ(range(5), 0);
  EXPECT_EQ(bed.peek(kDone), 5u);
}

TEST_F(Range, ChecksBoundsBeforeItBegins) {
  EXPECT_EQ(range(kMaxRange + 1), error(Errc::TooBig));
  EXPECT_EQ(range(~0ull), error(Errc::TooBig));
  EXPECT_EQ(range(2, kUserTop - kPageSize), error(Errc::BadArgument));
  EXPECT_EQ(range(1, kVa + 1), error(Errc::BadArgument));
  EXPECT_EQ(range(1, kVa, kEntries + 4), error(Errc::BadArgument));
  bed.poke(kDone, 6);
  EXPECT_EQ(range(5), error(Errc::BadArgument));
}

TEST_F(Range, FaultsLeaveTheCountRight) {
  EXPECT_EQ(range(5, kVa, kEntries, 0x20'0000), error(Errc::Fault));  // done is read-only
  EXPECT_EQ(range(5, kVa, kEntries, 0x1000), error(Errc::Fault));
  bed.poke(kScratch + 4088, fresh_page());
  bed.poke(kDone, 0);
  EXPECT_EQ(range(2, kVa, kScratch + 4088), error(Errc::Fault));
  EXPECT_EQ(bed.peek(kDone), 0u);
  EXPECT_EQ(range(0), 0);
}

TEST_F(Range, MayUnmapItsOwnArguments) {
  bed.poke(kEntries, 0);
  EXPECT_EQ(range(1, kScratch), error(Errc::Fault));
  EXPECT_FALSE(bed.readable(kScratch));
}

// -- pte_modify_range

TEST_F(Memory, ModifyDowngradesAtOnce) {
  const std::int64_t page = insert(fresh_page());
  bed.poke(kVa, 5);
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, 1 << 9, kPteWritable, 9, 0), 0);
  EXPECT_FALSE(bed.writable(kVa));
  EXPECT_EQ(bed.peek(kVa), 5u);
  EXPECT_EQ(info(page).writers, 0u);
  EXPECT_EQ(stored(kVa) & kPteSoftware, 1u << 9);
}

TEST_F(Memory, AddingWritableNeedsWriteOnThePage) {
  name(1, 1);
  name(2, 2);
  ASSERT_GT(insert(fresh_page(false), kVa, 1), 0);
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, kPteWritable, 0, 2, 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, kPteWritable, 0, 9, 0), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, kPteWritable, 0, 1, 0), 0);
  EXPECT_TRUE(bed.writable(kVa));
}

TEST_F(Memory, ModifyChecksAllBeforeItChangesAny) {
  name(1, 1);
  ASSERT_GT(insert(fresh_page(false), kVa, 1), 0);
  ASSERT_GT(insert(fresh_page(false), kVa + kPageSize, 0), 0);
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 2, kPteWritable, 0, 1, 0), error(Errc::Denied));
  EXPECT_FALSE(bed.writable(kVa));
}

TEST_F(Memory, ModifySkipsHolesAndChangesAbsentEntries) {
  ASSERT_EQ(insert(2, kVa), 0);
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 512, kPteDirty, 0, 9, 0), 0);
  EXPECT_EQ(stored(kVa), 2 | kPteDirty);
  EXPECT_EQ(bed.call(pte_modify_range, std::uint64_t{9} << 39, 512, kPteDirty, 0, 9, 0), 0);
  EXPECT_EQ(stored(std::uint64_t{9} << 39), 0u);
}

TEST_F(Memory, ModifyChecksItsArguments) {
  EXPECT_EQ(bed.call(pte_modify_range, kVa, kMaxRange + 1, 0, 0, 0, 0), error(Errc::TooBig));
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, kPtePresent, 0, 0, 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, 0, kPteUser, 0, 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, 1 << 12, 0, 0, 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(pte_modify_range, kVa + 1, 1, 0, 0, 0, 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(pte_modify_range, kUserTop - kPageSize, 2, 0, 0, 0, 0),
            error(Errc::BadArgument));
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, 0, 0, 0, make_target(0, 9999)), error(Errc::BadEnv));
}

TEST_F(Memory, SoftwareBitsCostNoFlush) {
  ASSERT_GT(insert(fresh_page()), 0);
  const std::uint64_t flushes = bed.machine.flushes;
  EXPECT_EQ(bed.call(pte_modify_range, kVa, 1, kPteSoftware, 0, 9, 0), 0);
  EXPECT_EQ(bed.machine.flushes, flushes);
}

// -- page_set_acl

TEST_F(Memory, AclEntriesOpenAPageToOthers) {
  name(1, 1);
  const EnvId child = bed.spawn(1);
  const std::int64_t page = insert(fresh_page());
  const auto number = static_cast<std::uint64_t>(page);
  bed.run(child);
  EXPECT_EQ(insert(this_page(number, false)), error(Errc::Denied));
  bed.run(1025);
  ASSERT_EQ(bed.call(page_set_acl, 0, page, 1, Capability::make({1}, Permission::None).bits()), 0);
  bed.run(child);
  EXPECT_EQ(insert(this_page(number, false)), page);
  EXPECT_EQ(insert(this_page(number), kVa + kPageSize), error(Errc::Denied));
  EXPECT_EQ(bed.call(page_set_acl, 0, page, 0, Capability::make({1}).bits()), error(Errc::Denied));
  bed.run(1025);
  EXPECT_EQ(bed.call(page_set_acl, 0, page, 1, 0), 0);
  EXPECT_EQ(info(page).acl[1], Capability{});
}

TEST_F(Memory, AclArgumentsAreChecked) {
  const std::int64_t page = insert(fresh_page());
  const std::uint64_t value = Capability::make({1}).bits();
  EXPECT_EQ(bed.call(page_set_acl, 0, page, 0, 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(page_set_acl, 0, page, kPageAclEntries, value), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(page_set_acl, 0, page, ~0ull, value), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(page_set_acl, 0, 1'000'000, 0, value), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(page_set_acl, 0, page, 1, value | Capability::kPointer),
            error(Errc::BadArgument));
  EXPECT_EQ(bed.call(page_set_acl, 9, page, 1, value), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(page_set_acl, 0, 1, 1, value), error(Errc::Denied));
  EXPECT_EQ(bed.call(page_set_acl, 0, bed.machine.info().free_list_head, 1, value),
            error(Errc::Denied));
  EXPECT_EQ(bed.call(page_set_acl, 0, page, 0, value), 0);
  EXPECT_EQ(info(page).acl[0], Capability::make({1}));
}

}  // namespace
}  // namespace xok::kernel::testing
