// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "kernel/arch/x86_64/boot_info.hpp"
#include "kernel/arch/x86_64/memory_map.hpp"
#include "kernel/core/machine.hpp"

namespace xok::kernel::x86 {

/// Physical memory from the firmware's map to the core's page table, in two steps, for devices take
/// memory in between.
class BootMemory {
 public:
  BootMemory() = default;
  BootMemory(const BootMemory&) = delete;
  BootMemory& operator=(const BootMemory&) = delete;

  /// Works out what is RAM and what of it is free (not: the first MiB, the kernel, the bundle),
  /// then loads the kernel's own page tables. False: not enough memory.
  bool initialize(const BootInfo& boot);
  /// Allocates and clears the exposed tables and maps them into the window. info->page_count and
  /// usable_pages are set. False: not enough memory.
  bool create_tables(ExposedTables& tables);
  /// Sets aside the records of environments: one for every 64 pages of RAM, at most all.
  /// Returns how many.
  std::uint64_t create_env_records();
  /// Fills the page table: whatever is still free becomes Free. Nothing is allocated after this.
  void finish(const ExposedTables& tables, const BootInfo& boot);

  MemoryMap& free() { return free_; }
  [[nodiscard]] std::uint64_t total_bytes() const { return ram_.total_bytes(); }

 private:
  void* create_table(std::uint64_t bytes, std::uint64_t window_address);

  MemoryMap ram_;
  MemoryMap free_;
};

}  // namespace xok::kernel::x86
