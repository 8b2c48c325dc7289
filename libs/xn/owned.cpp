// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/owned.hpp"

#include <algorithm>

namespace xok::xn {
namespace {

/// Extents in order of their blocks, neighbours of one type merged.
class Merged {
 public:
  void add(const XnExtent& extent) {
    std::size_t i = count_++;
    for (; i > 0 && before(extent, extents_[i - 1]); --i) extents_[i] = extents_[i - 1];
    extents_[i] = extent;
  }
  void merge() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (kept > 0 && follows(extents_[kept - 1], extents_[i])) {
        extents_[kept - 1].count += extents_[i].count;
      } else {
        extents_[kept++] = extents_[i];
      }
    }
    count_ = kept;
  }
  std::span<const XnExtent> all() const { return {extents_.data(), count_}; }

 private:
  static bool before(const XnExtent& a, const XnExtent& b) {
    return a.type != b.type ? a.type < b.type : a.block < b.block;
  }
  static bool follows(const XnExtent& a, const XnExtent& b) {
    return a.type == b.type && a.block < b.block && b.block - a.block == a.count &&
           a.count <= ~std::uint32_t{0} - b.count;
  }

  std::array<XnExtent, kXnMaxOwned + 1> extents_;  // NOLINT: filled by add
  std::size_t count_ = 0;
};

}  // namespace

bool differs_by(std::span<const XnExtent> before, std::span<const XnExtent> now,
                const XnExtent* added, const XnExtent* removed) {
  // What both begin and end with cancels out. One more or less in the middle is the usual change.
  while (!before.empty() && !now.empty() && before.front() == now.front()) {
    before = before.subspan(1);
    now = now.subspan(1);
  }
  while (!before.empty() && !now.empty() && before.back() == now.back()) {
    before = before.first(before.size() - 1);
    now = now.first(now.size() - 1);
  }
  if (before.empty() && now.empty()) return added == nullptr && removed == nullptr;
  if (before.empty() && now.size() == 1 && removed == nullptr)
    return added != nullptr && now.front() == *added;
  if (now.empty() && before.size() == 1 && added == nullptr)
    return removed != nullptr && before.front() == *removed;

  Merged left;
  Merged right;
  for (const XnExtent& e : before) left.add(e);
  for (const XnExtent& e : now) right.add(e);
  if (added != nullptr) left.add(*added);
  if (removed != nullptr) right.add(*removed);
  left.merge();
  right.merge();
  return std::ranges::equal(left.all(), right.all());
}

}  // namespace xok::xn
