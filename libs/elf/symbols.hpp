// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace xok::elf {

/// The functions of an ELF file, for backtraces: the names behind addresses. The file must stay in
/// memory, unchanged, as long as this is used. A file of any bytes is safe.
class Symbols {
 public:
  struct Match {
    std::string_view name;
    std::uint64_t offset;  ///< from the function's first byte
  };

  /// Finds the symbol table (SHT_SYMTAB) of a whole file.
  ///
  /// Errors  NotFound   the file has no symbol table (it was stripped)
  ///         BadFormat  not an ELF64 file, or tables outside it
  static Result<Symbols> find(std::span<const std::byte> file);

  /// The function that holds `address` (as linked: subtract a Dynamic image's base first).
  /// Cost O(symbols); for when something has already gone wrong.
  std::optional<Match> at(std::uint64_t address) const;

 private:
  Symbols(std::span<const std::byte> entries, std::span<const std::byte> names)
      : entries_{entries}, names_{names} {}

  std::span<const std::byte> entries_;  // whole entries
  std::span<const std::byte> names_;    // ends in NUL
};

}  // namespace xok::elf
