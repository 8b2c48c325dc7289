// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "exos/fs/credentials.hpp"
#include "exos/fs/fs_error.hpp"
#include "exos/fs/inode.hpp"
#include "exos/fs/memory_fs.hpp"
#include "exos/fs/page_source.hpp"

namespace xok::exos {

class ProcSource;

inline constexpr std::size_t kMaxMounts = 32;
inline constexpr unsigned kMaxSymlinks = 40;  ///< followed in one walk

/// The kinds of file system. State is shared between processes, so the kind is a value and the
/// dispatch a switch (vfs_dispatch.hpp), not a virtual table.
enum class FsKind : std::uint8_t { None, Memory, Proc };

struct Mount;

/// A file anywhere: its mount and what the mount's file system calls it. A value; good while the
/// file lives, that is while the lock is held or after `Vfs::hold`.
struct Vnode {
  Mount* mount = nullptr;
  std::uint64_t node = 0;  ///< memory file system: the Inode's address; /proc: see proc_node.hpp

  [[nodiscard]] bool valid() const { return mount != nullptr; }
  bool operator==(const Vnode&) const = default;
};

enum class MountMode : std::uint8_t { ReadWrite, ReadOnly };

/// One entry of the mount table.
struct Mount {
  FsKind kind = FsKind::None;
  MountMode mode = MountMode::ReadWrite;
  std::uint32_t id = 0;             ///< st_dev of its files; never 0, not reused soon
  MemoryFsState* memory = nullptr;  ///< kind Memory
  Vnode covered;                    ///< the directory it hides; invalid for the root mount
  std::uint64_t references = 0;     ///< `hold`s of files in /proc
  std::array<char, 32> source{};    ///< first column of /proc/mounts, NUL-terminated
};

/// The shared part: the mount table. Zero-initialised; `Vfs::mount_root` comes first.
struct VfsState {
  std::array<Mount, kMaxMounts> mounts;
  std::uint32_t next_mount_id = 1;
};

/// Who asks, and where `/` is for him (chroot). The root is a directory and held by the process.
struct Caller {
  const Credentials& credentials;
  Vnode root;
};

enum class Follow : std::uint8_t {
  Always,      ///< a symbolic link at the end is followed
  ExceptLast,  ///< not followed, unless a slash comes after it (lstat, O_NOFOLLOW)
  Never,       ///< not followed whatever comes after it (rename, unlink, mkdir)
};

/// What kind of component a path ends in.
enum class LastComponent : std::uint8_t { Normal, Dot, DotDot, Root };

/// Where a path leads, its last component possibly not existing.
struct Walked {
  Vnode directory;        ///< that the last component was looked up in
  std::string_view name;  ///< the last component; a part of the path or of a link's text
  LastComponent last = LastComponent::Root;
  bool needs_directory = false;  ///< a slash came after it
  Vnode node;                    ///< what it names, invalid if it does not exist
};

struct OpenRequest {
  bool read = false;
  bool write = false;
  bool create = false;
  bool exclusive = false;  ///< with create: it must not exist, and a link is not followed
  bool truncate = false;
  bool directory = false;         ///< O_DIRECTORY
  bool no_follow = false;         ///< O_NOFOLLOW
  std::uint16_t permissions = 0;  ///< of a created file, after umask
};

struct Opened {
  Vnode node;  ///< held for the caller
  bool created = false;
};

/// A new time for `set_times`: keep the old one, take the present, or this.
struct TimeChange {
  enum class Kind : std::uint8_t { Keep, Now, Set } kind = Kind::Keep;
  std::int64_t time_ns = 0;
};

/// How much of a generated file (in /proc) there is for one open file. The fd layer keeps one per
/// open file, zero-initialised: `read` at offset 0 notes the length, later reads stop there, so a
/// file that grows in between does not show a stray tail.
struct GeneratedText {
  std::uint64_t length = 0;
  bool known = false;
};

/// Mount table, path resolution, permission checks: what the fd layer calls.
///
/// A handle, built per call: the shared table, and what the calling process brings. The caller
/// holds the file-system lock across every call and its use of the result. Paths need no NUL and
/// may be user memory that does not change meanwhile (they are read in place, more than once).
/// A relative path begins at `start`, an absolute one at the caller's root; `..` never leaves it.
///
/// Walking fails with: NotFound (empty path, missing component), NotADirectory, AccessDenied (no
/// search permission), Loop, NameTooLong (path above kMaxPath, component above kMaxName). Whatever
/// changes a file: ReadOnly (mount), NotPermitted (/proc). These are not repeated below.
/// Source: own; POSIX.1-2017 for the semantics, Linux where POSIX leaves a choice.
class Vfs {
 public:
  /// processes  whose /proc is seen; nullptr: an empty one
  Vfs(VfsState& state, PageSource& pages, ProcSource* processes, std::int64_t now_ns)
      : state_{&state}, pages_{&pages}, processes_{processes}, now_ns_{now_ns} {}

