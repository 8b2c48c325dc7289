// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_memory.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "kernel/core/mapping.hpp"

namespace xok::kernel::calls {
namespace {

/// Stores an entry that is not present, making the tables for it unless it is zero.
CallResult store_absent(Core& core, const Space& space, std::uint64_t va, std::uint64_t entry) {
  Path path = core.page_tables.walk(space.top, va);
  if (path.reached > 1) {
    if (path.large()) return fail(Errc::Busy);
    if (entry == 0) return 0;
    if (path.frozen()) return fail(Errc::Busy);
    XOK_TRY(core.can_take(space.account, path.reached - 1));
    core.page_tables.complete(space, path, va);
  }
  if (path.frozen()) return fail(Errc::Busy);
  core.page_tables.store(space, path, va, entry);
  return 0;
}

/// The usual case: stores an entry where a table has none, for a page in use without limits whose
/// first ACL entry gives the right. False: nothing is done, and what is wrong is not known.
bool insert_alone(Core& core, const Capability& held, std::uint64_t entry, std::uint64_t va,
                  const Space& space) {
  const Path path = core.page_tables.walk(space.top, va);
  if (path.reached != 1 || *path.entry != 0 || path.frozen()) return false;
  PageInfo& info = Pages::named_by(entry, core.pages.records().data());
  const bool writable = (entry & kPteWritable) != 0;
  if (!Pages::is_alike(info, info.acl[0].bits()) || info.mappings == ~std::uint32_t{0} ||
      !access(held, std::span{info.acl}.first(1), writable ? Permission::Write : Permission::None)
           .has_value())
    return false;
  info.mappings++;
  info.writers += writable ? 1 : 0;
  core.page_tables.put(path.table[1], path.entry, entry);
  core.page_tables.count_leaf(space, path, 1);
  return true;
}

CallResult insert(Call& call, CapSlot page_cap, std::uint64_t entry, std::uint64_t va,
                  const Space& space) {
  Core& core = call.core;
  if ((entry & kPtePresent) == 0) return store_absent(core, space, va, entry);
  if ((entry & kPteLarge) != 0) return fail(Errc::NotSupported);
  entry = kept_bits(core, entry);
  std::uint64_t page = entry_page(entry);
  if (!core.pages.exists(page)) return fail(Errc::BadArgument);
  const Capability held = XOK_TRY(call.capability(page_cap));
  if (insert_alone(core, held, entry, va, space)) return static_cast<std::int64_t>(page);

  core.have_pages(4);  // may free pages: before anything is looked at
  Path path = core.page_tables.walk(space.top, va);
  if (path.large() || path.frozen()) return fail(Errc::Busy);
  const bool fresh = page == kAnyPage || core.pages.info(page).status == PageStatus::Free;
  if (fresh) {
    XOK_TRY(may_allocate(held, entry));
  } else {
    XOK_TRY(may_map(core, held, entry, path.reached == 1 ? *path.entry : 0));
  }
  const std::uint64_t needed = path.reached - 1 + (fresh ? 1 : 0);
  if (needed > core.pages.free_count()) return fail(Errc::NoMemory);
  if (!core.accounts.fits(space.account, needed)) return fail(Errc::NoSpace);

  // Nothing fails from here on.
  if (fresh) {
    if (page == kAnyPage) page = core.pages.first_free();
    core.pages.take_user(page, held, space.account);
    space.record->pages_taken++;
    entry |= page << kPageShift;
  }
  core.pages.map(page, (entry & kPteWritable) != 0);
  core.page_tables.complete(space, path, va);
  core.page_tables.store(space, path, va, entry);
  return static_cast<std::int64_t>(page);
}

struct Alike {
  std::span<PageInfo> records;
  std::uint64_t acl;        ///< the first ACL entry
  std::uint64_t kept;       ///< bits of an entry that are stored
  std::uint64_t looked_at;  ///< of these bits only "present" may be set
};

/// Stores entries at `at` up to the first that is not alike, or where there is one. Returns  how
/// many. By itself, so that all of the loop is in registers.
[[gnu::noinline]] std::uint64_t store_alike(const std::uint64_t* wanted, std::uint64_t n,
                                            std::uint64_t* at, const Alike& alike) {
  PageInfo* const records = alike.records.data();
  const std::uint64_t end = alike.records.size_bytes();
  const auto [acl, kept, looked_at] = std::tuple{alike.acl, alike.kept, alike.looked_at};
  std::uint64_t i = 0;
  for (; i < n; i++) {
    std::uint64_t entry = wanted[i];
    if ((entry & looked_at) != kPtePresent || at[i] != 0) break;
    entry = (entry & kept) | kPteUser;
    if (Pages::record_offset(entry) >= end) break;
    PageInfo& info = Pages::named_by(entry, records);  // page 0, "any", is nobody's
    if (!Pages::is_alike(info, acl) || info.mappings == ~std::uint32_t{0}) break;
    info.mappings++;
    info.writers += (entry & kPteWritable) != 0 ? 1 : 0;
    __atomic_store_n(&at[i], entry, __ATOMIC_RELEASE);  // pairs with the hardware's table walk
  }
  return i;
}

/// Entries in a row that are like one that was stored the long way: in the same level-1 table,
/// empty until now, for pages in use with the same first ACL entry and no limits; or that empty
/// one.
class Run {
 public:
  Run(Core& core, const Space& space) : core_{core}, space_{space} {}

