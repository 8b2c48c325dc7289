// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// XN, the protection of disk blocks: what kernel, libraries and downloaded functions agree upon.
/// `libs/xn/volume.hpp` is the manual of the operations, docs/formats/xn.md of the disk.
namespace xok {

inline constexpr std::uint32_t kXnVersion = 1;
inline constexpr std::size_t kBlockSize = 4096;
/// What a disk writes wholly or not at all.
inline constexpr std::size_t kSectorSize = 512;

/// Index of a block on the disk: byte address divided by kBlockSize. Block 0 is the superblock, so
/// 0 is never a block of an application.
using BlockNumber = std::uint64_t;
/// Position in the type catalogue, from 1; 0 is no type.
using XnTypeId = std::uint32_t;

inline constexpr std::size_t kXnNameSize = 64;        ///< of types and roots, NUL-padded
inline constexpr std::size_t kXnMaxPartitions = 64;   ///< of a type's owns function
inline constexpr std::size_t kXnMaxOwned = 64;        ///< extents of one partition
inline constexpr std::size_t kXnMaxMembers = 8;       ///< of a union
inline constexpr std::size_t kXnMaxRanges = 16;       ///< of one change
inline constexpr std::size_t kXnMaxCredentials = 32;  ///< of one call
inline constexpr std::uint32_t kXnNone = ~std::uint32_t{0};

/// `count` blocks one after the other, each of the same type. `owns` writes these.
struct XnExtent {
  BlockNumber block;
  std::uint32_t count;
  XnTypeId type;
  bool operator==(const XnExtent&) const = default;
};
static_assert(sizeof(XnExtent) == 16 && offsetof(XnExtent, type) == 12);

enum class XnTypeKind : std::uint8_t {
  None = 0,
  Data,      ///< bytes that mean nothing to XN; who may use them is the parent's `acl`'s decision
  Metadata,  ///< has `owns` and `acl`; changed only through XN
  Union,     ///< one of several metadata types, chosen once by `XnVolume::set_type`
};

/// Which bytes of a structure the partitions of its type have: partition p those from
/// `first + p * stride` on, `length` of them. They do not overlap, and none crosses a sector's end.
/// With length 0 they are found out at import: partition p has the bytes from the first to the last
/// one that `owns` reads of a structure full of zeros.
struct XnWindows {
  std::uint16_t first;
  std::uint16_t stride;
  std::uint16_t length;
  std::uint16_t reserved;
  bool operator==(const XnWindows&) const = default;
};
static_assert(sizeof(XnWindows) == 8);

/// The functions of a type, eBPF programs. r1 is the address of the structure, r2 is kBlockSize.
/// Each but `acl` and `reboot` is a function of the structure's bytes alone. `owns` may read its
/// partition's bytes, the others what they read of the structure full of zeros when the type was
/// imported.
enum class XnFunction : std::uint8_t {
  Owns,      ///< r3 where to write XnExtents, r4 partition. Returns their number
  RefCount,  ///< returns the number of pointers to this structure
  Acl,       ///< r2 XnAclRequest, r3 new bytes, r4 credentials, r5 their number. 0: refused
  Size,      ///< returns the bytes in use, 1 to 4096; partitions beyond them own nothing
  Reboot,    ///< kept, not yet run
  Select,    ///< of a union: returns the index of the member that the bytes are, or -1: none yet
};
inline constexpr std::size_t kXnFunctions = 6;

/// What `acl` is asked about.
enum class XnOperation : std::uint32_t {
  Read = 1,   ///< see the structure's bytes
  Write,      ///< change bytes, ownership staying as it is
  Allocate,   ///< own `extent`, which is free now
  Free,       ///< give `extent` up
  AddEdge,    ///< own `extent`, which others own too
  Reference,  ///< (asked of the block pointed to) change the reference count
  SetType,    ///< become the union's member `extent.type`
  ReadData,   ///< see the data blocks of `extent`
  WriteData,  ///< change them
  Lock,       ///< lock the structure, or a data block of it
  MoveOut,    ///< hand `extent` to another structure
  MoveIn,     ///< take it
};

struct XnRange {
  std::uint16_t offset;
  std::uint16_t length;
};

/// What `acl` sees of a request. For a data block the structure is its parent.
struct XnAclRequest {
  XnOperation operation;
  std::uint32_t range_count;
  BlockNumber block;  ///< the structure's own
  XnExtent extent;
  std::uint64_t time_ns;
  std::uint64_t caller;
  std::array<XnRange, kXnMaxRanges> ranges;  ///< the new bytes follow one another at r3
};
static_assert(sizeof(XnAclRequest) == 112 && offsetof(XnAclRequest, ranges) == 48);

enum class XnFlag : std::uint32_t {
  Present = 1u << 0,        ///< the page holds the block
  Dirty = 1u << 1,          ///< and differs from the disk
  Tainted = 1u << 2,        ///< points to a block that is not initialised on disk
  ComingIn = 1u << 3,       ///< being read
  GoingOut = 1u << 4,       ///< being written; its metadata cannot be changed now
  UnknownType = 1u << 5,    ///< read raw; no use before a parent binds it
  Uninitialised = 1u << 6,  ///< never written since its allocation
  Temporary = 1u << 7,      ///< of a temporary file system: free of all rules of order
  Unflushed = 1u << 8,      ///< written, but maybe still in the disk's volatile cache
  Failed = 1u << 9,         ///< the last transfer failed
  Root = 1u << 10,          ///< of the root catalogue
  RecountTaint = 1u << 11,  ///< `uninitialised_children` is a bound, not the number
  InUseList = 1u << 12,     ///< which list `older` and `newer` belong to: neither flag, none;
  InFlushList = 1u << 13,   ///< blocks not flushed; or the unused, clean ones, oldest first
  Unlinked = 1u << 14,      ///< maybe no path of pointers on the disk leads to it yet
};
constexpr std::uint32_t bit(XnFlag flag) { return static_cast<std::uint32_t>(flag); }

/// The registry's record of a cached block, exposed read-only. A free record has block 0.
struct XnBuffer {
  BlockNumber block;
  std::uint64_t page;     ///< physical page; 0: none (yet)
  BlockNumber parent;     ///< the metadata block that was shown to own it; 0: none, or a root
  BlockNumber waits_for;  ///< is not written before that block is, if it is dirty; 0: none
  std::uint64_t locker;   ///< who locked it; 0: nobody
  XnTypeId type;          ///< as its parent says
  XnTypeId member;        ///< the type whose functions hold: `type`, or a union's member; 0: none
  std::uint32_t flags;    ///< XnFlag
  std::uint32_t users;    ///< mappings and pins; 0: may be written back by anybody, and recycled
  std::uint32_t uninitialised_children;
  std::uint32_t hash_next, older, newer;  ///< indices of records; kXnNone ends
  std::uint32_t stale;            ///< pointers to freed blocks that the disk still has in this one
  std::uint32_t epoch;            ///< the flush that makes the last write durable
  std::uint32_t first_epoch;      ///< the flush that makes the first write durable; 0: not written
  std::uint32_t waits_for_count;  ///< it waits only for that one's reference count
  // Points of time, counted by the volume: when its parent got the pointer to it; when the last
  // write of it was started; of those, the last one that has ended, and the last one that is
  // durable.
  std::uint64_t bound, started, completed, durable;

