// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/boot_memory.hpp"

#include <algorithm>

#include "kernel/arch/x86_64/context.hpp"
#include "kernel/arch/x86_64/image.hpp"
#include "kernel/arch/x86_64/memory.hpp"
#include "kernel/arch/x86_64/paging.hpp"

namespace xok::kernel::x86 {
namespace {

constexpr std::uint64_t kFirstMebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kLargePage = std::uint64_t{2} << 20;
constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};
constexpr std::uint64_t kPagesPerEnvironment = 64;

void mark(PageInfo* pages, std::uint64_t begin, std::uint64_t end, PageStatus status) {
  for (std::uint64_t page = begin >> kPageShift; page < end >> kPageShift; page++)
    pages[page].status = status;
}

}  // namespace

bool BootMemory::initialize(const BootInfo& boot) {
  for (const MemoryRange& range : boot.memory())
    if (range.ram) ram_.add(range.begin, range.end);
  for (const MemoryRange& range : boot.memory())  // where the map contradicts itself, not RAM
    if (!range.ram) ram_.remove(range.begin, range.end);
  for (const MemoryMap::Range& range : ram_.ranges()) free_.add(range.begin, range.end);
  free_.remove(0, kFirstMebibyte);
  free_.remove(reinterpret_cast<std::uint64_t>(kernel_physical_begin),
               reinterpret_cast<std::uint64_t>(kernel_physical_end));
  free_.remove(boot.bundle(), boot.bundle() + boot.bundle_length());
  return paging().initialize(ram_, free_);
}

bool BootMemory::create_tables(ExposedTables& tables) {
  const std::uint64_t page_count = ram_.end() >> kPageShift;
  const auto create = [this]<class T>(T*& table, std::uint64_t count, std::uint64_t address) {
    table = static_cast<T*>(create_table(count * sizeof(T), address));
    return table != nullptr;
  };
  if (!create(tables.info, kSystemInfoPages * kPageSize / sizeof(SystemInfo), kExposedBase) ||
      !create(tables.envs, kMaxEnvironments, kExposedEnvs) ||
      !create(tables.slices, kMaxProcessors * kSlicesPerProcessor, kExposedSlices) ||
      !create(tables.filters, kMaxFilters, kExposedFilters) ||
      !create(tables.pages, page_count, kExposedPages))
    return false;
  tables.info->page_count = page_count;
  tables.info->usable_pages = ram_.total_bytes() >> kPageShift;
  return true;
}

void* BootMemory::create_table(std::uint64_t bytes, std::uint64_t window_address) {
  std::uint64_t pages = page_ceil(bytes) >> kPageShift;
  const bool large = bytes >= kLargePage;
  if (large) pages = (pages + 511) / 512 * 512;  // so that expose can use 2 MiB pages
  const auto physical = free_.allocate(pages, large ? kLargePage : kPageSize, kNoLimit);
  if (!physical) return nullptr;
  for (std::uint64_t i = 0; i < pages; i++) zero_page(direct(*physical + i * kPageSize));
  if (!paging().expose(window_address, *physical, pages)) return nullptr;
  return direct(*physical);
}

std::uint64_t BootMemory::create_env_records() {
  const std::uint64_t wanted = (ram_.total_bytes() >> kPageShift) / kPagesPerEnvironment;
  const std::uint64_t count = std::min<std::uint64_t>(wanted, kMaxEnvironments);
  const auto physical = free_.allocate(count, kPageSize, kNoLimit);
  if (!physical) return 0;
  provide_kernel_envs(*physical, count);
  return count;
}

void BootMemory::finish(const ExposedTables& tables, const BootInfo& boot) {
  const std::uint64_t limit = tables.info->page_count << kPageShift;
  PageInfo* pages = tables.pages;  // cleared, that is: Free
  free_.for_each_gap(limit, [pages](std::uint64_t begin, std::uint64_t end) {
    mark(pages, begin, end, PageStatus::Kernel);
  });
  ram_.for_each_gap(limit, [pages](std::uint64_t begin, std::uint64_t end) {
    mark(pages, begin, end, PageStatus::Absent);
  });
  const std::uint64_t bundle_end = page_ceil(boot.bundle() + boot.bundle_length());
  mark(pages, boot.bundle(), std::min(bundle_end, limit), PageStatus::BootModule);
  paging().seal();
}

}  // namespace xok::kernel::x86
