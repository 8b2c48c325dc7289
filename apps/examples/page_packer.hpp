// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/units.hpp"

/// Packs pages of 64-bit words: evenly spaced words (equal ones, counters, pointers into an array)
/// become three. Cost: a few instructions a word either way.
///
/// Packed form: items, one after another. The top bit of an item's first word says which kind it
/// is, the other bits how many words of the page it stands for:
///   set    a run: first word, difference to the next
///   clear  the words themselves
namespace xok::example {

inline constexpr std::size_t kPageWords = kPageSize / 8;
inline constexpr std::uint64_t kRunItem = std::uint64_t{1} << 63;
inline constexpr std::size_t kShortestRun = 4;  // a shorter one would not be smaller

/// How many words from `at` on are evenly spaced.
inline std::size_t run_length(const std::uint64_t* page, std::size_t at) {
  std::size_t end = at + 2;
  if (end > kPageWords) return kPageWords - at;
  while (end < kPageWords && page[end] - page[end - 1] == page[at + 1] - page[at]) end++;
  return end - at;
}

/// Packs `page` into `packed`, which has room for kPageWords words.
/// Returns  the words used; kPageWords: it does not get smaller, and was copied as it is
inline std::size_t pack_page(const std::uint64_t* page, std::uint64_t* packed) {
  std::size_t used = 0;
  std::size_t literals = 0;  // where the open item of literal words begins
  bool open = false;
  for (std::size_t at = 0; at < kPageWords;) {
    const std::size_t run = run_length(page, at);
    const bool is_run = run >= kShortestRun;
    if (used + 3 >= kPageWords) {
      for (std::size_t i = 0; i < kPageWords; i++) packed[i] = page[i];
      return kPageWords;
    }
    if (is_run) {
      packed[used++] = kRunItem | run;
      packed[used++] = page[at];
      packed[used++] = page[at + 1] - page[at];
      at += run;
    } else {
      if (!open) packed[literals = used++] = 0;
      packed[literals]++;
      packed[used++] = page[at++];
    }
    open = !is_run;
  }
  return used;
}

/// The opposite: `words` is what pack_page returned.
inline void unpack_page(const std::uint64_t* packed, std::size_t words, std::uint64_t* page) {
  if (words == kPageWords) {
    for (std::size_t i = 0; i < kPageWords; i++) page[i] = packed[i];
    return;
  }
  for (std::size_t i = 0; i < words;) {
    const std::uint64_t item = packed[i++];
    const bool is_run = (item & kRunItem) != 0;
    std::uint64_t value = packed[i];
    for (std::size_t n = item & ~kRunItem; n > 0; n--) {
      if (is_run) {
        *page++ = value;
        value += packed[i + 1];
      } else {
        *page++ = packed[i++];
      }
    }
    if (is_run) i += 2;
  }
}

}  // namespace xok::example
