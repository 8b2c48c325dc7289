// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "exos/fs/fs_error.hpp"
#include "exos/fs/inode.hpp"
#include "exos/fs/memory_fs.hpp"

namespace xok::exos {

/// One entry of a newc archive; views point into the archive. All fields have been checked.
struct ArchiveEntry {
  std::string_view name;  ///< as stored: relative or absolute, perhaps with `.` components
  FileType type = FileType::Regular;
  std::uint16_t permissions = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t links = 0;
  std::uint64_t modified_s = 0;
  std::uint32_t number = 0;  ///< with `source_device` the same for all names of one file
  std::uint64_t source_device = 0;
  std::uint64_t device = 0;         ///< of a device node, Linux' dev_t encoding
  std::span<const std::byte> data;  ///< content, or a symbolic link's text
};

/// Reads a cpio archive of the newc form (magic 070701, or 070702 with checksums) entry by entry.
/// The bytes are untrusted: every field is checked, nothing outside the span is read.
///
/// Two liberties for archives whose file data is page-aligned: the name field may hold further NULs
/// after the name's own, and zero bytes may stand between entries (which start at multiples of 4).
/// Source: Linux Documentation/driver-api/early-userspace/buffer-format.rst; differs: the archive
/// ends with its first TRAILER!!!, which must be there.
class ArchiveReader {
 public:
  explicit ArchiveReader(std::span<const std::byte> archive) : archive_{archive} {}

  /// Returns  the next entry, nothing at the trailer. Errors  BadFormat
  FsResult<std::optional<ArchiveEntry>> next();

 private:
  FsResult<std::uint32_t> field(std::size_t index) const;

  std::span<const std::byte> archive_;
  std::size_t at_ = 0;
};

struct UnpackReport {
  std::uint64_t entries = 0;
  std::uint64_t external_pages = 0;  ///< used where they lie in the archive
  std::uint64_t copied_pages = 0;    ///< not aligned, or not zero up to the end of the page
};

/// Unpacks `archive` below the root of `fs`. Where a file's data is page-aligned in memory its
/// pages are not copied but used as external pages, the last one only if the archive is zero up to
/// the end of that page: the archive must stay where it is, unchanged, as long as `fs`.
///
/// Later entries replace earlier ones; a directory that exists takes the entry's attributes.
/// Missing parents are made (root's, 0755). Symbolic links are never followed. Owners are taken as
/// they are. Errors  BadFormat  a bad archive, `..` in a name, a parent that is no directory, a
/// full directory
///                    to be replaced. What is wrong with the archive's bytes or with one entry is
///                    found before anything is unpacked; the last two leave what came before them
///         NoSpace    what was unpacked so far stays
FsResult<UnpackReport> unpack_archive(std::span<const std::byte> archive, MemoryFs& fs);

}  // namespace xok::exos
