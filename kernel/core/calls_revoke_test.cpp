// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <cstring>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kVa = 0x60'0000;
constexpr std::uint64_t kVector = 0x80'0000;

/// A child with 20 data pages from kVa, guaranteed 4, and its vector in a page of its own.
class Revoke : public ::testing::Test {
 protected:
  void SetUp() override {
    child = bed.spawn();
    target = make_target(0, child);
    ASSERT_EQ(bed.call(env_set_quota, target, kUnlimited, 4), 0);
    for (unsigned i = 0; i < 20; i++) give(kVa + i * kPageSize);
    give(kVector);
    prepare().vector = kVector;
    prepare().vector_slots = 32;
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }

  void give(std::uint64_t va, std::uint64_t bits = kPteNoExecute) {
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page() | bits, va, target), 0);
  }
  volatile Revocation& prepare() { return bed.machine.uenv(env_index(child)).revocation; }
  std::int64_t ask(std::uint64_t n, std::uint64_t deadline = 0) {
    return bed.call(pages_request, target, n, deadline);
  }
  std::int64_t take() { return bed.call(pages_repossess, target); }
  std::uint64_t entry(std::uint64_t va) {
    return bed.core().page_tables.lookup(bed.env(child).table_page, va);
  }
  bool there(std::uint64_t va) { return (entry(va) & kPtePresent) != 0; }
  /// The i-th entry of the child's vector.
  Repossessed record(unsigned i) {
    Repossessed r;
    std::memcpy(&r, bed.machine.page(PageNumber{entry_page(entry(kVector))}) + i * sizeof r,
                sizeof r);
    return r;
  }
  TestBed bed;
  EnvId child = 0;
  std::uint64_t target = 0;
};

