// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/checksum.hpp"

#include <bit>

#include "base/byte_order.hpp"

namespace xok::net {

std::uint16_t checksum_partial(std::span<const std::uint8_t> bytes) {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t sum = 0;
  // Native-order words: the ones'-complement sum commutes with the exchange of bytes, so one
  // exchange of the folded result at the end is enough (RFC 1071, 2 B).
  const auto add = [&sum](std::uint64_t word) {
    sum += word;
    sum += sum < word ? 1 : 0;
  };
  while (left >= 32) {
    add(load<std::uint64_t>(at));
    add(load<std::uint64_t>(at + 8));
    add(load<std::uint64_t>(at + 16));
    add(load<std::uint64_t>(at + 24));
    at += 32;
    left -= 32;
  }
  while (left >= 8) {
    add(load<std::uint64_t>(at));
    at += 8;
    left -= 8;
  }
  if (left >= 4) {
    add(load<std::uint32_t>(at));
    at += 4;
    left -= 4;
  }
  if (left >= 2) {
    add(load<std::uint16_t>(at));
    at += 2;
    left -= 2;
  }
  if (left != 0) add(big_endian(static_cast<std::uint16_t>(*at << 8)));
  return big_endian(checksum_fold(sum));
}

}  // namespace xok::net
