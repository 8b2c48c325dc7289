// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/guest/counts.hpp"

/// What the storms have in common: environments that hold one capability, which guards nothing but
/// what they made, do their worst; then all of them are ended and every page must be back.
namespace xok::guest {

inline constexpr std::uint64_t kEntry = kPtePresent | kPteWritable | kPteUser;
inline constexpr std::uint64_t kStormSlot = 1;  ///< of ours: their capability

struct Random {
  std::uint64_t state;
  std::uint64_t next() {  // xorshift64*
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1d;
  }
};

/// Their trust domain: a name that guards nothing else.
inline std::int64_t forge_storm_name() {
  return sys::cap_forge(kRoot, kStormSlot, Capability::make({77, 77}).bits(), kSelf);
}

/// Maps a fresh page of theirs for one of them and, for the moment, here at `view`.
inline std::byte* give_page(EnvId to, std::uint64_t va, std::uint64_t view) {
  const std::int64_t page = sys::pte_insert(kStormSlot, kEntry, va, make_target(kRoot, to));
  if (page < 0) return nullptr;
  const std::uint64_t entry = static_cast<std::uint64_t>(page) << kPageShift | kEntry;
  if (sys::pte_insert(kRoot, entry | kPteNoExecute, view, kSelf) < 0) return nullptr;
  return reinterpret_cast<std::byte*>(view);
}

/// Makes what stays before anything is counted: our tables for `view`, the kernel's page for our
/// wakeup predicate.
inline void prepare_to_count(std::uint64_t view) {
  sys::pte_insert(kRoot, kEntry, view, kSelf);
  sys::pte_insert(kRoot, 0, view, kSelf);
  have_predicate();
}

/// Ends all of them, what they made included, and judges.
inline void all_is_back(Checks& t, const Counts& before) {
  while (!end_those([](EnvId) { return true; })) rt::sleep_until(rt::monotonic_ns() + 10'000'000);
  back_to(before);
  t.equal("every page is back", static_cast<std::int64_t>(system_info().free_pages),
          static_cast<std::int64_t>(before.free));
  t.equal("every environment is gone", static_cast<std::int64_t>(system_info().environments),
          static_cast<std::int64_t>(before.environments));
}

}  // namespace xok::guest
