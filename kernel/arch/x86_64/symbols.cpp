// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/symbols.hpp"

#include "kernel/arch/x86_64/image.hpp"

/// Absent in the first link.
extern "C" [[gnu::weak]] const std::uint32_t symbol_table[];

namespace xok::kernel::x86 {

Symbol find_symbol(std::uint64_t address) {
  const auto begin = reinterpret_cast<std::uint64_t>(text_begin);
  const auto end = reinterpret_cast<std::uint64_t>(text_end);
  const std::uint32_t* table = symbol_table;
  if (table == nullptr || address < begin || address >= end) return {};
  const std::uint32_t count = table[0];
  const std::uint64_t offset = address - begin;
  std::uint32_t low = 0;  // the last entry at or before the address lies in [low, high)
  std::uint32_t high = count;
  while (high - low > 1) {
    const std::uint32_t middle = (low + high) / 2;
    if (table[1 + 2 * middle] <= offset)
      low = middle;
    else
      high = middle;
  }
  if (count == 0 || table[1 + 2 * low] > offset) return {};
  const char* names = reinterpret_cast<const char*>(table + 1 + 2 * std::size_t{count});
  return {names + table[2 + 2 * low], offset - table[1 + 2 * low]};
}

}  // namespace xok::kernel::x86
