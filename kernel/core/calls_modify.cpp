// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// pte_modify_range: all entries are checked, then all changed. Only an entry that becomes writable
// needs a right; pages that are alike in owner and limits are checked once.
#include <algorithm>

#include "kernel/core/calls_memory.hpp"
#include "kernel/core/mapping.hpp"

namespace xok::kernel::calls {
namespace {

/// Up to here each translation is forgotten by itself, beyond all together.
constexpr std::uint64_t kFewEntries = 16;

class Modification {
 public:
  Modification(Call& call, CapSlot page_cap, std::uint64_t add, std::uint64_t remove)
      : call_{call}, core_{call.core}, page_cap_{page_cap}, add_{add}, remove_{remove} {}

  /// Whether n entries from the path's on, the first for `va`, may be changed. Counts those that
  /// become writable, so that the next ones see it. Cost: 17 instructions for an entry like the one
  /// before.
  Result<> check(const Path& path, std::uint64_t n, std::uint64_t va) {
    if ((add_ & kPteWritable) == 0) return {};
    for (std::uint64_t i = count_alike(path.entry, 0, n); i < n;
         i = count_alike(path.entry, i + 1, n)) {
      checked_to_ = va + i * kPageSize;
      XOK_TRY(check_page(entry_page(path.entry[i])));
    }
    checked_to_ = va + n * kPageSize;
    return {};
  }

  /// Takes back what `check` counted, for entries from the path's on.
  void uncount(const Path& path, std::uint64_t n, std::uint64_t va) {
    for (std::uint64_t i = 0; i < n && va + i * kPageSize < checked_to_; i++)
      if (becomes_writable(path.entry[i])) core_.pages.info(entry_page(path.entry[i])).writers--;
  }

  /// Changes entries that have been checked. `few`: forgets each translation that is stale.
  void change(const Path& path, std::uint64_t n, std::uint64_t va, bool few) {
    if (!few) {
      stale_ = core_.page_tables.change_run(path, path.entry, n, add_, remove_) || stale_;
      return;
    }
    for (std::uint64_t i = 0; i < n; i++) {
      if (core_.page_tables.change_run(path, path.entry + i, 1, add_, remove_))
        core_.page_tables.forget(path, va + i * kPageSize);
    }
  }
  [[nodiscard]] bool stale() const { return stale_; }

 private:
  static bool becomes_writable(std::uint64_t old) {
    return (old & (kPtePresent | kPteWritable)) == kPtePresent;
  }

  /// Counts those of the entries i to n - 1 that become writable, up to the first whose page must
  /// be checked. Returns  its index, or n
  std::uint64_t count_alike(const std::uint64_t* entry, std::uint64_t i, std::uint64_t n) {
    PageInfo* const pages = &core_.pages.info(0);
    const std::uint64_t acl = acl_;
    for (; i < n; i++) {
      if (!becomes_writable(entry[i])) continue;
      PageInfo& info = Pages::named_by(entry[i], pages);
      if (!Pages::is_alike(info, acl)) break;
      info.writers++;
    }
    return i;
  }

  Result<> check_page(std::uint64_t page) {
    PageInfo& info = core_.pages.info(page);
    if (info.status != PageStatus::User) return fail(Errc::Denied);
    const Capability held = XOK_TRY(call_.capability(page_cap_));
    if (access(held, std::span{info.acl}.first(1), Permission::Write).has_value()) [[likely]] {
      acl_ = info.acl[0].bits();
    } else {
      XOK_TRY(PageAcl(core_.pages, info).access(held, Permission::Write));
    }
    if (!core_.pages.writer_fits(page, 0)) return fail(Errc::Busy);
    info.writers++;
    return {};
  }

  Call& call_;
  Core& core_;
  CapSlot page_cap_;
  std::uint64_t add_, remove_;
  std::uint64_t acl_ = 0;  // the first ACL entry of the last page without a limit that was allowed
  std::uint64_t checked_to_ = 0;
  bool stale_ = false;
};

/// Whether the path leads to entries that can be changed; false: there is no table.
/// Errors  Busy  a large page or a frozen table
Result<bool> find_entries(const Path& path) {
  if (path.large()) return fail(Errc::Busy);
  if (path.reached > 1) return false;
  if (path.frozen()) return fail(Errc::Busy);
  return true;
}

/// Calls `visit(path, n, address)` for the entries of n pages from `va` table by table: n of them,
/// from path.entry on, the first for `address`. Until it gives an error.
/// Errors  as find_entries; `visit`'s
template <class Visit>
Result<> each_table(Core& core, std::uint64_t top, std::uint64_t va, std::uint64_t n,
                    const Visit& visit) {
  const std::uint64_t end = va + n * kPageSize;
  while (va < end) {
    const Path path = core.page_tables.walk(top, va);
    const bool found = XOK_TRY(find_entries(path));
    const std::uint64_t table_end = std::min(end, (va | (kLargeSize - 1)) + 1);
    if (found) XOK_TRY(visit(path, (table_end - va) / kPageSize, va));
    va = table_end;
  }
  return {};
}

/// The range lies in several tables.
Result<> modify_tables(Core& core, const Space& space, std::uint64_t va, std::uint64_t n,
                       Modification& modification) {
  const auto each = [&](const auto& visit) { return each_table(core, space.top, va, n, visit); };
  const auto check = [&](const Path& path, std::uint64_t count, std::uint64_t at) {
    return modification.check(path, count, at);
  };
  const auto uncount = [&](const Path& path, std::uint64_t count, std::uint64_t at) -> Result<> {
    modification.uncount(path, count, at);
    return {};
  };
  if (const Result<> allowed = each(check); !allowed.has_value()) {
    (void)each(uncount);
    return allowed;
  }
  const auto change = [&](const Path& path, std::uint64_t count, std::uint64_t at) -> Result<> {
    modification.change(path, count, at, n <= kFewEntries);
    return {};
  };
  return each(change);
}

/// The same where one table holds it all.
Result<> modify_table(const Path& path, std::uint64_t va, std::uint64_t n,
                      Modification& modification) {
  const bool found = XOK_TRY(find_entries(path));
  if (!found) return {};
  if (const Result<> allowed = modification.check(path, n, va); !allowed.has_value()) {
    modification.uncount(path, n, va);
    return allowed;
  }
  modification.change(path, n, va, n <= kFewEntries);
  return {};
}

}  // namespace

CallResult pte_modify_range(Call& call, UserAddr va, Count n, PteBits add, PteBits remove,
                            CapSlot page_cap, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (n.value > kMaxRange) return fail(Errc::TooBig);
  if (!range_ok(va.value, n.value)) return fail(Errc::BadArgument);
  if (((add.value | remove.value) & ~kModifiable) != 0) return fail(Errc::BadArgument);
  if (n.value == 0) return 0;
  Core& core = call.core;
  const Space space = core.space(index);
  Modification modification{call, page_cap, add.value, remove.value};
  const std::uint64_t last = va.value + (n.value - 1) * kPageSize;
  if (va.value / kLargeSize == last / kLargeSize) [[likely]] {
    XOK_TRY(
        modify_table(core.page_tables.walk(space.top, va.value), va.value, n.value, modification));
  } else {
    XOK_TRY(modify_tables(core, space, va.value, n.value, modification));
  }
  if (modification.stale()) core.page_tables.forget_range(space.top, va.value, n.value);
  return 0;
}

}  // namespace xok::kernel::calls
