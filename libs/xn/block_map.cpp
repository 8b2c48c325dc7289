// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/block_map.hpp"

#include <algorithm>
#include <bit>

namespace xok::xn {
namespace {

/// The bits of word `b / 64` from `b` on that lie before `end`.
std::uint64_t mask_from(BlockNumber b, BlockNumber end) {
  const std::uint64_t count = std::min<std::uint64_t>(end - b, 64 - b % 64);
  return (count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) << (b % 64);
}

/// std::popcount would be a call of the compiler's library, which the kernel does not have.
std::uint64_t ones(std::uint64_t w) {
  w -= w >> 1 & 0x5555555555555555;
  w = (w & 0x3333333333333333) + (w >> 2 & 0x3333333333333333);
  return ((w + (w >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56;
}

template <class Visit>
bool each_word(BlockNumber first, std::uint64_t count, Visit&& visit) {
  const BlockNumber end = first + count;
  for (BlockNumber b = first; b < end; b = (b / 64 + 1) * 64)
    if (!visit(static_cast<std::size_t>(b / 64), mask_from(b, end))) return false;
  return true;
}

}  // namespace

void BlockMap::set(BlockNumber first, std::uint64_t count) {
  each_word(first, count, [this](std::size_t w, std::uint64_t mask) {
    words_[w] |= mask;
    return true;
  });
}

void BlockMap::clear(BlockNumber first, std::uint64_t count) {
  each_word(first, count, [this](std::size_t w, std::uint64_t mask) {
    words_[w] &= ~mask;
    return true;
  });
}

void BlockMap::clear_all() { std::ranges::fill(words_, 0); }

bool BlockMap::any(BlockNumber first, std::uint64_t count) const {
  return !each_word(first, count,
                    [this](std::size_t w, std::uint64_t mask) { return (words_[w] & mask) == 0; });
}

bool BlockMap::all(BlockNumber first, std::uint64_t count) const {
  return each_word(first, count, [this](std::size_t w, std::uint64_t mask) {
    return (words_[w] & mask) == mask;
  });
}

std::uint64_t BlockMap::count() const {
  std::uint64_t total = 0;
  for (const std::uint64_t word : words_) total += ones(word);
  return total;
}

std::optional<BlockNumber> BlockMap::find_between(BlockNumber from, BlockNumber end,
                                                  std::uint64_t count) const {
  BlockNumber start = from;
  BlockNumber b = from;
  while (b < end) {
    const std::uint64_t rest = words_[b / 64] >> (b % 64);
    const std::uint64_t in_word = 64 - b % 64;
    if (rest == 0) {
      b += in_word;
    } else if ((rest & 1) != 0) {
      b += std::min<std::uint64_t>(static_cast<unsigned>(std::countr_one(rest)), in_word);
      start = b;
      continue;
    } else {
      b += static_cast<unsigned>(std::countr_zero(rest));
    }
    if (std::min(b, end) - start >= count) return start;
  }
  return std::nullopt;
}

std::optional<BlockNumber> BlockMap::find_clear(BlockNumber from, BlockNumber hint,
                                                std::uint64_t count) const {
  if (count == 0 || count > blocks_) return std::nullopt;
  if (hint > from && hint < blocks_)
    if (const auto found = find_between(hint, blocks_, count)) return found;
  return find_between(from, blocks_, count);
}

}  // namespace xok::xn
