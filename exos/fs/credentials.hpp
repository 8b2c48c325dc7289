// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "exos/fs/inode.hpp"

namespace xok::exos {

inline constexpr std::uint32_t kRootUid = 0;

/// On whose behalf a file operation runs: Linux' fsuid, fsgid and supplementary groups.
/// uid 0 passes every permission check but two: execution needs an `x` bit somewhere, and a
/// read-only mount stays read-only.
struct Credentials {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::span<const std::uint32_t> groups;

  [[nodiscard]] bool is_root() const { return uid == kRootUid; }
  [[nodiscard]] bool in_group(std::uint32_t group) const {
    if (group == gid) return true;
    for (const std::uint32_t member : groups) {
      if (member == group) return true;
    }
    return false;
  }
};

/// What is asked of a file; values combine and are those of `access(2)`.
enum AccessMode : std::uint8_t {
  kAccessExists = 0,
  kAccessExecute = 1,  ///< of a directory: search
  kAccessWrite = 2,
  kAccessRead = 4,
};

/// The part of an inode that permission checks look at.
struct Protection {
  FileType type;
  std::uint16_t permissions;
  std::uint32_t uid;
  std::uint32_t gid;
};

/// Whether the permission bits grant all of `wanted` (AccessMode values, or-ed). POSIX: the first
/// of owner, group, others that applies decides alone.
inline bool may_access(const Credentials& who, const Protection& file, unsigned wanted) {
  unsigned bits = file.permissions;
  if (who.is_root()) {
    const bool executable = file.type == FileType::Directory || (bits & 0111) != 0;
    return (wanted & kAccessExecute) == 0 || executable;
  }
  if (who.uid == file.uid) {
    bits >>= 6;
  } else if (who.in_group(file.gid)) {
    bits >>= 3;
  }
  return (wanted & ~bits) == 0;
}

}  // namespace xok::exos
