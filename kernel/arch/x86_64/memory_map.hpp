// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace xok::kernel::x86 {

/// A set of physical memory, as ranges of whole pages that neither touch nor overlap: the RAM there
/// is, or the part of it that is free while the kernel sets itself up.
class MemoryMap {
 public:
  struct Range {
    std::uint64_t begin;  ///< page-aligned
    std::uint64_t end;
  };

  MemoryMap() = default;
  MemoryMap(const MemoryMap&) = delete;
  MemoryMap& operator=(const MemoryMap&) = delete;

  /// Adds the whole pages inside [begin, end). Ranges may overlap what is there.
  void add(std::uint64_t begin, std::uint64_t end);
  /// Takes out every page that [begin, end) touches. When the table is full, a range that would
  /// have to be split loses its smaller part.
  void remove(std::uint64_t begin, std::uint64_t end);
  /// Takes `pages` contiguous pages out, the lowest that are aligned and end at or below `limit`.
  std::optional<std::uint64_t> allocate(std::uint64_t pages, std::uint64_t alignment,
                                        std::uint64_t limit);
  /// In ascending order.
  [[nodiscard]] std::span<const Range> ranges() const { return {ranges_.data(), count_}; }
  [[nodiscard]] std::uint64_t total_bytes() const;
  [[nodiscard]] std::uint64_t end() const { return count_ == 0 ? 0 : ranges_[count_ - 1].end; }

  /// Calls `f(begin, end)` for every stretch of [0, limit) that is not in the set, ascending.
  template <class F>
  void for_each_gap(std::uint64_t limit, F f) const {
    std::uint64_t at = 0;
    for (const Range& range : ranges()) {
      if (range.begin >= limit) break;
      if (range.begin > at) f(at, range.begin);
      at = range.end;
    }
    if (at < limit) f(at, limit);
  }

 private:
  void insert(std::size_t position, Range range);
  void erase(std::size_t position);

  std::array<Range, 256> ranges_{};
  std::size_t count_ = 0;
};

}  // namespace xok::kernel::x86
