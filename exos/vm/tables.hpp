// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "abi/layout.hpp"
#include "exos/rt/self.hpp"

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

/// Whether a table on the way to `va` is frozen (table_fork): nothing below can be changed before
/// table_own.
inline bool is_frozen(std::uint64_t va) {
  constexpr std::uint64_t kBoth = kPtePresent | kPteWritable;
  for (const std::uint64_t at : {pml4e_address(va), pdpte_address(va), pde_address(va)}) {
    const std::uint64_t entry = table_word(at);
    if ((entry & kBoth) != kBoth) return (entry & kPtePresent) != 0;
  }
  return false;
}

/// The physical page mapped at `va`; it must be mapped.
inline std::uint64_t page_of(std::uint64_t va) { return (pte_of(va) & kPtePageMask) >> kPageShift; }

/// The kernel's map of the level-1 table of `va`, which is there: bit g is clear if entries 8g to
/// 8g+7 are 0.
inline std::uint64_t used_groups(std::uint64_t va) {
  const std::uint64_t table = (table_word(pde_address(va)) & kPtePageMask) >> kPageShift;
  return reinterpret_cast<const volatile std::uint64_t*>(
      &rt::page_record(table))[offsetof(PageInfo, acl) / 8];
}

/// Calls visit(va, entry) for each present level-1 entry in [start, end), skipping absent tables;
/// enter(va) before the first of each table.
template <class Visit, class Enter>
void for_each_present(std::uint64_t start, std::uint64_t end, Visit visit, Enter enter) {
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
    enter(va);
    const auto* entries = reinterpret_cast<const volatile std::uint64_t*>(pte_address(va));
    const std::uint64_t groups = used_groups(va);
    while (va < stop) {
      const std::uint64_t index = va >> kPageShift & 511;
      if ((groups >> index / 8 & 1) == 0) {  // eight empty ones
        const std::uint64_t skipped = 8 - index % 8;
        va += skipped * kPageSize;
        entries += skipped;
        continue;
      }
      const std::uint64_t entry = *entries++;
      if ((entry & kPtePresent) != 0) visit(va, entry);
      va += kPageSize;
    }
    if (va > stop) va = stop;
  }
}

template <class Visit>
void for_each_present(std::uint64_t start, std::uint64_t end, Visit visit) {
  for_each_present(start, end, visit, [](std::uint64_t /*va*/) {});
}

}  // namespace xok::exos
