// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_table.hpp"

namespace xok::kernel::calls {
namespace {

/// The level of the table that has the entry for a table of `level` at `va`.
Result<unsigned> holder_of(std::uint64_t va, std::uint64_t level) {
  if (level < 1 || level > 3) return fail(Errc::BadArgument);
  const std::uint64_t span = std::uint64_t{1} << (kPageShift + 9 * level);
  if (va % span != 0 || va >= kUserTop) return fail(Errc::BadArgument);
  return static_cast<unsigned>(level) + 1;
}

/// Whether the entry for a table of `level` must stay: a method has a copy of it.
bool must_stay(Core& core, std::uint64_t top, std::uint64_t va, std::uint64_t level) {
  return level == 3 && is_shown(core, top, static_cast<unsigned>(va / kSlotSize));
}

/// The way to the entry that holds the table. Errors  NotFound
Result<Path> find_table(Core& core, std::uint64_t top, std::uint64_t va, unsigned holder) {
  const Path path = core.page_tables.walk(top, va, holder);
  if (path.reached != holder || (*path.entry & kPtePresent) == 0 || path.large())
    return fail(Errc::NotFound);
  return path;
}

/// Gives the destination the source's table: `refuses(path, table)` says whether it may not.
template <class Refuses, class Give>
CallResult give_table(Call& call, std::uint64_t va, std::uint64_t level, Target source,
                      Target destination, const Refuses& refuses, const Give& give) {
  const EnvIndex from = XOK_TRY(call.target(source));
  const EnvIndex to = XOK_TRY(call.target(destination));
  const unsigned holder = XOK_TRY(holder_of(va, level));
  Core& core = call.core;
  const Space source_space = core.space(from);
  const Space space = core.space(to);
  const Path source_path = XOK_TRY(find_table(core, source_space.top, va, holder));
  Path path = core.page_tables.walk(space.top, va, holder);
  if (path.reached == holder && *path.entry != 0) return fail(Errc::Exists);
  if (path.large()) return fail(Errc::Exists);
  if (source_path.frozen() || path.frozen() || refuses(*source_path.entry)) return fail(Errc::Busy);
  XOK_TRY(core.can_take(space.account, path.reached - holder));
  core.page_tables.complete(space, path, va, holder);
  give(source_space, source_path, path);
  return 0;
}

}  // namespace

CallResult table_share(Call& call, UserAddr va, Count level, Target source, Target destination) {
  const auto frozen = [](std::uint64_t entry) { return (entry & kPteWritable) == 0; };
  const auto share = [&](const Space& space, const Path& from, const Path& to) {
    call.core.page_tables.share(space, from, to);
  };
  return give_table(call, va.value, level.value, source, destination, frozen, share);
}

CallResult table_fork(Call& call, UserAddr va, Count level, Target source, Target destination) {
  const EnvIndex parent = XOK_TRY(call.target(source));
  const bool stays = must_stay(call.core, call.core.env(parent).table_page, va.value, level.value);
  const auto shared = [&](std::uint64_t entry) {
    return stays || call.core.pages.info(entry_page(entry)).reader_limit == PageTables::kShared;
  };
  const auto fork = [&](const Space& space, const Path& from, const Path& to) {
    call.core.page_tables.fork(space, from, to);
  };
  return give_table(call, va.value, level.value, source, destination, shared, fork);
}

CallResult table_own(Call& call, CapSlot page_cap, UserAddr va, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (va.value >= kUserTop) return fail(Errc::BadArgument);
  const Capability held = XOK_TRY(call.capability(page_cap));
  Core& core = call.core;
  const Space space = core.space(index);
  if (must_stay(core, space.top, va.value, 3) &&
      core.page_tables.walk(space.top, va.value, 3).frozen())
    return fail(Errc::Busy);
  core.have_pages(3);  // may free pages and tables: before anything is looked at
  XOK_TRY(core.can_take(space.account, core.page_tables.pages_to_own(space.top, va.value)));
  return core.page_tables.own(space, va.value, held);
}

CallResult table_drop(Call& call, UserAddr va, Count level, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  const unsigned holder = XOK_TRY(holder_of(va.value, level.value));
  Core& core = call.core;
  const Space space = core.space(index);
  const Path path = XOK_TRY(find_table(core, space.top, va.value, holder));
  if (path.frozen() || must_stay(core, space.top, va.value, level.value)) return fail(Errc::Busy);
  core.page_tables.drop(space, path);
  return 0;
}

}  // namespace xok::kernel::calls
