// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace xok::exos::trace {

/// Builds one line of text in a buffer of the caller's. What does not fit is left out; nothing
/// fails, nothing allocates. Source: own.
class Text {
 public:
  explicit Text(std::span<char> buffer) : buffer_(buffer) {}

  Text& put(char character);
  Text& put(std::string_view text);
  Text& decimal(std::int64_t value);
  Text& unsigned_decimal(std::uint64_t value);
  /// With "0x"; a plain "0" for zero, as printf's %#x.
  Text& hex(std::uint64_t value);
  /// With a leading 0, at least three digits, as printf's %#03o.
  Text& octal_mode(std::uint64_t value);
  /// "NULL" or hex.
  Text& pointer(std::uint64_t value);

  enum class Escape : std::uint8_t { Shortest, AllHex };
  /// In double quotes with C escapes. `escape` AllHex writes every byte as \xhh.
  Text& quoted(std::span<const std::uint8_t> bytes, Escape escape = Escape::Shortest);

  /// Spaces up to `column`, at least one.
  Text& pad_to(std::size_t column);

  /// Takes back what was written behind the first `size` characters.
  void cut(std::size_t size) { size_ = size < size_ ? size : size_; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {buffer_.data(), size_}; }

 private:
  void digits(std::uint64_t value, unsigned base, unsigned minimum);
  void escaped(std::uint8_t byte, bool digit_follows);

  std::span<char> buffer_;
  std::size_t size_ = 0;
};

}  // namespace xok::exos::trace
