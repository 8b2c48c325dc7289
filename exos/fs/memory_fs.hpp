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
#include "exos/fs/object_heap.hpp"

namespace xok::exos {

/// The shared part of a memory file system: one page, mapped at the same address in every process.
struct MemoryFsState {
  HeapState heap;
  DirEntry** buckets = nullptr;    ///< hash table of all names of all directories
  std::uint64_t bucket_count = 0;  ///< a power of two, at least a page of them
  std::uint64_t entry_count = 0;
  Inode* root = nullptr;
  void* zero_page = nullptr;  ///< what holes read as
  std::uint64_t next_number = 1;
  std::uint64_t inode_count = 0;
  std::uint64_t inode_limit = 0;
  std::uint64_t references = 0;  ///< sum over all inodes; the file system is idle at 0
};

/// A file system in memory: UNIX semantics, no permission checks (that is `Vfs`), nothing on disk.
///
/// A handle, three words: build it per call from the shared state, the calling process' page source
/// and the time, which becomes the timestamps. The caller holds the file system's lock across every
/// call, and across its use of anything a call returned. An `Inode&` argument must be live; a
/// directory argument must be a directory. Names are checked.
///
/// Every operation checks and allocates first and then commits: after an error nothing has changed,
/// except that `write` may have written a part. NoSpace: the quota or the page source is exhausted.
///
/// File data is whole pages, one pointer per page, absent where the file has a hole. A page is the
/// file's own, or *external*: part of the boot archive, never written; the first write makes the
/// file its own copy. Bytes behind the end of file in its last page are zero whenever it grows.
/// Source: own; stands where ExOS had C-FFS' buffers and xok's in-core `/tmp`.
class MemoryFs {
 public:
  struct Limits {
    std::uint64_t pages;   ///< everything counts: data, inodes, names
    std::uint64_t inodes;  ///< the root included
  };

  /// Makes an empty file system: a root directory with mode 0755, owned by root.
  /// Errors  NoSpace  fewer than five pages to be had, or no inode allowed
  static FsResult<MemoryFsState*> create(PageSource& source, Limits limits, std::int64_t now_ns);

  /// Frees everything, the state included. Errors  Busy  an inode is held
  static FsResult<void> destroy(MemoryFsState* state, PageSource& source);

  MemoryFs(MemoryFsState& state, PageSource& source, std::int64_t now_ns)
      : state_{&state}, heap_{state.heap, source}, now_ns_{now_ns} {}

  /// The heap that everything comes from, for structures that go with a running operation.
  ObjectHeap& heap() { return heap_; }

  // --- Names -------------------------------------------------------------------------------------

  [[nodiscard]] Inode& root() const { return *state_->root; }

  /// The inode called `name` (not `.` or `..`) in `directory`. Cost: about 80 instructions.
  /// Errors  NotFound; NameTooLong
  FsResult<Inode*> lookup(const Inode& directory, std::string_view name) const;

  /// A new regular file, directory, fifo, device or socket.
  /// Errors  Exists; NotFound (the directory is removed); NameTooLong; BadArgument (the name, or a
  ///         symbolic link is asked for); TooManyLinks; NoSpace
  FsResult<Inode*> create(Inode& directory, std::string_view name, const NewInode& what);

  /// A new symbolic link (mode 0777) with `target`, 1 to kMaxPath bytes without NUL.
  /// Errors  as `create`; BadArgument or NameTooLong also for the target
  FsResult<Inode*> create_symlink(Inode& directory, std::string_view name, std::string_view target,
                                  std::uint32_t uid, std::uint32_t gid);

  /// A new inode without a name, held once: pipes, memfd, O_TMPFILE. `link` may name it later.
  /// Errors  BadArgument (a directory or a symbolic link); NoSpace
  FsResult<Inode*> create_unnamed(const NewInode& what);

  /// A further name for `inode`.
  /// Errors  NotPermitted (a directory); Exists; NotFound (the directory is removed); TooManyLinks;
  ///         NameTooLong; BadArgument; NoSpace
  FsResult<void> link(Inode& inode, Inode& directory, std::string_view name);

  /// Removes a name of anything but a directory. Never needs memory.
  /// Errors  NotFound; IsADirectory; NameTooLong
  FsResult<void> unlink(Inode& directory, std::string_view name);

  /// Removes an empty directory. Errors  NotFound; NotADirectory; NotEmpty; NameTooLong;
  ///         Busy (another file system is mounted there)
  FsResult<void> remove_directory(Inode& directory, std::string_view name);

  /// Moves a name. Two names of one inode: success, and nothing happens (POSIX). Replacing and
  /// exchanging need no memory.
  /// Errors  NotFound      no source; no target to exchange with; a directory is removed
  ///         Exists        NoReplace, and there is a target
  ///         BadArgument   a directory would move below itself; a bad name
  ///         IsADirectory / NotADirectory   the target is one and the source is not / vice versa
  ///         NotEmpty      the replaced directory has entries
  ///         Busy          source or target has a file system mounted on it
  ///         TooManyLinks; NameTooLong; NoSpace
  FsResult<void> rename(Inode& old_directory, std::string_view old_name, Inode& new_directory,
                        std::string_view new_name, RenameMode mode);

