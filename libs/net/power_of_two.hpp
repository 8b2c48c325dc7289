// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>

namespace xok::net {

/// Whether rings and tables of this size can find a place by masking. (std::has_single_bit would
/// call the compiler's run-time library on a processor without a popcount instruction.)
constexpr bool is_power_of_two(std::size_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

}  // namespace xok::net
