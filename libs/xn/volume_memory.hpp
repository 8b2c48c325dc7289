// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/capability.hpp"
#include "abi/xn.hpp"
#include "libs/graft/compiler.hpp"
#include "libs/xn/services.hpp"
#include "libs/xn/types.hpp"
#include "libs/xn/will_free.hpp"

/// What a volume is given: arguments, and the memory for its tables.
namespace xok::xn {

/// New bytes for some ranges of a structure, in the order of the ranges.
struct Modifications {
  std::span<const XnRange> ranges;
  std::span<const std::byte> data;
};

struct FormatOptions {
  std::uint32_t type_blocks = 4;
  std::uint32_t root_blocks = 1;
  std::uint32_t code_blocks = 64;
};

/// What `import_type` is given.
struct TypeSource {
  XnTypeKind kind = XnTypeKind::None;
  std::uint8_t partitions = 0;
  std::uint8_t max_owned = 0;  ///< extents of one partition
  std::span<const XnTypeId> members;
  std::array<std::span<const std::byte>, kXnFunctions> functions;
  XnWindows windows{};  ///< of `owns`; length 0: found out
};

struct Root {
  std::array<char, kXnNameSize> name{};
  BlockNumber block = 0;  ///< 0: no root
  XnTypeId type = 0;
  Capability owner{};
  bool temporary = false;
};

/// What recovery found wrong and XN keeps in mind until it is repaired:
///   parent, block, count  pointers that do not count
///   0, block, count       a block that has `count` pointers and says another number
///   parent, 0, count      partition `count` of the parent, on whose bytes `owns` fails. It owns
///   nothing
struct VoidEdge {
  BlockNumber parent;
  BlockNumber block;
  std::uint32_t count;
};

/// One transfer in flight.
struct TransferState {
  Disk::Kind kind{};
  std::uint32_t count = 0;
  BlockNumber block = 0;
  std::uint64_t cookie = 0;
  std::uint32_t generation = 0;
  std::uint32_t next_free = kXnNone;
  bool active = false;
};

/// Recovery's work list, and its counts of references.
struct WalkItem {
  BlockNumber block;
  XnTypeId type;
  std::uint32_t reserved;
};
struct CountItem {
  BlockNumber block;  ///< 0: empty
  XnTypeId type;
  std::uint32_t found;
  std::uint64_t claimed;
};

/// The memory of a volume, all of it the caller's. Bounds are what the sizes say.
struct VolumeMemory {
  std::span<XnBuffer> buffers;
  std::span<std::uint32_t> heads;                           ///< a power of two
  std::span<std::uint64_t> used, temporary, uninitialised;  ///< BlockMap::words_for(blocks) each
  std::span<WillFree::Entry> will_free;
  std::span<Type> types;
  std::span<graft::Program::Slot> slots;  ///< for the instructions of all types' functions
  std::span<std::byte> code;              ///< for the longest function, while it is loaded
  std::span<Root> roots;
  std::span<TransferState> transfers;
  std::span<XnLogEntry> log;
  std::span<VoidEdge> voids;
  std::span<WalkItem> walk;     ///< used by init only
  std::span<CountItem> counts;  ///< a power of two; used by init only
  /// With a CodeSpace: room to compile a function, as graft::compile wants it. Functions that need
  /// more are interpreted.
  std::span<graft::CompileNote> notes{};
  std::span<std::byte> machine_code{};
};

}  // namespace xok::xn
