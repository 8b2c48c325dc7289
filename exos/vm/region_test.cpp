// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/vm/region.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace xok::exos {
namespace {

struct Table {
  std::array<Region, 8> storage{};
  std::size_t count = 0;
  RegionTable table{storage.data(), count, storage.size()};
};

Region anonymous(std::uint64_t start, std::uint64_t end, std::uint32_t protection = kProtRead) {
  return {.start = start, .end = end, .protection = protection};
}

TEST(RegionTable, FindsTheRegionThatHoldsAnAddress) {
  Table t;
  ASSERT_TRUE(t.table.insert(anonymous(0x5000, 0x7000)));
  ASSERT_TRUE(t.table.insert(anonymous(0x1000, 0x2000)));
  EXPECT_EQ(t.table.find(0x1fff)->start, 0x1000u);
  EXPECT_EQ(t.table.find(0x2000), nullptr);
  EXPECT_EQ(t.table.first_above(0x2000)->start, 0x5000u);
  EXPECT_EQ(t.table.first_above(0x7000), nullptr);
}

TEST(RegionTable, AHintIsOnlyAHint) {
  Table t;
  ASSERT_TRUE(t.table.insert(anonymous(0x1000, 0x2000)));
  ASSERT_TRUE(t.table.insert(anonymous(0x5000, 0x7000)));
  std::size_t hint = 99;
  EXPECT_EQ(t.table.find(0x6fff, hint)->start, 0x5000u);
  EXPECT_EQ(hint, 1u);
  EXPECT_EQ(t.table.find(0x5000, hint)->start, 0x5000u);
  EXPECT_EQ(t.table.find(0x7000, hint), nullptr);
  EXPECT_EQ(t.table.find(0x1000, hint)->start, 0x1000u);
  EXPECT_EQ(hint, 0u);
  t.table.remove(0x5000, 0x7000, [](const Region&) {});
  hint = 1;
  EXPECT_EQ(t.table.find(0x6000, hint), nullptr);
}

TEST(RegionTable, RefusesOverlaps) {
  Table t;
  ASSERT_TRUE(t.table.insert(anonymous(0x5000, 0x7000)));
  EXPECT_EQ(t.table.insert(anonymous(0x6000, 0x8000)).error(), Errc::Exists);
  EXPECT_EQ(t.table.insert(anonymous(0x4000, 0x9000)).error(), Errc::Exists);
  EXPECT_TRUE(t.table.overlaps(0x6fff, 0x10000));
  EXPECT_FALSE(t.table.overlaps(0x7000, 0x10000));
}

TEST(RegionTable, JoinsLikeNeighbours) {
  Table t;
  ASSERT_TRUE(t.table.insert(anonymous(0x1000, 0x2000)));
  ASSERT_TRUE(t.table.insert(anonymous(0x3000, 0x4000)));
  ASSERT_TRUE(t.table.insert(anonymous(0x2000, 0x3000)));
  ASSERT_EQ(t.count, 1u);
  EXPECT_EQ(t.storage[0].end, 0x4000u);
  ASSERT_TRUE(t.table.insert(anonymous(0x4000, 0x5000, kProtNone)));
  EXPECT_EQ(t.count, 2u);
}

TEST(RegionTable, SplitsAndRemovesTheMiddle) {
  Table t;
  ASSERT_TRUE(t.table.insert(anonymous(0x1000, 0x9000)));
  ASSERT_TRUE(t.table.split(0x3000));
  ASSERT_TRUE(t.table.split(0x5000));
  int dropped = 0;
  t.table.remove(0x3000, 0x5000, [&](const Region&) { dropped++; });
  EXPECT_EQ(dropped, 1);
  EXPECT_EQ(t.table.find(0x4000), nullptr);
  EXPECT_EQ(t.table.find(0x5000)->end, 0x9000u);
}

TEST(RegionTable, SaysWhenItIsFull) {
  Table t;
  for (std::uint64_t i = 0; i < 8; i++)
    ASSERT_TRUE(t.table.insert(anonymous(i * 0x10000, i * 0x10000 + 0x2000)));
  EXPECT_EQ(t.table.insert(anonymous(0x100000, 0x101000)).error(), Errc::NoSpace);
  EXPECT_EQ(t.table.split(0x1000).error(), Errc::NoSpace);
}

TEST(RegionTable, GapsComeFromTheTop) {
  Table t;
  ASSERT_TRUE(t.table.insert(anonymous(0x8000, 0x9000)));
  EXPECT_EQ(*t.table.find_gap(0x1000, 0x1000, 0x10000), 0xf000u);
  EXPECT_EQ(*t.table.find_gap(0x7000, 0x1000, 0x10000), 0x9000u);
  EXPECT_EQ(t.table.find_gap(0x8000, 0x1000, 0x10000).error(), Errc::NoMemory);
  EXPECT_EQ(*t.table.find_gap(0x7000, 0x1000, 0x8800), 0x1000u);
}

TEST(RegionTable, AgreesWithAPageMap) {
  const unsigned seed = 20261121;
  std::mt19937 random{seed};
  std::array<Region, 64> storage{};
  std::size_t count = 0;
  RegionTable table{storage.data(), count, storage.size()};
  std::array<bool, 64> model{};
  for (int step = 0; step < 20000; step++) {
    const std::uint64_t first = random() % 64;
    const std::uint64_t length = 1 + random() % (64 - first);
    const std::uint64_t start = first << kPageShift;
    const std::uint64_t end = (first + length) << kPageShift;
    if (random() % 2 == 0) {
      bool free = true;
      for (std::uint64_t i = first; i < first + length; i++) free = free && !model[i];
      const bool done = table.insert(anonymous(start, end, random() % 2)).has_value();
      ASSERT_EQ(done, free) << "seed " << seed << " step " << step;
      if (done)
        for (std::uint64_t i = first; i < first + length; i++) model[i] = true;
    } else {
      ASSERT_TRUE(table.split(start).has_value());
      ASSERT_TRUE(table.split(end).has_value());
      table.remove(start, end, [](const Region&) {});
      for (std::uint64_t i = first; i < first + length; i++) model[i] = false;
    }
    for (std::uint64_t i = 0; i < 64; i++)
      ASSERT_EQ(table.find(i << kPageShift) != nullptr, model[i]) << "step " << step;
  }
}

}  // namespace
}  // namespace xok::exos
