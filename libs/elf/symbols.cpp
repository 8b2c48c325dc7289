// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/elf/symbols.hpp"

#include "base/byte_order.hpp"
#include "libs/elf/format.hpp"
#include "libs/elf/sections.hpp"

namespace xok::elf {

Result<Symbols> Symbols::find(std::span<const std::byte> file) {
  const Sections sections = XOK_TRY(Sections::find(file));
  const std::size_t count = sections.count();
  for (std::size_t i = 0; i < count; ++i) {
    const SectionHeader symbols = sections.header(i);
    if (symbols.type != kSectionSymbols) continue;
    if (symbols.link >= count || symbols.entry_size != sizeof(SymbolEntry) ||
        symbols.size % sizeof(SymbolEntry) != 0)
      return fail(Errc::BadFormat);
    const SectionHeader strings = sections.header(symbols.link);
    if (strings.type != kSectionStrings) return fail(Errc::BadFormat);
    const auto entries = XOK_TRY(sections.content(symbols));
    const auto names = XOK_TRY(sections.content(strings));
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
