// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "abi/xn.hpp"
#include "base/result.hpp"
#include "libs/xn/block_map.hpp"
#include "libs/xn/credentials.hpp"
#include "libs/xn/format.hpp"
#include "libs/xn/registry.hpp"
#include "libs/xn/services.hpp"
#include "libs/xn/types.hpp"
#include "libs/xn/volume_memory.hpp"
#include "libs/xn/will_free.hpp"

/// XN answers one question: who may use this disk block? Each file system's own metadata is the
/// answer, read by functions (`owns`, `acl`, ...) that the file system brought along.
///
/// **Blocks.** Each block below `Layout::data_start` is XN's own. Of the others each is free, or
/// owned by a metadata block, or a root. Applications name blocks by their numbers and choose
/// which to allocate; `used_map()` shows what is free.
///
/// **Change.** A structure is changed by a vector of byte ranges. XN computes what each partition
/// that the ranges touch owns before and after, and makes the change only when that differs by
/// exactly the blocks that the caller named. Nobody sees a change that is refused.
///
/// **Cache.** A block is cached in a page; the registry (`buffers()`) says which. Pages of metadata
/// are shown read-only; data pages may be mapped writable by who may write. Anybody may start the
/// reading of any block, or the writing of one that nobody uses: whether a page may be mapped is
/// decided then (`access`). A block that was read without its parent's proof is of unknown type:
/// nobody may map it until a parent binds it.
///
/// **Order.** XN never writes, for what is reachable from a persistent root: a block with a pointer
/// to one that was not written since its allocation (Tainted); a block that must wait for another
/// one (`waits_for`). It never gives out a block again before no pointer to it is on the disk
/// (will-free). Temporary file systems know no order; they are gone after the next init.
///
/// **Contexts.** No operation allocates memory, sleeps or locks: one caller at a time. Those that
/// say "waits for the disk" use Disk::read_now and its like. Each operation checks all, then
/// commits: an error means that nothing has changed, unless it says so.
///
/// Errors that many operations have, and that are not repeated:
///   NotFound     the block is not cached (read it in first)
///   Busy         it is being read or written, or another caller locked it
///   WrongType    it is not metadata, or of unknown type, or a union that is nothing yet
///   Denied       its `acl` refused
///   GraftFailed, WrongReads   one of its functions broke its rules
///   BadArgument  the volume is not open; ranges outside the block, or not as long as the data
///   TooBig       more than kXnMaxRanges ranges or kXnMaxCredentials credentials
///
/// Source  thesis chapters 4 and 8; xok-original.md 2.2 lists what the original left out
namespace xok::xn {

/// One XN disk. About 20 KB: a static object.
class Volume {
 public:
  static constexpr std::size_t kMaxRun = 64;  ///< blocks of one transfer

  Volume(const Services& services, const VolumeMemory& memory)
      : disk_{services.disk},
        pages_{services.pages},
        clock_{services.clock},
        completions_{services.completions},
        code_{services.code},
        memory_{memory} {}
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;

  // --- Volumes -------------------------------------------------------------------------------

  /// Makes a disk an empty XN volume. All that was on it is lost. Waits for the disk.
  ///
  /// room    used during the call
  /// Errors  BadArgument  the disk is too small for the options, or these are out of bounds
  ///         Device
  static Result<> format(Disk& disk, const FormatOptions& options, BlockBytes room);

  /// Opens the volume; after an unclean stop rebuilds the free map from the roots first (thesis
  /// 4.5), for which see `log()`. Waits for the disk.
  ///
  /// guard   who has Write over it may use the privileged operations, with Allocate add roots/types
  /// Errors  BadFormat     a superblock or catalogue that breaks the format
  ///         NotSupported  of another version
  ///         NoSpace       the tables given are too small for what the disk has, or recovery's log
  ///                       of pointers that do not count is
  ///         NoMemory      the maps, or recovery's work list, are too small; no page
  ///         Device        XN's own blocks cannot be read or written
  ///         Busy          it is open
  /// Cost    clean: O(blocks / 64); else O(metadata blocks) reads
  Result<> init(const Capability& guard);

  /// Closes the volume, so that the next init trusts its free map. Waits for the disk.
  /// Privileged: Write over the guard. With pointers that do not count (`info().damaged`) it
  /// closes, but the next init recovers again.
  /// Errors  Denied; Device
  ///         Busy  transfers in flight, dirty blocks of persistent file systems, blocks in use
  Result<> shutdown(const Caller& caller);

  bool open() const { return open_; }

  // --- Types ---------------------------------------------------------------------------------

