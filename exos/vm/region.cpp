// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/vm/region.hpp"

namespace xok::exos {
namespace {

bool continues(const Region& a, const Region& b) {
  if (a.end != b.start || a.protection != b.protection || a.flags != b.flags) return false;
  if (!(a.file == b.file) || a.file_end != b.file_end) return false;
  if (!a.file.valid()) return true;
  // A file reference is held once for each region: merging would lose one.
  return false;
}

}  // namespace

/// Index of the first region that ends above `address`.
std::size_t RegionTable::lower_bound(std::uint64_t address) const {
  std::size_t low = 0;
  std::size_t high = count_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (regions_[middle].end <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Region* RegionTable::find(std::uint64_t address) const {
  Region* region = first_above(address);
  return region != nullptr && region->start <= address ? region : nullptr;
}

Region* RegionTable::first_above(std::uint64_t address) const {
  const std::size_t i = lower_bound(address);
  return i < count_ ? &regions_[i] : nullptr;
}

bool RegionTable::overlaps(std::uint64_t start, std::uint64_t end) const {
  const Region* region = first_above(start);
  return region != nullptr && region->start < end;
}

Result<> RegionTable::insert(const Region& region) {
  const std::size_t at = lower_bound(region.start);
  if (at < count_ && regions_[at].start < region.end) return fail(Errc::Exists);
  if (at > 0 && continues(regions_[at - 1], region)) {
    regions_[at - 1].end = region.end;
    if (at < count_ && continues(regions_[at - 1], regions_[at])) {
      regions_[at - 1].end = regions_[at].end;
      for (std::size_t i = at; i + 1 < count_; i++) regions_[i] = regions_[i + 1];
      count_--;
    }
    return {};
  }
  if (at < count_ && continues(region, regions_[at])) {
    regions_[at].start = region.start;
    return {};
  }
  if (count_ == capacity_) return fail(Errc::NoSpace);
  for (std::size_t i = count_; i > at; i--) regions_[i] = regions_[i - 1];
  regions_[at] = region;
  count_++;
  return {};
}

Result<> RegionTable::split(std::uint64_t address) {
  Region* region = find(address);
  if (region == nullptr || region->start == address) return {};
  if (count_ == capacity_) return fail(Errc::NoSpace);
  const auto at = static_cast<std::size_t>(region - regions_);
  for (std::size_t i = count_; i > at; i--) regions_[i] = regions_[i - 1];
  count_++;
  regions_[at].end = address;
  Region& upper = regions_[at + 1];
  upper.first_page += (address - upper.start) >> kPageShift;
  upper.start = address;
  return {};
}

Result<std::uint64_t> RegionTable::find_gap(std::uint64_t length, std::uint64_t low,
                                            std::uint64_t high) const {
  std::uint64_t top = high;
  for (std::size_t i = count_; i-- > 0;) {
    const Region& region = regions_[i];
    if (region.start >= high) continue;
    if (region.end <= low) break;
    if (region.end < top && top - region.end >= length) return top - length;
    if (region.start < top) top = region.start;
    if (top <= low) return fail(Errc::NoMemory);
  }
  if (top - low < length) return fail(Errc::NoMemory);
  return top - length;
}

}  // namespace xok::exos
