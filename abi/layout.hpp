// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "base/units.hpp"

/// The address map of every environment (x86-64, 4 levels, 512 GiB per top-level slot).
///
///   0x0000000000000000 .. kUserTop  the application's: it maps what it likes where it likes
///   kExposedBase                    the exposed window: kernel tables, read-only (exposed.hpp)
///   kPageTableWindow                the environment's own page tables, read-only
///   0xffff800000000000 ..           the kernel, not accessible
namespace xok {

inline constexpr std::uint64_t kSlotSize = std::uint64_t{1} << 39;

/// First address an application cannot map.
inline constexpr std::uint64_t kUserTop = 254 * kSlotSize;  // 0x7f0000000000
inline constexpr std::uint64_t kExposedBase = 254 * kSlotSize;
inline constexpr unsigned kPageTableSlot = 255;
inline constexpr std::uint64_t kPageTableWindow = kPageTableSlot * kSlotSize;  // 0x7f8000000000

/// Where the kernel puts the first environment's things (it has no parent to do it).
inline constexpr std::uint64_t kInitUenvAddress = 0x7eff'ffff'f000;
inline constexpr std::uint64_t kInitStackTop = 0x7eff'ffff'e000;  ///< grows down, kInitStackPages
inline constexpr std::uint64_t kInitStackPages = 8;
inline constexpr std::uint64_t kInitBundleAddress = 0x7e40'0000'0000;  ///< boot bundle, read-only

/// Page-table entries as the hardware defines them, and the bits an application owns.
/// A not-present entry belongs to the application whole (except bit 0).
inline constexpr std::uint64_t kPtePresent = 1u << 0;
inline constexpr std::uint64_t kPteWritable = 1u << 1;
inline constexpr std::uint64_t kPteUser = 1u << 2;
inline constexpr std::uint64_t kPteWriteThrough = 1u << 3;
inline constexpr std::uint64_t kPteCacheDisable = 1u << 4;
inline constexpr std::uint64_t kPteAccessed = 1u << 5;
inline constexpr std::uint64_t kPteDirty = 1u << 6;
inline constexpr std::uint64_t kPteLarge = 1u << 7;
inline constexpr std::uint64_t kPteGlobal = 1u << 8;
inline constexpr std::uint64_t kPteSoftware = std::uint64_t{7} << 9 | std::uint64_t{0x7f} << 52;
inline constexpr std::uint64_t kPteNoExecute = std::uint64_t{1} << 63;
inline constexpr std::uint64_t kPtePageMask = 0x000f'ffff'ffff'f000;

/// Address of the level-1 entry that maps `va`, in the page-table window. Reading it faults when a
/// higher level is not present: read the levels from the top.
constexpr std::uint64_t pte_address(std::uint64_t va) {
  return kPageTableWindow + ((va & 0xffff'ffff'ffff) >> 12) * 8;
}
/// Level-2 (page directory), level-3 and level-4 entries that map `va`.
constexpr std::uint64_t pde_address(std::uint64_t va) { return pte_address(pte_address(va)); }
constexpr std::uint64_t pdpte_address(std::uint64_t va) { return pte_address(pde_address(va)); }
constexpr std::uint64_t pml4e_address(std::uint64_t va) { return pte_address(pdpte_address(va)); }

static_assert(pml4e_address(0) == (kPageTableWindow | std::uint64_t{255} << 30 |
                                   std::uint64_t{255} << 21 | std::uint64_t{255} << 12));

}  // namespace xok