  /// Takes a name in the type catalogue. Types are for ever. Waits for the disk.
  /// Errors  BadArgument, TooBig  the name;  Exists  it is taken;  NoSpace  the catalogue is full
  ///         Denied  the caller has no capability with Allocate over the guard;  Device
  Result<XnTypeId> reserve_type(const Caller& caller, std::string_view name);

  /// Fills a reserved type, once. Its members and functions never change. Waits for the disk.
  ///
  /// Errors  NotFound     no such type
  ///         Exists       it was imported before
  ///         Denied       the caller's capabilities are not those that reserved it
  ///         BadArgument  the kind does not go with partitions, members and functions; a member is
  ///                      not an imported metadata type
  ///         NoSpace      no room for the code, on disk or in memory
  ///         BadFormat, NotSupported, TooBig, Denied   a function that the import check refuses
  ///         WrongReads, WrongOwns, GraftFailed        a function that `Runner::trace` refuses
  ///         Device
  Result<> import_type(const Caller& caller, XnTypeId id, const TypeSource& source);

  /// The id of a type that can be used. Ids stay the same as long as the volume lives.
  /// Errors  NotFound  no type of that name, or only reserved
  Result<XnTypeId> mount_type(std::string_view name) const;

  // --- Roots ---------------------------------------------------------------------------------

  /// Makes a free block the root of a file system: zeros, owning nothing. A temporary one is in no
  /// catalogue on disk. Waits for the disk, unless temporary.
  ///
  /// type    metadata or union
  /// Errors  Denied  no Allocate over the guard;  Exists  the name, or the block is not free
  ///         BadArgument  XN's own block, or beyond the end;  WrongType;  NoSpace;  NoMemory;
  ///         Device
  Result<> install_root(const Caller& caller, std::string_view name, XnTypeId type,
                        BlockNumber block, bool temporary);

  /// Brings a root block into the cache, with its type. Waits for the disk.
  /// Errors  NotFound  no such root;  NoSpace, NoMemory;  Device
  Result<XnRootInfo> mount_root(std::string_view name);

  /// Ends a file system. Its root must be cached and own nothing. Waits for the disk.
  /// Errors  NotFound;  Denied  not by who installed it, nor the guard's Write;  Busy  it owns
  ///         blocks, or is in use;  Device
  Result<> uninstall_root(const Caller& caller, std::string_view name);

  // --- The cache -----------------------------------------------------------------------------

  /// Starts reading blocks that are not cached. With a parent, which must own them, they get their
  /// types; without (0), they are of unknown type. Anybody may.
  ///
  /// extent  consecutive blocks, up to kMaxRun; its type is ignored without a parent
  /// cookie  told to Completions once the blocks are there (or not: then they are not cached)
  /// Errors  Exists     one is cached
  ///         WrongOwns  the parent does not own them as that type
  ///         BadFormat  the pointer does not count (see `log()`)
  ///         BadArgument, TooBig  the extent;  NoSpace, NoMemory;  Device;  WouldBlock  too many
  ///         transfers
  Result<> read_and_insert(BlockNumber parent, const XnExtent& extent, std::uint64_t cookie);

  /// Binds one block to its parent without reading it.
  ///
  /// A block of unknown type gets its type. A block never written gets a page of zeros. With
  /// `page`, a data block gets that page, which the caller has, as its contents: that needs
  /// WriteData. A block that is written, not cached and given no page: nothing to bind, NotFound.
  ///
  /// Errors  WrongOwns, BadFormat  as for read_and_insert;  Exists  bound already, or `page` for a
  ///         block that has one;  WrongType  `page` for metadata;  NoSpace, NoMemory
  Result<> insert_attribute(const Caller& caller, BlockNumber parent, const XnExtent& block,
                            std::optional<PageNumber> page);

  /// Drops a block from the cache. Anybody may, when nobody uses it and nothing is lost.
  /// Errors  NotFound;  Busy  dirty, in use, locked, in transit, or never written
  Result<> delete_attribute(BlockNumber block);

  /// Starts writing cached blocks, present ones. Anybody may, when nobody uses them; else the
  /// caller needs Write (WriteData) on each that is in use.
  ///
  /// Each run of up to kMaxRun consecutive blocks of the list is one transfer; the disk gets the
  /// transfers in the order of the list, and `cookie` is told of each.
  /// Returns the number of transfers started; the blocks of the others are untouched. An error
  /// only if none was
  /// Errors  Tainted     one points to a block that was never written
  ///         WouldBlock  one waits for another block (`waits_for`), or too many transfers
  ///         WrongType   of unknown type;  Denied;  Device
  Result<std::uint32_t> write_back(const Caller& caller, std::span<const BlockNumber> blocks,
                                   std::uint64_t cookie);

