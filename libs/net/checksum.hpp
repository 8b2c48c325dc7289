// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace xok::net {

// The Internet checksum in parts. A *partial sum* is the 16-bit ones'-complement sum of some bytes
// read as big-endian words, the first byte at an even place, an odd last byte padded with zero; it
// is not inverted. Partial sums of pieces can be kept beside the pieces (a file cache does) and
// combined later without touching the bytes again.

/// Sums `bytes`.
///
/// bytes    any length, any alignment; empty gives 0
/// Returns  the partial sum, 0 .. 0xFFFF
/// Context  any. Cost about length / 4 instructions, eight bytes to a step
/// Source   RFC 1071 section 2 (deferred carries, byte-order independence)
std::uint16_t checksum_partial(std::span<const std::uint8_t> bytes);

/// Adds two numbers in ones' complement.
constexpr std::uint16_t checksum_add(std::uint16_t a, std::uint16_t b) {
  const std::uint32_t sum = std::uint32_t{a} + b;
  return static_cast<std::uint16_t>((sum & 0xFFFF) + (sum >> 16));
}

/// The partial sum of A followed by B, from the partial sums of each.
///
/// first         partial sum of everything before the second piece
/// first_length  bytes in everything before the second piece; only its lowest bit matters: a piece
///               that starts at an odd place counts with its bytes exchanged
/// second        partial sum of the piece alone
/// Cost          a few instructions, no memory
/// Source        RFC 1071 section 2 (B), byte-order independence
constexpr std::uint16_t checksum_combine(std::uint16_t first, std::size_t first_length,
                                         std::uint16_t second) {
  if (first_length % 2 != 0) second = static_cast<std::uint16_t>(second << 8 | second >> 8);
  return checksum_add(first, second);
}

/// Reduces a sum of 16-bit or 32-bit words that was collected in 64 bits.
constexpr std::uint16_t checksum_fold(std::uint64_t sum) {
  sum = (sum & 0xFFFF'FFFF) + (sum >> 32);  // at most 33 bits
  sum = (sum & 0xFFFF) + (sum >> 16);       // at most 18
  sum = (sum & 0xFFFF) + (sum >> 16);       // at most 17
  return static_cast<std::uint16_t>(sum + (sum >> 16));
}

/// The value for a header's checksum field, from the partial sum over everything it covers with
/// the field itself as zero. Over received bytes, field included, 0 means correct.
constexpr std::uint16_t checksum_finish(std::uint16_t sum) {
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace xok::net
