// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <concepts>
#include <optional>

namespace xok {

/// a + b, or nothing on overflow.
template <std::integral T>
constexpr std::optional<T> checked_add(T a, T b) {
  T out{};
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// a * b, or nothing on overflow.
template <std::integral T>
constexpr std::optional<T> checked_mul(T a, T b) {
  T out{};
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// Whether [offset, offset + length) lies inside [0, limit). Never overflows.
template <std::unsigned_integral T>
constexpr bool range_fits(T offset, T length, T limit) {
  return offset <= limit && length <= limit - offset;
}

}  // namespace xok
