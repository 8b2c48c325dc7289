// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// File data. `Inode::map` holds one word per page: the page's address, and in its low bits
//
//   kExternal  the page belongs to the boot archive: read, never write
//   kFresh     made by the `preallocate` that is running, to be undone should it fail
//
// Processes may have any of these pages mapped. A mapped page may hold bytes behind the end of file
// (POSIX lets the program write there); they are cleared when the file grows over them.
#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/checked.hpp"
#include "base/units.hpp"
#include "exos/fs/memory_fs.hpp"

namespace xok::exos {

namespace {

constexpr std::uintptr_t kExternal = 1;
constexpr std::uintptr_t kFresh = 2;
constexpr std::uintptr_t kTags = kExternal | kFresh;
constexpr std::int64_t kDayNs = 86'400LL * static_cast<std::int64_t>(kNanosecondsPerSecond);

std::byte* page_of(std::uintptr_t word) { return reinterpret_cast<std::byte*>(word & ~kTags); }

std::uint64_t offset_in_page(std::uint64_t offset) { return offset & kPageMask; }
std::uint64_t page_index(std::uint64_t offset) { return offset >> kPageShift; }

FsResult<void> check_regular(const Inode& file) {
  if (file.type == FileType::Directory) return fs_fail(FsError::IsADirectory);
  if (file.type != FileType::Regular) return fs_fail(FsError::BadArgument);
  return {};
}

FsResult<void> check_range(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return fs_fail(FsError::BadArgument);
  if (!range_fits(offset, length, kMaxFileSize)) return fs_fail(FsError::FileTooBig);
  return {};
}

}  // namespace

FsResult<std::size_t> MemoryFs::read(Inode& file, std::uint64_t offset, std::span<std::byte> out) {
  XOK_TRY(check_regular(file));
  if (file.accessed_ns <= file.modified_ns || file.accessed_ns <= file.changed_ns ||
      now_ns_ - file.accessed_ns >= kDayNs) {
    file.accessed_ns = now_ns_;
  }
  if (offset >= file.size) return 0;
  const std::size_t length = std::min<std::uint64_t>(out.size(), file.size - offset);
  for (std::size_t done = 0; done < length;) {
    const std::uint64_t in_page = offset_in_page(offset + done);
    const std::size_t part = std::min<std::uint64_t>(length - done, kPageSize - in_page);
    const std::uintptr_t word = file.map.get(page_index(offset + done));
    if (word == 0) {
      std::memset(out.data() + done, 0, part);
    } else {
      std::memcpy(out.data() + done, page_of(word) + in_page, part);
    }
    done += part;
  }
  return length;
}

FsResult<std::size_t> MemoryFs::write(Inode& file, std::uint64_t offset,
                                      std::span<const std::byte> data) {
  XOK_TRY(check_regular(file));
  if (data.empty()) return 0;
  if (offset >= kMaxFileSize) return fs_fail(FsError::FileTooBig);
  const std::size_t length = std::min<std::uint64_t>(data.size(), kMaxFileSize - offset);
  std::size_t done = 0;
  while (done < length) {
    const std::uint64_t in_page = offset_in_page(offset + done);
    const std::size_t part = std::min<std::uint64_t>(length - done, kPageSize - in_page);
    auto page = own_page(file, page_index(offset + done), 0);
    if (!page && done == 0) return fs_fail(page.error());
    if (!page) break;
    if (done == 0 && offset > file.size) clear_tail(file);
    std::memcpy(*page + in_page, data.data() + done, part);
    done += part;
  }
  file.size = std::max(file.size, offset + done);
  touch(file);
  return done;
}

FsResult<void> MemoryFs::resize(Inode& file, std::uint64_t size) {
  XOK_TRY(check_regular(file));
  if (size > kMaxFileSize) return fs_fail(FsError::FileTooBig);
  if (size > file.size) {
    clear_tail(file);
  } else {
    XOK_TRY(clear_bytes(file, size, page_ceil(size)));
    drop_pages(file, page_index(page_ceil(size)), ~std::uint64_t{0});
  }
  file.size = size;
  touch(file);
  return {};
}

FsResult<void> MemoryFs::preallocate(Inode& file, std::uint64_t offset, std::uint64_t length,
                                     SizeChange size_change) {
  XOK_TRY(check_regular(file));
  XOK_TRY(check_range(offset, length));
  const std::uint64_t first = page_index(offset);
  const std::uint64_t end = page_index(offset + length - 1) + 1;
  if (end - first > file.pages + heap_.available_pages()) return fs_fail(FsError::NoSpace);
  std::uint64_t reached = first;
  while (reached < end && own_page(file, reached, kFresh)) ++reached;
  for (std::uint64_t index = first; index < reached; ++index) {
    const std::uintptr_t word = file.map.get(index);
    if ((word & kFresh) == 0) continue;
    if (reached < end) {
      drop_page(file, index);
    } else {
      const bool kept = file.map.set(heap_, index, word & ~kFresh);
      XOK_CHECK(kept, index);
    }
  }
  if (reached < end) return fs_fail(FsError::NoSpace);
  if (size_change == SizeChange::Extend && offset + length > file.size) {
    clear_tail(file);
    file.size = offset + length;
    touch(file);
  }
  return {};
}

FsResult<void> MemoryFs::punch_hole(Inode& file, std::uint64_t offset, std::uint64_t length) {
  XOK_TRY(check_regular(file));
  XOK_TRY(check_range(offset, length));
  const std::uint64_t end = offset + length;
  const std::uint64_t inner_begin = page_ceil(offset);
  const std::uint64_t inner_end = page_floor(end);
  if (inner_begin > inner_end) {  // inside one page
    XOK_TRY(clear_bytes(file, offset, end));
  } else {
    XOK_TRY(clear_bytes(file, offset, inner_begin));
    XOK_TRY(clear_bytes(file, inner_end, end));
    drop_pages(file, page_index(inner_begin), page_index(inner_end));
  }
  touch(file);
  return {};
}

FsResult<std::uint64_t> MemoryFs::seek_data(const Inode& file, std::uint64_t offset) {
  XOK_TRY(check_regular(file));
  const auto item = file.map.first_from(page_index(offset));
  if (offset >= file.size || !item) return fs_fail(FsError::BeyondEnd);
  const std::uint64_t found = std::max(offset, item->key << kPageShift);
  return found < file.size ? FsResult<std::uint64_t>{found} : fs_fail(FsError::BeyondEnd);
}

FsResult<std::uint64_t> MemoryFs::seek_hole(const Inode& file, std::uint64_t offset) {
  XOK_TRY(check_regular(file));
  if (offset >= file.size) return fs_fail(FsError::BeyondEnd);
  std::uint64_t index = page_index(offset);
  while (file.map.get(index) != 0) ++index;
  return std::min(file.size, std::max(offset, index << kPageShift));
}

FsResult<FilePage> MemoryFs::page_at(Inode& file, std::uint64_t index, PageUse use) {
  XOK_TRY(check_regular(file));
  if (index >= page_index(page_ceil(file.size))) return fs_fail(FsError::BeyondEnd);
  if (use == PageUse::Write) {
    return FilePage{.address = XOK_TRY(own_page(file, index, 0)), .read_only = false};
  }
  const std::uintptr_t word = file.map.get(index);
  if (word == 0) return FilePage{.address = state_->zero_page, .read_only = true};
  return FilePage{.address = page_of(word), .read_only = (word & kExternal) != 0};
}

FsResult<void> MemoryFs::add_external_page(Inode& file, std::uint64_t index, const void* page) {
  XOK_TRY(check_regular(file));
  const auto word = reinterpret_cast<std::uintptr_t>(page);
  XOK_CHECK(offset_in_page(word) == 0 && file.map.get(index) == 0, word, index);
  if (!file.map.set(heap_, index, word | kExternal)) return fs_fail(FsError::NoSpace);
  ++file.pages;
  return {};
}

/// The file's own, writable page `index`: as it is, a copy of the external one, or a new zero page
/// marked with `tag`.
FsResult<std::byte*> MemoryFs::own_page(Inode& file, std::uint64_t index, std::uint64_t tag) {
  const std::uintptr_t word = file.map.get(index);
  if (word != 0 && (word & kExternal) == 0) return page_of(word);
  auto* page = static_cast<std::byte*>(heap_.allocate_pages(1));
  if (page == nullptr) return fs_fail(FsError::NoSpace);
  const bool copy = word != 0;
  if (copy) std::memcpy(page, page_of(word), kPageSize);
  const std::uintptr_t new_word = reinterpret_cast<std::uintptr_t>(page) | (copy ? 0 : tag);
  if (!file.map.set(heap_, index, new_word)) {
    heap_.free_pages(page, 1);
    return fs_fail(FsError::NoSpace);
  }
  if (!copy) ++file.pages;
  return page;
}

void MemoryFs::drop_page(Inode& file, std::uint64_t index) {
  const std::uintptr_t word = file.map.take(heap_, index);
  if (word == 0) return;
  --file.pages;
  if ((word & kExternal) == 0) heap_.free_pages(page_of(word), 1);
}

/// Drops the pages [first, end) that are there.
void MemoryFs::drop_pages(Inode& file, std::uint64_t first, std::uint64_t end) {
  while (const auto item = file.map.first_from(first)) {
    if (item->key >= end) return;
    drop_page(file, item->key);
    first = item->key + 1;
  }
}

/// Zeroes [begin, end), which lies in one page. A hole needs nothing, an external page a copy.
FsResult<void> MemoryFs::clear_bytes(Inode& file, std::uint64_t begin, std::uint64_t end) {
  if (begin == end || file.map.get(page_index(begin)) == 0) return {};
  std::byte* page = XOK_TRY(own_page(file, page_index(begin), 0));
  std::memset(page + offset_in_page(begin), 0, end - begin);
  return {};
}

/// Zeroes what a mapping may have left behind the end of file, before the file grows over it. An
/// external page is zero there from the start.
void MemoryFs::clear_tail(Inode& file) {
  const std::uintptr_t word = file.map.get(page_index(file.size));
  const std::uint64_t in_page = offset_in_page(file.size);
  if (in_page == 0 || word == 0 || (word & kExternal) != 0) return;
  std::memset(page_of(word) + in_page, 0, kPageSize - in_page);
}

}  // namespace xok::exos
