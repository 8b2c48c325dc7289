// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/wakeup.hpp"

#include "base/checked.hpp"

namespace xok::kernel {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};

bool is_word(WakeOperand kind) {
  return kind == WakeOperand::Word64 || kind == WakeOperand::Word32;
}

template <class T>
std::uint64_t load_word(std::uint64_t address) {  // user memory: others write it meanwhile
  return __atomic_load_n(reinterpret_cast<const T*>(address), __ATOMIC_ACQUIRE);
}

std::uint64_t fetch(WakeOperand kind, std::uint64_t value, std::uint64_t now) {
  switch (kind) {
    case WakeOperand::Word64:
      return load_word<std::uint64_t>(value);
    case WakeOperand::Word32:
      return load_word<std::uint32_t>(value);
    case WakeOperand::Clock:
      return now;
    default:
      return value;
  }
}

bool compare(WakeComparison comparison, std::uint64_t left, std::uint64_t right) {
  switch (comparison) {
    case WakeComparison::Equal:
      return left == right;
    case WakeComparison::NotEqual:
      return left != right;
    case WakeComparison::Less:
      return left < right;
    case WakeComparison::LessEqual:
      return left <= right;
    case WakeComparison::Greater:
      return left > right;
    default:
      return left >= right;
  }
}

/// The clock value at which a false term comes true by itself; kNever if time does not help.
std::uint64_t comes_true(const Predicate::Term& term, std::uint64_t left, std::uint64_t right) {
  const bool clock_left = term.left_kind == WakeOperand::Clock;
  if (clock_left == (term.right_kind == WakeOperand::Clock)) return kNever;
  const std::uint64_t other = clock_left ? right : left;
  const std::uint64_t now = clock_left ? left : right;
  const std::uint64_t past = other == kNever ? kNever : other + 1;
  switch (term.comparison) {
    case WakeComparison::Equal:
      return other > now ? other : kNever;
    case WakeComparison::Greater:
      return clock_left ? past : kNever;
    case WakeComparison::GreaterEqual:
      return clock_left ? other : kNever;
    case WakeComparison::Less:
      return clock_left ? kNever : past;
    case WakeComparison::LessEqual:
      return clock_left ? kNever : other;
    default:
      return now + 1;  // NotEqual, equal now
  }
}

}  // namespace

Verdict evaluate(const Predicate& predicate, std::uint64_t now) {
  std::uint64_t deadline = kNever;
  bool holds = true;
  for (std::uint32_t i = 0; i < predicate.terms; i++) {
    const Predicate::Term& term = predicate.term[i];
    if (holds) {
      const std::uint64_t left = fetch(term.left_kind, term.left, now);
      const std::uint64_t right = fetch(term.right_kind, term.right, now);
      holds = compare(term.comparison, left, right);
      if (!holds) {
        const std::uint64_t when = comes_true(term, left, right);
        if (when < deadline) deadline = when;
      }
    }
    if (term.ends_product == 0) continue;
    if (holds) return {term.tag, now};
    holds = true;
  }
  return {std::nullopt, deadline};
}

Result<> Wakeups::translate(std::uint64_t top, std::span<const WakeTerm> terms, Predicate& out) {
  out.terms = out.pinned = 0;
  if (terms.empty() || terms.size() > kMaxWakeTerms) return fail(Errc::BadArgument);
  if (terms.back().ends_product != 1) return fail(Errc::BadArgument);
  for (const WakeTerm& term : terms) {
    const auto done = translate_term(top, term, out);
    if (!done.has_value()) {
      release(out);
      return done;
    }
  }
  return {};
}

void Wakeups::release(Predicate& predicate) {
  for (std::uint32_t i = 0; i < predicate.pinned; i++) pages_.unpin(predicate.page[i]);
  predicate.terms = predicate.pinned = 0;
}

void Wakeups::replace(Predicate& to, const Predicate& from) {
  release(to);
  to.terms = from.terms;
  to.pinned = from.pinned;
  for (std::uint32_t i = 0; i < from.terms; i++) to.term[i] = from.term[i];
  for (std::uint32_t i = 0; i < from.pinned; i++) to.page[i] = from.page[i];
}

Result<> Wakeups::translate_term(std::uint64_t top, const WakeTerm& term, Predicate& out) {
  if (term.left_kind > WakeOperand::Clock || term.right_kind > WakeOperand::Clock ||
      term.comparison > WakeComparison::GreaterEqual || term.ends_product > 1)
    return fail(Errc::BadArgument);
  const std::uint64_t left = XOK_TRY(operand(top, term.left_kind, term.left, out));
  const std::uint64_t right = XOK_TRY(operand(top, term.right_kind, term.right, out));
  out.term[out.terms++] = {
      left, right, term.left_kind, term.right_kind, term.comparison, term.ends_product, term.tag};
  return {};
}

Result<std::uint64_t> Wakeups::operand(std::uint64_t top, WakeOperand kind, std::uint64_t value,
                                       Predicate& out) {
  if (!is_word(kind)) return value;
  const std::uint64_t size = kind == WakeOperand::Word64 ? 8 : 4;
  if (value % size != 0) return fail(Errc::BadArgument);
  if (value >= kUserTop) return exposed_word(value, size);
  const std::uint64_t entry = page_tables_.lookup(top, value);
  if ((entry & kPtePresent) == 0) return fail(Errc::Fault);
  const std::uint64_t page = entry_page(entry);
  if (!pages_.pin(page)) return fail(Errc::NoSpace);
  out.page[out.pinned++] = static_cast<std::uint32_t>(page);
  return reinterpret_cast<std::uint64_t>(pages_.bytes(page)) + (value & kPageMask);
}

Result<std::uint64_t> Wakeups::exposed_word(std::uint64_t address, std::uint64_t size) const {
  const struct {
    std::uint64_t base;
    const void* table;
    std::uint64_t length;
  } regions[] = {
      {kExposedBase, tables_.info, sizeof(SystemInfo)},
      {kExposedEnvs, tables_.envs, sizeof(Env) * kMaxEnvironments},
      {kExposedSlices, tables_.slices, sizeof(Slice) * kMaxProcessors * kSlicesPerProcessor},
      {kExposedFilters, tables_.filters, sizeof(FilterRecord) * kMaxFilters},
      {kExposedPages, tables_.pages, sizeof(PageInfo) * tables_.info->page_count},
  };
  for (const auto& region : regions) {
    if (address < region.base) continue;
    const std::uint64_t offset = address - region.base;
    if (range_fits<std::uint64_t>(offset, size, region.length))
      return reinterpret_cast<std::uint64_t>(region.table) + offset;
  }
  return fail(Errc::Fault);
}

}  // namespace xok::kernel
