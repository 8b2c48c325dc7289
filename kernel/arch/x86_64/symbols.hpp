// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <string_view>

/// Names of the kernel's functions, for backtraces.
///
/// The image is linked twice: first without names; make_symbols.py turns that image's symbols into
/// the section .symbol_table, which lies behind all code and so moves no function in the second
/// link.
///
///   u32 count, then count pairs {u32 offset from text_begin, u32 offset of the name from the first
///   name}, ascending; then the names, each ended by NUL
namespace xok::kernel::x86 {

struct Symbol {
  std::string_view name;     ///< demangled, without parameters; empty: not a function of ours
  std::uint64_t offset = 0;  ///< of the address from the function's start
};

Symbol find_symbol(std::uint64_t address);

}  // namespace xok::kernel::x86
