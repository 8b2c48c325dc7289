// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "kernel/core/testing/test_bed.hpp"

/// Each allocation of the kernel made to fail in turn, and everything given back after the end.
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kVa = 0x60'0000;

/// All that a failed call must leave alone: the exposed tables and every page in use.
struct Image {
  explicit Image(TestBed& bed) {
    const SystemInfo& info = bed.machine.info();
    add(&info.free_pages, sizeof info.free_pages);
    add(&info.kernel_pages, sizeof info.kernel_pages);
    add(&info.environments, sizeof info.environments);
    add(info.accounts.data(), sizeof info.accounts);
    for (EnvIndex i = 0; i < kMaxEnvironments; i++) {
      Env e = bed.machine.tables().envs[i];
      e.calls = e.run_cycles = 0;
      add(&e, sizeof e);
    }
    add(bed.machine.tables().slices, sizeof(Slice) * kSlicesPerProcessor);
    for (std::uint64_t page = 1; page < info.page_count; page++) {
      PageInfo p = bed.machine.page_info(page);
      if (p.status == PageStatus::Absent) continue;
      if (p.status == PageStatus::Free) {
        p = PageInfo{};  // its place on the list may differ
        add(&p, sizeof p);
        continue;
      }
      add(&p, sizeof p);
      add(bed.machine.page(PageNumber{page}), kPageSize);
    }
  }
  bool operator==(const Image&) const = default;

 private:
  void add(const void* from, std::size_t n) {
    const auto* p = static_cast<const std::uint8_t*>(from);
    for (std::size_t i = 0; i < n; i++) hash = (hash ^ p[i]) * 0x100'0000'01b3;
  }
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
};

/// Makes the call with 0, 1, 2, ... free pages until it succeeds.
void fails_cleanly(const char* what, TestBed& bed, const std::function<std::int64_t()>& call) {
  for (std::uint64_t pages = 0; pages < 20; pages++) {
    std::vector<std::uint64_t> held;
    while (bed.machine.info().free_pages > pages) held.push_back(bed.core().pages.take_kernel(0));
    const Image before{bed};
    const std::int64_t result = call();
    EXPECT_TRUE(result >= 0 || before == Image{bed}) << what << " with " << pages << " pages";
    for (const std::uint64_t page : held) bed.core().pages.give_kernel(page);
    ASSERT_EQ(bed.sweep(), "") << what << " with " << pages << " pages";
    if (result >= 0) return;
    EXPECT_EQ(result, error(Errc::NoMemory)) << what << " with " << pages << " pages";
  }
  ADD_FAILURE() << what << " never succeeded";
}

