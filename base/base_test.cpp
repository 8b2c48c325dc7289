// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "base/byte_order.hpp"
#include "base/check.hpp"
#include "base/checked.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace xok {
namespace {

Result<int> half(int x) {
  if (x % 2 != 0) return fail(Errc::BadArgument);
  return x / 2;
}

Result<int> quarter(int x) {
  const int h = XOK_TRY(half(x));
  return half(h);
}

TEST(Result, TryHandsTheErrorOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(7).error(), Errc::BadArgument);
  EXPECT_EQ(quarter(6).error(), Errc::BadArgument);
}

TEST(Checked, RangeFitsDoesNotOverflow) {
  EXPECT_TRUE(range_fits<std::uint64_t>(0, 10, 10));
  EXPECT_FALSE(range_fits<std::uint64_t>(1, 10, 10));
  EXPECT_FALSE(range_fits<std::uint64_t>(~0ull, 2, 10));
  EXPECT_FALSE(range_fits<std::uint64_t>(2, ~0ull, 10));
  EXPECT_FALSE(checked_add<std::uint64_t>(~0ull, 1).has_value());
  EXPECT_FALSE(checked_mul<std::uint64_t>(1ull << 63, 2).has_value());
}

TEST(ByteOrder, StoresBigEndianUnaligned) {
  unsigned char bytes[8] = {};
  store_be<std::uint32_t>(bytes + 1, 0x01020304);
  EXPECT_EQ(bytes[1], 1);
  EXPECT_EQ(bytes[4], 4);
  EXPECT_EQ(load_be<std::uint16_t>(bytes + 3), 0x0304);
}

TEST(Units, PagesRound) {
  EXPECT_EQ(page_floor(4097), 4096u);
  EXPECT_EQ(page_ceil(4097), 8192u);
  EXPECT_EQ(page_ceil(4096), 4096u);
}

TEST(CheckDeathTest, FailedCheckStops) { EXPECT_DEATH(XOK_CHECK(1 + 1 == 3, 1, 2), ""); }

}  // namespace
}  // namespace xok
