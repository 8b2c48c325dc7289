// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_order.hpp"

/// Classes of characters, and comparisons that ignore case. Private to libs/http.
namespace xok::http {

enum CharacterClass : std::uint8_t {
  kToken = 1,       // methods and field names
  kPlain = 2,       // stands for itself in a path: not / % ? #
  kTarget = 4,      // may stand in a request target at all
  kHost = 8,        // may stand in a host and port
  kUnreserved = 16  // needs no encoding in a path that we write
};

namespace detail {

constexpr bool is_alphanumeric(int c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr std::uint8_t classes_of(int c) {
  const auto among = [c](std::string_view set) {
    return set.find(static_cast<char>(c)) != std::string_view::npos;
  };
  int out = 0;
  if (is_alphanumeric(c)) out |= kToken | kHost | kUnreserved;
  if (c > ' ' && c < 0x7f && among("!#$%&'*+-.^_`|~")) out |= kToken;
  if (c > ' ' && c < 0x7f && among("-._~!$&'()*+,;=:[]%")) out |= kHost;
  if (c > ' ' && c < 0x7f && among("-._~/")) out |= kUnreserved;
  // Wider than the grammar: browsers send some other characters, and UTF-8, as they are.
  if (c > ' ' && c != 0x7f && c != '#') out |= kTarget;
  if ((out & kTarget) != 0 && c != '/' && c != '%' && c != '?') out |= kPlain;
  return static_cast<std::uint8_t>(out);
}

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> out{};
  for (int c = 0; c < 256; ++c) out[static_cast<std::size_t>(c)] = classes_of(c);
  return out;
}

inline constexpr auto kClasses = make_classes();

}  // namespace detail

constexpr bool is(char c, CharacterClass wanted) {
  return (detail::kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr bool all_are(std::string_view text, CharacterClass wanted) {
  for (const char c : text)
    if (!is(c, wanted)) return false;
  return true;
}

/// The first `size` characters. (substr would drag in libstdc++'s exceptions; so for `after`.)
constexpr std::string_view prefix(std::string_view text, std::size_t size) {
  return {text.data(), size < text.size() ? size : text.size()};
}

/// What follows the first `size` characters; `size` is at most text.size().
constexpr std::string_view after(std::string_view text, std::size_t size) {
  return {text.data() + size, text.size() - size};
}

/// Compares with a literal of lower-case letters and - = : / only. `text` has no control character:
/// so setting bit 5 of each character folds case and confuses no two of them.
template <std::size_t N>
bool equal_ignoring_case(std::string_view text, const char (&lower)[N]) {
  constexpr std::size_t kSize = N - 1;
  if (text.size() != kSize) return false;
  const auto differ = [&]<class Word>(std::size_t at, Word) {
    constexpr auto kFold = static_cast<Word>(0x2020202020202020);
    return (load<Word>(text.data() + at) | kFold) != load<Word>(lower + at);
  };
  // Two words cover the text; they may overlap. A third fills the gap of 17 characters.
  if constexpr (kSize > 16) {
    return !differ(0, std::uint64_t{}) && !differ(8, std::uint64_t{}) &&
           !differ(kSize - 8, std::uint64_t{});
  } else if constexpr (kSize >= 8) {
    return !differ(0, std::uint64_t{}) && !differ(kSize - 8, std::uint64_t{});
  } else {
    return !differ(0, std::uint32_t{}) && !differ(kSize - 4, std::uint32_t{});
  }
  static_assert(kSize >= 4 && kSize <= 24);
}

constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Where `c` is first, or text.size().
constexpr std::size_t index_of(std::string_view text, char c) {
  std::size_t i = 0;
  while (i < text.size() && text[i] != c) ++i;
  return i;
}

}  // namespace xok::http