  /// Makes durable what was written. Without a volatile cache, done at once.
  /// Errors  WouldBlock  a flush is in flight, or too many transfers;  Device
  Result<> flush(std::uint64_t cookie);

  /// A transfer has ended. From the driver; anything that is no tag in flight is ignored.
  void completed(std::uint64_t tag, Result<> result);

  /// Frees the record and page of the block unused for the longest time (of the first few that
  /// are old, if no path on the disk leads to them yet).
  /// Errors  NotFound  none can be recycled
  Result<> recycle_one();

  /// Copies bytes of a block. Needs Read (ReadData). Errors: NotFound  also without a page
  Result<> read_bytes(const Caller& caller, BlockNumber block, std::size_t offset,
                      std::span<std::byte> out);
  /// Changes bytes. Of metadata: ownership and reference count must stay as they are (WrongOwns).
  /// Needs Write (WriteData).
  Result<> write_bytes(const Caller& caller, BlockNumber block, const Modifications& changes);

  /// Whether the caller may see (or also write) the block's page, and which it is. A data page
  /// that is handed out for writing counts as dirty. The decision that a mapping needs.
  /// Errors  NotFound  no page, or its parent is not cached;  Denied;  WrongType  writing metadata
  Result<PageNumber> access(const Caller& caller, BlockNumber block, bool write);
  /// Counts the users of a block: mappings, pins. `delta` is 1 or -1. Who takes a writable mapping
  /// away asks for `access` to write once more: the page may differ from what was written since.
  Result<> use(BlockNumber block, int delta);

  /// Keeps others from changing, writing back, binding or freeing the block. Needs Lock.
  /// Errors  Busy  another one has it
  Result<> lock(const Caller& caller, BlockNumber block);
  /// Errors  Denied  not the one who locked it
  Result<> unlock(const Caller& caller, BlockNumber block);
  /// Takes back all locks of a caller who is gone. Cost O(buffers)
  void unlock_all(std::uint64_t caller);

  // --- Metadata ------------------------------------------------------------------------------

  /// Gives free blocks to a parent, by changes after which its `owns` shows them.
  ///
  /// extent  any free blocks, of an imported type. They get records without pages
  /// Errors  BadArgument  a block of XN's or beyond the end, no block;  WrongType  the type does
  ///         not exist;  Exists  one is owned by somebody;  WouldBlock  one will be free once the
  ///         disk no longer points to it;  Busy  one is being read raw
  ///         WrongOwns  the change shows anything else;  NoSpace  no records
  Result<> allocate(const Caller& caller, BlockNumber parent, const Modifications& changes,
                    const XnExtent& extent);

  /// Takes blocks from a parent, by changes after which `owns` no longer shows them. They are free
  /// at once, or when no pointer to them is on disk.
  ///
  /// Metadata blocks must be cached, unless never written, and own nothing; each goes alone. Of a
  /// type with `refcnt`, `count_changes` takes 1 from its count, and it is freed only when that
  /// gives 0: otherwise just the pointer is given up. Errors  WrongOwns  the change shows anything
  /// else, or a count that is not one less
  ///         Busy       it owns blocks, is in use by transfers, or locked
  ///         WouldBlock  an earlier pointer to it may be on disk: write its parent back first; or
  ///         it
  ///                    waits for another block;  NoSpace  the will-free list is full
  ///         NotFound   a metadata block that is not cached
  ///         BadFormat  its count is wrong (`repair_count`); or only some of the
  ///                    pointers count. One that does not count is just taken out
  Result<> free(const Caller& caller, BlockNumber parent, const Modifications& changes,
                const XnExtent& extent, const Modifications& count_changes = {});

  /// Another pointer to a metadata block of a type with `refcnt`, both cached. Its count grows by
  /// one, and the parent is not written before it is.
  /// Errors  WrongOwns;  WrongType  no reference count, or not of that type
  ///         Denied  also by the `acl` of the block pointed to;  BadArgument  temporary and
  ///         persistent file systems do not mix;  WouldBlock  they wait for each other
  Result<> add_edge(const Caller& caller, BlockNumber parent, const Modifications& changes,
                    const XnExtent& child, const Modifications& count_changes);

  /// Hands blocks from one parent to another. `from` is not written before `to` is: on the disk
  /// the blocks are with either or with both, never with none.
  /// Errors  WrongOwns;  BadArgument  the same parent, or the new one is among the blocks, or
  ///         temporary with persistent
  ///         WouldBlock  they wait for each other; or no path on the disk leads to `to` yet: write
  ///                     it and its parents first;  NoSpace
  Result<> move(const Caller& caller, BlockNumber from, const Modifications& from_changes,
                BlockNumber to, const Modifications& to_changes, const XnExtent& extent);

