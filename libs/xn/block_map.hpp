// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "abi/xn.hpp"

namespace xok::xn {

/// A bit for each block of a disk: bit `b % 64` of word `b / 64`. The exposed free map is one (1:
/// in use). Callers keep their ranges below `blocks`.
class BlockMap {
 public:
  static constexpr std::size_t words_for(std::uint64_t blocks) {
    return static_cast<std::size_t>((blocks + 63) / 64);
  }

  BlockMap() = default;
  /// `words` has words_for(blocks) elements, which are cleared.
  BlockMap(std::span<std::uint64_t> words, std::uint64_t blocks) : words_{words}, blocks_{blocks} {
    clear_all();
  }

  std::uint64_t blocks() const { return blocks_; }
  std::span<const std::uint64_t> words() const { return words_; }
  std::span<std::uint64_t> words() { return words_; }

  bool test(BlockNumber b) const { return (words_[b / 64] >> (b % 64) & 1) != 0; }
  void set(BlockNumber b) { words_[b / 64] |= std::uint64_t{1} << (b % 64); }
  void clear(BlockNumber b) { words_[b / 64] &= ~(std::uint64_t{1} << (b % 64)); }
  void set(BlockNumber first, std::uint64_t count);
  void clear(BlockNumber first, std::uint64_t count);
  void clear_all();

  bool any(BlockNumber first, std::uint64_t count) const;
  bool all(BlockNumber first, std::uint64_t count) const;
  std::uint64_t count() const;

  /// The first run of `count` clear bits at or after `hint`, then from `from`; below blocks().
  /// Cost O(blocks / 64).
  std::optional<BlockNumber> find_clear(BlockNumber from, BlockNumber hint,
                                        std::uint64_t count) const;

 private:
  std::optional<BlockNumber> find_between(BlockNumber from, BlockNumber end,
                                          std::uint64_t count) const;

  std::span<std::uint64_t> words_;
  std::uint64_t blocks_ = 0;
};

}  // namespace xok::xn
