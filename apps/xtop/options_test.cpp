// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "apps/xtop/options.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace xok::xtop {
namespace {

Options parse(std::vector<const char*> words) { return parse_options(words); }

TEST(XtopOptions, NothingGivenIsLeftToTheProgram) {
  const Options options = parse({});
  EXPECT_TRUE(options.error.empty());
  EXPECT_EQ(options.count, 0U);
  EXPECT_EQ(options.delay_ns, 1'000'000'000U);
}

TEST(XtopOptions, ValuesStandApartOrTogether) {
  EXPECT_EQ(parse({"-n", "5"}).count, 5U);
  EXPECT_EQ(parse({"-n5", "-d2"}).count, 5U);
  EXPECT_EQ(parse({"-d", "0.25"}).delay_ns, 250'000'000U);
  EXPECT_EQ(parse({"-d", ".000000001"}).delay_ns, 1U);
  EXPECT_EQ(parse({"-d", "1000000.5"}).delay_ns, 1'000'000'500'000'000U);
}

TEST(XtopOptions, HelpEndsTheList) {
  EXPECT_TRUE(parse({"--help"}).help);
  EXPECT_TRUE(parse({"-n", "2", "-h", "-x"}).help);
}

TEST(XtopOptions, WhatIsWrongIsNamed) {
  for (const char* count : {"0", "-1", "x", "5x", "", "99999999999999999999"}) {
    const Options options = parse({"-n", count});
    EXPECT_EQ(options.error, "not a positive number") << count;
    EXPECT_EQ(options.culprit, count);
  }
  for (const char* delay : {"0", "0.0", "-1", ".", "", "1.x", "1.2.3", "1e3", "0.0000000001",
                            "1000001", "99999999999999999999"})
    EXPECT_EQ(parse({"-d", delay}).error, "not a number of seconds") << delay;
  EXPECT_EQ(parse({"-n"}).error, "needs a value");
  EXPECT_EQ(parse({"-x"}).error, "unknown option");
  EXPECT_EQ(parse({"--count"}).culprit, "--count");
  EXPECT_EQ(parse({"now"}).error, "takes no operand");
}

}  // namespace
}  // namespace xok::xtop
