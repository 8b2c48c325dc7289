// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// The kernel's own messages: on the serial line, or, when the boot is to be quiet, in a ring in
/// memory that a failure's report shows.
namespace xok::kernel::x86 {

/// One line, put together from pieces; what does not fit is cut off.
///
///     log(Line{} << "memory: " << pages / 256 << " MiB");
class Line {
 public:
  /// A number to be written in base 16, at least `digits` long.
  struct Hex {
    std::uint64_t value;
    unsigned digits = 1;
  };

  Line& operator<<(std::string_view text) {
    for (const char c : text)
      if (length_ < text_.size()) text_[length_++] = c;
    return *this;
  }
  Line& operator<<(const char* text) { return *this << std::string_view{text}; }
  Line& operator<<(std::uint64_t number);
  Line& operator<<(Hex number);
  [[nodiscard]] std::string_view view() const { return {text_.data(), length_}; }

 private:
  std::array<char, 240> text_{};
  std::size_t length_ = 0;
};

/// Whether lines of information are printed or kept.
enum class LogMode : std::uint8_t { Print, Quiet };
void set_log_mode(LogMode mode);

/// One line of information.
void log(std::string_view line);
inline void log(const Line& line) { log(line.view()); }
/// One line that is printed whatever the mode: something does not work.
void log_error(std::string_view line);
inline void log_error(const Line& line) { log_error(line.view()); }
/// Prints what a quiet boot kept to itself (the last 8 KiB), once. For a failure's report.
void print_kept_lines();

}  // namespace xok::kernel::x86
