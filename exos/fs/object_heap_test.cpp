// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fs/object_heap.hpp"

#include <random>
#include <vector>

#include "exos/fs/radix_map.hpp"
#include "exos/fs/test_pages.hpp"

namespace xok::exos {
namespace {

struct HeapTest : testing::Test {
  TestPages pages;
  HeapState state{.limit_pages = 1000};
  ObjectHeap heap{state, pages};
};

TEST_F(HeapTest, ObjectsOfEverySizeAreDistinctAndAligned) {
  struct Object {
    unsigned char* at;
    std::size_t size;
  };
  std::vector<Object> objects;
  for (std::size_t size = 1; size <= kPageSize; size += 37) {
    for (int copy = 0; copy < 3; ++copy) {
      auto* at = static_cast<unsigned char*>(heap.allocate(size));
      ASSERT_NE(at, nullptr);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % 16, 0U);
      std::memset(at, static_cast<int>(objects.size() % 251), size);
      objects.push_back({at, size});
    }
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    EXPECT_EQ(objects[i].at[0], i % 251);
    EXPECT_EQ(objects[i].at[objects[i].size - 1], i % 251);
    heap.free(objects[i].at, objects[i].size);
  }
  heap.trim();
  EXPECT_EQ(state.used_pages, 0U);
}

TEST_F(HeapTest, TheQuotaIsKeptAndFreedPagesCountAgain) {
  state.limit_pages = 2;
  void* first = heap.allocate_pages(2);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(heap.allocate_pages(1), nullptr);
  EXPECT_EQ(heap.allocate(40), nullptr);
  heap.free_pages(first, 2);
  void* small = heap.allocate(40);
  EXPECT_NE(small, nullptr);
  heap.free(small, 40);
  // The kept empty slab does not stand in the way of others.
  first = heap.allocate_pages(2);
  EXPECT_NE(first, nullptr);
  heap.free_pages(first, 2);
}

TEST_F(HeapTest, AlternatingAllocateAndFreeDoesNotBotherTheSource) {
  heap.free(heap.allocate(100), 100);
  pages.fail_after(0);
  for (int i = 0; i < 10; ++i) {
    void* object = heap.allocate(100);
    ASSERT_NE(object, nullptr);
    heap.free(object, 100);
  }
  pages.never_fail();
  heap.trim();
}

TEST_F(HeapTest, RadixMapAgreesWithAnOrderedMap) {
  std::mt19937_64 random{42};
  std::map<std::uint64_t, std::uintptr_t> model;
  RadixMap map;
  state.limit_pages = 100'000;
  for (int step = 0; step < 60'000; ++step) {
    const unsigned width = static_cast<unsigned>(random() % 65);
    const std::uint64_t key = width == 0 ? 0 : random() >> (64 - width);
    switch (random() % 5) {
      case 0:
      case 1: {
        const std::uintptr_t value = (random() | 1);
        ASSERT_TRUE(map.set(heap, key, value));
        model[key] = value;
        break;
      }
      case 2: {
        const auto at = model.lower_bound(key);
        const std::uint64_t victim = at == model.end() ? key : at->first;
        ASSERT_EQ(map.take(heap, victim), at == model.end() ? 0 : at->second);
        model.erase(victim);
        break;
      }
      case 3: {
        const auto at = model.lower_bound(key);
        const auto found = map.first_from(key);
        ASSERT_EQ(found.has_value(), at != model.end());
        if (!found) break;
        ASSERT_EQ(found->key, at->first);
        ASSERT_EQ(found->value, at->second);
        break;
      }
      default: {
        const auto above = model.upper_bound(key);
        const auto found = map.last_until(key);
        ASSERT_EQ(found.has_value(), above != model.begin());
        ASSERT_EQ(map.get(key), model.contains(key) ? model[key] : 0);
        if (!found) break;
        ASSERT_EQ(found->key, std::prev(above)->first);
      }
    }
  }
  for (const auto& [key, value] : model) ASSERT_EQ(map.take(heap, key), value);
  heap.trim();
  EXPECT_EQ(state.used_pages, 0U);
}

TEST_F(HeapTest, AFailedInsertionLeavesTheRadixMapAsItWas) {
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{1} << 40}) {
    for (std::uint64_t allowed = 0; allowed < 4; ++allowed) {
      RadixMap map;
      ASSERT_TRUE(map.set(heap, first, 7));
      // Nodes of 528 bytes go seven to a page: a source without pages fails at different depths.
      std::vector<void*> fill;
      pages.fail_after(0);
      while (void* object = heap.allocate(520)) fill.push_back(object);
      for (std::uint64_t i = 0; i < allowed && !fill.empty(); ++i) {
        heap.free(fill.back(), 520);
        fill.pop_back();
      }
      const std::uint64_t used = state.used_pages;
      EXPECT_FALSE(map.set(heap, ~std::uint64_t{0}, 9));
      EXPECT_EQ(map.get(first), 7U);
      EXPECT_EQ(map.get(~std::uint64_t{0}), 0U);
      EXPECT_EQ(state.used_pages, used);
      pages.never_fail();
      EXPECT_EQ(map.take(heap, first), 7U);
      for (void* object : fill) heap.free(object, 520);
      heap.trim();
      EXPECT_EQ(state.used_pages, 0U);
    }
  }
}

}  // namespace
}  // namespace xok::exos
