// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/paging.hpp"

#include <cstring>

#include "abi/env.hpp"
#include "abi/layout.hpp"
#include "kernel/arch/x86_64/image.hpp"
#include "kernel/arch/x86_64/memory.hpp"
#include "kernel/arch/x86_64/registers.hpp"

namespace xok::kernel::x86 {
namespace {

constexpr std::uint64_t kLargePage = std::uint64_t{2} << 20;
constexpr std::uint64_t kHugePage = std::uint64_t{1} << 30;
/// The first page tables reach this far: where early pages must be.
constexpr std::uint64_t kBootMapEnd = std::uint64_t{4} << 30;
constexpr std::uint64_t kUncachedBits = 1u << 3 | 1u << 4;

constexpr std::uint64_t kData = kPtePresent | kPteWritable | kPteGlobal | kPteNoExecute;
constexpr std::uint64_t kReadOnly = kPtePresent | kPteGlobal | kPteNoExecute;
constexpr std::uint64_t kCode = kPtePresent | kPteGlobal;
constexpr std::uint64_t kTable = kPtePresent | kPteWritable;

constinit Paging g_paging;

std::uint64_t address_of(const char* symbol) { return reinterpret_cast<std::uint64_t>(symbol); }

bool has_huge_pages() { return (cpuid(0x80000001).edx & 1u << 26) != 0; }

enum class Overlap : std::uint8_t { None, Part, Whole };

Overlap overlap(const MemoryMap& ram, std::uint64_t begin, std::uint64_t end) {
  for (const MemoryMap::Range& range : ram.ranges()) {
    if (range.begin <= begin && range.end >= end) return Overlap::Whole;
    if (range.begin < end && range.end > begin) return Overlap::Part;
  }
  return Overlap::None;
}

}  // namespace

Paging& paging() { return g_paging; }

bool Paging::initialize(const MemoryMap& ram, MemoryMap& free) {
  free_ = &free;
  std::uint64_t root = 0;
  top_ = table_below(root, 0);
  if (top_ == nullptr) return false;
  if (!map_direct(ram) || !map_image() || !map_image_alias() || !map_windows()) return false;
  // One table for each region that may still grow, so that its top-level entry is fixed from here.
  if (entry_for(MMIO_BASE, 2, kTable) == nullptr) return false;
  if (entry_for(kExposedBase, 2, kPtePresent | kPteUser) == nullptr) return false;
  for (unsigned slot = 256; slot < 512; slot++) {
    if (top_[slot] == 0) continue;
    if (kernel_slot_count_ == kernel_slots_.size()) return false;
    kernel_slots_[kernel_slot_count_++] = static_cast<std::uint16_t>(slot);
  }
  write_cr3(physical_of(top_));
  return true;
}

std::byte* Paging::map_physical(std::uint64_t physical, std::uint64_t length, Caching caching) {
  const std::uint64_t begin = page_floor(physical);
  const std::uint64_t end = page_ceil(physical + length);
  const std::uint64_t address = mmio_next_;
  if (end <= begin || end - begin > kSlotSize - (address - MMIO_BASE)) return nullptr;
  const std::uint64_t flags = kData | (caching == Caching::Uncached ? kUncachedBits : 0);
  if (free_ == nullptr || !map(address, begin, end, flags)) return nullptr;
  mmio_next_ += end - begin;
  return reinterpret_cast<std::byte*>(address + (physical - begin));
}

std::uint64_t Paging::map_stack(std::uint64_t pages) {
  if (free_ == nullptr) return 0;
  const auto physical = free_->allocate(pages, kPageSize, kBootMapEnd);
  const std::uint64_t begin = mmio_next_ + kPageSize;
  const std::uint64_t length = pages * kPageSize;
  if (!physical || !map(begin, *physical, *physical + length, kData)) return 0;
  mmio_next_ = begin + length;
  return mmio_next_;
}

bool Paging::in_direct_map(std::uint64_t physical, std::uint64_t length) const {
  for (std::uint64_t at = page_floor(physical); at < physical + length; at += kPageSize) {
    const std::uint64_t address = DIRECT_MAP_BASE + at;
    const std::uint64_t* table = top_;
    for (unsigned level = 4;; level--) {
      const std::uint64_t entry = table[address >> (12 + 9 * (level - 1)) & 511];
      if ((entry & kPtePresent) == 0) return false;
      if (level == 1 || (level < 4 && (entry & kPteLarge) != 0)) break;
      table = reinterpret_cast<const std::uint64_t*>(direct(entry & kPtePageMask));
    }
  }
  return true;
}

bool Paging::expose(std::uint64_t address, std::uint64_t physical, std::uint64_t pages) {
  constexpr std::uint64_t kFlags = kReadOnly | kPteUser;
  for (std::uint64_t i = 0; i < pages;) {
    // Whole 2 MiB pages where both sides allow it: the page table of a large machine is long.
    const std::uint64_t va = address + i * kPageSize;
    const std::uint64_t pa = physical + i * kPageSize;
    const bool large = ((va | pa) & (kLargePage - 1)) == 0 && pages - i >= kLargePage / kPageSize;
    std::uint64_t* entry = entry_for(va, large ? 2 : 1, kPtePresent | kPteUser);
    if (entry == nullptr) return false;
    *entry = pa | kFlags | (large ? kPteLarge : 0);
    i += large ? kLargePage / kPageSize : 1;
  }
  return true;
}

void Paging::fill_top_table(std::uint64_t* table) const {
  constexpr unsigned kExposedSlot = kExposedBase / kSlotSize;
  table[kExposedSlot] = top_[kExposedSlot];
  for (unsigned i = 0; i < kernel_slot_count_; i++)
    table[kernel_slots_[i]] = top_[kernel_slots_[i]];
}

void Paging::set_window_page(std::uint32_t env, unsigned which, std::uint64_t physical) {
  const std::size_t index = std::size_t{env} * 2 + which;
  const bool was_mapped = window_entries_[index] != 0;
  if (which == 1) window_states_[env]++;
  window_entries_[index] = physical == 0 ? 0 : physical | kData;
  if (was_mapped) invalidate_page(ENV_WINDOW_BASE + index * kPageSize);
}

std::uint64_t* Paging::table_below(std::uint64_t& entry, std::uint64_t flags) {
  if ((entry & kPtePresent) == 0) {
    if (free_ == nullptr) return nullptr;
    const auto page = free_->allocate(1, kPageSize, kBootMapEnd);
    if (!page) return nullptr;
    zero_page(direct(*page));
    entry = *page | flags;
  }
  return reinterpret_cast<std::uint64_t*>(direct(entry & kPtePageMask));
}

/// The entry of `level` (1 = page table) that maps `address`; tables on the way get `flags`.
std::uint64_t* Paging::entry_for(std::uint64_t address, unsigned level, std::uint64_t flags) {
  std::uint64_t* table = top_;
  for (unsigned at = 4; at > level; at--) {
    table = table_below(table[address >> (12 + 9 * (at - 1)) & 511], flags);
    if (table == nullptr) return nullptr;
  }
  return &table[address >> (12 + 9 * (level - 1)) & 511];
}

bool Paging::map(std::uint64_t address, std::uint64_t physical, std::uint64_t end,
                 std::uint64_t flags) {
  for (; physical < end; physical += kPageSize, address += kPageSize) {
    std::uint64_t* entry = entry_for(address, 1, kTable);
    if (entry == nullptr) return false;
    *entry = physical | flags;
  }
  return true;
}

/// RAM only: a stray access to a hole is a fault, and nothing caches device registers.
bool Paging::map_direct(const MemoryMap& ram) {
  const bool huge = has_huge_pages();
  for (std::uint64_t begin = 0; begin < ram.end(); begin += kHugePage) {
    const Overlap share = overlap(ram, begin, begin + kHugePage);
    if (share == Overlap::None) continue;
    if (huge && share == Overlap::Whole && begin != 0) {  // the image's gigabyte is split
      std::uint64_t* entry = entry_for(DIRECT_MAP_BASE + begin, 3, kTable);
      if (entry == nullptr) return false;
      *entry = begin | kData | kPteLarge;
      continue;
    }
    if (!map_direct_directory(ram, begin)) return false;
  }
  return true;
}

bool Paging::map_direct_directory(const MemoryMap& ram, std::uint64_t begin) {
  for (std::uint64_t at = begin; at < begin + kHugePage; at += kLargePage) {
    // The first 2 MiB always: firmware tables are there.
    if (at != 0 && overlap(ram, at, at + kLargePage) == Overlap::None) continue;
    std::uint64_t* entry = entry_for(DIRECT_MAP_BASE + at, 2, kTable);
    if (entry == nullptr) return false;
    *entry = at | kData | kPteLarge;
  }
  return true;
}

bool Paging::map_image() {
  const auto section = [this](const char* begin, const char* end, std::uint64_t flags) {
    const std::uint64_t address = address_of(begin);
    return map(address, address - KERNEL_BASE, page_ceil(address_of(end)) - KERNEL_BASE, flags);
  };
  if (!section(text_begin, text_end, kCode) || !section(rodata_begin, rodata_end, kReadOnly) ||
      !section(data_begin, data_end, kData))
    return false;
  for (const std::uint64_t* guard = stack_guards; *guard != 0; guard++)
    *entry_for(*guard, 1, kTable) = 0;
  return true;
}

/// The direct map must not be a way around the image's protection: its view of code and constants
/// is read-only as well.
bool Paging::map_image_alias() {
  const std::uint64_t begin = address_of(text_begin) - KERNEL_BASE;
  const std::uint64_t end = page_ceil(address_of(rodata_end)) - KERNEL_BASE;
  for (std::uint64_t chunk = begin & ~(kLargePage - 1); chunk < end; chunk += kLargePage) {
    std::uint64_t* large = entry_for(DIRECT_MAP_BASE + chunk, 2, kTable);
    if (large == nullptr) return false;
    *large = 0;
    for (std::uint64_t at = chunk; at < chunk + kLargePage; at += kPageSize)
      if (!map(DIRECT_MAP_BASE + at, at, at + kPageSize,
               at >= begin && at < end ? kReadOnly : kData))
        return false;
  }
  return true;
}

bool Paging::map_windows() {
  constexpr std::uint64_t kEntries = kMaxEnvironments * 2;
  constexpr std::uint64_t kTables = kEntries / 512;
  const auto tables = free_->allocate(kTables, kPageSize, kBootMapEnd);
  if (!tables) return false;
  window_entries_ = reinterpret_cast<std::uint64_t*>(direct(*tables));
  for (std::uint64_t i = 0; i < kTables; i++) {
    zero_page(direct(*tables + i * kPageSize));
    std::uint64_t* directory = entry_for(ENV_WINDOW_BASE + i * kLargePage, 2, kTable);
    if (directory == nullptr) return false;
    *directory = (*tables + i * kPageSize) | kTable;
  }
  return true;
}

}  // namespace xok::kernel::x86
