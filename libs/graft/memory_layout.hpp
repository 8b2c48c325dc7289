// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

#include "libs/graft/memory.hpp"
#include "libs/vcode/assembler.hpp"

namespace xok::graft {

/// Where compiled code finds things in a Memory, from r12.
struct MemoryLayout {
  static_assert(sizeof(Memory::Region) == 48);
  enum : std::size_t {
    kOutput = Memory::kOutput,
    kStack = Memory::kStack,
    kInput0 = Memory::kInput0,
    kRegionCount = Memory::kRegionCount
  };

  static constexpr std::int32_t kSteps = offsetof(Memory, steps_);
  static constexpr std::int32_t kStop = offsetof(Memory, stop_);
  static constexpr std::int32_t kSavedStack = offsetof(Memory, saved_stack_);
  static constexpr std::int32_t kStackBytes = offsetof(Memory, stack_);

  static constexpr std::int32_t region(std::size_t i) {
    return static_cast<std::int32_t>(offsetof(Memory, regions_) + i * sizeof(Memory::Region));
  }
  static constexpr std::int32_t base(std::size_t i) {
    return region(i) + static_cast<std::int32_t>(offsetof(Memory::Region, base));
  }
  static constexpr std::int32_t read_map(std::size_t i) {
    return region(i) + static_cast<std::int32_t>(offsetof(Memory::Region, read_map));
  }
  static constexpr std::int32_t fits(std::size_t i, vcode::Size size) {
    return region(i) + static_cast<std::int32_t>(offsetof(Memory::Region, fits) +
                                                 8 * static_cast<std::size_t>(size));
  }
  static constexpr std::uint64_t address(std::size_t i) { return Memory::region_address(i); }
  static constexpr std::size_t region_of(std::uint64_t address) {
    return Memory::region_of(address);
  }
};

}  // namespace xok::graft
