// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace xok {

inline constexpr std::size_t kPageShift = 12;
inline constexpr std::size_t kPageSize = std::size_t{1} << kPageShift;
inline constexpr std::uint64_t kPageMask = kPageSize - 1;

inline constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

/// A number that counts one kind of thing and does not mix with others.
template <class Tag, class Rep = std::uint64_t>
struct Number {
  Rep value{};

  constexpr Number() = default;
  constexpr explicit Number(Rep v) : value{v} {}
  constexpr auto operator<=>(const Number&) const = default;
};

/// Index of a physical page frame: physical address divided by kPageSize.
using PageNumber = Number<struct PageNumberTag>;

constexpr std::uint64_t page_floor(std::uint64_t address) { return address & ~kPageMask; }
/// Rounds up to a page boundary; the caller makes sure that it does not overflow.
constexpr std::uint64_t page_ceil(std::uint64_t address) {
  return (address + kPageMask) & ~kPageMask;
}

}  // namespace xok
