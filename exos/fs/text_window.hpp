// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace xok::exos {

/// Generates text of any length and keeps the part of it that the caller wants to see: the bytes
/// from `offset` on that fit `out`. So a /proc file needs no buffer of its own.
///
/// Chains: `text.put("MemTotal: ").number(kb, 8).put(" kB\n")`.
class TextWindow {
 public:
  TextWindow(std::span<char> out, std::uint64_t offset) : out_{out}, offset_{offset} {}

  /// Bytes generated so far, seen or not; and bytes stored in `out`.
  [[nodiscard]] std::uint64_t length() const { return length_; }
  [[nodiscard]] std::size_t stored() const { return stored_; }

  TextWindow& put(std::string_view text) {
    if (!text.empty() && length_ + text.size() > offset_ && stored_ < out_.size()) {
      const std::size_t skip = offset_ > length_ ? offset_ - length_ : 0;
      const std::size_t part = std::min(text.size() - skip, out_.size() - stored_);
      std::memcpy(out_.data() + stored_, text.data() + skip, part);
      stored_ += part;
    }
    length_ += text.size();
    return *this;
  }
  TextWindow& put(char character) { return put(std::string_view{&character, 1}); }

  /// Decimal, filled with spaces on the left up to `width`.
  TextWindow& number(std::uint64_t value, std::size_t width = 0) {
    return digits(value, 10, width, ' ');
  }
  TextWindow& signed_number(std::int64_t value) {
    const auto magnitude = static_cast<std::uint64_t>(value);
    if (value >= 0) return number(magnitude);
    return put('-').number(0 - magnitude);
  }
  /// Hexadecimal or octal, filled with zeros on the left up to `width`.
  TextWindow& hex(std::uint64_t value, std::size_t width = 1) {
    return digits(value, 16, width, '0');
  }
  TextWindow& upper_hex(std::uint64_t value, std::size_t width) {
    return digits(value, 16, width, '0', "0123456789ABCDEF");
  }
  TextWindow& octal(std::uint64_t value, std::size_t width) { return digits(value, 8, width, '0'); }
  /// `12345` as `123.45`.
  TextWindow& hundredths(std::uint64_t value) {
    return number(value / 100).put('.').digits(value % 100, 10, 2, '0');
  }
  TextWindow& spaces(std::size_t count) {
    while (count-- > 0) put(' ');
    return *this;
  }
  /// The text, then spaces up to `width`.
  TextWindow& left(std::string_view text, std::size_t width) {
    return put(text).spaces(text.size() < width ? width - text.size() : 0);
  }
  /// Spaces, then the text, `width` together.
  TextWindow& right(std::string_view text, std::size_t width) {
    return spaces(text.size() < width ? width - text.size() : 0).put(text);
  }

 private:
  TextWindow& digits(std::uint64_t value, unsigned base, std::size_t width, char fill,
                     const char* symbols = "0123456789abcdef") {
    constexpr std::size_t kMaxDigits = 24;
    char buffer[kMaxDigits];
    std::size_t at = kMaxDigits;
    do {
      buffer[--at] = symbols[value % base];
      value /= base;
    } while (value != 0);
    for (std::size_t count = kMaxDigits - at; count < width; ++count) put(fill);
    return put(std::string_view{buffer + at, kMaxDigits - at});
  }

  std::span<char> out_;
  std::uint64_t offset_;
  std::uint64_t length_ = 0;
  std::size_t stored_ = 0;
};

}  // namespace xok::exos