TEST_F(Revoke, ARequestIsSeenAndTakesNothing) {
  const std::uint64_t free = bed.machine.info().free_pages;
  EXPECT_EQ(ask(5, 1'000'000'000), 0);
  EXPECT_EQ(bed.env(child).pages_wanted, 5u);
  EXPECT_EQ(bed.machine.uenv(env_index(child)).pages_wanted, 5u);
  EXPECT_EQ(prepare().deadline, 1'000'000'000u);
  EXPECT_EQ(take(), error(Errc::WouldBlock));
  EXPECT_EQ(ask(6, 0), error(Errc::Busy));
  EXPECT_EQ(bed.machine.info().free_pages, free);
  EXPECT_EQ(ask(0), 0);  // withdrawn
  EXPECT_EQ(bed.env(child).pages_wanted, 0u);
  EXPECT_EQ(take(), error(Errc::NotFound));
}

TEST_F(Revoke, TheUpcallComesWithTheNextSliceOnce) {
  prepare().entry = 0x20'1000;
  prepare().stack = 0x30'0000;
  const Context before = bed.machine.context(env_index(child));
  ASSERT_EQ(ask(5, ~0ull), 0);
  bed.run(child);
  EXPECT_EQ(bed.machine.context(bed.current()).rip, 0x20'1000u);
  EXPECT_EQ(bed.machine.context(bed.current()).rsp, 0x30'0000u);
  EXPECT_EQ(prepare().save.rip, before.rip);
  EXPECT_EQ(prepare().save.rsp, before.rsp);
  EXPECT_EQ(prepare().active, 1u);
  bed.machine.context(bed.current()).rip = 0x20'2000;
  bed.call(yield, 0, 0);
  bed.call(yield, child, 0);
  EXPECT_EQ(bed.machine.context(env_index(child)).rip, 0x20'2000u);
}

TEST_F(Revoke, TheUpcallWaitsForTheEndOfACriticalSection) {
  prepare().entry = 0x20'1000;
  bed.machine.uenv(env_index(child)).critical_depth = 1;
  ASSERT_EQ(ask(5, ~0ull), 0);
  bed.run(child);
  EXPECT_EQ(prepare().active, 0u);
  bed.machine.uenv(env_index(child)).critical_depth = 0;
  bed.call(yield, 0, 0);
  bed.call(yield, child, 0);
  EXPECT_EQ(prepare().active, 1u);
}

TEST_F(Revoke, WhoGivesEnoughKeepsTheRest) {
  ASSERT_EQ(ask(5, ~0ull), 0);
  bed.run(child);
  for (unsigned i = 10; i < 15; i++)
    ASSERT_EQ(bed.call(pte_insert, 0, 0, kVa + i * kPageSize, 0), 0);
  bed.run(1u << 10 | 1);
  EXPECT_EQ(take(), 0);
  EXPECT_EQ(bed.env(child).pages_wanted, 0u);
  EXPECT_TRUE(there(kVa));
  EXPECT_EQ(prepare().vector_count, 0u);
}

TEST_F(Revoke, WhatIsAllocatedMeanwhileCountsAgainstIt) {
  ASSERT_EQ(ask(5, 0), 0);
  bed.run(child);
  for (unsigned i = 0; i < 5; i++) {
    ASSERT_EQ(bed.call(pte_insert, 0, 0, kVa + i * kPageSize, 0), 0);
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page() | kPteNoExecute, kVa + i * kPageSize, 0), 0);
  }
  bed.run(1u << 10 | 1);
  EXPECT_EQ(take(), 5);
}

TEST_F(Revoke, ExactlyWhatIsMissingIsTakenAndRecorded) {
  const std::uint64_t old = entry(kVa);
  const std::uint64_t free = bed.machine.info().free_pages;
  ASSERT_EQ(ask(5, 0), 0);
  EXPECT_EQ(take(), 5);
  EXPECT_EQ(bed.machine.info().free_pages, free + 5);
  EXPECT_EQ(prepare().vector_count, 5u);
  EXPECT_EQ(record(0).address, kVa);  // data in ascending order
  EXPECT_EQ(record(4).address, kVa + 4 * kPageSize);
  EXPECT_EQ(record(0).entry & ~kPteAccessed, old & ~kPteAccessed);
  EXPECT_EQ(record(0).block, Repossessed::kNotSaved);
  EXPECT_EQ(entry(kVa), 0u);
  EXPECT_TRUE(there(kVa + 5 * kPageSize));
  EXPECT_EQ(bed.env(child).pages_wanted, 0u);
  EXPECT_EQ(take(), error(Errc::NotFound));
}

TEST_F(Revoke, TheListComesFirst) {
  // The list stands in the vector's page.
  auto* const words =
      reinterpret_cast<std::uint64_t*>(bed.machine.page(PageNumber{entry_page(entry(kVector))}));
  words[500] = kVa + 19 * kPageSize;
  words[501] = kVa + 7 * kPageSize + 123;
  words[502] = 0xffff'8000'0000'0000;
  words[503] = 0x1234'5678;
  prepare().give = kVector + 500 * 8;
  prepare().give_count = 4;
  ASSERT_EQ(ask(2, 0), 0);
  EXPECT_EQ(take(), 2);
  EXPECT_FALSE(there(kVa + 19 * kPageSize));
  EXPECT_FALSE(there(kVa + 7 * kPageSize));
  EXPECT_TRUE(there(kVa));
}

TEST_F(Revoke, TheGuaranteedMinimumStays) {
  prepare().keep = kVa + 2 * kPageSize;
  ASSERT_EQ(ask(kMaxRequest, 0), 0);
  EXPECT_GT(take(), 15);
  EXPECT_GE(bed.env(child).mapped_pages, 4u);
  for (unsigned i = 2; i < 6; i++) EXPECT_TRUE(there(kVa + i * kPageSize));
  EXPECT_FALSE(there(kVa + 6 * kPageSize));
  EXPECT_EQ(bed.env(child).pages_wanted, 0u);  // nothing more can be taken: settled
}

TEST_F(Revoke, PagesThatOthersMapOrDevicesUseAreNotTaken) {
  ASSERT_GT(bed.call(pte_insert, 0, this_page(entry_page(entry(kVa))), 0x61'0000, 0), 0);
  const std::uint64_t pinned = entry_page(entry(kVa + kPageSize));
  ASSERT_TRUE(bed.core().pages.pin(pinned));
  ASSERT_EQ(ask(kMaxRequest, 0), 0);
  EXPECT_GT(take(), 10);
  EXPECT_TRUE(there(kVa));
  EXPECT_TRUE(there(kVa + kPageSize));
  EXPECT_TRUE(there(bed.env(child).uenv_address));
  EXPECT_TRUE(there(kVector));
  bed.core().pages.unpin(pinned);
}

TEST_F(Revoke, CodeGoesLastAndEntriesStay) {
  const std::uint64_t code = 0x52'0000;
  for (unsigned i = 0; i < 3; i++) give(code + i * kPageSize, 0);
  bed.machine.uenv(env_index(child)).fault_entry = code + kPageSize + 8;
  bed.machine.uenv(env_index(child)).fault_stack = kVa + kPageSize;
  ASSERT_EQ(ask(18, 0), 0);
  EXPECT_EQ(take(), 18);
  EXPECT_TRUE(there(code) && there(code + kPageSize));
  EXPECT_TRUE(there(kVa));
  ASSERT_EQ(ask(kMaxRequest, 0), 0);
  take();
  EXPECT_FALSE(there(code));
  EXPECT_TRUE(there(code + kPageSize));
  EXPECT_TRUE(there(kVa));
}

TEST_F(Revoke, ContentsGoToTheBlocksThatWereNamed) {
  ASSERT_EQ(bed.call(cap_forge, 0, 5, Capability::make({kDiskName, 0}).bits(), target), 5);
  prepare().save_slot = 5;
  prepare().save_block = 70;
  prepare().save_blocks = 2;
  const std::uint64_t page = entry_page(entry(kVa));
  ASSERT_EQ(ask(3, 0), 0);
  EXPECT_EQ(take(), 3);
  ASSERT_EQ(bed.machine.transfers.size(), 2u);
  EXPECT_EQ(bed.machine.transfers[0].block, 70u);
  EXPECT_EQ(bed.machine.transfers[0].pages[0], page);
  EXPECT_TRUE(bed.machine.transfers[0].write);
  EXPECT_EQ(record(0).block, 70u);
  EXPECT_EQ(record(0).pending, 1u);
  EXPECT_EQ(record(2).block, Repossessed::kNotSaved);
  EXPECT_EQ(prepare().save_block, 72u);
  EXPECT_EQ(prepare().save_blocks, 0u);
  EXPECT_EQ(bed.machine.page_info(page).status, PageStatus::User);  // until it is written
  bed.finish_disk(0);
  bed.finish_disk(0);
  EXPECT_EQ(bed.machine.page_info(page).status, PageStatus::Free);
  EXPECT_EQ(record(0).pending, 0u);
}

TEST_F(Revoke, SavingNeedsTheEnvironmentsOwnRightToTheDisk) {
  prepare().save_blocks = 9;
  for (const std::uint64_t slot : {std::uint64_t{3}, std::uint64_t{24}, ~std::uint64_t{0}}) {
    prepare().save_slot = slot;
    ASSERT_EQ(ask(1, 0), 0);
    EXPECT_EQ(take(), 1);
  }
  prepare().save_slot = 0;
  for (const std::uint64_t disk : {std::uint64_t{1}, std::uint64_t{3}, ~std::uint64_t{0}}) {
    prepare().save_disk = disk;  // read-only, absent, none
    ASSERT_EQ(ask(1, 0), 0);
    EXPECT_EQ(take(), 1);
  }
  prepare().save_disk = 0;
  prepare().save_block = 1000;  // past the end
  ASSERT_EQ(ask(1, 0), 0);
  EXPECT_EQ(take(), 1);
  bed.machine.transfer_limit = 0;  // the device takes nothing now
  prepare().save_block = 0;
  ASSERT_EQ(ask(1, 0), 0);
  EXPECT_EQ(take(), 1);
  EXPECT_EQ(record(7).block, Repossessed::kNotSaved);
  EXPECT_EQ(record(7).pending, 0u);
  EXPECT_TRUE(bed.machine.transfers.empty());
}

TEST_F(Revoke, ABadVectorLosesTheRecordAndNothingElse) {
  const std::uint64_t bad[] = {0,      kVector + 8, kUserTop,        kUserTop - 64,
                               ~63ull, 0x9000'0000, kPageTableWindow};
  for (const std::uint64_t vector : bad) {
    prepare().vector = vector;
    prepare().vector_count = 0;
    ASSERT_EQ(ask(1, 0), 0);
    EXPECT_EQ(take(), 1) << vector;
    EXPECT_EQ(prepare().vector_count, 1u);
  }
  prepare().vector = kVector;
  prepare().vector_count = ~0ull - 3;
  ASSERT_EQ(ask(1, 0), 0);
  EXPECT_EQ(take(), 1);
}

TEST_F(Revoke, SharedTablesStayWhole) {
  const EnvId other = bed.spawn();
  ASSERT_EQ(bed.call(table_share, kVa, 1, target, make_target(0, other)), 0);
  ASSERT_EQ(ask(kMaxRequest, 0), 0);
  take();
  for (unsigned i = 0; i < 20; i++) EXPECT_TRUE(there(kVa + i * kPageSize));
}

TEST_F(Revoke, LargeSpacesAreSearchedInSteps) {
  // Tables far apart: one page each, most of the walk through empty entries.
  TestBed big{3000};
  const std::int64_t made = big.call(env_alloc, 0, 0, 0x7000'0000);
  const std::uint64_t to = make_target(0, static_cast<EnvId>(made));
  for (std::uint64_t i = 0; i < 60; i++)
    ASSERT_GT(big.call(pte_insert, 0, fresh_page() | kPteNoExecute, (i + 1) << 21, to), 0);
  ASSERT_EQ(big.call(pages_request, to, 60, 0), 0);
  std::int64_t total = 0;
  unsigned calls = 0;
  for (std::int64_t n = 0; (n = big.call(pages_repossess, to)) >= 0; calls++) total += n;
  EXPECT_EQ(total, 61 - 16);  // the Uenv too is mapped; 16 are guaranteed
  EXPECT_GT(calls, 1u);
  EXPECT_EQ(big.sweep(), "");
}

TEST_F(Revoke, ALargePageGoesWholeOrNotAtAll) {
  TestBed big{1100};
  const std::int64_t made = big.call(env_alloc, 0, 0, 0x7000'0000);
  const std::uint64_t to = make_target(0, static_cast<EnvId>(made));
  const std::uint64_t entry_bits = this_page(512) | kPteLarge | kPteNoExecute;
  ASSERT_GT(big.call(large_insert, 0, entry_bits, 0x4000'0000, to), 0);
  for (std::uint64_t i = 0; i < 20; i++)
    ASSERT_GT(big.call(pte_insert, 0, fresh_page() | kPteNoExecute, kVa + i * kPageSize, to), 0);
  ASSERT_EQ(big.call(pages_request, to, 30, 0), 0);
  EXPECT_EQ(big.call(pages_repossess, to), 20);
  EXPECT_EQ(big.machine.page_info(512).mappings, 1u);
  for (std::uint64_t i = 0; i < 20; i++)
    ASSERT_GT(big.call(pte_insert, 0, fresh_page() | kPteNoExecute, kVa + i * kPageSize, to), 0);
  EXPECT_EQ(big.call(pages_request, to, 513, 0), error(Errc::TooBig));
  ASSERT_EQ(big.call(pages_request, to, 512, 0), 0);
  std::int64_t total = 0;
  for (std::int64_t n = 0; (n = big.call(pages_repossess, to)) >= 0;) total += n;
  EXPECT_GT(total, 15);
  EXPECT_EQ(big.sweep(), "");
}

TEST_F(Revoke, AskingIsForWhoRulesTheEnvironment) {
  ASSERT_EQ(bed.call(cap_forge, 0, 1, Capability::make({9}).bits(), 0), 1);
  const EnvId stranger = bed.spawn(1);
  bed.run(stranger);
  EXPECT_EQ(ask(1), error(Errc::Denied));
  EXPECT_EQ(take(), error(Errc::Denied));
  EXPECT_EQ(bed.call(pages_request, make_target(7, child), 1, 0), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(pages_repossess, 0x7fff), error(Errc::BadEnv));
  EXPECT_EQ(bed.call(pages_request, 0, 1, 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.env(child).pages_wanted, 0u);
}

/// Its registers are in the other processor, and with them the pages that have to stay.
TEST(RevokeElsewhere, TheProcessorThatRunsItTakesThePages) {
  TestBed bed{200, 2};
  const EnvId child = bed.spawn(0, false, 0x7000'0000, 1);
  const std::uint64_t target = make_target(0, child);
  ASSERT_EQ(bed.call(env_set_quota, target, kUnlimited, 2), 0);
  for (unsigned i = 0; i < 4; i++)
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page() | kPteNoExecute, kVa + i * kPageSize, target),
              0);
  bed.take_kicks();
  ASSERT_EQ(bed.core().state(env_index(child)).processor, 1u);
  ASSERT_EQ(bed.call(pages_request, target, 2, 0), 0);
  for (unsigned again = 0; again < 2; again++)
    EXPECT_EQ(bed.call(pages_repossess, target), error(Errc::WouldBlock));
  EXPECT_EQ(bed.env(child).pages_wanted, 2u);
  bed.take_kicks();
  EXPECT_EQ(bed.env(child).pages_wanted, 0u);
  EXPECT_EQ(bed.call(pages_repossess, target), error(Errc::NotFound));
  EXPECT_EQ(bed.env(child).mapped_pages, 4u);  // six with its Uenv and kScratch, less two
  bed.use(1);
  EXPECT_EQ(bed.current_id(), child);
  EXPECT_EQ(bed.sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
