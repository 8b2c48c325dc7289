// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "base/units.hpp"
#include "exos/fs/vfs.hpp"

namespace xok::exos {

/// What a mapping allows; the values are Linux' PROT_*.
enum ProtectionBits : std::uint32_t {
  kProtNone = 0,
  kProtRead = 1,
  kProtWrite = 2,
  kProtExecute = 4,
};

enum RegionFlags : std::uint32_t {
  kRegionShared = 1,     ///< stores reach the file (or the other processes)
  kRegionGrowsDown = 2,  ///< the stack
  kRegionHeap = 4,       ///< brk
};

/// A range of the program's addresses mapped alike. Page-aligned, not empty.
struct Region {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint32_t protection = 0;
  std::uint32_t flags = 0;
  Vnode file{};                  ///< invalid: anonymous memory
  std::uint64_t first_page = 0;  ///< of the file at `start`
  std::uint64_t file_end = 0;    ///< address behind which private pages are zero (ELF bss); 0: none

  [[nodiscard]] bool shared() const { return (flags & kRegionShared) != 0; }
};
static_assert(sizeof(Region) == 56);

/// The regions of an address space, sorted by address, not overlapping. A view on an array with
/// room for `capacity` of them; pure, so that it is tested on the host.
class RegionTable {
 public:
  RegionTable(Region* regions, std::size_t& count, std::size_t capacity)
      : regions_{regions}, count_{count}, capacity_{capacity} {}

  [[nodiscard]] std::span<Region> all() const { return {regions_, count_}; }

  /// The region that holds `address`, or nullptr. Cost: log2(number of regions) steps.
  [[nodiscard]] Region* find(std::uint64_t address) const;
  /// The same, tried first at the position `hint`, which is then where it is.
  [[nodiscard]] Region* find(std::uint64_t address, std::size_t& hint) const {
    if (hint < count_ && regions_[hint].start <= address && address < regions_[hint].end)
      return &regions_[hint];
    Region* const found = find(address);
    if (found != nullptr) hint = static_cast<std::size_t>(found - regions_);
    return found;
  }
  /// The first region that ends above `address`, or nullptr.
  [[nodiscard]] Region* first_above(std::uint64_t address) const;
  [[nodiscard]] bool overlaps(std::uint64_t start, std::uint64_t end) const;

  /// Adds a region; where it continues a like neighbour the two become one.
  /// Errors  Exists   it overlaps another
  ///         NoSpace  the table is full
  Result<> insert(const Region& region);

  /// Cuts regions at `address`, so that none crosses it. Errors  NoSpace
  Result<> split(std::uint64_t address);

  /// Removes the regions in [start, end); call split for both ends first. `drop` is called with
  /// each region removed.
  template <class Drop>
  void remove(std::uint64_t start, std::uint64_t end, Drop drop) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; i++) {
      if (regions_[i].start >= start && regions_[i].end <= end) {
        drop(regions_[i]);
      } else {
        if (kept != i) regions_[kept] = regions_[i];
        kept++;
      }
    }
    count_ = kept;
  }

  /// The highest gap of `length` bytes in [low, high). Returns its start.
  /// Errors  NoMemory  there is none
  [[nodiscard]] Result<std::uint64_t> find_gap(std::uint64_t length, std::uint64_t low,
                                               std::uint64_t high) const;

 private:
  [[nodiscard]] std::size_t lower_bound(std::uint64_t address) const;

  Region* regions_;
  std::size_t& count_;
  std::size_t capacity_;
};

}  // namespace xok::exos
