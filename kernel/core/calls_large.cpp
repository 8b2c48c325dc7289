// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_large.hpp"

#include "kernel/core/mapping.hpp"

namespace xok::kernel::calls {
namespace {

/// What the caller asks for, checked as far as its form goes.
Result<std::uint64_t> first_page(const Core& core, std::uint64_t entry) {
  if (!is_large(entry)) return fail(Errc::BadArgument);
  const std::uint64_t first = entry_page(entry);
  if (first == kAnyPage || first % kLargePages != 0) return fail(Errc::BadArgument);
  const std::uint64_t count = core.tables.info->page_count;
  if (first >= count || kLargePages > count - first) return fail(Errc::BadArgument);
  return first;
}

/// Whether each of the pages may be mapped. How many of them are free.
Result<std::uint64_t> check_pages(Core& core, const Capability& held, std::uint64_t bits,
                                  std::uint64_t first, std::uint64_t old) {
  std::uint64_t fresh = 0;
  for (std::uint64_t i = 0; i < kLargePages; i++) {
    const std::uint64_t small = bits | (first + i) << kPageShift;
    const PageStatus status = core.pages.info(first + i).status;
    if (status == PageStatus::Free) {
      XOK_TRY(may_allocate(held, bits));
      fresh++;
      continue;
    }
    if (status != PageStatus::User) return fail(Errc::Denied);
    const bool replaces = is_large(old) && entry_page(old) == first;
    XOK_TRY(may_map(core, held, small, replaces ? (old & ~kPteLarge) + i * kPageSize : 0));
  }
  return fresh;
}

}  // namespace

CallResult large_insert(Call& call, CapSlot page_cap, Pte entry, UserAddr va, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (va.value % kLargeSize != 0 || va.value >= kUserTop) return fail(Errc::BadArgument);
  Core& core = call.core;
  const Space space = core.space(index);
  if (entry.value != 0) core.have_pages(kLargePages + 2);  // may free pages: before looking
  Path path = core.page_tables.walk(space.top, va.value, 2);
  if (path.frozen()) return fail(Errc::Busy);
  const std::uint64_t old = path.reached == 2 ? *path.entry : 0;
  const bool table = (old & kPtePresent) != 0 && !is_large(old);
  if (entry.value == 0) {
    if (table) return fail(Errc::Busy);
    if (is_large(old)) core.page_tables.store_large(space, path, 0);
    return 0;
  }
  const std::uint64_t first = XOK_TRY(first_page(core, entry.value));
  const Capability held = XOK_TRY(call.capability(page_cap));
  if (table && !core.page_tables.table_is_empty(path)) return fail(Errc::Busy);
  const std::uint64_t bits = kept_bits(core, entry.value) & ~kPtePageMask;
  const std::uint64_t fresh = XOK_TRY(check_pages(core, held, bits, first, old));
  const std::uint64_t tables = path.reached - 2;
  if (fresh + tables > core.pages.free_count()) return fail(Errc::NoMemory);
  if (!core.accounts.fits(space.account, fresh + tables)) return fail(Errc::NoSpace);

  // Nothing fails from here on. The pages named are taken before any other.
  for (std::uint64_t page = first; page < first + kLargePages; page++) {
    if (core.pages.info(page).status == PageStatus::Free)
      core.pages.take_user(page, held, space.account);
    core.pages.map(page, (bits & kPteWritable) != 0);
  }
  space.record->pages_taken += fresh;
  core.page_tables.complete(space, path, va.value, 2);
  core.page_tables.store_large(space, path, first << kPageShift | bits | kPteLarge);
  return static_cast<std::int64_t>(first);
}

}  // namespace xok::kernel::calls
