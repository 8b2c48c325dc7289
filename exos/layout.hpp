// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "abi/layout.hpp"

/// Where things lie in a process of ExOS.
///
///   0 .. kProgramTop          the program's: ELF segments, heap, mappings, stack
///   kSharedBase               state shared by all processes: same page tables, same addresses
///   kImageBase                ExOS' text, one physical copy
///   kPrivateBase              ExOS' data of this process: data and bss, then the windows below
namespace xok::exos {

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

inline constexpr std::uint64_t kProgramTop = 249 * kSlotSize;
/// Pages of PROT_NONE mappings are kept mapped here, read-only, at kHiddenBase + address.
inline constexpr std::uint64_t kHiddenBase = 249 * kSlotSize;
inline constexpr std::uint64_t kHiddenTop = kHiddenBase + kSlotSize;

// All within the program's first top-level slot, so that few page-table pages are needed.
inline constexpr std::uint64_t kPieBase = 0x5'5555'4000;
inline constexpr std::uint64_t kInterpreterBase = 0x6'0000'0000;
inline constexpr std::uint64_t kStackTop = 0x7f'c000'0000;
inline constexpr std::uint64_t kStackLimit = 8 * kMiB;
inline constexpr std::uint64_t kMmapTop = kStackTop - 16 * kMiB;
inline constexpr std::uint64_t kMmapBottom = 0x7'0000'0000;
inline constexpr std::uint64_t kLowestAddress = 0x10000;  ///< mmap_min_addr

// Shared by all processes.
inline constexpr std::uint64_t kSharedBase = 251 * kSlotSize;
inline constexpr std::uint64_t kSharedStateEnd = kSharedBase + 4 * kGiB;
inline constexpr std::uint64_t kArenaBase = kSharedBase + 4 * kGiB;
inline constexpr std::uint64_t kArenaPages = 16 * kGiB / kPageSize;
inline constexpr std::uint64_t kBundleBase = kSharedBase + 256 * kGiB;
inline constexpr std::uint64_t kSharedTop = kSharedBase + kSlotSize;

// Private to each process. The linker script puts text at kImageBase, data at kPrivateBase.
inline constexpr std::uint64_t kImageBase = 252 * kSlotSize;
inline constexpr std::uint64_t kPrivateBase = kImageBase + 2 * kMiB;
inline constexpr std::uint64_t kPrivateTop = kPrivateBase + 2 * kMiB;
inline constexpr std::uint64_t kUenvAddress = kPrivateTop - kPageSize;
inline constexpr std::uint64_t kMainStackTop = kPrivateTop - 0x2000;
inline constexpr std::uint64_t kMainStackBottom = kMainStackTop - 0x10000;
inline constexpr std::uint64_t kFaultStackTop = kMainStackBottom - 0x1000;
inline constexpr std::uint64_t kFaultStackPages = 2;
inline constexpr std::uint64_t kSliceStackTop = kFaultStackTop - 0x4000;
inline constexpr std::uint64_t kSliceStackPages = 1;
inline constexpr std::uint64_t kScratchWindow = kPrivateTop - 0x20000;  ///< pages being prepared
inline constexpr std::uint64_t kFdTable = kPrivateTop - 0x30000;        ///< 2 pages
inline constexpr std::uint64_t kRegionTable = kPrivateTop - 0x60000;    ///< 32 pages
inline constexpr std::uint64_t kStageWindow = kPrivateBase + 0x80000;   ///< 1 MiB: exec arguments
inline constexpr std::uint64_t kStageSize = 0x100000;
inline constexpr std::uint64_t kVforkWindow =
    kPrivateBase + 0x70000;  ///< 4 pages: the parent's state
inline constexpr std::uint64_t kVforkSize = 0x4000;
static_assert(kVforkWindow + kVforkSize <= kStageWindow);
static_assert(kStageWindow + kStageSize <= kRegionTable);
static_assert(kRegionTable < kFdTable && kFdTable < kScratchWindow);

/// Slots of each process' capability list. No process but the first holds the root capability.
enum CapabilitySlot : std::uint64_t {
  kCapPages = 0,  ///< the trust domain: guards its environments and pages
  kCapConsole = 1,
  kCapNetwork = 2,
  kCapFilters = 3,
  kCapRoot = 4,  ///< init only
};

}  // namespace xok::exos
