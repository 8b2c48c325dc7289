// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_memory.hpp"

#include <algorithm>
#include <array>

namespace xok::kernel::calls {
namespace {

constexpr std::uint64_t kModifiable =
    kPteWritable | kPteAccessed | kPteDirty | kPteSoftware | kPteNoExecute;
constexpr std::uint64_t kKept = kPtePresent | kModifiable | kPtePageMask;

constexpr bool range_ok(std::uint64_t va, std::uint64_t n) {
  return va % kPageSize == 0 && va <= kUserTop && n <= (kUserTop - va) / kPageSize;
}

/// Whether `held` may map the page that `entry` names; `old` is the entry it replaces.
Result<> may_map(Core& core, const Capability& held, std::uint64_t entry, std::uint64_t old) {
  const std::uint64_t page = entry_page(entry);
  const bool writable = (entry & kPteWritable) != 0;
  const PageInfo& info = core.pages.info(page);
  const bool module = info.status == PageStatus::BootModule;
  if (info.status != PageStatus::User && !(module && !writable)) return fail(Errc::Denied);
  XOK_TRY(access(held, info.acl, writable ? Permission::Write : Permission::None));
  const bool replaces = (old & kPtePresent) != 0 && entry_page(old) == page;
  if (!core.pages.count_fits(page, replaces ? 1 : 0)) return fail(Errc::Busy);
  return {};
}

/// Whether `held` may allocate a page for an entry.
Result<> may_allocate(const Capability& held, std::uint64_t entry) {
  const bool writable = (entry & kPteWritable) != 0;
  const Permission want =
      writable ? Permission::Allocate | Permission::Write : Permission::Allocate;
  if (!held.grants(want)) return fail(Errc::Denied);
  return {};
}

/// Stores an entry that is not present, making the tables for it unless it is zero.
CallResult store_absent(Core& core, const Space& space, std::uint64_t va, std::uint64_t entry) {
  Path path = core.page_tables.walk(space.top, va);
  if (path.reached > 1) {
    if (entry == 0) return 0;
    if (!core.have_pages(path.reached - 1)) return fail(Errc::NoMemory);
    core.page_tables.complete(space, path, va);
  }
  core.page_tables.store(space, path, va, entry);
  return 0;
}

CallResult insert(Call& call, CapSlot page_cap, std::uint64_t entry, std::uint64_t va,
                  const Space& space) {
  Core& core = call.core;
  if ((entry & kPtePresent) == 0) return store_absent(core, space, va, entry);
  if ((entry & kPteLarge) != 0) return fail(Errc::NotSupported);
  entry = (entry & kKept) | kPteUser;
  std::uint64_t page = entry_page(entry);
  if (!core.pages.exists(page)) return fail(Errc::BadArgument);
  const Capability held = XOK_TRY(call.capability(page_cap));

  core.have_pages(4);  // may free pages: before anything is looked at
  Path path = core.page_tables.walk(space.top, va);
  const bool fresh = page == kAnyPage || core.pages.info(page).status == PageStatus::Free;
  if (fresh) {
    XOK_TRY(may_allocate(held, entry));
  } else {
    XOK_TRY(may_map(core, held, entry, path.reached == 1 ? *path.entry : 0));
  }
  const std::uint64_t needed = path.reached - 1 + (fresh ? 1 : 0);
  if (needed > core.pages.free_count()) return fail(Errc::NoMemory);

  // Nothing fails from here on.
  if (fresh) {
    if (page == kAnyPage) page = core.pages.first_free();
    core.pages.take_user(page, held);
    entry |= page << kPageShift;
  }
  core.pages.map(page, (entry & kPteWritable) != 0);
  core.page_tables.complete(space, path, va);
  core.page_tables.store(space, path, va, entry);
  return static_cast<std::int64_t>(page);
}

/// Whether an entry that `old` is now may become what pte_modify_range makes of it.
Result<> may_modify(Call& call, std::uint64_t old, std::uint64_t wanted, CapSlot page_cap) {
  const bool becomes_writable = (wanted & ~old & kPteWritable) != 0;
  if ((old & kPtePresent) == 0 || !becomes_writable) return {};
  const Capability held = XOK_TRY(call.capability(page_cap));
  const PageInfo& info = call.core.pages.info(entry_page(old));
  if (info.status != PageStatus::User) return fail(Errc::Denied);
  return access(held, info.acl, Permission::Write);
}

/// The way to the entries of consecutive pages that lie in one level-1 table, if it is there.
Path run_of_entries(Core& core, std::uint64_t top, std::uint64_t va, std::uint64_t left,
                    std::uint64_t& count) {
  const std::uint64_t in_table = 512 - (va >> kPageShift & 511);
  count = std::min(left, in_table);
  return core.page_tables.walk(top, va);
}

}  // namespace

CallResult pte_insert(Call& call, CapSlot page_cap, Pte entry, UserAddr va, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (!range_ok(va.value, 1)) return fail(Errc::BadArgument);
  return insert(call, page_cap, entry.value, va.value, call.core.space(index));
}

CallResult pte_insert_range(Call& call, CapSlot page_cap, UserAddr entries, Count n, UserAddr va,
                            UserAddr done, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (n.value > kMaxRange) return fail(Errc::TooBig);
  if (!range_ok(va.value, n.value) || entries.value % 8 != 0) return fail(Errc::BadArgument);
  std::uint64_t at = 0;
  if (!call.from_user(&at, done, sizeof at)) return fail(Errc::Fault);
  if (!call.to_user(done, &at, sizeof at)) return fail(Errc::Fault);
  if (at > n.value) return fail(Errc::BadArgument);

  const Space space = call.core.space(index);
  std::array<std::uint64_t, 64> chunk;
  CallResult outcome{0};
  while (at < n.value && outcome.has_value()) {
    const std::uint64_t count = std::min<std::uint64_t>(chunk.size(), n.value - at);
    if (!call.from_user(chunk.data(), UserAddr{entries.value + at * 8}, count * 8)) {
      outcome = fail(Errc::Fault);
      break;
    }
    for (std::uint64_t i = 0; i < count; i++, at++) {
      outcome = insert(call, page_cap, chunk[i], va.value + at * kPageSize, space);
      if (!outcome.has_value()) break;
    }
  }
  // It could be written before; the call itself may have unmapped it since.
  if (!call.to_user(done, &at, sizeof at)) return fail(Errc::Fault);
  if (!outcome.has_value()) return outcome;
  return 0;
}

CallResult pte_modify_range(Call& call, UserAddr va, Count n, PteBits add, PteBits remove,
                            CapSlot page_cap, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (n.value > kMaxRange) return fail(Errc::TooBig);
  if (!range_ok(va.value, n.value)) return fail(Errc::BadArgument);
  if (((add.value | remove.value) & ~kModifiable) != 0) return fail(Errc::BadArgument);
  Core& core = call.core;
  const Space space = core.space(index);
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < n.value; i += count) {
    const Path path = run_of_entries(core, space.top, va.value + i * kPageSize, n.value - i, count);
    for (std::uint64_t k = 0; path.reached == 1 && k < count; k++)
      XOK_TRY(
          may_modify(call, path.entry[k], (path.entry[k] & ~remove.value) | add.value, page_cap));
  }
  for (std::uint64_t i = 0; i < n.value; i += count) {
    const std::uint64_t at = va.value + i * kPageSize;
    const Path path = run_of_entries(core, space.top, at, n.value - i, count);
    for (std::uint64_t k = 0; path.reached == 1 && k < count; k++) {
      const std::uint64_t old = path.entry[k];
      const std::uint64_t wanted = (old & ~remove.value) | add.value;
      if (wanted != old) core.page_tables.change_bits(path, k, at + k * kPageSize, wanted);
    }
  }
  return 0;
}

