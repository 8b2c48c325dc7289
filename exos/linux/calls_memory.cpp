// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on the address space.
#include <algorithm>

#include "exos/linux/call.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/vm/memory.hpp"
#include "exos/vm/tables.hpp"

namespace xok::exos::linux_abi {
namespace {

bool good_range(std::uint64_t address, std::uint64_t length) {
  return (address & kPageMask) == 0 && address < kProgramTop && length <= kProgramTop - address;
}

Outcome<std::uint64_t> choose_address(std::uint64_t hint, std::uint64_t length,
                                      std::uint64_t flags) {
  if ((flags & (kMAP_FIXED | kMAP_FIXED_NOREPLACE)) != 0) {
    if (!good_range(hint, length) || hint < kLowestAddress)
      return std::unexpected{Errc::BadArgument};
    if ((flags & kMAP_FIXED_NOREPLACE) != 0 && regions().overlaps(hint, hint + length))
      return std::unexpected{Errc::Exists};
    return hint;
  }
  const std::uint64_t wish = page_floor(hint);
  if (wish >= kLowestAddress && good_range(wish, length) &&
      !regions().overlaps(wish, wish + length))
    return wish;
  if ((flags & kMAP_32BIT) != 0) return regions().find_gap(length, kLowestAddress, 2 * kGiB);
  if (auto found = regions().find_gap(length, kMmapBottom, kMmapTop); found.has_value())
    return *found;
  // Reservations that are larger than the first slot: sanitizers, language run-times.
  return regions().find_gap(length, kSlotSize, kHiddenBase);
}

/// An anonymous shared mapping is a file without a name.
Outcome<Vnode> shared_memory(std::uint64_t length) {
  Vfs fs = file_system();
  const Vnode file = XOK_TRY(fs.create_unnamed(fs.root(), {.type = FileType::Regular,
                                                           .permissions = 0600,
                                                           .uid = process().proc->euid,
                                                           .gid = process().proc->egid}));
  XOK_TRY(fs.resize(credentials(), file, length));
  return file;
}

Outcome<std::uint64_t> map(std::uint64_t hint, std::uint64_t asked, std::uint32_t protection,
                           std::uint64_t flags, int fd, std::uint64_t offset) {
  if (asked == 0 || (offset & kPageMask) != 0) return std::unexpected{Errc::BadArgument};
  if (asked > kProgramTop) return std::unexpected{Errc::NoMemory};
  const std::uint64_t length = page_ceil(asked);
  const std::uint64_t kind = flags & 3;
  if (kind == 0) return std::unexpected{Errc::BadArgument};
  Region region{.protection = protection & (kProtRead | kProtWrite | kProtExecute)};
  if ((kind & kMAP_SHARED) != 0) region.flags |= kRegionShared;
  if ((flags & kMAP_GROWSDOWN) != 0) region.flags |= kRegionGrowsDown;
  bool release = false;
  const FileSystemLock lock;
  if ((flags & kMAP_ANONYMOUS) == 0) {
    OpenFile* file = XOK_TRY(file_at(static_cast<std::uint64_t>(fd)));
    if (file->kind == FileKind::Zero) {
      if (region.shared()) {
        region.file = XOK_TRY(shared_memory(length));
        release = true;
      }
    } else {
      if (file->kind != FileKind::Regular || file_system().type(file->node) != FileType::Regular)
        return std::unexpected{FsError::AccessDenied};
      if (!readable_mode(*file)) return std::unexpected{FsError::AccessDenied};
      if (region.shared() && (protection & kProtWrite) != 0 && !writable_mode(*file))
        return std::unexpected{FsError::AccessDenied};
      region.file = file->node;
      region.first_page = offset >> kPageShift;
    }
  } else if (region.shared()) {
    region.file = XOK_TRY(shared_memory(length));
    release = true;
  }
  const auto address = choose_address(hint, length, flags);
  Outcome<std::uint64_t> result = address;
  if (address.has_value()) {
    region.start = *address;
    region.end = *address + length;
    Result<> done;
    if ((flags & kMAP_FIXED) != 0) done = remove_range(region.start, region.end);
    if (done.has_value()) done = add_region(region);
    if (!done.has_value()) result = std::unexpected{Errc::NoMemory};
  }
  // The region holds the file now; the creation's own hold goes.
  if (release) file_system().release(region.file);
  return result;
}

}  // namespace

std::int64_t call_mmap(const Arguments& a) {
  return result_of(map(a[0], a[1], a.as_u32(2), a[3], a.as_int(4), a[5]));
}

std::int64_t call_munmap(const Arguments& a) {
  if (a[1] == 0 || !good_range(a[0], page_ceil(a[1]))) return -kEINVAL;
  return result_of(remove_range(a[0], a[0] + page_ceil(a[1])));
}

std::int64_t call_mprotect(const Arguments& a) {
  if (!good_range(a[0], page_ceil(a[1]))) return (a[0] & kPageMask) != 0 ? -kEINVAL : -kENOMEM;
  if (a[1] == 0) return 0;
  constexpr std::uint32_t kKnown = kPROT_READ | kPROT_WRITE | kPROT_EXEC;
  if ((a.as_u32(2) & ~(kKnown | kPROT_GROWSDOWN | kPROT_GROWSUP | kPROT_SEM)) != 0) return -kEINVAL;
  return result_of(protect_range(a[0], a[0] + page_ceil(a[1]), a.as_u32(2) & kKnown));
}

std::int64_t call_mremap(const Arguments& a) {
  const std::uint64_t address = a[0];
  const std::uint64_t old_length = page_ceil(a[1]);
  const std::uint64_t new_length = page_ceil(a[2]);
  const std::uint64_t flags = a[3];
  if (new_length == 0 || old_length == 0 || !good_range(address, old_length) ||
      new_length > kProgramTop)
    return -kEINVAL;
  if ((flags & kMREMAP_DONTUNMAP) != 0) return -kEINVAL;
  const Region* region = regions().find(address);
  if (region == nullptr || region->end < address + old_length) return -kEFAULT;
  if ((flags & kMREMAP_FIXED) == 0) {
    if (new_length == old_length) return static_cast<std::int64_t>(address);
    if (new_length < old_length) {
      const auto cut = remove_range(address + new_length, address + old_length);
      return cut.has_value() ? static_cast<std::int64_t>(address) : result_of(cut);
    }
    if (region->end == address + old_length && good_range(address, new_length) &&
        !regions().overlaps(address + old_length, address + new_length)) {
      regions().find(address)->end = address + new_length;
      return static_cast<std::int64_t>(address);
    }
    if ((flags & kMREMAP_MAYMOVE) == 0) return -kENOMEM;
  }
  Region moved = *region;
  moved.first_page += (address - region->start) >> kPageShift;
  if ((flags & kMREMAP_FIXED) != 0) {
    if (!good_range(a[4], new_length) || (flags & kMREMAP_MAYMOVE) == 0) return -kEINVAL;
    if (a[4] < address + old_length && address < a[4] + new_length) return -kEINVAL;
    moved.start = a[4];
    XOK_LINUX_TRY(remove_range(moved.start, moved.start + new_length));
  } else {
    moved.start = XOK_LINUX_TRY(regions().find_gap(new_length, kMmapBottom, kMmapTop));
  }
  moved.end = moved.start + new_length;
  XOK_LINUX_TRY(add_region(moved));
  XOK_LINUX_TRY(move_range(address, moved.start, std::min(old_length, new_length)));
  XOK_LINUX_TRY(remove_range(address, address + old_length));
  return static_cast<std::int64_t>(moved.start);
}

std::int64_t call_madvise(const Arguments& a) {
  if (!good_range(a[0], page_ceil(a[1]))) return -kEINVAL;
  // FREE may keep the pages; giving them back at once is allowed too, but only for private memory.
  if (a[2] == kMADV_DONTNEED) discard_range(a[0], a[0] + page_ceil(a[1]));
  return 0;
}

std::int64_t call_msync(const Arguments& a) {
  if (!good_range(a[0], page_ceil(a[1]))) return -kEINVAL;
  return regions().find(a[0]) == nullptr && a[1] != 0 ? -kENOMEM : 0;
}

std::int64_t call_mincore(const Arguments& a) {
  if (!good_range(a[0], page_ceil(a[1]))) return -kEINVAL;
  const auto out = XOK_LINUX_TRY(user_output(a[2], page_ceil(a[1]) >> kPageShift));
  std::uint64_t va = a[0];
  for (std::byte& byte : out) {
    if (regions().find(va) == nullptr) return -kENOMEM;
    byte = std::byte{(pte_of(va) & kPtePresent) != 0 ? std::uint8_t{1} : std::uint8_t{0}};
    va += kPageSize;
  }
  return 0;
}

std::int64_t call_brk(const Arguments& a) {
  Process& p = process();
  const std::uint64_t wanted = a[0];
  if (wanted < p.heap_start || wanted > kPieBase + 64 * kGiB)
    return static_cast<std::int64_t>(p.heap_end);
  const std::uint64_t old_top = page_ceil(p.heap_end);
  const std::uint64_t new_top = page_ceil(wanted);
  if (new_top > old_top) {
    if (regions().overlaps(old_top, new_top)) return static_cast<std::int64_t>(p.heap_end);
    const Region region{.start = old_top,
                        .end = new_top,
                        .protection = kProtRead | kProtWrite,
                        .flags = kRegionHeap};
    if (!add_region(region).has_value()) return static_cast<std::int64_t>(p.heap_end);
  } else if (new_top < old_top) {
    if (!remove_range(new_top, old_top).has_value()) return static_cast<std::int64_t>(p.heap_end);
  }
  p.heap_end = wanted;
  return static_cast<std::int64_t>(wanted);
}

}  // namespace xok::exos::linux_abi
