// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_page.hpp"

#include <algorithm>
#include <array>

#include "kernel/core/mapping.hpp"

namespace xok::kernel::calls {
namespace {

bool has_acl(const PageInfo& info) {
  return info.status == PageStatus::User || info.status == PageStatus::BootModule;
}

/// The record of a page whose ACL the caller's slot may modify.
Result<PageInfo*> modifiable(const Call& call, CapSlot cap, PageIndex page) {
  const Capability held = XOK_TRY(call.capability(cap));
  Pages& pages = call.core.pages;
  if (!pages.exists(page.value)) return fail(Errc::BadArgument);
  PageInfo& info = pages.info(page.value);
  if (!has_acl(info)) return fail(Errc::Denied);
  XOK_TRY(PageAcl(pages, info).access(held, Permission::Modify));
  return &info;
}

/// Moves the entries behind the first into a page of their own.
Result<> extend(Call& call, PageIndex page, PageInfo& info, std::uint64_t count) {
  const AccountIndex account = call.account();
  if (call.core.pages.free_count() == 0) return fail(Errc::NoMemory);
  if (!call.core.accounts.fits(account, 1)) return fail(Errc::NoSpace);
  const std::uint64_t extension = call.core.pages.take_kernel(account);
  call.core.pages.info(extension).stamp = static_cast<std::uint32_t>(page.value);
  auto* const entries = reinterpret_cast<Capability*>(call.core.pages.bytes(extension));
  static_assert(kPageAclEntries == 2);
  entries[0] = info.acl[1];
  info.acl[1] = acl_pointer(extension, count);
  return {};
}

}  // namespace

CallResult page_acl_resize(Call& call, CapSlot cap, PageIndex page, Count size) {
  if (size.value > kMaxPageAcl) return fail(Errc::TooBig);
  if (size.value < kPageAclEntries) return fail(Errc::BadArgument);
  call.core.have_pages(1);  // may free pages, this one too: before anything is looked at
  PageInfo& info = *XOK_TRY(modifiable(call, cap, page));
  PageAcl acl{call.core.pages, info};
  if (size.value == acl.size()) return 0;
  const AclExtension old = acl_extension(info.acl[1]);
  if (old.page == 0) {
    XOK_TRY(extend(call, page, info, size.value - 1));
    return 0;
  }
  if (size.value == kPageAclEntries) {
    info.acl[1] = acl.at(1);
    call.core.pages.give_kernel(old.page);
    return 0;
  }
  for (std::uint64_t i = size.value; i < acl.size(); i++) acl.at(i) = Capability{};
  info.acl[1] = acl_pointer(old.page, size.value - 1);
  return 0;
}

CallResult pte_fill(Call& call, CapSlot page_cap, Pte entry, UserAddr va, Count n, UserAddr source,
                    Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  const std::uint64_t bytes = n.value * kPageSize;
  const bool copies = source.value != kFillZero;
  if (n.value - 1 >= kMaxFill || !range_ok(va.value, n.value)) return fail(Errc::BadArgument);
  if ((va.value ^ (va.value + bytes - 1)) >= kLargeSize) return fail(Errc::BadArgument);
  if (copies && !range_ok(source.value, n.value)) return fail(Errc::BadArgument);
  if (copies && va.value != source.value && va.value - source.value + bytes - 1 < 2 * bytes - 1)
    return fail(Errc::BadArgument);
  if ((entry.value & kPtePresent) == 0 || entry_page(entry.value) != kAnyPage)
    return fail(Errc::BadArgument);
  if ((entry.value & kPteLarge) != 0) return fail(Errc::NotSupported);
  Core& core = call.core;
  const Capability held = XOK_TRY(call.capability(page_cap));
  XOK_TRY(may_allocate(held, entry.value));

  core.have_pages(n.value + 3);  // may free pages: before anything is looked at
  const Space space = core.space(index);
  Path path = core.page_tables.walk(space.top, va.value);
  if (path.large() || path.frozen()) return fail(Errc::Busy);
  const std::uint64_t seen = call.space().top;  // no method makes this call: it sees other tables
  std::array<std::uint32_t, kMaxFill> sources;  // pages
  for (std::uint64_t i = 0; copies && i < n.value; i++) {
    const std::uint64_t from = core.page_tables.lookup(seen, source.value + i * kPageSize);
    if ((from & kPtePresent) == 0) return fail(Errc::Fault);
    sources[i] = static_cast<std::uint32_t>(entry_page(from));
  }
  const std::uint64_t needed = n.value + path.reached - 1;
  if (needed > core.pages.free_count()) return fail(Errc::NoMemory);
  if (!core.accounts.fits(space.account, needed)) return fail(Errc::NoSpace);

  // Nothing fails from here on.
  if (path.reached > 1) core.page_tables.complete(space, path, va.value);
  const std::uint64_t bits = kept_bits(core, entry.value);
  const std::uint64_t first = core.pages.first_free();
  std::uint64_t* const entries = path.entry;
  std::uint32_t leaves = 0;
  for (std::uint64_t i = 0; i < n.value; i++) {
    const std::uint64_t page = core.pages.first_free();
    if (copies) {
      core.pages.take_user_copy(page, held, space.account, sources[i]);
    } else {
      core.pages.take_user(page, held, space.account);
    }
    core.pages.map(page, (bits & kPteWritable) != 0);
    path.entry = entries + i;
    if (*path.entry == 0) {
      core.page_tables.put(path.table[1], path.entry, bits | page << kPageShift);
      leaves++;
    } else {
      core.page_tables.store(space, path, va.value + i * kPageSize, bits | page << kPageShift);
    }
  }
  if (leaves > 0) core.page_tables.count_leaf(space, path, leaves);
  space.record->pages_taken += n.value;
  return static_cast<std::int64_t>(first);
}

CallResult page_acl_read(Call& call, PageIndex page, Count first, UserAddr entries, Count n) {
  if (!call.core.pages.exists(page.value)) return fail(Errc::BadArgument);
  if (n.value > kMaxPageAcl) return fail(Errc::TooBig);
  PageInfo& info = call.core.pages.info(page.value);
  if (!has_acl(info)) return fail(Errc::Denied);
  PageAcl acl{call.core.pages, info};
  const std::uint64_t size = acl.size();
  const std::uint64_t count = first.value >= size ? 0 : std::min(n.value, size - first.value);
  std::array<Capability, kMaxPageAcl> copy;
  for (std::uint64_t i = 0; i < count; i++) copy[i] = acl.at(first.value + i);
  if (count > 0 && !call.to_user(entries, copy.data(), count * sizeof(Capability)))
    return fail(Errc::Fault);
  return static_cast<std::int64_t>(size);
}

CallResult page_set_limits(Call& call, CapSlot cap, PageIndex page, Count readers, Count writers) {
  if (readers.value > Pages::kAnyNumber || writers.value > Pages::kAnyNumber)
    return fail(Errc::BadArgument);
  PageInfo& info = *XOK_TRY(modifiable(call, cap, page));
  const auto broken = [](std::uint64_t limit, std::uint32_t now) {
    return limit < Pages::kAnyNumber && now > limit;
  };
  if (broken(readers.value, info.mappings) || broken(writers.value, info.writers))
    return fail(Errc::Busy);
  info.reader_limit = readers.value & 3;
  info.writer_limit = writers.value & 3;
  return 0;
}

CallResult env_set_quota(Call& call, Target target, Count limit, Count guarantee) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (index == call.self || guarantee.value > call.env().guaranteed) return fail(Errc::BadArgument);
  Accounts& accounts = call.core.accounts;
  Env& record = call.core.env(index);
  const auto mine = call.account();
  const auto its = static_cast<AccountIndex>(record.account);
  if (its == mine) {
    const AccountIndex fresh = XOK_TRY(accounts.make(mine, limit.value));
    accounts.join(fresh);
    accounts.leave(its);
    record.account = fresh;
  } else if (accounts.is_above(mine, its)) {
    accounts.set_limit(its, limit.value);
  } else {
    return fail(Errc::Denied);
  }
  record.guaranteed = static_cast<std::uint32_t>(guarantee.value);
  return 0;
}

}  // namespace xok::kernel::calls