CallResult table_share(Call& call, UserAddr va, Count level, Target source, Target destination) {
  const EnvIndex from = XOK_TRY(call.target(source));
  const EnvIndex to = XOK_TRY(call.target(destination));
  if (level.value < 1 || level.value > 3) return fail(Errc::BadArgument);
  const auto holder = static_cast<unsigned>(level.value) + 1;
  const std::uint64_t span = std::uint64_t{1} << (kPageShift + 9 * level.value);
  if (va.value % span != 0 || va.value >= kUserTop) return fail(Errc::BadArgument);

  Core& core = call.core;
  const Space source_space = core.space(from);
  const Space destination_space = core.space(to);
  const Path source_path = core.page_tables.walk(source_space.top, va.value, holder);
  if (source_path.reached != holder || (*source_path.entry & kPtePresent) == 0)
    return fail(Errc::NotFound);
  Path path = core.page_tables.walk(destination_space.top, va.value, holder);
  if (path.reached == holder && *path.entry != 0) return fail(Errc::Exists);
  if (!core.have_pages(path.reached - holder)) return fail(Errc::NoMemory);
  core.page_tables.complete(destination_space, path, va.value, holder);
  core.page_tables.share(source_space, source_path, path);
  return 0;
}

CallResult page_set_acl(Call& call, CapSlot cap, PageIndex page, Count position, CapBits value) {
  const Capability held = XOK_TRY(call.capability(cap));
  if (!call.core.pages.exists(page.value)) return fail(Errc::BadArgument);
  if (position.value >= kPageAclEntries) return fail(Errc::BadArgument);
  const Capability entry = Capability::from_bits(value.value);
  if (entry.valid() ? entry.pointer() : position.value == 0) return fail(Errc::BadArgument);
  PageInfo& info = call.core.pages.info(page.value);
  if (info.status != PageStatus::User && info.status != PageStatus::BootModule)
    return fail(Errc::Denied);
  XOK_TRY(access(held, info.acl, Permission::Modify));
  info.acl[position.value] = canonical(entry);
  return 0;
}

}  // namespace xok::kernel::calls
