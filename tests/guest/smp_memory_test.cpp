// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Memory that is taken from an environment while another processor runs it, which goes on writing:
// attacks M5 and M6.
#include "tests/guest/others.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kTarget = 0x180'0000'0000;   // what is attacked, in the attacker's space
constexpr std::uint64_t kVictim = 0x7100'0000'0000;  // and where the next owner has the page
constexpr std::int64_t kReuses = 100'000;
constexpr std::uint64_t kPagesAtOnce = 16;
constexpr std::int64_t kDowngradeRounds = 5'000;

EnvId start_attack(std::uint64_t processor, std::uint64_t pages) {
  Context context{};
  context.r12 = pages - 1;
  context.rdi = kTarget;
  context.rsi = reinterpret_cast<std::uint64_t>(&g_written.value);
  context.rbx = 1;
  return start(processor, reinterpret_cast<std::uint64_t>(attack), context, false);
}

/// The page is free. Its next owner names it, and finds it empty and its own.
bool next_owner_is_alone(std::uint64_t page) {
  const auto entry = page << kPageShift | kEntry;
  if (sys::pte_insert(kRoot, entry, kVictim, kSelf) != static_cast<std::int64_t>(page))
    return false;
  auto* words = reinterpret_cast<volatile std::uint64_t*>(kVictim);
  bool alone = words[0] == 0;
  words[0] = ~std::uint64_t{0};
  for (int i = 0; i < 20; i++) alone = alone && words[0] == ~std::uint64_t{0};
  sys::pte_insert(kRoot, 0, kVictim, kSelf);
  return alone;
}

void use_after_free(Checks& t) {
  const EnvId attacker = start_attack(1, kPagesAtOnce);
  const std::uint64_t target = make_target(kRoot, attacker);
  std::int64_t reuses = 0;
  bool unharmed = true;
  while (reuses < kReuses && unharmed) {
    std::array<std::int64_t, kPagesAtOnce> pages;
    for (std::uint64_t i = 0; i < kPagesAtOnce; i++)
      pages[i] = sys::pte_insert(kRoot, kEntry, kTarget + i * kPageSize, target);
    if (!written_again(2 * kPagesAtOnce)) break;
    for (std::uint64_t i = 0; i < kPagesAtOnce; i++) {
      sys::pte_insert(kRoot, 0, kTarget + i * kPageSize, target);
      unharmed = unharmed && next_owner_is_alone(static_cast<std::uint64_t>(pages[i]));
      reuses++;
    }
  }
  t.holds("M5 a freed page is out of reach everywhere", unharmed);
  t.holds("M5 rounds", reuses >= kReuses);
  end(attacker);
}

void downgrade(Checks& t) {
  const EnvId attacker = start_attack(1, 1);
  const std::uint64_t target = make_target(kRoot, attacker);
  const std::int64_t page = sys::pte_insert(kRoot, kEntry, kTarget, target);
  const auto entry = static_cast<std::uint64_t>(page) << kPageShift | kEntry;
  sys::pte_insert(kRoot, entry & ~kPteWritable, kVictim, kSelf);
  auto* words = reinterpret_cast<volatile std::uint64_t*>(kVictim);
  std::int64_t rounds = 0;
  bool still = true;
  while (rounds < kDowngradeRounds && still && written_again()) {
    sys::pte_modify_range(kTarget, 1, 0, kPteWritable, kRoot, target);
    const std::uint64_t seen = words[0];
    for (int i = 0; i < 200; i++) still = still && words[0] == seen;
    sys::pte_modify_range(kTarget, 1, kPteWritable, 0, kRoot, target);
    rounds++;
  }
  t.holds("M6 a page made read-only stands still at once", still);
  t.equal("M6 rounds", rounds, kDowngradeRounds);
  sys::pte_insert(kRoot, 0, kVictim, kSelf);
  end(attacker);
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  t.holds("a second processor has started", system_info().processors >= 2);
  make_tables({kUenvViews, kVictim});
  downgrade(t);
  use_after_free(t);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
