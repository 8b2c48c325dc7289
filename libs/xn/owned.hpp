// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "abi/xn.hpp"

namespace xok::xn {

/// What one partition of a structure owns, as its `owns` said: a multiset of typed blocks.
struct Owned {
  std::array<XnExtent, kXnMaxOwned> extents;
  std::size_t count = 0;

  std::span<const XnExtent> all() const { return {extents.data(), count}; }
};

/// Whether `now` is `before`, plus the blocks of `added`, minus those of `removed`, however they
/// are cut into extents. Blocks that appear twice count twice.
///
/// Cost  O(number of extents), when those that differ are few and side by side
bool differs_by(std::span<const XnExtent> before, std::span<const XnExtent> now,
                const XnExtent* added, const XnExtent* removed);

/// Whether the extent is of that type and contains all of `part`.
constexpr bool contains(const XnExtent& whole, const XnExtent& part) {
  return whole.type == part.type && part.block >= whole.block && part.count <= whole.count &&
         part.block - whole.block <= whole.count - part.count;
}

/// Whether two runs of blocks have one in common. Any numbers will do.
constexpr bool overlap(BlockNumber a, std::uint64_t a_count, BlockNumber b, std::uint64_t b_count) {
  return a <= b ? b - a < a_count : a - b < b_count;
}

}  // namespace xok::xn
