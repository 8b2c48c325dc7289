// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exos/fs/radix_map.hpp"

namespace xok::exos {

inline constexpr std::size_t kMaxName = 255;   ///< bytes in a component
inline constexpr std::size_t kMaxPath = 4095;  ///< bytes in a path or link text
inline constexpr std::uint64_t kMaxFileSize = std::uint64_t{1} << 40;  ///< 1 TB
inline constexpr std::uint32_t kMaxLinks = 1'000'000;
inline constexpr std::uint64_t kEntrySize = 32;     ///< what an entry adds to its directory's size
inline constexpr std::uint64_t kFirstSequence = 3;  ///< of a directory's first entry

/// What an inode is. The values are those of Linux' d_type, and of the mode's bits 12 to 15.
enum class FileType : std::uint8_t {
  Fifo = 1,
  CharDevice = 2,
  Directory = 4,
  BlockDevice = 6,
  Regular = 8,
  Symlink = 10,
  Socket = 12,
};

inline constexpr std::uint16_t kPermissionBits = 07777;
inline constexpr std::uint16_t kSetUid = 04000;
inline constexpr std::uint16_t kSetGid = 02000;
inline constexpr std::uint16_t kSticky = 01000;
inline constexpr std::uint16_t kGroupExecute = 00010;

/// What `stat` tells. Times in nanoseconds since 1970 (UTC), may be negative.
struct Attributes {
  std::uint64_t number = 0;  ///< inode number, unique within the mount for ever
  FileType type = FileType::Regular;
  std::uint16_t permissions = 0;  ///< kPermissionBits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t links = 0;
  std::uint64_t size = 0;      ///< bytes; of a symbolic link the length of its text
  std::uint64_t pages = 0;     ///< pages of data present (st_blocks is 8 times that)
  std::uint64_t device = 0;    ///< device nodes: which device (Linux' dev_t encoding)
  std::uint32_t mount_id = 0;  ///< filled by Vfs: st_dev
  std::int64_t accessed_ns = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  std::int64_t created_ns = 0;

  /// Linux' st_mode.
  [[nodiscard]] std::uint32_t mode() const {
    return static_cast<std::uint32_t>(type) << 12 | permissions;
  }
};

struct DirEntry;

/// A file of a memory file system. Plain shared memory: valid while it has a link or a reference.
/// Other code reads it, only `MemoryFs` changes it, except `attached`.
struct Inode {
  std::uint64_t number = 0;
  FileType type = FileType::Regular;
  std::uint16_t permissions = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t links = 0;       ///< names, and for a directory `.` and the `..` of its children
  std::uint32_t references = 0;  ///< `hold` minus `release`; the inode outlives its names by these
  std::uint32_t covered_by = 0;  ///< directories: 1 + index of the mount that hides it, 0: none
  std::uint64_t size = 0;
  std::uint64_t pages = 0;
  std::uint64_t device = 0;
  std::int64_t accessed_ns = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  std::int64_t created_ns = 0;
  void* attached = nullptr;         ///< of the fd layer (fifo or socket state), not touched here
  DirEntry* entry = nullptr;        ///< one of its names, nullptr when none is known
  Inode* parent = nullptr;          ///< directories: `..`; the root is its own
  RadixMap map;                     ///< regular: page by index; directory: DirEntry by sequence
  std::uint64_t next_sequence = 0;  ///< directories: number of the next entry
  char* target = nullptr;           ///< symbolic links: the text, `size` bytes, no NUL
};

/// A name in a directory; the name's bytes follow the struct.
struct DirEntry {
  DirEntry* next = nullptr;  ///< in the hash bucket
  Inode* directory = nullptr;
  Inode* inode = nullptr;
  std::uint64_t sequence = 0;  ///< place in the directory's order, never reused
  std::uint32_t hash = 0;
  std::uint16_t length = 0;

  [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] std::string_view name() const {
    return {reinterpret_cast<const char*>(this + 1), length};
  }
};

/// What the caller decides about a new inode. Permissions after umask.
struct NewInode {
  FileType type = FileType::Regular;
  std::uint16_t permissions = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t device = 0;  ///< device nodes only
};

/// One name out of a directory.
struct DirectoryItem {
  std::string_view name;  ///< valid until the directory changes (or, in /proc, the next call)
  std::uint64_t number = 0;
  FileType type = FileType::Regular;
  std::uint64_t next_cursor = 0;  ///< where to go on after this one
};

/// What `statfs` tells; pages are kPageSize bytes.
struct Statistics {
  std::uint32_t magic = 0;  ///< Linux' f_type
  std::uint64_t total_pages = 0;
  std::uint64_t free_pages = 0;
  std::uint64_t total_inodes = 0;
  std::uint64_t free_inodes = 0;
};

enum class RenameMode : std::uint8_t {
  Replace,    ///< an existing target is replaced
  NoReplace,  ///< an existing target is an error
  Exchange,   ///< both names exist and change places
};

enum class PageUse : std::uint8_t {
  Read,   ///< a private mapping, or one that need not see later writes to this page
  Write,  ///< a shared mapping: the page is (or becomes) the file's own
};

/// A page of file data to be mapped.
struct FilePage {
  void* address = nullptr;  ///< page-aligned, in shared memory
  bool read_only = false;   ///< the zero page or part of the boot archive: never map it writable
};

enum class SizeChange : std::uint8_t { Extend, Keep };

}  // namespace xok::exos
