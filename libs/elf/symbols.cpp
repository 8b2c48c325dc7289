// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/elf/symbols.hpp"

#include "base/byte_order.hpp"
#include "base/checked.hpp"
#include "libs/elf/format.hpp"

namespace xok::elf {
namespace {

Result<std::span<const std::byte>> content(std::span<const std::byte> file,
                                           const SectionHeader& section) {
  if (!range_fits<std::uint64_t>(section.file_offset, section.size, file.size()))
    return fail(Errc::BadFormat);
  return file.subspan(section.file_offset, section.size);
}

/// The section headers, checked to lie in the file.
Result<std::span<const std::byte>> section_table(std::span<const std::byte> file) {
  if (file.size() < sizeof(FileHeader)) return fail(Errc::BadFormat);
  const auto header = load<FileHeader>(file.data());
  for (std::size_t i = 0; i < 7; ++i)
    if (header.ident[i] != kIdent[i]) return fail(Errc::BadFormat);
  if (header.section_header_count == 0) return fail(Errc::NotFound);
  const std::uint64_t size = header.section_header_count * sizeof(SectionHeader);
  if (header.section_header_size != sizeof(SectionHeader) ||
      !range_fits<std::uint64_t>(header.section_headers, size, file.size()))
    return fail(Errc::BadFormat);
  return file.subspan(header.section_headers, size);
}

}  // namespace

Result<Symbols> Symbols::find(std::span<const std::byte> file) {
  const auto sections = XOK_TRY(section_table(file));
  const auto section = [&](std::size_t i) {
    return load<SectionHeader>(sections.data() + i * sizeof(SectionHeader));
  };
  const std::size_t count = sections.size() / sizeof(SectionHeader);
  for (std::size_t i = 0; i < count; ++i) {
    const SectionHeader symbols = section(i);
    if (symbols.type != kSectionSymbols) continue;
    if (symbols.link >= count || symbols.entry_size != sizeof(SymbolEntry) ||
        symbols.size % sizeof(SymbolEntry) != 0)
      return fail(Errc::BadFormat);
    const SectionHeader strings = section(symbols.link);
    if (strings.type != kSectionStrings) return fail(Errc::BadFormat);
    const auto entries = XOK_TRY(content(file, symbols));
    const auto names = XOK_TRY(content(file, strings));
    if (names.empty() || names.back() != std::byte{0}) return fail(Errc::BadFormat);
    return Symbols{entries, names};
  }
  return fail(Errc::NotFound);
}

std::optional<Symbols::Match> Symbols::at(std::uint64_t address) const {
  for (auto rest = entries_; !rest.empty(); rest = rest.subspan(sizeof(SymbolEntry))) {
    const auto symbol = load<SymbolEntry>(rest.data());
    if ((symbol.info & 0x0f) != kSymbolFunction || address < symbol.value) continue;
    const std::uint64_t offset = address - symbol.value;
    if ((offset >= symbol.size && offset != 0) || symbol.name >= names_.size()) continue;
    const auto* name = reinterpret_cast<const char*>(names_.data()) + symbol.name;
    std::size_t length = 0;  // stops in time: the table ends in NUL
    while (name[length] != '\0') ++length;
    return Match{{name, length}, offset};
  }
  return std::nullopt;
}

}  // namespace xok::elf
