// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/graft/memory.hpp"

#include "base/checked.hpp"

namespace xok::graft {

void Memory::Region::set(std::byte* start, std::size_t size, std::byte* map) {
  base = start;
  read_map = map;
  for (std::size_t n = 0; n < fits.size(); ++n) {
    const std::size_t width = std::size_t{1} << n;
    fits[n] = size < width ? 0 : size - width + 1;
  }
}

Result<> Memory::set_input(std::size_t i, std::span<const std::byte> bytes,
                           std::span<std::byte> read_map) {
  if (i >= kMaxInputs || bytes.size() > kMaxRegion ||
      (!read_map.empty() && read_map.size() != bytes.size()))
    return fail(Errc::BadArgument);
  auto* start =
      const_cast<std::byte*>(bytes.data());  // NOLINT: region kInput0 + i is never written
  regions_[kInput0 + i].set(start, bytes.size(), read_map.empty() ? nullptr : read_map.data());
  return {};
}

Result<> Memory::set_output(std::span<std::byte> bytes) {
  if (bytes.size() > kMaxRegion) return fail(Errc::BadArgument);
  regions_[kOutput].set(bytes.data(), bytes.size(), nullptr);
  return {};
}

Result<std::span<const std::byte>> Memory::readable(std::uint64_t address, std::uint64_t length) {
  const std::size_t number = region_of(address);
  if (number == kRegionCount || number == kOutput) return fail(Errc::Fault);
  const Region& region = regions_[number];
  const std::uint64_t offset = address % kMaxRegion;
  if (!range_fits(offset, length, region.size())) return fail(Errc::Fault);
  if (recording_ && region.read_map != nullptr)
    for (std::uint64_t i = 0; i < length; ++i) region.read_map[offset + i] = std::byte{1};
  return std::span<const std::byte>{region.base + offset, length};
}

Result<std::span<std::byte>> Memory::writable(std::uint64_t address, std::uint64_t length) {
  const std::size_t number = region_of(address);
  if (number != kOutput && number != kStack) return fail(Errc::Fault);
  const Region& region = regions_[number];
  const std::uint64_t offset = address % kMaxRegion;
  if (!range_fits(offset, length, region.size())) return fail(Errc::Fault);
  return std::span{region.base + offset, length};
}

void Memory::begin(const Program& program, Reads reads) {
  const std::size_t first = program.first_stack_byte();
  const std::size_t used = program.stack_size() - first;
  if (used != 0) __builtin_memset(stack_.data() + first, 0, used);
  const std::size_t reachable = program.stack_escapes() ? program.stack_size() : 0;
  if (regions_[kStack].size() != reachable || regions_[kStack].base == nullptr)
    regions_[kStack].set(stack_.data(), reachable, nullptr);
  stop_ = 0;
  recording_ = reads == Reads::Recorded;
}

}  // namespace xok::graft