  /// Makes a union, still zeros or at least nothing yet, one of its members. Needs SetType.
  /// Errors  WrongType  no union, one that is something, no member of it;  WrongOwns  the change
  ///         does not make it that member, or one that owns something
  Result<> set_type(const Caller& caller, BlockNumber block, const Modifications& changes,
                    XnTypeId member);

  /// Sets a reference count that recovery found wrong to what it found. Needs Reference, or the
  /// guard's Write.
  /// Errors  NotFound  nothing wrong is known of it;  WrongOwns  the change does not show that
  ///         number, or shows another set of blocks
  Result<> repair_count(const Caller& caller, BlockNumber block, const Modifications& changes);

  // --- Looking -------------------------------------------------------------------------------

  /// Copies of what the exposed tables show.
  Result<XnBuffer> read_attribute(BlockNumber block) const;
  Result<XnTypeInfo> type_info(XnTypeId id) const;        ///< Errors: NotFound
  Result<XnRootInfo> root_info(std::size_t index) const;  ///< Errors: NotFound
  XnInfo info() const;
  std::span<const XnBuffer> buffers() const { return registry_.records(); }
  const BlockMap& used_map() const { return used_; }
  std::span<const XnLogEntry> log() const { return memory_.log.first(log_count_); }
  /// Log entries that found no room.
  std::size_t log_lost() const { return log_lost_; }

  /// The first run of free blocks at or after `hint`, or else anywhere. Errors: NoSpace
  Result<BlockNumber> find_free(BlockNumber hint, std::uint32_t count) const;
  /// Dirty blocks that could be written now, from the registry's position `cursor` on, which is
  /// moved. Returns how many. Cost O(buffers)
  std::size_t list_writable(std::size_t& cursor, std::span<BlockNumber> out);

  /// The pointers to a block, as it says itself. Errors: WrongType  it does not count them
  Result<std::uint64_t> reference_count(BlockNumber block);
  Result<std::size_t> partition_count(BlockNumber block);
  /// What a partition owns. Needs Read. Returns the number of extents.
  /// Errors: BadArgument  no such partition;  TooBig  `out` is too short
  Result<std::size_t> enumerate(const Caller& caller, BlockNumber block, std::size_t partition,
                                std::span<XnExtent> out);

 private:
  friend class Recovery;

  /// What a change must do to the reference count.
  struct Counting {
    enum class Kind : std::uint8_t { Same, Up, Down, To } kind = Kind::Same;
    std::uint64_t to = 0;
  };
  /// Keeps a block from being recycled while room is made for others.
  class Pin;

  // volume_state.cpp: what all use
  bool in_data(const XnExtent& extent) const;
  const Type* usable_type(XnTypeId id) const;
  std::byte* bytes_of(const XnBuffer& buffer) const {
    return pages_.bytes(PageNumber{buffer.page});
  }
  Result<XnBuffer*> settled(const Caller& caller, BlockNumber block);
  Result<const Type*> structure_type(XnBuffer& buffer);
  Result<XnBuffer*> structure(const Caller& caller, BlockNumber block);
  Result<> ask(const Caller& caller, const XnBuffer& structure, XnOperation operation,
               const XnExtent& extent, const Modifications& changes);
  Result<> ask_for(const Caller& caller, XnBuffer& buffer, XnOperation structure_operation,
                   XnOperation data_operation, const Modifications& changes);
  void dirty(XnBuffer& buffer);
  void drop(XnBuffer& buffer);
  void forget_page(XnBuffer& buffer);
  void log(XnTrouble trouble, XnTypeId type, BlockNumber block, BlockNumber parent,
           std::uint64_t detail);
  const VoidEdge* find_void(BlockNumber parent, const XnExtent& extent) const;
  const VoidEdge* find_failing(BlockNumber block, std::size_t p) const;
  Result<> owned(BlockNumber block, const Type& type, std::size_t p, const std::byte* bytes,
                 Owned& out);
  Result<> add_void(BlockNumber parent, BlockNumber block, std::uint32_t count);
  void remove_void(const VoidEdge& edge);

  // change.cpp
  static Result<> check_ranges(const Modifications& changes);
  Result<> check_change(const XnBuffer& buffer, const Modifications& changes, const XnExtent* added,
                        const XnExtent* removed, Counting counting);
  Result<> check_count(const Type& type, const std::byte* page, const Modifications& changes,
                       Counting counting);
  void overlay(const Window& window, const std::byte* page, const Modifications& changes);
  Result<> check_partitions(BlockNumber block, const Type& type, const std::byte* page,
                            const Modifications& changes, const XnExtent* added,
                            const XnExtent* removed);
  Result<bool> owns_nothing(BlockNumber block, const Type& type, const std::byte* page);
  Result<> owned_by(XnBuffer& parent, const XnExtent& extent);
  static void apply(std::byte* page, const Modifications& changes);

