// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

/// Wakeup predicates: a sum of products over words of memory and the clock. A sleeping environment
/// runs again when one product holds. Terms of one product are consecutive; `ends_product` closes
/// it. Addresses are 8-byte (Word32: 4-byte) aligned words the caller can read: its own memory or
/// the exposed window; the kernel pins their pages, so they stay the same physical word.
namespace xok {

enum class WakeOperand : std::uint8_t {
  Immediate = 0,  ///< the value itself
  Word64 = 1,     ///< the 64-bit word at that address
  Word32 = 2,     ///< the 32-bit word at that address
  Clock = 3,      ///< the cycle counter; the value is ignored
};

enum class WakeComparison : std::uint8_t {
  Equal = 0,
  NotEqual = 1,
  Less = 2,  ///< unsigned, as are the others
  LessEqual = 3,
  Greater = 4,
  GreaterEqual = 5,
};

/// One comparison of a predicate: left with right.
struct WakeTerm {
  std::uint64_t left;
  std::uint64_t right;
  WakeOperand left_kind;
  WakeOperand right_kind;
  WakeComparison comparison;
  std::uint8_t ends_product;  ///< 1: the product is complete; its tag is this term's
  std::uint32_t tag;          ///< stored in Uenv::wake_tag when the product wakes
};
static_assert(sizeof(WakeTerm) == 24);

inline constexpr std::size_t kMaxWakeTerms = 64;

}  // namespace xok