  [[nodiscard]] constexpr bool is(XnFlag flag) const { return (flags & bit(flag)) != 0; }
  [[nodiscard]] constexpr bool is_any(std::uint32_t mask) const { return (flags & mask) != 0; }
  constexpr void set(XnFlag flag) { flags |= bit(flag); }
  constexpr void clear(XnFlag flag) { flags &= ~bit(flag); }
};
static_assert(sizeof(XnBuffer) == 120 && offsetof(XnBuffer, flags) == 48);

/// One volume in figures.
struct XnInfo {
  std::uint32_t version;  ///< kXnVersion
  std::uint32_t damaged;  ///< recovery found pointers that do not count
  std::uint64_t blocks, first_data_block, free_blocks, will_free_blocks, temporary_blocks;
  std::uint64_t cached, dirty;
  std::uint64_t generation;  ///< mounts since format
  std::uint32_t types, max_types, roots, max_roots;
};
static_assert(sizeof(XnInfo) == 88);

/// One entry of the type catalogue, as shown to anybody.
struct XnTypeInfo {
  std::array<char, kXnNameSize> name;
  XnTypeId id;
  XnTypeKind kind;                              ///< None while only reserved
  std::uint8_t partitions, members, functions;  ///< bit n: XnFunction n
};
static_assert(sizeof(XnTypeInfo) == 72);

/// One entry of the root catalogue.
struct XnRootInfo {
  std::array<char, kXnNameSize> name;
  BlockNumber block;
  XnTypeId type;
  std::uint8_t temporary;
  std::uint8_t reserved[3];
};
static_assert(sizeof(XnRootInfo) == 80);

/// What recovery had to say.
enum class XnTrouble : std::uint32_t {
  Unclean = 1,     ///< the volume was not shut down; the free map was rebuilt
  MapDamaged,      ///< it was, but the free map's checksum is wrong; rebuilt
  OutOfRange,      ///< a pointer to no block, or to XN's own. It does not count
  BadType,         ///< a pointer of a type that does not exist. It does not count
  OwnedTwice,      ///< a second pointer to a block without reference count. It does not count
  TypeConflict,    ///< a second pointer, of another type. It does not count
  FunctionFailed,  ///< a function of the block failed; partition `detail` owns nothing now
  Unreadable,      ///< the block cannot be read; what it owns is lost
  CountTooHigh,    ///< the reference count is above the pointers: never freed until repaired
  CountTooLow,     ///< below: no pointer to it can be given up until it is repaired
};

struct XnLogEntry {
  XnTrouble trouble;
  XnTypeId type;
  BlockNumber block;     ///< whom it is about
  BlockNumber parent;    ///< the block with the pointer; 0: a root
  std::uint64_t detail;  ///< OwnedTwice, TypeConflict: 0. Counts: the pointers that were found
};
static_assert(sizeof(XnLogEntry) == 32);

}  // namespace xok
