// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "apps/xtop/options.hpp"

#include <charconv>
#include <optional>

namespace xok::xtop {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMostSeconds = 1'000'000;

/// All of `text` as a number in decimal.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end) return std::nullopt;
  return value;
}

/// Nanoseconds: "2", "0.25", ".5". Not 0, and at most kMostSeconds.
std::optional<std::uint64_t> parse_seconds(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = point == text.npos ? std::string_view{} : text.substr(point + 1);
  if ((whole.empty() && part.empty()) || part.size() > 9) return std::nullopt;
  const auto seconds = whole.empty() ? std::optional{std::uint64_t{0}} : parse_number(whole);
  if (!seconds.has_value() || *seconds > kMostSeconds) return std::nullopt;
  std::uint64_t unit = kSecond;
  std::uint64_t ns = 0;
  for (const char digit : part) {
    if (digit < '0' || digit > '9') return std::nullopt;
    unit /= 10;
    ns += static_cast<std::uint64_t>(digit - '0') * unit;
  }
  ns += *seconds * kSecond;
  return ns == 0 ? std::nullopt : std::optional{ns};
}

}  // namespace

Options parse_options(std::span<const char* const> arguments) {
  Options out;
  const auto wrong = [&out](std::string_view culprit, std::string_view why) {
    out.culprit = culprit;
    out.error = why;
    return out;
  };
  for (std::size_t i = 0; i < arguments.size(); i++) {
    const std::string_view word = arguments[i];
    if (word == "-h" || word == "--help") {
      out.help = true;
      return out;
    }
    if (!word.starts_with("-n") && !word.starts_with("-d"))
      return wrong(word, word.starts_with("-") ? "unknown option" : "takes no operand");
    std::string_view value = word.substr(2);
    if (value.empty()) {
      if (++i == arguments.size()) return wrong(word, "needs a value");
      value = arguments[i];
    }
    if (word[1] == 'n') {
      const auto count = parse_number(value);
      if (!count.has_value() || *count == 0) return wrong(value, "not a positive number");
      out.count = *count;
    } else {
      const auto delay = parse_seconds(value);
      if (!delay.has_value()) return wrong(value, "not a number of seconds");
      out.delay_ns = *delay;
    }
  }
  return out;
}

}  // namespace xok::xtop