  /// The next entry of a directory. 0 starts; afterwards pass `next_cursor`. A cursor stays good
  /// whatever happens to the directory; an entry present throughout comes exactly once, one made
  /// after the start does not come. `.` and `..` come first.
  /// Returns  nothing at the end
  [[nodiscard]] std::optional<DirectoryItem> next_entry(const Inode& directory,
                                                        std::uint64_t cursor) const;

  /// Text of a symbolic link. Errors  BadArgument  it is none
  static FsResult<std::string_view> read_link(const Inode& inode);

  // --- Life --------------------------------------------------------------------------------------

  /// Keeps the inode after its last name is gone, until `release`. For open files and working
  /// directories, and to keep what `attached` points to in use.
  void hold(Inode& inode);
  /// Undoes one `hold`; frees the inode when it was the last and no name is left.
  void release(Inode& inode);

  // --- Attributes --------------------------------------------------------------------------------

  static Attributes attributes(const Inode& inode);
  void set_permissions(Inode& inode, std::uint16_t permissions);
  void set_owner(Inode& inode, std::uint32_t uid, std::uint32_t gid);
  void set_times(Inode& inode, std::int64_t accessed_ns, std::int64_t modified_ns);
  [[nodiscard]] Statistics statistics() const;

  // --- Data of regular files ---------------------------------------------------------------------

  /// Reads up to `out.size()` bytes; fewer only at the end of file. Updates the access time when it
  /// is older than the modification time or a day (relatime). Returns  bytes read, 0 at the end
  FsResult<std::size_t> read(Inode& file, std::uint64_t offset, std::span<std::byte> out);

  /// Writes, extending the file as needed. Returns  bytes written: fewer than asked for when memory
  /// or the largest size was reached on the way.
  /// Errors  NoSpace or FileTooBig  before the first byte
  FsResult<std::size_t> write(Inode& file, std::uint64_t offset, std::span<const std::byte> data);

  /// Cuts the file, or extends it by a hole. Errors  FileTooBig; NoSpace (the cut goes through an
  /// external page, which needs a copy)
  FsResult<void> resize(Inode& file, std::uint64_t size);

  /// Makes sure that later writes to the range need no memory; with `Extend` the size grows to its
  /// end. Errors  BadArgument (empty range); FileTooBig; NoSpace (nothing is kept then)
  FsResult<void> preallocate(Inode& file, std::uint64_t offset, std::uint64_t length,
                             SizeChange size_change);

  /// Turns the range into a hole; the size stays. Errors  BadArgument (empty range); NoSpace
  FsResult<void> punch_hole(Inode& file, std::uint64_t offset, std::uint64_t length);

  /// Where the next page with data (or the next hole) begins, at or after `offset`; the end of the
  /// file counts as a hole. Errors  BeyondEnd  nothing there
  static FsResult<std::uint64_t> seek_data(const Inode& file, std::uint64_t offset);
  static FsResult<std::uint64_t> seek_hole(const Inode& file, std::uint64_t offset);

  /// The page with byte `index * kPageSize`, for a mapping. With `Write` it becomes the file's own
  /// and stays so until the file is cut: a shared mapping must use it even to read, if it is to see
  /// later writes. The modification time is not touched.
  /// Errors  BeyondEnd (SIGBUS); NoSpace
  FsResult<FilePage> page_at(Inode& file, std::uint64_t index, PageUse use);

  /// Makes `page` (aligned, readable for ever, never written) the content of the absent page
  /// `index`; the caller sets the size with `resize` before, and the page reads as zero behind it.
  /// Errors  NoSpace
  FsResult<void> add_external_page(Inode& file, std::uint64_t index, const void* page);

 private:
  [[nodiscard]] DirEntry* find(const Inode& directory, std::string_view name,
                               std::uint32_t hash) const;
  FsResult<void> check_new_name(const Inode& directory, std::string_view name,
                                std::uint32_t hash) const;
  FsResult<Inode*> new_inode(const NewInode& what);
  void free_inode(Inode& inode);
  void drop_if_unused(Inode& inode);

  FsResult<void> add_entry(Inode& directory, std::string_view name, std::uint32_t hash,
                           Inode& inode);
  void remove_entry(DirEntry& entry);
  void unhash(DirEntry& entry);
  void resize_table();
  void forget_name(Inode& inode, const DirEntry& entry);
  void detach(Inode& inode, Inode& directory, DirEntry& entry);
  void touch(Inode& directory);

  FsResult<void> exchange(DirEntry& a, DirEntry& b);
  FsResult<void> replace(DirEntry& source, DirEntry& target);
  FsResult<void> move(DirEntry& source, Inode& directory, std::string_view name);
  void move_parent(Inode& inode, Inode& from, Inode& to);

  FsResult<std::byte*> own_page(Inode& file, std::uint64_t index, std::uint64_t tag);
  void drop_page(Inode& file, std::uint64_t index);
  void drop_pages(Inode& file, std::uint64_t first, std::uint64_t end);
  FsResult<void> clear_bytes(Inode& file, std::uint64_t begin, std::uint64_t end);
  void clear_tail(Inode& file);

  MemoryFsState* state_;
  ObjectHeap heap_;
  std::int64_t now_ns_;
};

}  // namespace xok::exos
