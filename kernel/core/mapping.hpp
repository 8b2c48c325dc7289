// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "kernel/core/acl.hpp"
#include "kernel/core/core.hpp"

/// What an entry may carry and who may map what: shared by the calls that store entries.
namespace xok::kernel {

/// The bits pte_modify_range may change.
inline constexpr std::uint64_t kModifiable =
    kPteWritable | kPteAccessed | kPteDirty | kPteSoftware | kPteNoExecute;

/// Whether n pages from `va` on are pages of the user half.
constexpr bool range_ok(std::uint64_t va, std::uint64_t n) {
  return va % kPageSize == 0 && va <= kUserTop && n <= (kUserTop - va) / kPageSize;
}

/// What is kept of a present entry. Caching attributes only where the processor keeps several views
/// of one page coherent (SystemInfo::caching_bits).
inline std::uint64_t kept_mask(const Core& core) {
  constexpr std::uint64_t kKept = kPtePresent | kModifiable | kPtePageMask;
  return kKept | core.tables.info->caching_bits;
}
inline std::uint64_t kept_bits(const Core& core, std::uint64_t entry) {
  return (entry & kept_mask(core)) | kPteUser;
}

/// Whether `held` may map the page in use that a level-1 entry names; `old` is the one it replaces.
inline Result<> may_map(Core& core, const Capability& held, std::uint64_t entry,
                        std::uint64_t old) {
  const std::uint64_t page = entry_page(entry);
  const bool writable = (entry & kPteWritable) != 0;
  PageInfo& info = core.pages.info(page);
  const bool module = info.status == PageStatus::BootModule;
  if (info.status != PageStatus::User && !(module && !writable)) return fail(Errc::Denied);
  XOK_TRY(PageAcl(core.pages, info).access(held, writable ? Permission::Write : Permission::None));
  const bool replaces = (old & kPtePresent) != 0 && entry_page(old) == page;
  if (!core.pages.count_fits(page, writable, replaces ? old : 0)) return fail(Errc::Busy);
  return {};
}

/// Whether `held` may allocate a page for an entry.
inline Result<> may_allocate(const Capability& held, std::uint64_t entry) {
  const bool writable = (entry & kPteWritable) != 0;
  const Permission want =
      writable ? Permission::Allocate | Permission::Write : Permission::Allocate;
  if (!held.grants(want)) return fail(Errc::Denied);
  return {};
}

}  // namespace xok::kernel
