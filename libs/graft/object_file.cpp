// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/graft/object_file.hpp"

#include "base/byte_order.hpp"
#include "libs/elf/format.hpp"

namespace xok::graft {

Result<ObjectFile> ObjectFile::open(std::span<const std::byte> file) {
  const elf::Sections sections = XOK_TRY(elf::Sections::find(file));
  const auto header = load<elf::FileHeader>(file.data());
  if (header.type != elf::kTypeRelocatable || header.machine != elf::kMachineBpf)
    return fail(Errc::BadFormat);
  return ObjectFile{sections};
}

bool ObjectFile::holds_code(std::size_t section) const {
  const elf::SectionHeader header = sections_.header(section);
  return header.type == elf::kSectionContent && (header.flags & elf::kSectionIsExecutable) != 0 &&
         header.size != 0;
}

/// Calls within a section need no relocation when the callee is static; all else does.
bool ObjectFile::refers_elsewhere(std::size_t section) const {
  for (std::size_t i = 0; i < sections_.count(); ++i) {
    const elf::SectionHeader header = sections_.header(i);
    const bool relocations = header.type == elf::kSectionRelocations ||
                             header.type == elf::kSectionRelocationsWithAddend;
    if (relocations && header.info == section && header.size != 0) return true;
  }
  return false;
}

Result<ObjectFile::Graft> ObjectFile::graft(std::size_t section) const {
  constexpr std::string_view kPrefix = "graft/";
  const elf::SectionHeader header = sections_.header(section);
  std::string_view name = XOK_TRY(sections_.name(header));
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  const auto code = XOK_TRY(sections_.content(header));
  return Graft{name, code};
}

Result<ObjectFile::Graft> ObjectFile::find(std::string_view name) const {
  std::size_t found = sections_.count();
  for (std::size_t i = 0; i < sections_.count(); ++i) {
    if (!holds_code(i)) continue;
    if (!name.empty()) {
      const Graft candidate = XOK_TRY(graft(i));
      if (candidate.name != name) continue;
    } else if (found != sections_.count()) {
      return fail(Errc::BadArgument);
    }
    found = i;
  }
  if (found == sections_.count()) return fail(Errc::NotFound);
  if (refers_elsewhere(found)) return fail(Errc::NotSupported);
  return graft(found);
}

}  // namespace xok::graft
