// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/memory_map.hpp"

#include "base/units.hpp"

namespace xok::kernel::x86 {

void MemoryMap::add(std::uint64_t begin, std::uint64_t end) {
  begin = page_ceil(begin);
  end = page_floor(end);
  if (begin >= end) return;
  // Swallow what it overlaps or touches, then insert the union.
  for (std::size_t i = 0; i < count_;) {
    Range& range = ranges_[i];
    if (range.end < begin || range.begin > end) {
      i++;
      continue;
    }
    begin = range.begin < begin ? range.begin : begin;
    end = range.end > end ? range.end : end;
    erase(i);
  }
  std::size_t position = 0;
  while (position < count_ && ranges_[position].begin < begin) position++;
  insert(position, {begin, end});
}

void MemoryMap::remove(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  begin = page_floor(begin);
  end = page_ceil(end);
  for (std::size_t i = 0; i < count_;) {
    const Range range = ranges_[i];
    if (range.end <= begin || range.begin >= end) {
      i++;
      continue;
    }
    Range left{range.begin, begin};
    Range right{end, range.end};
    erase(i);
    if (count_ + 2 > ranges_.size() && left.begin < left.end && right.begin < right.end) {
      if (left.end - left.begin < right.end - right.begin)
        left.end = left.begin;
      else
        right.end = right.begin;
    }
    if (left.begin < left.end) insert(i++, left);
    if (right.begin < right.end) insert(i++, right);
  }
}

std::optional<std::uint64_t> MemoryMap::allocate(std::uint64_t pages, std::uint64_t alignment,
                                                 std::uint64_t limit) {
  const std::uint64_t length = pages * kPageSize;
  for (const Range& range : ranges()) {
    const std::uint64_t begin = (range.begin + alignment - 1) & ~(alignment - 1);
    if (begin >= range.end || range.end - begin < length || begin + length > limit) continue;
    remove(begin, begin + length);
    return begin;
  }
  return std::nullopt;
}

std::uint64_t MemoryMap::total_bytes() const {
  std::uint64_t total = 0;
  for (const Range& range : ranges()) total += range.end - range.begin;
  return total;
}

void MemoryMap::insert(std::size_t position, Range range) {
  if (count_ == ranges_.size()) return;
  for (std::size_t i = count_++; i > position; i--) ranges_[i] = ranges_[i - 1];
  ranges_[position] = range;
}

void MemoryMap::erase(std::size_t position) {
  count_--;
  for (std::size_t i = position; i < count_; i++) ranges_[i] = ranges_[i + 1];
}

}  // namespace xok::kernel::x86