  // metadata.cpp
  Result<> check_free_blocks(const XnExtent& extent) const;
  Result<> check_dying(const Caller& caller, XnBuffer& child, const Type& type,
                       const Modifications& count_changes, bool& last);
  Result<> check_dying_data(const Caller& caller, const XnExtent& extent);
  Result<> may_wait(const XnBuffer& waiter, XnBuffer& other);
  Result<> may_depend(const XnBuffer& waiter, XnBuffer& other);
  bool pointed_to_on_disk(const XnExtent& extent) const;
  static bool may_be_on_disk(const XnBuffer& buffer);
  void release_blocks(BlockNumber block, std::uint32_t count);
  void gain_children(XnBuffer& parent, const XnExtent& extent);
  void lose_children(XnBuffer& parent, const XnExtent& extent);
  void let_go(XnBuffer& parent, const XnExtent& extent);
  void give_up_reference(XnBuffer& parent, XnBuffer& child);
  void commit(XnBuffer& buffer, const Modifications& changes);

  // cache.cpp
  Result<> make_room(std::size_t records);
  Result<PageNumber> new_page();
  Result<> writable(const Caller& caller, XnBuffer& buffer);
  Result<bool> tainted(XnBuffer& buffer);
  Result<> mark_going_out(const Caller& caller, std::span<const BlockNumber> blocks,
                          std::size_t& marked);
  Result<std::size_t> write_run(std::span<const BlockNumber> blocks, std::uint64_t cookie);
  bool waiting(const XnBuffer& buffer) const;
  bool linked(XnBuffer& buffer);
  Result<std::uint32_t> take_transfer(Disk::Kind kind, BlockNumber block, std::uint32_t count,
                                      std::uint64_t cookie);
  void give_back_transfer(std::uint32_t index);
  Result<> submit(std::uint32_t index, std::span<const PageNumber> pages);
  void read_done(const TransferState& transfer, Result<> result);
  void write_done(const TransferState& transfer, Result<> result);
  void flush_done(Result<> result);
  void made_durable(XnBuffer& buffer, std::uint32_t durable);
  void initialised(XnBuffer& buffer);

  // volume.cpp, catalogues.cpp
  Result<> load_types();
  Result<> load_type(XnTypeId id, const TypeRecord& record);
  void compile_functions(Type& type);
  Result<> load_roots();
  Result<bool> load_map(const Superblock& super);
  Result<std::uint64_t> store_map();
  Result<> write_superblock(std::uint32_t clean, std::uint64_t map_checksum);
  Result<> prepare_memory();
  Result<> read_block(BlockNumber block);
  Result<> write_block(BlockNumber block);
  Root* find_root(std::string_view name);
  bool is_root(BlockNumber block) const;
  Result<> write_type(XnTypeId id, const TypeRecord& record);
  Result<> store_code(const TypeSource& source, TypeRecord& record);
  Result<> write_root(const Root& root, bool present);
  static XnRootInfo show(const Root& root);

  Disk& disk_;
  PageSource& pages_;
  Clock& clock_;
  Completions& completions_;
  CodeSpace* code_;
  VolumeMemory memory_;

  bool open_ = false;
  Capability guard_{};
  Layout layout_{};
  std::uint64_t generation_ = 0;
  Registry registry_;
  BlockMap used_, temporary_, uninitialised_;
  WillFree will_free_;
  std::span<graft::Program::Slot> free_slots_;
  std::uint32_t code_used_ = 0;  // blocks of the code area
  std::size_t log_count_ = 0;
  std::size_t log_lost_ = 0;
  std::size_t void_count_ = 0;
  std::uint32_t free_transfer_ = kXnNone;
  std::uint32_t in_flight_ = 0;
  std::uint32_t epoch_ = 1;     // what completes now is durable after flush number epoch_
  std::uint32_t flushing_ = 0;  // the flush in flight; 0: none
  std::uint64_t time_ = 0;      // counts pointers gained and writes started
  Runner runner_;
  XnAclRequest request_{};
  Owned before_, after_;
  alignas(8) std::array<std::byte, kBlockSize> block_{};    // one of XN's own
  alignas(8) std::array<std::byte, kBlockSize> scratch_{};  // a structure as it would become
};

}  // namespace xok::xn
