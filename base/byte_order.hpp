// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <bit>
#include <concepts>

namespace xok {

template <std::unsigned_integral T>
constexpr T byte_swap(T value) {
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
}

/// Converts between host order and network (big-endian) order, either way.
template <std::unsigned_integral T>
constexpr T big_endian(T value) {
  return std::endian::native == std::endian::big ? value : byte_swap(value);
}

/// Reads a T in host order from any address.
template <class T>
T load(const void* address) {
  T out;
  __builtin_memcpy(&out, address, sizeof out);
  return out;
}

/// Reads an unaligned big-endian T. `address` must have sizeof(T) readable bytes.
template <std::unsigned_integral T>
T load_be(const void* address) {
  return big_endian(load<T>(address));
}

/// Writes an unaligned big-endian T. `address` must have sizeof(T) writable bytes.
template <std::unsigned_integral T>
void store_be(void* address, T value) {
  value = big_endian(value);
  __builtin_memcpy(address, &value, sizeof value);
}

}  // namespace xok
