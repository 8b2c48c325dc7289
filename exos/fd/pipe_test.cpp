// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fd/pipe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace xok::exos {
namespace {

/// A pipe with pages of its own.
struct Fixture {
  Pipe pipe;
  std::vector<std::unique_ptr<std::byte[]>> pages;
  std::size_t limit = Pipe::kPages;

  std::span<std::byte> space() {
    return pipe.space([this]() -> std::byte* {
      if (pages.size() == limit) return nullptr;
      pages.push_back(std::make_unique<std::byte[]>(kPageSize));
      return pages.back().get();
    });
  }
};

TEST(Pipe, AnEmptyPipeStartsAgainInItsFirstPage) {
  Fixture f;
  for (int i = 0; i < 10000; i++) {
    ASSERT_GE(f.space().size(), 1u);
    f.pipe.put(1);
    f.pipe.take(1);
  }
  EXPECT_EQ(f.pages.size(), 1u);
}

TEST(Pipe, FullMeansNoSpace) {
  Fixture f;
  while (!f.space().empty()) f.pipe.put(f.space().size());
  EXPECT_EQ(f.pipe.used(), Pipe::kCapacity);
  EXPECT_EQ(f.pipe.room(), 0u);
  f.pipe.take(1);
  EXPECT_EQ(f.space().size(), 1u);
}

TEST(Pipe, WithoutMemoryThereIsNoSpaceAndNothingIsLost) {
  Fixture f;
  f.limit = 1;
  f.pipe.put(f.space().size());
  EXPECT_TRUE(f.space().empty());
  EXPECT_EQ(f.pipe.data().size(), kPageSize);
}

TEST(Pipe, EveryTransferBumpsTheOtherSide) {
  Fixture f;
  (void)f.space();
  f.pipe.put(1);
  EXPECT_EQ(f.pipe.read_event, 1u);
  f.pipe.take(1);
  EXPECT_EQ(f.pipe.write_event, 1u);
}

TEST(Pipe, PeekSeesBytesAcrossPagesAndTakesNone) {
  Fixture f;
  f.pipe.put(f.space().size() - 2);  // up to two bytes before the end of the first page
  f.pipe.take(f.pipe.used() - 1);
  for (const int value : {1, 2, 3, 4}) {
    f.space()[0] = static_cast<std::byte>(value);
    f.pipe.put(1);
  }
  std::byte seen[8] = {};
  EXPECT_EQ(f.pipe.peek(1, seen), 4u);
  EXPECT_EQ(seen[0], std::byte{1});
  EXPECT_EQ(seen[3], std::byte{4});
  EXPECT_EQ(f.pipe.peek(3, std::span{seen}.first(1)), 1u);
  EXPECT_EQ(seen[0], std::byte{3});
  EXPECT_EQ(f.pipe.peek(5, seen), 0u);
  EXPECT_EQ(f.pipe.used(), 5u);
}

TEST(Pipe, BytesComeOutInOrder) {
  const unsigned seed = 7;
  std::mt19937 random{seed};
  Fixture f;
  std::deque<std::byte> model;
  for (int step = 0; step < 20000; step++) {
    if (random() % 2 == 0) {
      const auto space = f.space();
      const std::size_t n = std::min<std::size_t>(space.size(), random() % 3000);
      for (std::size_t i = 0; i < n; i++) {
        space[i] = static_cast<std::byte>(random());
        model.push_back(space[i]);
      }
      if (n != 0) f.pipe.put(n);
    } else {
      const auto data = f.pipe.data();
      const std::size_t n = std::min<std::size_t>(data.size(), random() % 3000);
      for (std::size_t i = 0; i < n; i++) {
        ASSERT_EQ(data[i], model.front()) << "seed " << seed << " step " << step;
        model.pop_front();
      }
      if (n != 0) f.pipe.take(n);
    }
    ASSERT_EQ(f.pipe.used(), model.size());
  }
}

}  // namespace
}  // namespace xok::exos
