// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "abi/region.hpp"
#include "base/result.hpp"
#include "kernel/core/capability.hpp"
#include "kernel/core/env_state.hpp"
#include "kernel/core/pages.hpp"

/// Software regions, and the pages that hold them.
///
/// A region lies in a page of the kernel's, which nobody can map. Such a page holds regions of one
/// environment only, which it was charged to, and goes back with the last of them. It is cut into
/// 64 granules; a region is a run of granules that do not cross a page. Memory is zeroed when a
/// region is made. Everything goes when the environment that made it ends.
namespace xok::kernel {

inline constexpr std::uint32_t kRegionsPerEnv = 256;
inline constexpr std::uint32_t kRegionPagesPerEnv = 32;

class Regions {
 public:
  using EnvStates = std::array<EnvState, kMaxEnvironments>;

  struct Region {
    EnvIndex owner = 0;  ///< 0: free
    std::uint32_t generation = 0;
    std::uint16_t length = 0;  ///< bytes
    std::uint16_t holder = 0;  ///< index of its page
    std::uint16_t first = 0;   ///< granule
    std::array<Capability, 2> acl{};
  };

  Regions(Pages& pages, Accounts& accounts, EnvStates& states)
      : pages_{pages}, accounts_{accounts}, states_{states} {}
  Regions(const Regions&) = delete;
  Regions& operator=(const Regions&) = delete;

  /// Makes a region of `bytes` (1 to kMaxRegionBytes) zeroes for `owner`.
  /// Errors  NoSpace   a table or a quota is full
  ///         NoMemory  no free page for it
  /// Cost O(kMaxRegions + kMaxRegionPages)
  Result<RegionId> create(EnvIndex owner, AccountIndex account, std::uint64_t bytes,
                          const Capability& guard, const Capability& reader);
  /// Errors  NotFound  stale, or never was
  Result<Region*> find(RegionId id);
  /// Its memory.
  std::span<std::byte> bytes(const Region& region) {
    return {pages_.bytes(holders_[region.holder].page) + region.first * kRegionGranule,
            region.length};
  }
  void remove(Region& region);
  /// Ends all regions of an environment. Cost O(kMaxRegions) if it has any.
  void free_all(EnvIndex owner);

  /// Where a write is gathered before any of it is done.
  std::span<std::byte, kMaxRegionBytes> staging() { return staging_; }

  /// Calls `visit(id, region)` for each region, `visit_pages(page, owner, used granules)` for each
  /// page, for tests.
  template <class Visit>
  void visit(const Visit& visit) {
    for (std::size_t i = 0; i < kMaxRegions; i++) {
      if (regions_[i].owner != 0) visit(id_of(i), regions_[i]);
    }
  }
  template <class Visit>
  void visit_pages(const Visit& visit) const {
    for (const Holder& h : holders_) {
      if (h.owner != 0) visit(h.page, h.owner, h.used);
    }
  }

 private:
  struct Holder {
    EnvIndex owner = 0;  // 0: free
    std::uint32_t page = 0;
    std::uint64_t used = 0;  // bit n: granule n
  };

  [[nodiscard]] RegionId id_of(std::size_t index) const {
    return std::uint64_t{regions_[index].generation} * kMaxRegions + index;
  }
  Result<std::uint16_t> new_holder(EnvIndex owner, AccountIndex account);

  Pages& pages_;
  Accounts& accounts_;
  EnvStates& states_;
  std::array<Region, kMaxRegions> regions_{};
  std::array<Holder, kMaxRegionPages> holders_{};
  std::array<std::byte, kMaxRegionBytes> staging_{};
};

}  // namespace xok::kernel
