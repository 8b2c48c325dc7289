// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/vm/memory.hpp"

#include <algorithm>

#include "exos/arena.hpp"
#include "exos/layout.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/process.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/registers.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"
#include "exos/vm/tables.hpp"

// How a page of the program comes and goes
//
//   anonymous    first touch: a fresh zeroed page, writable if the region is
//   file, read   the file's own physical page, read-only
//   file, write  private: a copy; shared: the file's own page, writable
//   after fork   parent and child have the same page tables, which neither can write through or
//                change (table_fork). Each gets tables of its own where it changes something, and
//                there its private pages are read-only
//
// A write fault on a present page of a private region asks the exposed page table who else maps the
// page: nobody -> it is made writable in place; somebody -> it is copied. No bit of ours says
// "copy-on-write": file pages are mapped by the shared region too, so they always count twice, and
// pages of the boot bundle belong to nobody.
namespace xok::exos {
namespace {

constexpr std::size_t kMaxRegions = 32 * kPageSize / sizeof(Region);

std::uint64_t entry_bits(const Region& region, bool writable) {
  std::uint64_t bits = kPtePresent | kPteUser;
  if (writable) bits |= kPteWritable;
  if ((region.protection & kProtExecute) == 0) bits |= kPteNoExecute;
  return bits;
}

/// Whether a fork has ever frozen page tables of this address space (not of what a vfork child and
/// its parent see differently: so not in Process).
constinit bool g_was_forked = false;

/// Makes the page tables on the way to `va` ours. False: no memory for them.
bool own_tables(std::uint64_t va) {
  return !g_was_forked || !is_frozen(va) || sys::table_own(kCapPages, va, kSelf) >= 0;
}

/// As for_each_present, for a visit that changes the entries.
template <class Visit>
void for_each_owned(std::uint64_t start, std::uint64_t end, Visit visit) {
  for_each_present(start, end, visit, [](std::uint64_t va) { (void)own_tables(va); });
}

/// Calls visit(address) for each top-level slot that may hold pages of the program.
template <class Visit>
void for_each_slot(Visit visit) {
  std::uint64_t next = 0;  // regions are in ascending order, and may share a slot
  for (const Region& region : regions().all()) {
    std::uint64_t slot = region.start & ~(kSlotSize - 1);
    if (slot < next) slot = next;
    for (; slot < region.end; slot += kSlotSize) {
      if ((table_word(pml4e_address(slot)) & kPtePresent) != 0) visit(slot);
      next = slot + kSlotSize;
    }
  }
  if ((table_word(pml4e_address(kHiddenBase)) & kPtePresent) != 0) visit(kHiddenBase);
}

void unmap(std::uint64_t va) { sys::pte_insert(kCapPages, 0, va, kSelf); }

/// Puts a fresh page with the content of `source` at `va`.
FaultOutcome map_copy(const Region& region, std::uint64_t va, const void* source,
                      std::size_t valid) {
  const bool writable = (region.protection & kProtWrite) != 0;
  const std::uint64_t bits = entry_bits(region, writable || valid < kPageSize);
  if (sys::pte_fill(kCapPages, bits, va, 1, reinterpret_cast<std::uint64_t>(source), kSelf) < 0)
    return FaultOutcome::NoMemory;
  if (valid < kPageSize) {
    auto* const to = reinterpret_cast<std::byte*>(va);
    std::fill(to + valid, to + kPageSize, std::byte{0});
    if (!writable) sys::pte_modify_range(va, 1, 0, kPteWritable, kCapPages, kSelf);
  }
  return FaultOutcome::Resolved;
}

/// Where the last fresh pages end, and how many they were: whoever touches one page after the other
/// gets twice as many each time.
constinit std::uint64_t g_fresh_end = 0;
constinit std::uint64_t g_fresh_count = 0;
constexpr std::uint64_t kMaxFresh = 16;

/// How many pages from `va` on, at most `wanted`, belong to the region and have empty entries in
/// the level-1 table of `va`, whose own is empty.
std::uint64_t empty_run(const Region& region, std::uint64_t va, std::uint64_t wanted) {
  std::uint64_t end = va + wanted * kPageSize;
  if (end > region.end) end = region.end;
  const std::uint64_t table_end = (va | (2 * kMiB - 1)) + 1;
  if (end > table_end) end = table_end;
  std::uint64_t next = va + kPageSize;
  if (!has_table(va)) return (end - va) >> kPageShift;
  while (next < end && table_word(pte_address(next)) == 0) next += kPageSize;
  return (next - va) >> kPageShift;
}

FaultOutcome map_fresh(const Region& region, std::uint64_t va) {
  const bool writable = (region.protection & kProtWrite) != 0;
  const std::uint64_t bits = entry_bits(region, writable);
  std::uint64_t n = 1;
  if (va == g_fresh_end && !region.file.valid())
    n = empty_run(region, va, g_fresh_count < kMaxFresh ? 2 * g_fresh_count : kMaxFresh);
  if (sys::pte_fill(kCapPages, bits, va, n, kFillZero, kSelf) < 0) {
    n = 1;  // perhaps there is memory for this one
    if (sys::pte_fill(kCapPages, bits, va, n, kFillZero, kSelf) < 0) return FaultOutcome::NoMemory;
  }
  g_fresh_end = va + n * kPageSize;
  g_fresh_count = n;
  return FaultOutcome::Resolved;
}

/// Bytes of the page at `va` that come from the file; the rest is zero (bss behind an ELF segment).
std::size_t file_bytes(const Region& region, std::uint64_t va) {
  if (region.file_end == 0 || va + kPageSize <= region.file_end) return kPageSize;
  return va >= region.file_end ? 0 : region.file_end - va;
}

FaultOutcome map_file_page(const Region& region, std::uint64_t va, Access access) {
  const std::uint64_t index = region.first_page + ((va - region.start) >> kPageShift);
  const std::size_t valid = file_bytes(region, va);
  if (valid == 0) return map_fresh(region, va);
  const bool use_own = region.shared() && (region.protection & kProtWrite) != 0;
  const FileSystemLock lock;
  auto page = file_system().page_at(region.file, index, use_own ? PageUse::Write : PageUse::Read);
  if (!page.has_value()) {
    return page.error() == FsError::BeyondEnd ? FaultOutcome::PastEnd : FaultOutcome::NoMemory;
  }
  if (!region.shared() && (access == Access::Write || valid < kPageSize))
    return map_copy(region, va, page->address, valid);
  const std::uint64_t entry = pte_of(reinterpret_cast<std::uint64_t>(page->address));
  const std::int64_t mapped =
      sys::pte_insert(kCapPages, (entry & kPtePageMask) | entry_bits(region, use_own), va, kSelf);
  return mapped < 0 ? FaultOutcome::NoMemory : FaultOutcome::Resolved;
}

/// A write to a page that is present and read-only, in a region that may be written.
FaultOutcome break_sharing(const Region& region, std::uint64_t va, std::uint64_t entry) {
  const std::uint64_t page = (entry & kPtePageMask) >> kPageShift;
  const volatile PageInfo& info = rt::page_record(page);
  const bool alone = info.status == PageStatus::User && info.mappings == 1;
  if (region.shared() || alone) {
    return sys::pte_modify_range(va, 1, kPteWritable, 0, kCapPages, kSelf) < 0
               ? FaultOutcome::NotAllowed
               : FaultOutcome::Resolved;
  }
  return map_copy(region, va, reinterpret_cast<const void*>(va), kPageSize);
}

bool permits(const Region& region, Access access) {
  switch (access) {
    case Access::Write:
      return (region.protection & kProtWrite) != 0;
    case Access::Execute:
      return (region.protection & kProtExecute) != 0;
    case Access::Read:
      return region.protection != kProtNone;
  }
  return false;
}

/// The stack's region, grown down to hold `address`, or nullptr.
Region* grow_stack(std::uint64_t address) {
  Region* region = regions().first_above(address);
  if (region == nullptr || (region->flags & kRegionGrowsDown) == 0) return nullptr;
  const std::uint64_t limit = std::min(process().limits[kLimitStack].soft, 64 * kMiB);
  if (region->end - page_floor(address) > limit) return nullptr;
  region->start = page_floor(address);
  return region;
}

void hold_file(const Region& region) {
  if (!region.file.valid()) return;
  const FileSystemLock lock;
  file_system().hold(region.file);
}

void release_file(const Region& region) {
  if (!region.file.valid()) return;
  const FileSystemLock lock;
  file_system().release(region.file);
}

Result<> split_at(std::uint64_t address) {
  RegionTable table = regions();
  const std::size_t before = process().region_count;
  XOK_TRY(table.split(address));
  if (process().region_count != before) hold_file(*table.find(address));
  return {};
}

/// Makes sure that the table has a page for two more regions: the fault handler must not fault.
Result<> prepare_table() {
  const std::uint64_t end = kRegionTable + (process().region_count + 3) * sizeof(Region);
  for (std::uint64_t va = page_floor(end); (pte_of(va) & kPtePresent) == 0; va -= kPageSize) {
    if (sys::pte_insert(kCapPages, kPtePresent | kPteWritable | kPteUser | kPteNoExecute, va,
                        kSelf) < 0)
      return fail(Errc::NoMemory);
    if (va == kRegionTable) break;
  }
  return {};
}

/// Moves the pages of a range out of the program's reach, or back.
void hide_pages(std::uint64_t start, std::uint64_t end) {
  if (end > kSlotSize) return;
  for_each_owned(start, end, [](std::uint64_t va, std::uint64_t entry) {
    (void)own_tables(kHiddenBase + va);
    sys::pte_insert(kCapPages, (entry & kPtePageMask) | kPtePresent | kPteUser | kPteNoExecute,
                    kHiddenBase + va, kSelf);
    unmap(va);
  });
}

void unhide_pages(const Region& region, std::uint64_t start, std::uint64_t end) {
  if (end > kSlotSize) return;
  for_each_owned(kHiddenBase + start, kHiddenBase + end,
                 [&region](std::uint64_t va, std::uint64_t entry) {
                   (void)own_tables(va - kHiddenBase);
                   sys::pte_insert(kCapPages, (entry & kPtePageMask) | entry_bits(region, false),
                                   va - kHiddenBase, kSelf);
                   unmap(va);
                 });
}

void unmap_single_pages(std::uint64_t start, std::uint64_t end) {
  static constinit std::array<std::uint64_t, 64> zeros{};
  std::uint64_t run_start = 0;
  std::uint64_t run_length = 0;
  const auto flush = [&] {
    if (run_length == 0) return;
    if (run_length == 1) {
      unmap(run_start);
    } else {
      std::uint64_t done = 0;
      sys::pte_insert_range(kCapPages, reinterpret_cast<std::uint64_t>(zeros.data()), run_length,
                            run_start, reinterpret_cast<std::uint64_t>(&done), kSelf);
    }
    run_length = 0;
  };
  for_each_owned(start, end, [&](std::uint64_t va, std::uint64_t /*entry*/) {
    if (run_length != 0 && (va != run_start + run_length * kPageSize || run_length == 64)) flush();
    if (run_length++ == 0) run_start = va;
  });
  flush();
}

/// Takes whole page tables out of [start, end), whose ends lie at tables' ends.
void unmap_tables(std::uint64_t start, std::uint64_t end) {
  for (std::uint64_t va = start; va < end; va += 2 * kMiB) {
    if (!has_table(va)) continue;
    (void)own_tables(va);
    if (sys::table_drop(va, 1, kSelf) < 0) unmap_single_pages(va, va + 2 * kMiB);
  }
}

/// Forgets what [start, end) maps: whole tables at once, where they lie in it.
void unmap_pages(std::uint64_t start, std::uint64_t end) {
  const std::uint64_t first = (start + 2 * kMiB - 1) & ~(2 * kMiB - 1);
  const std::uint64_t last = end & ~(2 * kMiB - 1);
  if (first >= last) return unmap_single_pages(start, end);
  unmap_single_pages(start, first);
  unmap_tables(first, last);
  unmap_single_pages(last, end);
}

/// A fresh page of ExOS' own memory, unless one is there.
bool bring_in(std::uint64_t va) {
  if ((pte_of(va) & kPtePresent) != 0) return (pte_of(va) & kPteWritable) != 0;
  return sys::pte_insert(kCapPages, kPtePresent | kPteWritable | kPteUser | kPteNoExecute, va,
                         kSelf) >= 0;
}

}  // namespace

RegionTable regions() {
  return {reinterpret_cast<Region*>(kRegionTable), process().region_count, kMaxRegions};
}

Result<> add_region(const Region& region) {
  XOK_TRY(prepare_table());
  RegionTable table = regions();
  XOK_TRY(table.insert(region));
  hold_file(region);
  return {};
}

Result<> remove_range(std::uint64_t start, std::uint64_t end) {
  XOK_TRY(prepare_table());
  RegionTable table = regions();
  if (!table.overlaps(start, end)) return {};
  XOK_TRY(split_at(start));
  XOK_TRY(split_at(end));
  unmap_pages(start, end);
  if (end <= kSlotSize) unmap_pages(kHiddenBase + start, kHiddenBase + end);
  table.remove(start, end, [](const Region& region) { release_file(region); });
  return {};
}

Result<> protect_range(std::uint64_t start, std::uint64_t end, std::uint32_t protection) {
  RegionTable table = regions();
  for (std::uint64_t va = start; va < end;) {
    const Region* region = table.find(va);
    if (region == nullptr) return fail(Errc::NoMemory);
    va = region->end;
  }
  XOK_TRY(prepare_table());
  XOK_TRY(split_at(start));
  XOK_TRY(split_at(end));
  for (Region& region : table.all()) {
    if (region.end <= start || region.start >= end || region.protection == protection) continue;
    const std::uint32_t old = region.protection;
    region.protection = protection;
    if (protection == kProtNone) {
      hide_pages(region.start, region.end);
      continue;
    }
    if (old == kProtNone) unhide_pages(region, region.start, region.end);
    // Rights that go, go now; rights that come, come with the next fault - except the common case
    // of a single page that is ours alone.
    std::uint64_t remove = 0;
    std::uint64_t add = 0;
    if ((protection & kProtWrite) == 0) remove |= kPteWritable;
    ((protection & kProtExecute) == 0 ? add : remove) |= kPteNoExecute;
    const bool change = (old & ~protection) != 0 || ((old ^ protection) & kProtExecute) != 0;
    if (!change) continue;
    for_each_owned(region.start, region.end, [add, remove](std::uint64_t va, std::uint64_t entry) {
      if (((entry | add) & ~remove) != entry)
        sys::pte_modify_range(va, 1, add, remove, kCapPages, kSelf);
    });
  }
  return {};
}

void discard_range(std::uint64_t start, std::uint64_t end) { unmap_pages(start, end); }

Result<> move_range(std::uint64_t from, std::uint64_t to, std::uint64_t length) {
  bool moved = true;
  for_each_owned(from, from + length, [&](std::uint64_t va, std::uint64_t entry) {
    constexpr std::uint64_t kKept =
        kPtePageMask | kPtePresent | kPteUser | kPteWritable | kPteNoExecute;
    if (!moved) return;
    moved = own_tables(to + (va - from)) &&
            sys::pte_insert(kCapPages, entry & kKept, to + (va - from), kSelf) >= 0;
    if (moved) unmap(va);
  });
  if (!moved) return fail(Errc::NoMemory);
  return {};
}

void remove_all_regions() {
  for_each_slot([](std::uint64_t slot) { sys::table_drop(slot, 3, kSelf); });
  g_was_forked = false;
  for (const Region& region : regions().all()) release_file(region);
  process().region_count = 0;
}

FaultOutcome resolve_fault(std::uint64_t address, Access access) {
  if (address >= kProgramTop) return FaultOutcome::NotMapped;
  static constinit std::size_t last = 0;
  Region* region = regions().find(address, last);
  if (region == nullptr) region = grow_stack(address);
  if (region == nullptr) return FaultOutcome::NotMapped;
  if (!permits(*region, access)) return FaultOutcome::NotAllowed;
  const std::uint64_t va = page_floor(address);
  if (!own_tables(va)) return FaultOutcome::NoMemory;
  const std::uint64_t entry = pte_of(va);
  if ((entry & kPtePresent) == 0)
    return region->file.valid() ? map_file_page(*region, va, access) : map_fresh(*region, va);
  if (access == Access::Write && (entry & kPteWritable) == 0)
    return break_sharing(*region, va, entry);
  if (access == Access::Execute && (entry & kPteNoExecute) != 0) {
    return sys::pte_modify_range(va, 1, 0, kPteNoExecute, kCapPages, kSelf) < 0
               ? FaultOutcome::NotAllowed
               : FaultOutcome::Resolved;
  }
  return FaultOutcome::Resolved;  // somebody (we, a moment ago) has done it already
}

bool resolve_private_fault(std::uint64_t address) {
  const std::uint64_t va = page_floor(address);
  const bool stack = va >= kMainStackBottom && va < kMainStackTop;
  const bool fds = va >= kFdTable && va < kFdTable + 2 * kPageSize;
  const bool stage = va >= kStageWindow && va < kStageWindow + kStageSize;
  const bool state = va >= kSharedBase && va < kSharedBase + sizeof(SharedState);
  const bool vfork = va >= kVforkWindow && va < kVforkWindow + kVforkSize;
  if (!stack && !fds && !stage && !state && !vfork) return false;
  // A shared page may be missed by two processes at once: only one of them may bring it in. The
  // first page, which holds the lock, comes while there is only init.
  if (state && bring_in(kSharedBase)) {
    const rt::Locked locked{shared().arena_lock};
    return bring_in(va);
  }
  return bring_in(va);
}

namespace {

/// Calls touch(address) for an address in each page of a range that is not empty.
template <class Touch>
bool touch_each(std::uint64_t address, std::uint64_t length, Touch touch) {
  const std::uint64_t last = address + length - 1;
  for (std::uint64_t at = address;; at = page_floor(at) + kPageSize) {
    if (at > last) at = last;
    if (!touch(at)) return false;
    if (page_floor(at) == page_floor(last)) return true;
  }
}

bool can_load(std::uint64_t at) {
  std::uint8_t byte = 0;
  return rt::rt_user_copy(&byte, reinterpret_cast<const void*>(at), 1) == 0;
}

bool can_store(std::uint64_t at) {
  std::uint8_t byte = 0;
  return rt::rt_user_copy(&byte, reinterpret_cast<const void*>(at), 1) == 0 &&
         rt::rt_user_copy(reinterpret_cast<void*>(at), &byte, 1) == 0;
}

bool is_in_one_page(std::uint64_t address, std::uint64_t length) {
  return (address & kPageMask) + length - 1 < kPageSize;  // length 0 is not
}

}  // namespace

bool touch_readable(std::uint64_t address, std::uint64_t length) {
  if (address >= kProgramTop || length > kProgramTop - address) return length == 0;
  if (is_in_one_page(address, length)) [[likely]]
    return can_load(address);
  return length == 0 || touch_each(address, length, [](std::uint64_t at) { return can_load(at); });
}

bool touch_writable(std::uint64_t address, std::uint64_t length) {
  if (address >= kProgramTop || length > kProgramTop - address) return length == 0;
  if (is_in_one_page(address, length)) [[likely]]
    return can_store(address);
  return length == 0 || touch_each(address, length, [](std::uint64_t at) { return can_store(at); });
}

void note_fork() { g_was_forked = true; }

Result<> share_program_pages(std::uint64_t target) {
  note_fork();
  bool ok = true;
  for_each_slot([&](std::uint64_t slot) {
    if (ok) ok = sys::table_fork(slot, 3, kSelf, target) >= 0;
  });
  if (!ok) return fail(Errc::NoMemory);
  return {};
}

std::uint64_t virtual_bytes() {
  std::uint64_t total = 0;
  for (const Region& region : regions().all()) total += region.end - region.start;
  return total;
}

}  // namespace xok::exos
