// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/date.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <string>

namespace xok::http {
namespace {

std::string format(Seconds time) {
  std::array<char, kDateSize> out;
  format_date(time, out);
  return {out.data(), out.size()};
}

TEST(HttpDate, WritesTheExampleOfTheRfc) {
  EXPECT_EQ(format(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(format(kLastDate), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(format(-1), format(0));
  EXPECT_EQ(format(kLastDate + 1), format(kLastDate));
}

TEST(HttpDate, ReadsAllThreeForms) {
  EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994"), 784111777);
  EXPECT_EQ(parse_date("Sun Nov 06 08:49:37 1994"), 784111777);
  EXPECT_EQ(parse_date("Wednesday, 01-Jan-69 00:00:00 GMT"),
            parse_date("Tue Jan  1 00:00:00 2069"));
  EXPECT_EQ(parse_date("Thursday, 01-Jan-70 00:00:00 GMT"), 0);
  EXPECT_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800) << "a leap second";
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "now",
                                      "784111777",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      "Xun, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nox 1994 08:49:37 GMT",
                                      "Sun, 31 Nov 1994 08:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 29 Feb 1900 08:49:37 GMT",
                                      "Sun, 29 Feb 2100 08:49:37 GMT",
                                      "Sun, 29 Feb 1995 08:49:37 GMT",
                                      "Sun, 06 Nov 1969 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:60:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:61 GMT",
                                      "Sun, 06 Nov 1994 08:49:3x GMT",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sunday, 06 Nov 1994 08:49:37 GMT",
                                      "Sunday, 06-Nov-1994 08:49:37 GMT",
                                      "Sunday",
                                      "Sun Nov 6 08:49:37 1994",
                                      "Sun Nov  6 08:49:37 1994 GMT",
                                      "Sun Nov  6 08:49:37 19941"})
    EXPECT_FALSE(parse_date(text).has_value()) << text;
}

TEST(HttpDate, AgreesWithTheHostAndItselfFrom1970To9999) {
  for (Seconds time = 0; time <= kLastDate; time += 86400 * 11 + 12345) {
    const auto text = format(time);
    ASSERT_EQ(parse_date(text), time) << text;
    const time_t host_time = time;
    tm parts{};
    gmtime_r(&host_time, &parts);
    char expected[64];
    strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    ASSERT_EQ(text, expected);
  }
}

}  // namespace
}  // namespace xok::http
