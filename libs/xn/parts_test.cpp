// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <list>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "libs/xn/block_map.hpp"
#include "libs/xn/credentials.hpp"
#include "libs/xn/format.hpp"
#include "libs/xn/owned.hpp"
#include "libs/xn/registry.hpp"
#include "libs/xn/will_free.hpp"

/// The parts that a volume is made of, against simple models.
namespace xok::xn {
namespace {

TEST(XnBlockMap, AgreesWithASimpleModel) {
  constexpr std::uint64_t kBlocks = 203;
  std::vector<std::uint64_t> words(BlockMap::words_for(kBlocks));
  BlockMap map{words, kBlocks};
  std::vector<bool> model(kBlocks, false);
  std::mt19937_64 random{1};
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t first = random() % kBlocks;
    const std::uint64_t count = random() % (kBlocks - first) % 90;
    const bool set = random() % 2 == 0;
    if (random() % 3 == 0) {
      set ? map.set(first, count) : map.clear(first, count);
      for (std::uint64_t b = first; b < first + count; ++b) model[b] = set;
    }
    bool any = false;
    bool all = true;
    for (std::uint64_t b = first; b < first + count; ++b) {
      any = any || model[b];
      all = all && model[b];
    }
    ASSERT_EQ(map.any(first, count), any);
    ASSERT_EQ(map.all(first, count), all);
    const std::uint64_t hint = random() % (kBlocks + 5);
    const std::uint64_t run = random() % 12;
    const auto fits = [&](std::uint64_t b) {
      for (std::uint64_t j = b; j < b + run; ++j)
        if (j >= kBlocks || model[j]) return false;
      return run != 0;
    };
    const std::uint64_t from = 7;
    std::optional<BlockNumber> expected;
    if (hint > from)
      for (std::uint64_t b = hint; b < kBlocks && !expected; ++b)
        if (fits(b)) expected = b;
    for (std::uint64_t b = from; b < kBlocks && !expected; ++b)
      if (fits(b)) expected = b;
    ASSERT_EQ(map.find_clear(from, hint, run), expected) << hint << ' ' << run;
  }
  EXPECT_EQ(map.count(), static_cast<std::uint64_t>(std::ranges::count(model, true)));
}

TEST(XnOwned, DifferencesAreThoseOfMultisetsOfBlocks) {
  std::mt19937_64 random{2};
  using Blocks = std::multiset<std::pair<XnTypeId, BlockNumber>>;
  const auto blocks_of = [](std::span<const XnExtent> extents) {
    Blocks out;
    for (const XnExtent& e : extents)
      for (std::uint32_t i = 0; i < e.count; ++i) out.insert({e.type, e.block + i});
    return out;
  };
  const auto some = [&] {
    return XnExtent{10 + random() % 12, static_cast<std::uint32_t>(1 + random() % 3),
                    static_cast<XnTypeId>(1 + random() % 2)};
  };
  int same = 0;
  for (int i = 0; i < 200000; ++i) {
    std::vector<XnExtent> before(random() % 4);
    for (XnExtent& e : before) e = some();
    std::vector<XnExtent> now = before;
    for (int changes = static_cast<int>(random() % 3); changes > 0; --changes) {
      const std::size_t at = now.empty() ? 0 : random() % now.size();
      if (random() % 2 == 0)
        now.insert(now.begin() + static_cast<std::ptrdiff_t>(at), some());
      else if (!now.empty())
        now.erase(now.begin() + static_cast<std::ptrdiff_t>(at));
    }
    const XnExtent claim = some();
    const int kind = static_cast<int>(random() % 3);
    Blocks expected = blocks_of(before);
    Blocks found = blocks_of(now);
    const XnExtent one[] = {claim};
    if (kind == 1) expected.merge(blocks_of(one));
    if (kind == 2) found.merge(blocks_of(one));
    // Extents that overlap one another are cut in ways that the comparison need not see through;
    // it may only err to "differs".
    const bool equal = expected == found;
    const bool answer =
        differs_by(before, now, kind == 1 ? &claim : nullptr, kind == 2 ? &claim : nullptr);
    if (answer) {
      ASSERT_TRUE(equal) << i;
      ++same;
    }
    const bool overlapping = std::set(expected.begin(), expected.end()).size() != expected.size();
    if (equal && !overlapping) {
      ASSERT_TRUE(answer) << i;
    }
  }
  EXPECT_GT(same, 10000);
}

TEST(XnOwned, ExtentsAtTheEndOfAllNumbersDoNotWrapAround) {
  constexpr std::uint64_t kLast = ~std::uint64_t{0};
  EXPECT_TRUE(overlap(kLast, 2, kLast, 1));
  EXPECT_FALSE(overlap(kLast, 2, 0, 1));
  EXPECT_FALSE(overlap(kLast - 5, 5, kLast, 1));
  const XnExtent high{kLast, 1, 1};
  const XnExtent low{0, 1, 1};
  const XnExtent both[] = {high, low};
  const XnExtent merged[] = {{kLast, 2, 1}};
  EXPECT_FALSE(differs_by(both, merged, nullptr, nullptr));
}

TEST(XnRegistry, FindsAndForgetsAndKeepsTheOrderOfUse) {
  std::vector<XnBuffer> records(20);
  std::vector<std::uint32_t> heads(4);
  Registry registry{records, heads};
  std::list<BlockNumber> order;  // of the unused
  std::set<BlockNumber> all;
  std::mt19937_64 random{3};
  for (int i = 0; i < 20000; ++i) {
    const BlockNumber block = 1 + random() % 30;
    XnBuffer* found = registry.find(block);
    ASSERT_EQ(found != nullptr, all.contains(block));
    switch (random() % 4) {
      case 0: {
        if (found != nullptr) break;
        auto made = registry.insert(block);
        ASSERT_EQ(made.has_value(), all.size() < 20);
        if (!made) break;
        (*made)->set(XnFlag::Present);
        registry.settle(**made);
        all.insert(block);
        order.push_back(block);
        break;
      }
      case 1:
        if (found == nullptr) break;
        registry.remove(*found);
        all.erase(block);
        order.remove(block);
        break;
      default:
        if (found == nullptr) break;
        order.remove(block);
        if (found->users != 0) {
          found->users = 0;
          order.push_back(block);
        } else {
          found->users = 1;
        }
        registry.settle(*found);
    }
    const XnBuffer* oldest = registry.oldest();
    ASSERT_EQ(oldest == nullptr, order.empty());
    if (oldest != nullptr) {
      ASSERT_EQ(oldest->block, order.front());
    }
    ASSERT_EQ(registry.used(), all.size());
  }
}

TEST(XnWillFree, ChainsWithinChainsAreFreeTogether) {
  std::vector<WillFree::Entry> entries(8);
  WillFree list{entries};
  std::uint32_t inner = kXnNone;
  std::uint32_t chain = kXnNone;
  list.add(inner, 10, 2, kXnNone, false);
  list.add(chain, 20, 1, inner, false);
  list.add(chain, 30, 1, kXnNone, true);
  EXPECT_EQ(list.blocks(), 3u);
  EXPECT_TRUE(list.contains(11, 1));
  EXPECT_FALSE(list.contains(30, 1));
  EXPECT_TRUE(list.elsewhere(25, 10));
  EXPECT_FALSE(list.elsewhere(20, 1));
  std::set<BlockNumber> free;
  const auto release = [&](BlockNumber b, std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) free.insert(b + i);
  };
  list.resolve(chain, 100, release);
  EXPECT_TRUE(free.empty()) << "not written";
  list.written(chain, 5);
  list.add(chain, 40, 1, kXnNone, false);
  list.resolve(chain, 4, release);
  EXPECT_TRUE(free.empty()) << "not durable";
  list.resolve(chain, 5, release);
  EXPECT_EQ(free, (std::set<BlockNumber>{10, 11, 20}));
  EXPECT_EQ(list.used(), 1u) << "the one added after the write";
  EXPECT_FALSE(list.elsewhere(30, 1));
  list.resolve_all(chain, release);
  EXPECT_EQ(list.used(), 0u);
  for (int i = 0; i < 8; ++i) list.add(chain, 50, 1, kXnNone, false);
  EXPECT_TRUE(list.full());
}

