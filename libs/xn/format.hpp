// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "abi/capability.hpp"
#include "abi/xn.hpp"
#include "base/result.hpp"

/// XN's own blocks as they lie on the disk: docs/formats/xn.md. Integers are little-endian, each
/// record has a checksum and lies in one sector, so that a write is seen wholly or not at all. What
/// is read is distrusted: only the functions here turn bytes into records.
namespace xok::xn {

using BlockBytes = std::span<std::byte, kBlockSize>;
using ConstBlockBytes = std::span<const std::byte, kBlockSize>;

/// Where XN's own blocks are. All follows from the four numbers that `format` is given.
struct Layout {
  std::uint64_t blocks;
  std::uint32_t type_blocks;  ///< type catalogue, kTypesPerBlock records each
  std::uint32_t root_blocks;  ///< root catalogue, kRootsPerBlock records each
  std::uint32_t code_blocks;  ///< programs of the types

  std::uint64_t types_start() const { return 1; }
  std::uint64_t roots_start() const { return types_start() + type_blocks; }
  std::uint64_t code_start() const { return roots_start() + root_blocks; }
  std::uint64_t map_start() const { return code_start() + code_blocks; }
  std::uint64_t map_blocks() const { return (blocks + kBlockSize * 8 - 1) / (kBlockSize * 8); }
  std::uint64_t data_start() const { return map_start() + map_blocks(); }
  /// Counts in their bounds, and at least one block left for data.
  bool sane() const;
  bool operator==(const Layout&) const = default;
};

inline constexpr std::uint64_t kMaxBlocks = std::uint64_t{1} << 40;
inline constexpr std::uint32_t kMaxTypeBlocks = 16;
inline constexpr std::uint32_t kMaxRootBlocks = 16;
inline constexpr std::uint32_t kMaxCodeBlocks = 1024;

struct Superblock {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t clean;  ///< 1 from shutdown to the next init, else 0
  std::uint64_t blocks;
  std::uint32_t type_blocks, root_blocks, code_blocks, reserved;
  std::uint64_t generation;    ///< counts inits
  std::uint64_t map_checksum;  ///< of the free map's blocks; holds when clean
  std::array<std::byte, 448> zero;
  std::uint64_t checksum;
};
static_assert(sizeof(Superblock) == kSectorSize && offsetof(Superblock, checksum) == 504);

struct TypeRecord {
  std::uint32_t magic;
  XnTypeKind kind;  ///< None: the name is reserved
  std::uint8_t partitions;
  std::uint8_t members;
  std::uint8_t max_owned;  ///< extents of one partition
  std::array<char, kXnNameSize> name;
  Capability owner;          ///< who may import
  std::uint32_t code_block;  ///< of the code area
  std::uint32_t code_blocks;
  std::array<std::uint32_t, kXnFunctions> code_bytes;  ///< the programs lie one after the other
  std::array<XnTypeId, kXnMaxMembers> member;
  std::uint64_t code_checksum;  ///< of the code blocks
  XnWindows windows;            ///< of `owns`
  std::array<std::byte, 88> zero;
  std::uint64_t checksum;
};
static_assert(sizeof(TypeRecord) == 256 && offsetof(TypeRecord, checksum) == 248);

struct RootRecord {
  std::uint32_t magic;
  XnTypeId type;
  std::array<char, kXnNameSize> name;
  std::uint64_t block;
  Capability owner;  ///< who may uninstall
  std::array<std::byte, 32> zero;
  std::uint64_t checksum;
};
static_assert(sizeof(RootRecord) == 128 && offsetof(RootRecord, checksum) == 120);

inline constexpr std::size_t kTypesPerBlock = kBlockSize / sizeof(TypeRecord);
inline constexpr std::size_t kRootsPerBlock = kBlockSize / sizeof(RootRecord);

/// Changes with each byte of `bytes` (a multiple of 8).
std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed = 0);

/// A superblock for the layout, with its checksum.
Superblock make_superblock(const Layout& layout, std::uint32_t clean, std::uint64_t generation,
                           std::uint64_t map_checksum);
/// Errors  BadFormat     no such magic, a checksum or a reserved byte that is wrong, a layout that
///                       is not sane
///         NotSupported  another version
Result<Superblock> parse_superblock(ConstBlockBytes block);
Layout layout_of(const Superblock& super);

/// The record at `index` of a block; nothing when the place is free.
/// Errors  BadFormat  neither free nor a record that obeys its bounds
Result<bool> parse_type(ConstBlockBytes block, std::size_t index, TypeRecord& out);
Result<bool> parse_root(ConstBlockBytes block, std::size_t index, RootRecord& out);
/// Writes a record with its checksum, or frees the place.
void store_type(BlockBytes block, std::size_t index, TypeRecord record);
void store_root(BlockBytes block, std::size_t index, RootRecord record);
void clear_root(BlockBytes block, std::size_t index);

/// A record's name: at least one character, no NUL but at the end, printable ASCII.
Result<std::array<char, kXnNameSize>> make_name(std::string_view name);
std::string_view name_of(const std::array<char, kXnNameSize>& name);

inline constexpr std::array<char, 8> kSuperblockMagic = {'X', 'O', 'K', 'X', 'N', '0', '0', '1'};
inline constexpr std::uint32_t kTypeMagic = 0x59544e58;  // "XNTY"
inline constexpr std::uint32_t kRootMagic = 0x54524e58;  // "XNRT"

}  // namespace xok::xn
