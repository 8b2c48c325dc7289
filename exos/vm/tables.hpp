// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <bit>
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

/// Whether there is a level-1 table for `va`.
inline bool has_table(std::uint64_t va) {
  return (table_word(pml4e_address(va)) & kPtePresent) != 0 &&
         (table_word(pdpte_address(va)) & kPtePresent) != 0 &&
         (table_word(pde_address(va)) & kPtePresent) != 0;
}

/// The level-1 entry of `va`, 0 when a table on the way is missing.
inline std::uint64_t pte_of(std::uint64_t va) {
  return has_table(va) ? table_word(pte_address(va)) : 0;
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

/// Calls visit(va, entry) for the present ones of the entries first to last - 1 of the level-1
/// table for `table`, which is there. Cost: 35 instructions per group of eight with entries.
template <class Visit>
void visit_entries(std::uint64_t table, std::uint64_t first, std::uint64_t last, Visit visit) {
  const auto* const entries = reinterpret_cast<const volatile std::uint64_t*>(pte_address(table));
  std::uint64_t groups = used_groups(table) & ~std::uint64_t{0} << first / 8;
  for (; groups != 0; groups &= groups - 1) {
    const auto group = static_cast<std::uint64_t>(std::countr_zero(groups)) * 8;
    const std::uint64_t end = group + 8 < last ? group + 8 : last;
    for (std::uint64_t i = group < first ? first : group; i < end; i++) {
      const std::uint64_t entry = entries[i];
      if ((entry & kPtePresent) != 0) visit(table + i * kPageSize, entry);
    }
  }
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
    const std::uint64_t table = va & ~(kSpan1 - 1);
    const std::uint64_t stop = table + kSpan1 < end ? table + kSpan1 : end;
    enter(va);
    visit_entries(table, (va - table) >> kPageShift, (stop - table + kPageMask) >> kPageShift,
                  visit);
    va = stop;
  }
}

template <class Visit>
void for_each_present(std::uint64_t start, std::uint64_t end, Visit visit) {
  for_each_present(start, end, visit, [](std::uint64_t /*va*/) {});
}

}  // namespace xok::exos
