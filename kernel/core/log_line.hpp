// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "kernel/core/machine.hpp"

namespace xok::kernel {

/// Builds one line of the kernel's log without allocating; what does not fit is cut off.
class LogLine {
 public:
  LogLine& text(std::string_view s) {
    for (const char c : s) put(c);
    return *this;
  }
  LogLine& hex(std::uint64_t value) {
    text("0x");
    unsigned shift = 60;
    while (shift > 0 && value >> shift == 0) shift -= 4;
    for (;; shift -= 4) {
      put("0123456789abcdef"[value >> shift & 15]);
      if (shift == 0) return *this;
    }
  }
  LogLine& number(std::uint64_t value) {
    std::array<char, 20> digits{};
    std::size_t n = 0;
    do {
      digits[n++] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    while (n > 0) put(digits[--n]);
    return *this;
  }
  void write(Machine& machine) const { machine.log(line_.data(), length_); }

 private:
  void put(char c) {
    if (length_ < line_.size()) line_[length_++] = c;
  }
  std::array<char, 160> line_{};
  std::size_t length_ = 0;
};

}  // namespace xok::kernel
