// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/capability.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

namespace xok::kernel {
namespace {

/// The rule in ten lines, byte by byte.
bool reference(const Capability& a, const Capability& b) {
  if ((a.header & 8) == 0 || (b.header & 8) == 0) return false;
  if ((a.header & 16) != 0 || (b.header & 16) != 0) return false;
  if ((a.header & b.header & 7) != (b.header & 7)) return false;
  if (a.header >> 5 > b.header >> 5) return false;
  for (int i = 0; i < a.header >> 5; i++) {
    if (a.name[static_cast<std::size_t>(i)] != b.name[static_cast<std::size_t>(i)]) return false;
  }
  return true;
}

std::vector<Capability> random_capabilities(std::size_t count) {
  std::mt19937 random{7};
  std::vector<Capability> out;
  for (std::size_t i = 0; i < count; i++) {
    Capability c;
    c.header = static_cast<std::uint8_t>((random() & 0xe7) | (random() % 8 != 0 ? 8 : 0) |
                                         (random() % 16 == 0 ? 16 : 0));
    for (auto& byte : c.name) byte = static_cast<std::uint8_t>(random() % 2);
    out.push_back(random() % 2 != 0 ? canonical(c) : c);
  }
  return out;
}

TEST(Capability, RootDominatesAll) {
  for (const Capability& c : random_capabilities(500)) {
    EXPECT_EQ(dominates(kRootCapability, c), c.valid() && !c.pointer());
  }
}

TEST(Capability, PrefixOfBytesNotOfText) {
  EXPECT_TRUE(dominates(Capability::make({1, 2}), Capability::make({1, 2, 0})));
  EXPECT_FALSE(dominates(Capability::make({1, 2}), Capability::make({1, 20})));
  EXPECT_FALSE(dominates(Capability::make({1, 2, 0}), Capability::make({1, 2})));
  EXPECT_TRUE(
      dominates(Capability::make({1, 2, 3, 4, 5, 6, 7}), Capability::make({1, 2, 3, 4, 5, 6, 7})));
}

TEST(Capability, EveryPairAgreesWithTheReference) {
  const auto all = random_capabilities(1000);
  for (const Capability& a : all) {
    for (const Capability& b : all) ASSERT_EQ(dominates(a, b), reference(a, b));
  }
}

TEST(Capability, DominanceIsAPartialOrder) {
  const auto some = random_capabilities(120);
  for (const Capability& a : some) {
    EXPECT_EQ(dominates(a, a), a.valid() && !a.pointer());
    for (const Capability& b : some) {
      if (dominates(a, b) && dominates(b, a)) {
        EXPECT_EQ(canonical(a), canonical(b));
      }
      for (const Capability& c : some) {
        if (dominates(a, b) && dominates(b, c)) {
          ASSERT_TRUE(dominates(a, c));
        }
      }
    }
  }
}

TEST(Capability, DominatorOpensWhateverTheDominatedOpens) {
  const auto some = random_capabilities(80);
  for (const Capability& a : some) {
    for (const Capability& b : some) {
      if (!dominates(a, b)) continue;
      for (const Capability& guard : some) {
        for (unsigned want = 0; want < 8; want++) {
          const auto w = static_cast<Permission>(want);
          if (access(b, std::span{&guard, 1}, w).has_value()) {
            ASSERT_TRUE(access(a, std::span{&guard, 1}, w).has_value());
          }
        }
      }
    }
  }
}

TEST(Access, HolderAndGuardMustBothCarryTheBits) {
  const auto full = Capability::make({1});
  const auto reader = Capability::make({1}, Permission::None);
  EXPECT_TRUE(access(full, std::span{&full, 1}, Permission::Write).has_value());
  EXPECT_EQ(access(reader, std::span{&full, 1}, Permission::Write).error(), Errc::Denied);
  EXPECT_EQ(access(full, std::span{&reader, 1}, Permission::Write).error(), Errc::Denied);
  EXPECT_TRUE(access(reader, std::span{&full, 1}, Permission::None).has_value());
}

TEST(Access, AnyEntryServesAndAllAreTried) {
  const std::array<Capability, 3> acl{
      Capability::make({9}), Capability::make({1}, Permission::None), Capability::make({1, 2})};
  const auto holder = Capability::make({1});
  EXPECT_TRUE(access(holder, acl, Permission::Write).has_value());
  EXPECT_EQ(access(Capability::make({2}), acl, Permission::None).error(), Errc::Denied);
}

TEST(Access, PointersAndInvalidOnesGiveNothing) {
  Capability pointer = kRootCapability;
  pointer.header |= Capability::kPointer;
  EXPECT_EQ(access(pointer, std::span{&kRootCapability, 1}, Permission::None).error(),
            Errc::BadCapability);
  EXPECT_EQ(access(kRootCapability, std::span{&pointer, 1}, Permission::None).error(),
            Errc::Denied);
  EXPECT_EQ(access({}, std::span{&kRootCapability, 1}, Permission::None).error(),
            Errc::BadCapability);
  const Capability none;
  EXPECT_EQ(access(kRootCapability, std::span{&none, 1}, Permission::None).error(), Errc::Denied);
}

TEST(Capability, BytesBehindTheNameDoNotCount) {
  Capability dirty = Capability::make({1, 2});
  dirty.name[5] = 99;
  EXPECT_TRUE(dominates(dirty, Capability::make({1, 2})));
  EXPECT_EQ(canonical(dirty), Capability::make({1, 2}));
  EXPECT_EQ(canonical(Capability{}), Capability{});
  EXPECT_EQ(as_guard(Capability::make({4}, Permission::None)), Capability::make({4}));
}

}  // namespace
}  // namespace xok::kernel