  // --- Mounts (the caller checks that root asks) -------------------------------------------------

  /// Makes `memory` the root. Returns  its root directory, held by the mount table
  /// Errors  Busy  there is one
  FsResult<Vnode> mount_root(MemoryFsState& memory, std::string_view source);
  /// Hides `directory`, of a memory file system, by another file system: an empty memory file
  /// system with these limits, one that exists (it is owned by the mount from now on), or /proc.
  /// Errors  NotADirectory; NotSupported (in /proc); Busy (already covered); NoSpace (table,
  /// memory)
  FsResult<Vnode> mount_new_memory(const Vnode& directory, MemoryFs::Limits limits,
                                   std::string_view source, MountMode mode);
  FsResult<Vnode> mount_memory(const Vnode& directory, MemoryFsState& memory,
                               std::string_view source, MountMode mode);
  FsResult<Vnode> mount_proc(const Vnode& directory, std::string_view source);
  /// Errors  BadArgument (not the root of a mount); Busy (the root mount, or files are held, or
  ///         mounts lie in it)
  FsResult<void> unmount(const Vnode& mount_root);
  /// Errors  BadArgument (not the root of a mount)
  FsResult<void> set_mount_mode(const Vnode& mount_root, MountMode mode);
  [[nodiscard]] std::span<const Mount> mounts() const { return state_->mounts; }
  /// The root directory that all others are below; invalid before `mount_root`.
  [[nodiscard]] Vnode root() const;

  // --- Paths -------------------------------------------------------------------------------------

  /// The existing file that `path` names. In memory file systems about 200 instructions a component
  /// and 100 for the call (measured: 720 for /usr/bin/busybox, 950 with open and release).
  FsResult<Vnode> walk(const Caller& caller, const Vnode& start, std::string_view path,
                       Follow follow) const;
  /// As `walk`, but the last component may be missing.
  FsResult<Walked> walk_to_last(const Caller& caller, const Vnode& start, std::string_view path,
                                Follow follow) const;
  /// Writes the path of `node` seen from `root`, at the end of `buffer`. Names found: a
  /// directory's, and a file's if the name it was last given still exists. Errors  NotFound (no
  /// name, or removed, or not below root); NoBuffer
  FsResult<std::string_view> path_of(const Vnode& node, const Vnode& root,
                                     std::span<char> buffer) const;

  // --- Operations on paths -----------------------------------------------------------------------

  /// Finds or creates a regular file; any file may be opened. The result is held.
  /// Errors  Exists (exclusive); IsADirectory (to write, or create with a slash at the end);
  ///         NotADirectory (directory asked for); Loop (no_follow and it is a link); AccessDenied;
  ///         BadArgument (create and directory, and it does not exist); NotFound; NoSpace
  FsResult<Opened> open(const Caller& caller, const Vnode& start, std::string_view path,
                        const OpenRequest& request);
  /// mkdir and mknod (of a regular file, fifo, socket, device). The owner comes from the caller;
  /// in a set-gid directory the group from it, and a new directory is set-gid too.
  /// Errors  Exists; AccessDenied; NotPermitted (a device node by another than root); NoSpace;
  ///         NotFound (a slash after the name of what is no directory)
  FsResult<Vnode> make_node(const Caller& caller, const Vnode& start, std::string_view path,
                            FileType type, std::uint16_t permissions, std::uint64_t device);
  FsResult<Vnode> make_symlink(const Caller& caller, const Vnode& start, std::string_view path,
                               std::string_view target);
  /// A further name for `file`. Errors  CrossDevice; NotPermitted (a directory); Exists; ...
  FsResult<void> link(const Caller& caller, const Vnode& file, const Vnode& start,
                      std::string_view path);
  /// Errors  IsADirectory; AccessDenied; NotPermitted (sticky directory)
  FsResult<void> unlink(const Caller& caller, const Vnode& start, std::string_view path);
  /// Errors  NotEmpty (also `..` at the end); BadArgument (`.` at the end); Busy (a root, or
  /// mounted
  ///         on); AccessDenied; NotPermitted (sticky directory)
  FsResult<void> remove_directory(const Caller& caller, const Vnode& start, std::string_view path);
  /// Errors  as MemoryFs::rename; CrossDevice; Busy (`.`, `..` or `/` at an end); AccessDenied;
  ///         NotPermitted (sticky directory)
  FsResult<void> rename(const Caller& caller, const Vnode& old_start, std::string_view old_path,
                        const Vnode& new_start, std::string_view new_path, RenameMode mode);

  // --- Operations on a file ----------------------------------------------------------------------

  void hold(const Vnode& node);
  void release(const Vnode& node);
  /// An unnamed file in the file system of `place`, held (pipes, memfd, O_TMPFILE).
  FsResult<Vnode> create_unnamed(const Vnode& place, const NewInode& what);

