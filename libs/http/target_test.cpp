// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/target.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "libs/http/request.hpp"

namespace xok::http {
namespace {

using std::string_literals::operator""s;

std::string path(std::string_view target) {
  std::array<char, kMaxPath> out;
  const auto length = path_of_target(target, out);
  if (!length) return length.error() == Errc::TooBig ? "too big" : "bad";
  return {out.data(), *length};
}

TEST(HttpTarget, TableOfPaths) {
  const std::pair<std::string, std::string> table[] = {
      {"/", "/"},
      {"/a", "/a"},
      {"/a/b.html", "/a/b.html"},
      {"/a/", "/a/"},
      {"//", "/"},
      {"//a///b//", "/a/b/"},
      {"/.", "/"},
      {"/./a/./b/.", "/a/b/"},
      {"/..", "/"},
      {"/../../etc/passwd", "/etc/passwd"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/b/../..", "/"},
      {"/a/b/../../../c", "/c"},
      {"/a//../b", "/b"},
      {"/...", "/..."},
      {"/..a/.b/c..", "/..a/.b/c.."},
      {"/%2e%2e/%2E./x", "/x"},
      {"/a%2f..%2f..%2fb", "/b"},
      {"/%252e%252e/x", "/%2e%2e/x"},
      {"/a%20b%3f%23", "/a b?#"},
      {"/%41%7a", "/Az"},
      {"/x?y=/../z", "/x"},
      {"/?", "/"},
      {"/x?a%zz", "/x"},
      {"/\xc3\xa4", "/\xc3\xa4"},
      {"/%c3%a4", "/\xc3\xa4"},
      {"/a\\..\\b", "/a\\..\\b"},
      {"http://host", "/"},
      {"http://host/", "/"},
      {"HTTP://host:80/a/../b?c", "/b"},
      {"http://[::1]:80/a", "/a"},
      {"http://host?q", "/"},
      // Refused.
      {"", "bad"},
      {"a", "bad"},
      {"*", "bad"},
      {"host:80", "bad"},
      {"https://host/", "bad"},
      {"http:///a", "bad"},
      {"http://user@host/", "bad"},
      {"/%", "bad"},
      {"/%4", "bad"},
      {"/%4g", "bad"},
      {"/%g4", "bad"},
      {"/%00", "bad"},
      {"/a%00.html", "bad"},
      {"/%0d%0aX:y", "bad"},
      {"/%7f", "bad"},
      {"/a b", "bad"},
      {"/a?b c", "bad"},
      {"/a#b", "bad"},
      {"/a?b#c", "bad"},
      {"/a\0b"s, "bad"},
      {"/\tb", "bad"},
      {"/" + std::string(kMaxPath - 1, 'x'), "/" + std::string(kMaxPath - 1, 'x')},
      {"/" + std::string(kMaxPath, 'x'), "too big"},
      {"/" + std::string(kMaxPath - 1, 'x') + "/", "too big"},
      {"/" + std::string(kMaxPath - 1, 'x') + "?" + std::string(5000, 'q'),
       "/" + std::string(kMaxPath - 1, 'x')},
  };
  for (const auto& [target, expected] : table) EXPECT_EQ(path(target), expected) << target;
}

TEST(HttpTarget, NeverLeavesTheRoot) {
  std::mt19937 random{2026};
  constexpr std::string_view kParts[] = {"/",      "..", ".",  "%2e", "%2f",
                                         "%2E%2E", "a",  "//", "%",   "?"};
  for (int round = 0; round < 50000; ++round) {
    std::string target = "/";
    for (auto n = random() % 12; n > 0; --n) target += kParts[random() % std::size(kParts)];
    const auto out = path(target);
    if (out == "bad") continue;
    ASSERT_EQ(out[0], '/');
    ASSERT_EQ((out + "/").find("/../"), std::string::npos) << target;
    ASSERT_EQ((out + "/").find("/./"), std::string::npos) << target;
    ASSERT_EQ(out.find("//"), std::string::npos) << target;
  }
}

}  // namespace
}  // namespace xok::http