TEST(Exhaustion, EveryAllocationThatFailsChangesNothing) {
  TestBed bed{200};
  const EnvId child = bed.spawn();
  const std::uint64_t target = make_target(0, child);
  fails_cleanly("pte_insert", bed,
                [&] { return bed.call(pte_insert, 0, fresh_page(), std::uint64_t{50} << 39, 0); });
  fails_cleanly("pte_insert of another", bed, [&] {
    return bed.call(pte_insert, 0, fresh_page(), std::uint64_t{50} << 39, target);
  });
  fails_cleanly("pte_fill", bed, [&] {
    return bed.call(pte_fill, 0, fresh_page(), std::uint64_t{52} << 39, 3, kFillZero, 0);
  });
  fails_cleanly("pte_insert, not present", bed,
                [&] { return bed.call(pte_insert, 0, 2, std::uint64_t{51} << 39, 0); });
  fails_cleanly("env_alloc", bed, [&] { return bed.call(env_alloc, 0, 0, 0x7000'0000); });
  fails_cleanly("env_alloc, shared", bed, [&] {
    return bed.call(env_alloc, 0, kShareAddressSpace, std::uint64_t{60} << 39);
  });
  fails_cleanly("table_share", bed, [&] {
    return bed.call(table_share, kScratch & ~0x1f'ffffull, 1, 0,
                    make_target(0, static_cast<EnvId>(bed.env(child).id + 1)));
  });
  const std::uint64_t other = make_target(0, bed.spawn());
  constexpr std::uint64_t kSlot = std::uint64_t{50} << 39;
  fails_cleanly("table_fork", bed, [&] { return bed.call(table_fork, kSlot, 1, 0, other); });
  ASSERT_EQ(bed.call(table_fork, kSlot, 3, target, make_target(0, bed.spawn())), 0);
  fails_cleanly("table_own", bed, [&] { return bed.call(table_own, 0, kSlot, 0); });
  fails_cleanly("table_own of three", bed, [&] { return bed.call(table_own, 0, kSlot, target); });
  const WakeTerm term{.left = 1,
                      .right = 1,
                      .left_kind = WakeOperand::Immediate,
                      .right_kind = WakeOperand::Immediate,
                      .comparison = WakeComparison::Equal,
                      .ends_product = 1,
                      .tag = 1};
  bed.put(kScratch, term);
  fails_cleanly("wakeup_set", bed, [&] { return bed.call(wakeup_set, kScratch, 1); });
  const std::int64_t page = bed.call(pte_insert, 0, fresh_page(), kVa, 0);
  fails_cleanly("page_acl_resize", bed,
                [&] { return bed.call(page_acl_resize, 0, page, kMaxPageAcl); });
  bed.machine.refuse_context = true;
  const Image before{bed};
  EXPECT_EQ(bed.call(env_alloc, 0, 0, 0x7000'0000), error(Errc::NoMemory));
  EXPECT_TRUE(before == Image{bed});
}

TEST(Exhaustion, ALargePageNeedsItsTables) {
  TestBed bed{1100};
  // Hold all but the run of 512, then let go of one page after another.
  std::vector<std::uint64_t> held;
  const auto grab = [&] {
    for (std::uint64_t page = 1; page < 1100; page++) {
      const bool in_run = page >= 512 && page < 1024;
      if (in_run || bed.machine.page_info(page).status != PageStatus::Free) continue;
      bed.core().pages.take_user(page, kRootCapability, 0);
      ASSERT_TRUE(bed.core().pages.pin(page));
      held.push_back(page);
    }
  };
  grab();
  for (unsigned spare = 0; spare < 3; spare++) {
    const Image before{bed};
    const std::int64_t result =
        bed.call(large_insert, 0, this_page(512) | kPteLarge, std::uint64_t{50} << 39, 0);
    if (spare < 2) {
      EXPECT_EQ(result, error(Errc::NoMemory));
      EXPECT_TRUE(before == Image{bed});
    } else {
      EXPECT_EQ(result, 512);
    }
    bed.core().pages.unpin(held.back());
    held.pop_back();
  }
  for (const std::uint64_t page : held) bed.core().pages.unpin(page);
  EXPECT_EQ(bed.sweep(), "");
}

/// Allocates in as many ways as there are, dies, and everything is back: a million steps.
TEST(Exhaustion, ManyRoundsOfEverythingLeaveNothing) {
  TestBed bed{1400};
  std::mt19937_64 random{20261125};
  const auto pick = [&](std::uint64_t n) { return random() % n; };
  const std::uint64_t free_before = bed.machine.info().free_pages;
  const std::uint64_t kernel_before = bed.machine.info().kernel_pages;
  std::uint64_t steps = 0, done = 0;
  for (unsigned life = 0; steps < 1'000'000; life++) {
    std::vector<EnvId> family;
    for (unsigned i = 0; i < 1 + pick(3); i++) {
      const std::int64_t made = bed.call(env_alloc, 0, 0, 0x7000'0000 + i * kPageSize);
      ASSERT_GT(made, 0);
      family.push_back(static_cast<EnvId>(made));
    }
    for (unsigned i = 0; i < 400; i++, steps++) {
      const std::uint64_t to = make_target(0, family[pick(family.size())]);
      const std::uint64_t va = (pick(3) << 39) + 0x4000'0000 + pick(2000) * kPageSize;
      std::int64_t result = 0;
      const std::uint64_t level = 1 + pick(3);
      const std::uint64_t table = va & ~((std::uint64_t{1} << (kPageShift + 9 * level)) - 1);
      switch (pick(16)) {
        case 0:
          result = bed.call(page_acl_resize, 0, pick(1400), 2 + pick(500));
          break;
        case 1:
          result = bed.call(slice_alloc, 0, 0, kAnyPosition, to & 0xffff'ffff);
          break;
        case 2:
          result = bed.call(env_set_quota, to, pick(2) == 0 ? kUnlimited : 300, 0);
          break;
        case 3:
          result = bed.call(large_insert, 0, pick(3) == 0 ? 0 : this_page(512) | kPteLarge,
                            va & ~(kLargeSize - 1), to);
          break;
        case 4:
          result = bed.call(table_share, va & ~0x1f'ffffull, 1, to,
                            make_target(0, family[pick(family.size())]));
          break;
        case 5:
          result = bed.call(page_set_limits, 0, pick(1400), 2, pick(3));
          break;
        case 6:
          result = bed.call(pte_insert, 0, this_page(pick(1400), pick(2) == 0), va, to);
          break;
        case 7:
          result =
              bed.call(table_fork, table, level, to, make_target(0, family[pick(family.size())]));
          break;
        case 8:
        case 9:
          result = bed.call(table_own, 0, va, to);
          break;
        case 10:
          result = pick(8) == 0 ? bed.call(table_drop, table, level, to) : 0;
          break;
        default:
          result = bed.call(pte_insert, 0, pick(5) == 0 ? 2 : fresh_page(), va, to);
      }
      if (result >= 0) done++;
    }
    ASSERT_EQ(life % 16 == 0 ? bed.sweep() : "", "") << "life " << life;
    for (const EnvId id : family) ASSERT_EQ(bed.call(env_free, make_target(0, id)), 0);
    while (bed.core().page_tables.reap(64)) continue;
    // Boot module pages and the first environment's own may have been extended.
    for (std::uint64_t page = 1; page < 1400; page++)
      (void)bed.call(page_acl_resize, 0, page, kPageAclEntries);
    ASSERT_EQ(bed.machine.info().free_pages, free_before) << "life " << life;
    ASSERT_EQ(bed.machine.info().kernel_pages, kernel_before) << "life " << life;
  }
  EXPECT_GT(done, steps / 3);
  EXPECT_EQ(bed.machine.info().environments, 1u);
  for (std::size_t i = 1; i < kMaxAccounts; i++)
    EXPECT_EQ(bed.machine.info().accounts[i].depth, 0u);
  EXPECT_EQ(bed.sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