  /// Stores as many of n entries, the first for `va`, as are like that. Returns  how many. Cost: 29
  /// instructions each.
  std::uint64_t store(const std::uint64_t* wanted, std::uint64_t n, std::uint64_t va) {
    if (va - begin_ >= length_) return 0;
    std::uint64_t* const at = first_ + (va >> kPageShift & (kEntries - 1));
    n = std::min(n, (begin_ + length_ - va) / kPageSize);
    const std::uint64_t stored = store_alike(
        wanted, n, at,
        {.records = core_.pages.records(),
         .acl = acl_,
         .kept = kept_mask(core_),
         .looked_at = kPtePresent | kPteLarge | (may_write_ ? std::uint64_t{0} : kPteWritable)});
    if (stored != 0) {
      core_.page_tables.note_used(path_.table[1], at, stored);
      leaves_ += static_cast<std::uint32_t>(stored);
      return stored;
    }
    if (wanted[0] != 0) return 0;
    if (*at != 0) clear(at, va);
    return 1;
  }
  /// `entry` has just been stored at `va`.
  void learn(const Call& call, CapSlot page_cap, std::uint64_t entry, std::uint64_t va) {
    if (va - begin_ >= length_) {
      length_ = 0;  // until there is a whole path again
      path_ = core_.page_tables.walk(space_.top, va);
      if (path_.reached > 1) return;
      first_ = path_.entry - (va >> kPageShift & (kEntries - 1));
      begin_ = va & ~(kLargeSize - 1);
      length_ = kLargeSize;
    }
    const std::uint64_t page = entry_page(entry);
    if ((entry & kPtePresent) == 0 || page == kAnyPage) return;
    const Result<Capability> held = call.capability(page_cap);
    const std::span acl = std::span{core_.pages.info(page).acl}.first(1);
    if (!held.has_value() || !access(*held, acl, Permission::None).has_value()) return;
    acl_ = acl[0].bits();
    may_write_ = access(*held, acl, Permission::Write).has_value();
  }
  /// Brings the counts up to date: before anything else changes or reads them.
  void settle() {
    if (leaves_ > 0) core_.page_tables.count_leaf(space_, path_, leaves_);
    leaves_ = 0;
  }

 private:
  void clear(std::uint64_t* at, std::uint64_t va) {
    settle();
    path_.entry = at;
    core_.page_tables.store(space_, path_, va, 0);
  }

  Core& core_;
  const Space& space_;
  Path path_{};
  std::uint64_t* first_ = nullptr;
  std::uint64_t begin_ = 0, length_ = 0;
  std::uint64_t acl_ = 0;  // of no page in use
  bool may_write_ = false;
  std::uint32_t leaves_ = 0;
};

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
  Run run{call.core, space};
  std::array<std::uint64_t, 64> chunk;
  CallResult outcome{0};
  while (at < n.value && outcome.has_value()) {
    const std::uint64_t count = std::min<std::uint64_t>(chunk.size(), n.value - at);
    if (!call.from_user(chunk.data(), UserAddr{entries.value + at * 8}, count * 8)) {
      outcome = fail(Errc::Fault);
      break;
    }
    for (std::uint64_t i = 0; i < count;) {
      const std::uint64_t to = va.value + at * kPageSize;
      std::uint64_t stored = run.store(&chunk[i], count - i, to);
      if (stored == 0) {
        run.settle();
        outcome = insert(call, page_cap, chunk[i], to, space);
        if (!outcome.has_value()) break;
        run.learn(call, page_cap, chunk[i], to);
        stored = 1;
      }
      i += stored;
      at += stored;
    }
  }
  run.settle();
  // It could be written before; the call itself may have unmapped it since.
  if (!call.to_user(done, &at, sizeof at)) return fail(Errc::Fault);
  if (!outcome.has_value()) return outcome;
  return 0;
}

CallResult page_set_acl(Call& call, CapSlot cap, PageIndex page, Count position, CapBits value) {
  const Capability held = XOK_TRY(call.capability(cap));
  Pages& pages = call.core.pages;
  if (!pages.exists(page.value) || position.value >= kMaxPageAcl) return fail(Errc::BadArgument);
  const Capability entry = Capability::from_bits(value.value);
  if (entry.valid() ? entry.pointer() : position.value == 0) return fail(Errc::BadArgument);
  PageInfo& info = pages.info(page.value);
  if (info.status != PageStatus::User && info.status != PageStatus::BootModule)
    return fail(Errc::Denied);
  PageAcl acl{pages, info};
  if (position.value >= acl.size()) return fail(Errc::BadArgument);
  XOK_TRY(acl.access(held, Permission::Modify));
  acl.at(position.value) = canonical(entry);
  return 0;
}

}  // namespace xok::kernel::calls
