// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The kernel's calls from user code: what they do, and what they refuse.
#include "tests/guest/check.hpp"

#include "abi/wakeup.hpp"
#include "exos/rt/wait.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kEntry = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;
constexpr std::uint64_t kWindow = 0x10'0000'0000;  // nothing is mapped there
constexpr std::uint64_t kNowhere = 0x20'0000'0000;
constexpr std::uint64_t kKernelHalf = 0xffff'ffff'8000'0000;
constexpr std::uint64_t kNotCanonical = 0x8000'0000'0000;

/// Addresses no call may read or write through.
constexpr std::uint64_t kBadPointers[] = {
    0, kNowhere, kKernelHalf, kNotCanonical, ~std::uint64_t{0}, kUserTop};

void memory(Checks& t) {
  // The page-table pages of the window stay: they are made before we count.
  sys::pte_insert(kRoot, kEntry, kWindow + 2 * kPageSize, kSelf);
  const std::uint64_t free_before = system_info().free_pages;
  const std::int64_t page = sys::pte_insert(kRoot, kEntry, kWindow, kSelf);
  t.holds("a page is allocated and mapped", page > 0);
  auto* words = reinterpret_cast<volatile std::uint64_t*>(kWindow);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kPageSize / 8; i++) sum |= words[i];
  t.equal("a fresh page is zero", static_cast<std::int64_t>(sum), 0);
  words[0] = 42;
  const auto number = static_cast<std::uint64_t>(page);
  t.equal("the same page maps twice",
          sys::pte_insert(kRoot, number << kPageShift | kEntry, kWindow + kPageSize, kSelf), page);
  t.equal("both mappings show it", static_cast<std::int64_t>(words[kPageSize / 8]), 42);
  t.equal("the exposed table counts both", rt::page_record(number).mappings, 2);
  t.refused("an address above the user half", sys::pte_insert(kRoot, kEntry, kUserTop, kSelf),
            Errc::BadArgument);
  t.refused("an address of the kernel", sys::pte_insert(kRoot, kEntry, kKernelHalf, kSelf),
            Errc::BadArgument);
  t.refused("a capability slot that is empty", sys::pte_insert(7, kEntry, kWindow, kSelf),
            Errc::BadCapability);
  t.refused("a capability slot out of range", sys::pte_insert(1u << 20, kEntry, kWindow, kSelf),
            Errc::BadCapability);
  const std::uint64_t table =
      system_info().page_count > 1 ? rt::env_record(rt::env_id()).table_page : 0;
  t.refused("our own page table as a page",
            sys::pte_insert(kRoot, table << kPageShift | kEntry, kWindow, kSelf), Errc::Denied);
  t.refused("a page beyond memory",
            sys::pte_insert(kRoot, (system_info().page_count + 16) << kPageShift | kEntry, kWindow,
                            kSelf),
            Errc::BadArgument);
  sys::pte_insert(kRoot, 0, kWindow, kSelf);
  sys::pte_insert(kRoot, 0, kWindow + kPageSize, kSelf);
  t.equal("unmapping frees the page", static_cast<std::int64_t>(system_info().free_pages),
          static_cast<std::int64_t>(free_before));
}

void pointers(Checks& t) {
  for (const std::uint64_t bad : kBadPointers) {
    t.refused("console_write from a bad pointer", sys::console_write(kRoot, 0, bad, 8),
              Errc::Fault);
    t.refused("wakeup_set from a bad pointer", sys::wakeup_set(bad, 1), Errc::Fault);
    std::uint64_t done = 0;
    t.refused("pte_insert_range from a bad pointer",
              sys::pte_insert_range(kRoot, bad & ~std::uint64_t{7}, 1, kWindow,
                                    reinterpret_cast<std::uint64_t>(&done), kSelf),
              Errc::Fault);
    t.refused("entropy_read to a bad pointer", sys::entropy_read(bad, 16), Errc::Fault);
  }
}

void environments(Checks& t) {
  const std::uint64_t free_before = system_info().free_pages;
  const std::uint64_t count_before = system_info().environments;
  const std::int64_t made = sys::env_alloc(kRoot, 0, kWindow);
  t.holds("an environment is made", made > 0);
  const auto child = static_cast<EnvId>(made);
  t.equal("the exposed table shows it", rt::env_record(child).id, made);
  t.refused("a second Uenv address that is not aligned", sys::env_alloc(kRoot, 0, 5),
            Errc::BadArgument);
  const Capability narrow = Capability::make({9, 9});
  t.equal("a capability is refined for the child",
          sys::cap_forge(kRoot, 3, narrow.bits(), make_target(kRoot, child)), 3);
  t.equal("it stands in the child's list",
          static_cast<std::int64_t>(
              const_cast<const Capability&>(
                  reinterpret_cast<const Env*>(kExposedEnvs)[env_index(child)].capabilities[3])
                  .bits()),
          static_cast<std::int64_t>(narrow.bits()));
  t.equal("the environment is freed", sys::env_free(make_target(kRoot, child)), 0);
  t.refused("its id is stale then", sys::env_free(make_target(kRoot, child)), Errc::BadEnv);
  t.equal("nothing is lost", static_cast<std::int64_t>(system_info().free_pages),
          static_cast<std::int64_t>(free_before));
  t.equal("the count is as before", static_cast<std::int64_t>(system_info().environments),
          static_cast<std::int64_t>(count_before));
}

void waiting(Checks& t) {
  const std::uint64_t begin = rt::monotonic_ns();
  rt::sleep_until(begin + 20'000'000);
  t.holds("a sleep is not too short", rt::monotonic_ns() >= begin + 20'000'000);
  const WakeTerm open{.left = 0,
                      .right = 0,
                      .left_kind = WakeOperand::Clock,
                      .right_kind = WakeOperand::Immediate,
                      .comparison = WakeComparison::Greater,
                      .ends_product = 0,
                      .tag = 1};
  t.refused("a product that does not end",
            sys::wakeup_set(reinterpret_cast<std::uint64_t>(&open), 1), Errc::BadArgument);
  t.refused("more terms than there may be",
            sys::wakeup_set(reinterpret_cast<std::uint64_t>(&open), kMaxWakeTerms + 1),
            Errc::TooBig);
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  t.equal("null_call", sys::null_call(), 0);
  memory(t);
  pointers(t);
  environments(t);
  waiting(t);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
