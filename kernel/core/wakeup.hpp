// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "abi/wakeup.hpp"
#include "base/result.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/page_table.hpp"
#include "kernel/core/pages.hpp"

/// Wakeup predicates, checked once when they are set and then evaluated without any check.
///
/// A predicate lives in a kernel page of its own, its addresses turned into kernel pointers. The
/// user pages it reads are pinned, so they stay the same memory for as long as it is set.
/// Interpreted, not compiled: a term of 64-bit words costs 15 instructions, a typical predicate has
/// two, and code made for it would still load, compare and branch.
namespace xok::kernel {

struct Predicate {
  struct Term {
    const std::uint64_t* left;  ///< the word, or the value below
    const std::uint64_t* right;
    std::uint64_t left_value, right_value;
    WakeOperand left_kind, right_kind;
    std::uint8_t accepts;  ///< of kLess, kSame, kMore
    bool plain;            ///< two 64-bit words, the clock not among them
    std::uint8_t ends_product;
    std::uint32_t tag;
  };
  static constexpr std::uint8_t kLess = 1, kSame = 2, kMore = 4;
  std::uint32_t terms;
  std::uint32_t pinned;
  /// The usual shape: each term a product of its own, all plain, all of them NotEqual.
  bool differences;
  std::array<Term, kMaxWakeTerms> term;
  std::array<std::uint32_t, 2 * kMaxWakeTerms> page;  ///< the first `pinned` are pinned
};
static_assert(sizeof(Predicate) <= kPageSize);

/// What an evaluation found.
struct Verdict {
  std::optional<std::uint32_t> tag;  ///< of the first product that holds
  std::uint64_t deadline;            ///< none holds: the first clock value that may change that
};

/// Evaluates at clock value `now`. Cost: linear in the terms, at most kMaxWakeTerms.
Verdict evaluate(const Predicate& predicate, std::uint64_t now);

/// The same for one of `differences`, which no clock makes true: the first term that holds, or
/// nullptr. Cost: 6 instructions for a term.
inline const Predicate::Term* first_difference(const Predicate& predicate) {
  const Predicate::Term* const end = predicate.term.data() + predicate.terms;
  for (const Predicate::Term* term = predicate.term.data(); term != end; term++) {
    // User memory: others write it meanwhile.
    if (__atomic_load_n(term->left, __ATOMIC_ACQUIRE) !=
        __atomic_load_n(term->right, __ATOMIC_ACQUIRE))
      return term;
  }
  return nullptr;
}

class Wakeups {
 public:
  Wakeups(Pages& pages, PageTables& page_tables) : pages_{pages}, page_tables_{page_tables} {}
  Wakeups(const Wakeups&) = delete;
  Wakeups& operator=(const Wakeups&) = delete;
  void initialize(const ExposedTables& tables) { tables_ = tables; }

  /// Checks `terms` in the address space `top` and translates them into `out`, pinning pages.
  ///
  /// Errors  BadArgument  an unknown kind or comparison, a misaligned address, no term, a last term
  ///                      that does not end its product
  ///         Fault        a word is neither mapped user memory nor inside an exposed table
  ///         NoSpace      a page has too many pins
  ///         After an error nothing is pinned.
  Result<> translate(std::uint64_t top, std::span<const WakeTerm> terms, Predicate& out);
  /// Unpins what `translate` pinned.
  void release(Predicate& predicate);
  /// Moves a translated predicate, with its pins, into `to`, whose own pins are released.
  void replace(Predicate& to, const Predicate& from);

 private:
  Result<const std::uint64_t*> operand(std::uint64_t top, WakeOperand kind, std::uint64_t value,
                                       Predicate& out);
  Result<std::uint64_t> exposed_word(std::uint64_t address, std::uint64_t size) const;
  Result<> translate_term(std::uint64_t top, const WakeTerm& term, Predicate& out);

  Pages& pages_;
  PageTables& page_tables_;
  ExposedTables tables_;
};

}  // namespace xok::kernel
