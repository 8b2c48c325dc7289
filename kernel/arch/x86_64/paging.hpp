// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/env.hpp"
#include "base/units.hpp"
#include "kernel/arch/x86_64/layout.h"
#include "kernel/arch/x86_64/memory_map.hpp"

/// The kernel's half of every address space, and the exposed window.
///
/// Everything is built once, at boot, from the early memory map; afterwards only the entries of the
/// environment windows change. The kernel's top-level entries are the same in all address spaces.
namespace xok::kernel::x86 {

/// The byte of RAM at a physical address, through the direct map.
inline std::byte* direct(std::uint64_t physical) {
  return reinterpret_cast<std::byte*>(DIRECT_MAP_BASE + physical);
}
/// Its inverse, for addresses in the direct map.
inline std::uint64_t physical_of(const void* address) {
  return reinterpret_cast<std::uint64_t>(address) - DIRECT_MAP_BASE;
}

/// How device registers and firmware tables are mapped.
enum class Caching : std::uint8_t { Uncached, Cached };

class Paging {
 public:
  Paging() = default;
  Paging(const Paging&) = delete;
  Paging& operator=(const Paging&) = delete;

  /// Builds the tables and loads them: direct map of `ram`, kernel image by section, empty
  /// environment windows. Takes table pages from `free`, below 4 GiB.
  /// Returns false when memory is too small.
  bool initialize(const MemoryMap& ram, MemoryMap& free);

  /// Maps a range uncached (device registers) or cached (firmware tables that are not RAM) in the
  /// kernel's half. nullptr: no memory for tables. At boot only.
  std::byte* map_physical(std::uint64_t physical, std::uint64_t length, Caching caching);
  /// Whether the direct map has all of the range.
  [[nodiscard]] bool in_direct_map(std::uint64_t physical, std::uint64_t length) const;
  /// A stack of that many pages with an unmapped page below it. Returns its end, or 0: no memory.
  /// At boot only.
  std::uint64_t map_stack(std::uint64_t pages);
  /// Adds pages of RAM to the exposed window, read-only to user code. At boot only.
  bool expose(std::uint64_t address, std::uint64_t physical, std::uint64_t pages);
  /// Ends the boot phase: no table page is taken from the early map any more.
  void seal() { free_ = nullptr; }

  /// Writes the kernel's entries into a zeroed top-level table.
  void fill_top_table(std::uint64_t* table) const;
  /// The kernel's own table: for the idle processor.
  [[nodiscard]] std::uint64_t top_physical() const { return physical_of(top_); }

  /// Maps page 0 (KernelEnv) or 1 (alias of the Uenv) of an environment's window; physical 0
  /// unmaps it.
  /// Another processor may still have an older mapping of page 1 cached: see window_state.
  void set_window_page(std::uint32_t env, unsigned which, std::uint64_t physical);
  /// Changes whenever page 1 of the window is mapped to something else.
  [[nodiscard]] std::uint32_t window_state(std::uint32_t env) const { return window_states_[env]; }

 private:
  std::uint64_t* table_below(std::uint64_t& entry, std::uint64_t flags);
  std::uint64_t* entry_for(std::uint64_t address, unsigned level, std::uint64_t flags);
  bool map(std::uint64_t address, std::uint64_t physical, std::uint64_t end, std::uint64_t flags);
  bool map_direct(const MemoryMap& ram);
  bool map_direct_directory(const MemoryMap& ram, std::uint64_t begin);
  bool map_image();
  bool map_image_alias();
  bool map_windows();

  MemoryMap* free_ = nullptr;
  std::uint64_t* top_ = nullptr;
  std::uint64_t* window_entries_ = nullptr;
  std::array<std::uint32_t, kMaxEnvironments> window_states_{};
  std::uint64_t mmio_next_ = MMIO_BASE;
  /// The kernel's top-level entries that are used, the same from boot on.
  std::array<std::uint16_t, 16> kernel_slots_{};
  unsigned kernel_slot_count_ = 0;
};

Paging& paging();

}  // namespace xok::kernel::x86
