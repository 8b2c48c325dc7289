// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernel/drivers/platform.hpp"

namespace xok::kernel::drivers {

/// One line of the log, put together from pieces; what does not fit is cut off.
///
///     LogLine{} << "virtio-blk " << n << ": bad status";   // then .write(platform)
class LogLine {
 public:
  LogLine& operator<<(std::string_view text) {
    for (const char c : text)
      if (length_ < text_.size()) text_[length_++] = c;
    return *this;
  }
  LogLine& operator<<(std::uint64_t number) {
    std::array<char, 20> digits{};
    std::size_t n = 0;
    do {
      digits[n++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (n > 0) *this << std::string_view{&digits[--n], 1};
    return *this;
  }
  void write(Platform& platform) const { platform.log(text_.data(), length_); }

 private:
  std::array<char, 120> text_{};
  std::size_t length_ = 0;
};

}  // namespace xok::kernel::drivers
