// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "abi/layout.hpp"

/// This environment's own page tables, read through the page-table window: no call, about ten
/// instructions a level.
namespace xok::exos {

inline std::uint64_t table_word(std::uint64_t address) {
  return *reinterpret_cast<const volatile std::uint64_t*>(address);
}

/// The level-1 entry of `va`, 0 when a table on the way is missing.
inline std::uint64_t pte_of(std::uint64_t va) {
  if ((table_word(pml4e_address(va)) & kPtePresent) == 0) return 0;
  if ((table_word(pdpte_address(va)) & kPtePresent) == 0) return 0;
  if ((table_word(pde_address(va)) & kPtePresent) == 0) return 0;
  return table_word(pte_address(va));
}

/// The physical page mapped at `va`; it must be mapped.
inline std::uint64_t page_of(std::uint64_t va) { return (pte_of(va) & kPtePageMask) >> kPageShift; }

/// Calls visit(va, entry) for each present level-1 entry in [start, end), skipping absent tables.
template <class Visit>
void for_each_present(std::uint64_t start, std::uint64_t end, Visit visit) {
  constexpr std::uint64_t kSpan1 = std::uint64_t{1} << 21;
  constexpr std::uint64_t kSpan2 = std::uint64_t{1} << 30;
  std::uint64_t va = start;
  while (va < end) {
    std::uint64_t span = 0;
    if ((table_word(pml4e_address(va)) & kPtePresent) == 0)
      span = kSlotSize;
    else if ((table_word(pdpte_address(va)) & kPtePresent) == 0)
      span = kSpan2;
    else if ((table_word(pde_address(va)) & kPtePresent) == 0)
      span = kSpan1;
    if (span != 0) {
      va = (va & ~(span - 1)) + span;
      continue;
    }
    std::uint64_t stop = (va & ~(kSpan1 - 1)) + kSpan1;
    if (stop > end) stop = end;
    const auto* entries = reinterpret_cast<const volatile std::uint64_t*>(pte_address(va));
    for (; va < stop; va += kPageSize, entries++) {
      const std::uint64_t entry = *entries;
      if ((entry & kPtePresent) != 0) visit(va, entry);
    }
  }
}

}  // namespace xok::exos