TEST(XnFormat, NamesAreNames) {
  EXPECT_TRUE(make_name("c-ffs.inode"));
  EXPECT_TRUE(make_name(std::string(63, 'x')));
  EXPECT_FALSE(make_name(std::string(64, 'x')));
  EXPECT_FALSE(make_name(std::string_view{"a\0b", 3}));
  EXPECT_FALSE(make_name("\n"));
}

TEST(XnFormat, LayoutsThatCannotBeAreRefused) {
  const auto sane = [](std::uint64_t blocks, std::uint32_t types, std::uint32_t roots,
                       std::uint32_t code) { return Layout{blocks, types, roots, code}.sane(); };
  EXPECT_TRUE(sane(64, 1, 1, 1));
  EXPECT_FALSE(sane(5, 1, 1, 1)) << "no block for data";
  EXPECT_TRUE(sane(6, 1, 1, 1));
  EXPECT_FALSE(sane(64, 0, 1, 1));
  EXPECT_FALSE(sane(64, 1, 17, 1));
  EXPECT_FALSE(sane(1u << 20, 1, 1, 1025));
  EXPECT_FALSE(sane((std::uint64_t{1} << 40) + 1, 1, 1, 1));
  EXPECT_FALSE(sane(~std::uint64_t{0}, 1, 1, 1));
}

TEST(XnCredentials, OneThatCoversTheGuardWithTheRightIsNeeded) {
  const Capability guard = Capability::make({128, 0});
  const auto allowed = [&](std::vector<Capability> list, Permission want) {
    return require(Caller{1, list}, guard, want).has_value();
  };
  EXPECT_TRUE(allowed({kRootCapability}, Permission::All));
  EXPECT_TRUE(allowed({Capability::make({128})}, Permission::Write));
  EXPECT_TRUE(allowed({Capability::make({1}), guard}, Permission::Write));
  EXPECT_FALSE(allowed({}, Permission::None));
  EXPECT_FALSE(allowed({Capability{}}, Permission::None));
  EXPECT_FALSE(allowed({Capability::make({128, 1})}, Permission::Write));
  EXPECT_FALSE(allowed({Capability::make({128, 0, 0})}, Permission::Write)) << "below it";
  EXPECT_FALSE(allowed({Capability::make({128}, Permission::Write)}, Permission::Allocate));
}

}  // namespace
}  // namespace xok::xn
