// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace xok::xtop {

/// Text that fits a screen: lines are cut at its right edge, and those below its last row are
/// counted instead of shown. Allocates nothing; what the buffer has no room for is left out.
class Canvas {
 public:
  struct Size {
    std::size_t columns = 0;  ///< 0: as wide as it gets
    std::size_t rows = 0;     ///< 0: as long as it gets
  };

  /// `line_end`: what ends each line.
  Canvas(std::span<char> buffer, Size size, std::string_view line_end)
      : buffer_{buffer}, size_{size}, line_end_{line_end} {}

  void text(std::string_view words) {
    if (size_.columns != 0 && words.size() > size_.columns - column_)
      words = words.substr(0, size_.columns - column_);
    column_ += words.size();
    if (is_shown()) put(words);
  }
  /// Right-aligned in `width` columns.
  void number(std::uint64_t value, std::size_t width = 0) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    right({digits, static_cast<std::size_t>(end - digits)}, width);
  }
  /// One digit after the point: `tenths` of a unit.
  void tenths(std::uint64_t tenths, std::size_t width = 0) {
    char digits[24];
    char* end = std::to_chars(digits, digits + 20, tenths / 10).ptr;
    *end++ = '.';
    *end++ = static_cast<char>('0' + tenths % 10);
    right({digits, static_cast<std::size_t>(end - digits)}, width);
  }
  void left(std::string_view words, std::size_t width) {
    text(words);
    gap(words.size() < width ? width - words.size() : 0);
  }
  void right(std::string_view words, std::size_t width) {
    gap(words.size() < width ? width - words.size() : 0);
    text(words);
  }
  void gap(std::size_t columns) {
    for (std::size_t i = 0; i < columns; i++) text(" ");
  }
  /// For the terminal itself: takes no columns. Gives all there is so far.
  std::string_view control(std::string_view sequence) {
    put(sequence);
    return {buffer_.data(), used_};
  }
  void end_line() {
    if (is_shown()) put(line_end_);
    line_++;
    column_ = 0;
  }
  /// Says how many lines were left out, and gives all of it.
  std::string_view finish() {
    if (size_.rows != 0 && line_ > last_row()) {
      const std::size_t hidden = line_ - last_row();
      line_ = 0;  // the last row is kept for this
      text("... ");
      number(hidden);
      text(hidden == 1 ? " more line" : " more lines");
      put(line_end_);
    }
    return {buffer_.data(), used_};
  }

 private:
  /// Rows that are filled; the one below takes the line of finish().
  [[nodiscard]] std::size_t last_row() const { return size_.rows > 1 ? size_.rows - 1 : 0; }
  [[nodiscard]] bool is_shown() const { return size_.rows == 0 || line_ < last_row(); }
  void put(std::string_view words) {
    if (words.size() > buffer_.size() - used_) words = words.substr(0, buffer_.size() - used_);
    std::memcpy(buffer_.data() + used_, words.data(), words.size());
    used_ += words.size();
  }

  std::span<char> buffer_;
  Size size_;
  std::string_view line_end_;
  std::size_t used_ = 0;
  std::size_t line_ = 0;
  std::size_t column_ = 0;
};

}  // namespace xok::xtop
