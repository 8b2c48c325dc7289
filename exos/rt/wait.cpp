// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/rt/wait.hpp"

#include <cstring>

#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"

namespace xok::rt {
namespace {

constexpr std::uint64_t kPollNs = 10'000'000;

/// A term but for a value that it compares with.
struct Key {
  std::uint64_t left, right;
  std::uint64_t rest;  ///< kinds, comparison, tag
};

bool compares_with_value(const WakeTerm& term) { return term.right_kind == WakeOperand::Immediate; }

std::uint64_t rest_of(const WakeTerm& term) {
  std::uint64_t word;
  std::memcpy(&word, &term.left_kind, sizeof word);
  return word;
}
static_assert(offsetof(WakeTerm, left_kind) == 16 && sizeof(WakeTerm) == 24);

/// The predicate that the kernel has of this environment, if WaitSet::sleep has set it and it fits
/// here: in the Uenv, which nobody shares. It compares words with words of ours, `seen`, in place
/// of values, so that waiting for the same words again takes no call.
struct LastPredicate {
  static constexpr std::size_t kTerms = 4;
  std::size_t count;  // 0: unknown
  std::array<Key, kTerms> keys;
  std::array<std::uint64_t, kTerms> seen;

  /// Whether it is one of these terms, whose values it then has.
  bool takes(const WakeTerm* terms, std::size_t n) {
    if (n != count) return false;
    for (std::size_t i = 0; i < n; i++) {
      if (terms[i].left != keys[i].left || rest_of(terms[i]) != keys[i].rest) return false;
      if (compares_with_value(terms[i])) {
        seen[i] = terms[i].right;
      } else if (terms[i].right != keys[i].right) {
        return false;
      }
    }
    return true;
  }
};
static_assert(sizeof(LastPredicate) <= 8 * kLastPredicateWords);

LastPredicate& last() {
  return *reinterpret_cast<LastPredicate*>(&self().library[kLastPredicateWord]);
}

template <class T>
std::uint64_t address_of(const volatile T& word) {
  return reinterpret_cast<std::uint64_t>(&word);
}

}  // namespace

void WaitSet::watch32(const volatile std::uint32_t& word, std::uint32_t seen, std::uint32_t tag) {
  add({.left = address_of(word),
       .right = seen,
       .left_kind = WakeOperand::Word32,
       .right_kind = WakeOperand::Immediate,
       .comparison = WakeComparison::NotEqual,
       .ends_product = 1,
       .tag = tag});
}

void WaitSet::watch_pair(const volatile std::uint64_t& a, const volatile std::uint64_t& b,
                         std::uint32_t tag) {
  add({.left = address_of(a),
       .right = address_of(b),
       .left_kind = WakeOperand::Word64,
       .right_kind = WakeOperand::Word64,
       .comparison = WakeComparison::NotEqual,
       .ends_product = 1,
       .tag = tag});
}

void WaitSet::deadline(std::uint64_t ns) {
  if (ns < deadline_ns_) deadline_ns_ = ns;
}

std::uint32_t WaitSet::sleep(EnvId next) {
  std::uint64_t until = deadline_ns_;
  if (overflow_) {
    const std::uint64_t poll = monotonic_ns() + kPollNs;
    if (poll < until) until = poll;
  }
  std::size_t n = count_;
  if (until != kNoDeadline || n == 0) {
    terms_[n++] = {.left = 0,
                   .right = until == kNoDeadline ? until : ns_to_cycles(until),
                   .left_kind = WakeOperand::Clock,
                   .right_kind = WakeOperand::Immediate,
                   .comparison = WakeComparison::GreaterEqual,
                   .ends_product = 1,
                   .tag = kDeadlineTag};
  }
  if (!set_predicate(n)) {
    yield();
    return 0;
  }
  // An id that has become stale is refused, and nobody has slept.
  if (sys::yield(next, kYieldSleep) < 0 && next != kSelf) sys::yield(kSelf, kYieldSleep);
  return static_cast<std::uint32_t>(self().wake_tag);
}

/// Makes the first n terms the predicate.
bool WaitSet::set_predicate(std::size_t n) {
  LastPredicate& set = last();
  if (set.takes(terms_.data(), n)) return true;
  set.count = 0;
  const std::size_t kept = n <= LastPredicate::kTerms ? n : 0;
  for (std::size_t i = 0; i < kept; i++) {
    WakeTerm& term = terms_[i];
    set.keys[i] = {term.left, term.right, rest_of(term)};
    if (!compares_with_value(term)) continue;
    set.seen[i] = term.right;
    term.right = address_of(set.seen[i]);
    term.right_kind = WakeOperand::Word64;
  }
  if (sys::wakeup_set(reinterpret_cast<std::uint64_t>(terms_.data()), n) < 0) return false;
  set.count = kept;
  return true;
}

void yield(std::uint32_t to) { sys::yield(to, 0); }

void sleep_until(std::uint64_t ns) {
  WaitSet wait;
  wait.deadline(ns);
  while (monotonic_ns() < ns) wait.sleep();
}

}  // namespace xok::rt
