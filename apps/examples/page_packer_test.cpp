// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "apps/examples/page_packer.hpp"

#include <array>
#include <random>

#include <gtest/gtest.h>

namespace xok::example {
namespace {

using Page = std::array<std::uint64_t, kPageWords>;

/// Packs and unpacks it; the words it took. The packed form ends where it says.
std::size_t round_trip(const Page& page) {
  std::array<std::uint64_t, kPageWords + 1> packed;
  packed.fill(0x5a5a);
  const std::size_t words = pack_page(page.data(), packed.data());
  EXPECT_LE(words, kPageWords);
  EXPECT_EQ(packed[kPageWords], 0x5a5aU) << "written past its end";
  Page back{};
  unpack_page(packed.data(), words, back.data());
  EXPECT_EQ(back, page);
  return words;
}

TEST(PagePacker, ZeroesAndCountersTakeThreeWords) {
  Page page{};
  EXPECT_EQ(round_trip(page), 3U);
  for (std::size_t i = 0; i < kPageWords; i++) page[i] = 1000 + i * 8;
  EXPECT_EQ(round_trip(page), 3U);
  for (std::size_t i = 0; i < kPageWords; i++) page[i] = 1000 - i * 8;
  EXPECT_EQ(round_trip(page), 3U);
}

TEST(PagePacker, WhatDoesNotPackIsKeptAsItIs) {
  std::mt19937_64 random{1};
  Page page;
  for (std::uint64_t& word : page) word = random();
  EXPECT_EQ(round_trip(page), kPageWords);
}

TEST(PagePacker, AnyMixtureComesBack) {
  std::mt19937_64 random{2};
  for (int round = 0; round < 20000; round++) {
    Page page;
    for (std::size_t i = 0; i < kPageWords;) {
      const std::uint64_t step = random() % 3;
      std::uint64_t value = random();
      for (std::uint64_t n = random() % (static_cast<unsigned>(round) % 40 + 1) + 1;
           n > 0 && i < kPageWords; n--) {
        page[i++] = value;
        value = step == 2 ? random() : value + step;
      }
    }
    round_trip(page);
  }
}

}  // namespace
}  // namespace xok::example
