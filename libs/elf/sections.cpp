// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/elf/sections.hpp"

#include "base/byte_order.hpp"
#include "base/checked.hpp"

namespace xok::elf {

Result<Sections> Sections::find(std::span<const std::byte> file) {
  if (file.size() < sizeof(FileHeader)) return fail(Errc::BadFormat);
  const auto header = load<FileHeader>(file.data());
  for (std::size_t i = 0; i < 7; ++i)
    if (header.ident[i] != kIdent[i]) return fail(Errc::BadFormat);
  if (header.section_header_count == 0) return fail(Errc::NotFound);
  const std::uint64_t size = header.section_header_count * sizeof(SectionHeader);
  if (header.section_header_size != sizeof(SectionHeader) ||
      !range_fits<std::uint64_t>(header.section_headers, size, file.size()))
    return fail(Errc::BadFormat);
  return Sections{file, file.subspan(header.section_headers, size), header.section_names};
}

SectionHeader Sections::header(std::size_t i) const {
  return load<SectionHeader>(table_.data() + i * sizeof(SectionHeader));
}

Result<std::span<const std::byte>> Sections::content(const SectionHeader& section) const {
  if (!range_fits<std::uint64_t>(section.file_offset, section.size, file_.size()))
    return fail(Errc::BadFormat);
  return file_.subspan(section.file_offset, section.size);
}

Result<std::string_view> Sections::name(const SectionHeader& section) const {
  if (names_section_ >= count()) return fail(Errc::BadFormat);
  const auto names = XOK_TRY(content(header(names_section_)));
  return string_at(names, section.name);
}

Result<std::string_view> string_at(std::span<const std::byte> table, std::uint64_t offset) {
  for (std::uint64_t end = offset; end < table.size(); ++end)
    if (table[end] == std::byte{0})
      return std::string_view{reinterpret_cast<const char*>(table.data()) + offset, end - offset};
  return fail(Errc::BadFormat);
}

}  // namespace xok::elf
