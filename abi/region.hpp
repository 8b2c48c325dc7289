// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

/// Software regions: memory smaller than a page that is read and written only through calls, each
/// of which is checked against the region's own ACL (kernel/core/calls_region.hpp).
namespace xok {

/// Names a region: (generation << 10) | index. A stale id is refused.
using RegionId = std::uint64_t;

inline constexpr std::size_t kMaxRegions = 1024;
inline constexpr std::size_t kMaxRegionPages = 256;
inline constexpr std::size_t kMaxRegionBytes = 4096;
inline constexpr std::size_t kRegionGranule = 64;  ///< memory is handed out in multiples of it

}  // namespace xok
