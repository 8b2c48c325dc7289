// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kFrom = kScratch + 64;
constexpr std::uint64_t kTo = kScratch + 128;

/// Slots: 1 {7}, 2 {7} without any permission, 3 {8}, 4 {9} without any.
class RegionCalls : public ::testing::Test {
 protected:
  void SetUp() override {
    bed.call(cap_forge, 0, 1, Capability::make({7}).bits(), 0);
    bed.call(cap_forge, 0, 2, Capability::make({7}, Permission::None).bits(), 0);
    bed.call(cap_forge, 0, 3, Capability::make({8}).bits(), 0);
    bed.call(cap_forge, 0, 4, Capability::make({9}, Permission::None).bits(), 0);
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  std::int64_t make(std::uint64_t bytes = 100, std::uint64_t reader = 0) {
    return bed.call(region_create, 1, bytes, reader);
  }
  std::int64_t write(std::int64_t id, std::uint64_t value, std::uint64_t offset = 0,
                     std::uint64_t slot = 1) {
    bed.poke(kFrom, value);
    return bed.call(region_write, slot, id, offset, kFrom, 8);
  }
  std::uint64_t read(std::int64_t id, std::uint64_t offset = 0, std::uint64_t slot = 1) {
    bed.poke(kTo, ~0ull);
    EXPECT_EQ(bed.call(region_read, slot, id, offset, kTo, 8), 0);
    return bed.peek(kTo);
  }
  TestBed bed;
};

TEST_F(RegionCalls, AreZeroAndKeepWhatIsWritten) {
  const std::int64_t id = make();
  ASSERT_GT(id, 0);
  EXPECT_EQ(read(id, 92), 0u);
  EXPECT_EQ(write(id, 0x1122334455667788, 3), 0);
  EXPECT_EQ(read(id, 3), 0x1122334455667788u);
  EXPECT_EQ(read(id, 11), 0u);
}

TEST_F(RegionCalls, ReadingAndWritingAreRightsApart) {
  const std::int64_t id = make(100, Capability::make({9, 1}, Permission::None).bits());
  EXPECT_EQ(write(id, 5), 0);
  EXPECT_EQ(read(id, 0, 2), 5u);                       // the name alone reads
  EXPECT_EQ(write(id, 6, 0, 2), error(Errc::Denied));  // and does not write
  EXPECT_EQ(read(id, 0, 4), 5u);                       // so does the second entry's
  EXPECT_EQ(write(id, 6, 0, 4), error(Errc::Denied));
  EXPECT_EQ(write(id, 6, 0, 3), error(Errc::Denied));  // another name has nothing
  EXPECT_EQ(bed.call(region_read, 3, id, 0, kTo, 8), error(Errc::Denied));
  EXPECT_EQ(bed.call(region_delete, 2, id), error(Errc::Denied));
  EXPECT_EQ(bed.call(region_delete, 3, id), error(Errc::Denied));
  EXPECT_EQ(bed.call(region_delete, 9, id), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(region_read, 9, id, 0, kTo, 8), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(region_write, 1u << 20, id, 0, kTo, 8), error(Errc::BadCapability));
  EXPECT_EQ(read(id), 5u);
}

TEST_F(RegionCalls, CreationIsChecked) {
  EXPECT_EQ(bed.call(region_create, 2, 8, 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(region_create, 9, 8, 0), error(Errc::BadCapability));
  EXPECT_EQ(make(0), error(Errc::BadArgument));
  EXPECT_EQ(make(8, 1), error(Errc::BadArgument));
  EXPECT_EQ(make(8, Capability::make({9}).bits() | Capability::kPointer), error(Errc::BadArgument));
  EXPECT_EQ(make(kMaxRegionBytes + 1), error(Errc::TooBig));
  EXPECT_EQ(make(~0ull), error(Errc::TooBig));
  EXPECT_GT(make(kMaxRegionBytes), 0);
}

TEST_F(RegionCalls, BoundsAreKept) {
  const std::int64_t id = make(100);
  const std::int64_t next = make(100);
  ASSERT_GT(next, 0);
  const auto at = [&](std::uint64_t offset, std::uint64_t n) {
    const std::int64_t by_read = bed.call(region_read, 1, id, offset, kTo, n);
    EXPECT_EQ(bed.call(region_write, 1, id, offset, kTo, n), by_read);
    return by_read;
  };
  EXPECT_EQ(at(0, 100), 0);
  EXPECT_EQ(at(100, 0), 0);
  EXPECT_EQ(at(0, 101), error(Errc::BadArgument));
  EXPECT_EQ(at(93, 8), error(Errc::BadArgument));
  EXPECT_EQ(at(101, 0), error(Errc::BadArgument));
  EXPECT_EQ(at(~0ull, 2), error(Errc::BadArgument));
  EXPECT_EQ(at(1, ~0ull), error(Errc::BadArgument));
  EXPECT_EQ(read(next), 0u);
}

TEST_F(RegionCalls, AWriteThatFaultsHalfWayHasWrittenNothing) {
  const std::int64_t id = make(4096);
  ASSERT_EQ(write(id, 7), 0);
  EXPECT_EQ(bed.call(region_write, 1, id, 0, kScratch + kPageSize - 8, 16), error(Errc::Fault));
  EXPECT_EQ(read(id), 7u);
  EXPECT_EQ(bed.call(region_write, 1, id, 0, 0xffff'8000'0000'0000, 8), error(Errc::Fault));
  EXPECT_EQ(bed.call(region_read, 1, id, 0, 0x20'0000, 8), error(Errc::Fault));  // code
}

TEST_F(RegionCalls, StaleIdsAreRefused) {
  const std::int64_t id = make();
  ASSERT_EQ(write(id, 7), 0);
  EXPECT_EQ(bed.call(region_delete, 1, id), 0);
  EXPECT_EQ(bed.call(region_delete, 1, id), error(Errc::NotFound));
  const std::int64_t again = make();
  EXPECT_NE(again, id);
  EXPECT_EQ(bed.call(region_read, 1, id, 0, kTo, 8), error(Errc::NotFound));
  EXPECT_EQ(bed.call(region_write, 1, 0, 0, kTo, 8), error(Errc::NotFound));
  EXPECT_EQ(bed.call(region_write, 1, ~0ull, 0, kTo, 8), error(Errc::NotFound));
  EXPECT_EQ(read(again), 0u);
}

TEST_F(RegionCalls, SmallOnesShareAPageThatNobodyCanMap) {
  const std::uint64_t before = bed.machine.info().kernel_pages;
  std::int64_t id[64];
  for (std::int64_t& one : id) one = make(64);
  EXPECT_EQ(bed.machine.info().kernel_pages, before + 1);
  EXPECT_GT(make(1), 0);
  EXPECT_EQ(bed.machine.info().kernel_pages, before + 2);
  std::uint64_t page = 0;
  bed.core().regions.visit_pages([&](std::uint64_t p, EnvIndex, std::uint64_t) { page = p; });
  EXPECT_EQ(bed.call(pte_insert, 0, this_page(page), 0x60'0000, 0), error(Errc::Denied));
  for (const std::int64_t one : id) EXPECT_EQ(bed.call(region_delete, 1, one), 0);
  EXPECT_EQ(bed.machine.info().kernel_pages, before + 1);
}

TEST_F(RegionCalls, EndAtQuotaAndMemoryAndGoWithTheirMaker) {
  const EnvId child = bed.spawn();
  const std::uint64_t free_before = bed.machine.info().free_pages;
  bed.run(child);
  std::int64_t last = 0;
  std::uint64_t count = 0;
  while ((last = bed.call(region_create, 0, 4096, 0)) > 0) count++;
  EXPECT_EQ(count, kRegionPagesPerEnv);
  EXPECT_EQ(last, error(Errc::NoSpace));
  bed.run(bed.machine.tables().envs[1].id);
  EXPECT_GT(make(), 0);  // others still may
  ASSERT_EQ(bed.call(env_free, make_target(0, child)), 0);
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_GT(bed.machine.info().free_pages, free_before - 2);
  count = 0;
  while ((last = make(16)) > 0) count++;
  EXPECT_EQ(last, error(Errc::NoSpace));
  EXPECT_EQ(count, kRegionsPerEnv - 1);
}

TEST_F(RegionCalls, NoMemoryChangesNothing) {
  std::uint64_t va = 0x60'0000;
  while (bed.machine.info().free_pages > 0) {
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), va, 0), 0);
    va += kPageSize;
  }
  EXPECT_EQ(make(), error(Errc::NoMemory));
  EXPECT_EQ(bed.sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
