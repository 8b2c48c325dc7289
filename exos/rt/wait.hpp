// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/env.hpp"
#include "abi/wakeup.hpp"
#include "base/result.hpp"

namespace xok::rt {

inline constexpr std::uint64_t kNoDeadline = ~std::uint64_t{0};

/// Sleeps until one of a set of words changes: the common use of a wakeup predicate.
///
///   WaitSet wait;
///   wait.watch(pipe.read_event);     // remember the word's value first, then test the condition
///   while (!pipe.readable()) { wait.sleep(); ... }
///
/// A change between `watch` and `sleep` is not lost: the predicate compares with the value that
/// `watch` saw. Cost: one yield per sleep, and one wakeup_set where the words, at most four, are
/// not those of the sleep before.
class WaitSet {
 public:
  /// Wakes when the word differs from its present value. `tag`: returned by sleep(); not 0.
  void watch(const volatile std::uint64_t& word, std::uint32_t tag = 1) {
    watch_value(word, word, tag);
  }
  void watch_value(const volatile std::uint64_t& word, std::uint64_t seen, std::uint32_t tag = 1) {
    add({.left = reinterpret_cast<std::uint64_t>(&word),
         .right = seen,
         .left_kind = WakeOperand::Word64,
         .right_kind = WakeOperand::Immediate,
         .comparison = WakeComparison::NotEqual,
         .ends_product = 1,
         .tag = tag});
  }
  /// Wakes when the 32-bit word differs from `seen`.
  void watch32(const volatile std::uint32_t& word, std::uint32_t seen, std::uint32_t tag = 1);
  /// Wakes when two words differ.
  void watch_pair(const volatile std::uint64_t& a, const volatile std::uint64_t& b,
                  std::uint32_t tag = 1);
  /// Wakes at that time (ns since boot). kNoDeadline: never.
  void deadline(std::uint64_t ns);

  /// Sleeps. Returns the tag of what woke it; kDeadlineTag for the deadline. The rest of the slice
  /// goes to `next`, if that can run (0: to whoever can).
  /// With more words than a predicate holds it polls every 10 ms instead of missing one.
  std::uint32_t sleep(EnvId next = kSelf);

  static constexpr std::uint32_t kDeadlineTag = ~std::uint32_t{0};

 private:
  void add(const WakeTerm& term) {
    if (count_ + 1 >= kMaxWakeTerms) [[unlikely]] {  // one place is kept for the deadline
      overflow_ = true;
      return;
    }
    terms_[count_++] = term;
  }
  bool set_predicate(std::size_t n);

  std::array<WakeTerm, kMaxWakeTerms> terms_;
  std::size_t count_ = 0;
  std::uint64_t deadline_ns_ = kNoDeadline;
  bool overflow_ = false;
};

/// Gives the rest of the slice away. `to`: an environment, or 0 for the next in the vector.
void yield(std::uint32_t to = 0);

/// Sleeps until the time (ns since boot).
void sleep_until(std::uint64_t ns);

}  // namespace xok::rt
