// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "libs/elf/format.hpp"

namespace xok::elf {

/// The sections of an ELF64 file of any machine and type. The file must stay in memory, unchanged,
/// as long as this is used. A file of any bytes is safe. Nothing is allocated.
class Sections {
 public:
  /// Errors  BadFormat  not an ELF64 file of little-endian integers, or a table outside it
  ///         NotFound   it has no sections
  static Result<Sections> find(std::span<const std::byte> file);

  std::size_t count() const { return table_.size() / sizeof(SectionHeader); }
  /// The header of section `i`, which is below `count()`.
  SectionHeader header(std::size_t i) const;
  /// Errors  BadFormat  the section lies outside the file
  Result<std::span<const std::byte>> content(const SectionHeader& section) const;
  /// Errors  BadFormat  there is no table of names, or the name does not lie in it
  Result<std::string_view> name(const SectionHeader& section) const;

 private:
  Sections(std::span<const std::byte> file, std::span<const std::byte> table,
           std::size_t names_section)
      : file_{file}, table_{table}, names_section_{names_section} {}

  std::span<const std::byte> file_;
  std::span<const std::byte> table_;  // whole headers
  std::size_t names_section_;
};

/// The string at `offset` of a table of strings.
/// Errors  BadFormat  it does not begin, or does not end, in the table
Result<std::string_view> string_at(std::span<const std::byte> table, std::uint64_t offset);

}  // namespace xok::elf
