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

std::uint64_t load(const std::uint64_t* word) {  // user memory: others write it meanwhile
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

std::uint64_t fetch(WakeOperand kind, const std::uint64_t* word, std::uint64_t now) {
  if (kind == WakeOperand::Clock) return now;
  if (kind == WakeOperand::Word32)
    return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(word), __ATOMIC_ACQUIRE);
  return load(word);
}

/// Which outcomes of comparing left with right make a term true.
constexpr std::uint8_t accepted(WakeComparison comparison) {
  switch (comparison) {
    case WakeComparison::Equal:
      return Predicate::kSame;
    case WakeComparison::NotEqual:
      return Predicate::kLess | Predicate::kMore;
    case WakeComparison::Less:
      return Predicate::kLess;
    case WakeComparison::LessEqual:
      return Predicate::kLess | Predicate::kSame;
    case WakeComparison::Greater:
      return Predicate::kMore;
    default:
      return Predicate::kMore | Predicate::kSame;
  }
}

std::uint8_t compare(std::uint64_t left, std::uint64_t right) {
  return left < right ? Predicate::kLess : left == right ? Predicate::kSame : Predicate::kMore;
}

/// The clock value at which a false term comes true by itself; kNever if time does not help.
std::uint64_t comes_true(const Predicate::Term& term, std::uint64_t left, std::uint64_t right) {
  const bool clock_left = term.left_kind == WakeOperand::Clock;
  if (clock_left == (term.right_kind == WakeOperand::Clock)) return kNever;
  const std::uint64_t other = clock_left ? right : left;
  const std::uint64_t now = clock_left ? left : right;
  if (now < other) {  // reached, and then passed
    if ((term.accepts & Predicate::kSame) != 0) return other;
    const std::uint8_t later = clock_left ? Predicate::kMore : Predicate::kLess;
    return (term.accepts & later) == 0 || other == kNever ? kNever : other + 1;
  }
  const std::uint8_t later = clock_left ? Predicate::kMore : Predicate::kLess;
  return now == other && (term.accepts & later) != 0 ? now + 1 : kNever;
}

}  // namespace

Verdict evaluate(const Predicate& predicate, std::uint64_t now) {
  std::uint64_t deadline = kNever;
  bool holds = true;
  for (std::uint32_t i = 0; i < predicate.terms; i++) {
    const Predicate::Term& term = predicate.term[i];
    if (term.plain) [[likely]] {
      holds = holds && (term.accepts & compare(load(term.left), load(term.right))) != 0;
    } else if (holds) {
      const std::uint64_t left = fetch(term.left_kind, term.left, now);
      const std::uint64_t right = fetch(term.right_kind, term.right, now);
      holds = (term.accepts & compare(left, right)) != 0;
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
  out.differences = true;
  if (terms.empty() || terms.size() > kMaxWakeTerms) return fail(Errc::BadArgument);
  if (terms.back().ends_product != 1) return fail(Errc::BadArgument);
  for (const WakeTerm& term : terms) {
    const auto done = translate_term(top, term, out);
    if (!done.has_value()) {
      release(out);
      return done;
    }
    const Predicate::Term& last = out.term[out.terms - 1];
    out.differences = out.differences && last.plain && last.ends_product == 1 &&
                      last.accepts == accepted(WakeComparison::NotEqual);
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
  to.differences = from.differences;
  for (std::uint32_t i = 0; i < from.terms; i++) {
    Predicate::Term& term = to.term[i];
    term = from.term[i];
    if (!is_word(term.left_kind)) term.left = &term.left_value;
    if (!is_word(term.right_kind)) term.right = &term.right_value;
  }
  for (std::uint32_t i = 0; i < from.pinned; i++) to.page[i] = from.page[i];
}

Result<> Wakeups::translate_term(std::uint64_t top, const WakeTerm& term, Predicate& out) {
  if (term.left_kind > WakeOperand::Clock || term.right_kind > WakeOperand::Clock ||
      term.comparison > WakeComparison::GreaterEqual || term.ends_product > 1)
    return fail(Errc::BadArgument);
  const auto* const left = XOK_TRY(operand(top, term.left_kind, term.left, out));
  const auto* const right = XOK_TRY(operand(top, term.right_kind, term.right, out));
  const auto is_plain = [](WakeOperand kind) {
    return kind == WakeOperand::Word64 || kind == WakeOperand::Immediate;
  };
  out.term[out.terms++] = {.left = left,
                           .right = right,
                           .left_value = term.left,
                           .right_value = term.right,
                           .left_kind = term.left_kind,
                           .right_kind = term.right_kind,
                           .accepts = accepted(term.comparison),
                           .plain = is_plain(term.left_kind) && is_plain(term.right_kind),
                           .ends_product = term.ends_product,
                           .tag = term.tag};
  return {};
}

/// Where the operand's word is; nullptr: in the term itself.
Result<const std::uint64_t*> Wakeups::operand(std::uint64_t top, WakeOperand kind,
                                              std::uint64_t value, Predicate& out) {
  if (!is_word(kind)) return nullptr;
  const std::uint64_t size = kind == WakeOperand::Word64 ? 8 : 4;
  if (value % size != 0) return fail(Errc::BadArgument);
  if (value >= kUserTop) {
    const std::uint64_t word = XOK_TRY(exposed_word(value, size));
    return reinterpret_cast<const std::uint64_t*>(word);
  }
  const std::uint64_t entry = page_tables_.lookup(top, value);
  if ((entry & kPtePresent) == 0) return fail(Errc::Fault);
  const std::uint64_t page = entry_page(entry);
  if (!pages_.pin(page)) return fail(Errc::NoSpace);
  out.page[out.pinned++] = static_cast<std::uint32_t>(page);
  return reinterpret_cast<const std::uint64_t*>(pages_.bytes(page) + (value & kPageMask));
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