  [[nodiscard]] Attributes attributes(const Vnode& node) const;
  [[nodiscard]] FileType type(const Vnode& node) const;
  /// Errors  AccessDenied; ReadOnly (writing to a file, not a device, fifo or socket)
  FsResult<void> check_access(const Credentials& who, const Vnode& node, unsigned wanted) const;
  /// The text of a symbolic link; in /proc written into `buffer`. Errors  BadArgument (no link);
  /// AccessDenied (another user's /proc link); NotFound (its process or descriptor is gone)
  FsResult<std::string_view> read_link(const Credentials& who, const Vnode& node,
                                       std::span<char> buffer) const;
  /// Entries of a directory, see MemoryFs::next_entry. Names in /proc are written into `buffer`.
  /// Errors  NotADirectory; NoBuffer (fewer than kMaxName bytes)
  FsResult<std::optional<DirectoryItem>> next_entry(const Vnode& directory, std::uint64_t cursor,
                                                    std::span<char> buffer) const;

  /// chmod: NotPermitted unless owner or root. Others than root lose set-gid for a foreign group.
  FsResult<void> set_permissions(const Credentials& who, const Vnode& node,
                                 std::uint16_t permissions);
  /// chown: only root changes the uid; the owner may choose among his groups. Clears set-uid and
  /// set-gid of a file. Errors  NotPermitted
  FsResult<void> set_owner(const Credentials& who, const Vnode& node,
                           std::optional<std::uint32_t> uid, std::optional<std::uint32_t> gid);
  /// utimensat: the owner or root; who may write may set both to now.
  /// Errors  NotPermitted; AccessDenied (both to now, without write permission)
  FsResult<void> set_times(const Credentials& who, const Vnode& node, TimeChange accessed,
                           TimeChange modified);
  [[nodiscard]] Statistics statistics(const Vnode& node) const;

  /// Data: see MemoryFs. Access was checked at open; a write by others than root clears set-uid and
  /// set-gid. `text`: see GeneratedText, nullptr for files known not to be in /proc.
  FsResult<std::size_t> read(const Vnode& file, std::uint64_t offset, std::span<std::byte> out,
                             GeneratedText* text) const;
  FsResult<std::size_t> write(const Credentials& who, const Vnode& file, std::uint64_t offset,
                              std::span<const std::byte> data);
  FsResult<void> resize(const Credentials& who, const Vnode& file, std::uint64_t size);
  FsResult<void> preallocate(const Vnode& file, std::uint64_t offset, std::uint64_t length,
                             SizeChange size_change);
  FsResult<void> punch_hole(const Vnode& file, std::uint64_t offset, std::uint64_t length);
  FsResult<std::uint64_t> seek_data(const Vnode& file, std::uint64_t offset) const;
  FsResult<std::uint64_t> seek_hole(const Vnode& file, std::uint64_t offset) const;
  FsResult<FilePage> page_at(const Vnode& file, std::uint64_t index, PageUse use);
  /// The fd layer's slot in the inode; nullptr where there is none (/proc). Hold the file while the
  /// slot is not empty.
  [[nodiscard]] void** attached(const Vnode& node) const;

 private:
  friend struct VfsDispatch;
  friend class PathWalker;

  [[nodiscard]] Protection protection(const Vnode& node) const;
  [[nodiscard]] Vnode covering(const Vnode& node) const;
  [[nodiscard]] Vnode parent_of(const Vnode& directory, const Vnode& root) const;
  [[nodiscard]] Vnode root_of(Mount& mount) const;
  [[nodiscard]] bool is_mount_root(const Vnode& node) const;
  FsResult<Vnode> attach(const Vnode& directory, const Mount& candidate, std::string_view source);
  FsResult<Mount*> mount_at(const Vnode& mount_root);

  static FsResult<void> check_writable(const Vnode& node);
  FsResult<void> check_entry_change(const Credentials& who, const Vnode& directory) const;
  FsResult<void> check_removal(const Credentials& who, const Vnode& directory,
                               const Vnode& victim) const;
  FsResult<Walked> walk_to_new(const Caller& caller, const Vnode& start, std::string_view path,
                               FileType type) const;
  FsResult<void> check_inspect(const Credentials& who, const Vnode& link) const;
  [[nodiscard]] NewInode inherit(const Credentials& who, const Vnode& directory,
                                 NewInode what) const;
  FsResult<Opened> open_existing(const Caller& caller, const Walked& walked,
                                 const OpenRequest& request);
  FsResult<Opened> open_new(const Caller& caller, const Walked& walked, const OpenRequest& request);
  void drop_privileges(const Credentials& who, const Vnode& file);

  VfsState* state_;
  PageSource* pages_;
  ProcSource* processes_;
  std::int64_t now_ns_;
};

}  // namespace xok::exos
