// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/page_table.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace xok::kernel {
namespace {

constexpr std::size_t kUserSlots = kUserTop / kSlotSize;

constexpr std::size_t index_at(std::uint64_t va, unsigned level) {
  return va >> (kPageShift + 9 * (level - 1)) & (kEntries - 1);
}

}  // namespace

std::uint64_t PageTables::create(AccountIndex account) {
  const std::uint64_t top = pages_.take_kernel(account);
  PageInfo& p = pages_.info(top);
  p.mappings = 1;
  p.reader_limit = 1;
  p.stamp = 1;
  machine_.fill_top_table(PageNumber{top});
  machine_.write_entry(entries(top) + kPageTableSlot,
                       top << kPageShift | kPtePresent | kPteUser | kPteNoExecute);
  return top;
}

bool PageTables::counted(const Path& path) const {
  for (unsigned l = path.reached; l <= 4; l++) {
    if (shared(path.table[l])) return false;
  }
  return true;
}

void PageTables::complete(const Space& space, Path& path, std::uint64_t va, unsigned level) {
  const bool counts = path.reached > level && counted(path);
  while (path.reached > level) {
    const std::uint64_t table = pages_.take_kernel(space.account);
    PageInfo& p = pages_.info(table);
    p.mappings = 1;
    p.reader_limit = 1;
    p.stamp = 1;
    if (counts) {
      for (unsigned l = path.reached; l <= 4; l++) pages_.info(path.table[l]).stamp++;
      space.record->table_pages++;
    }
    put_link(path.table[path.reached], path.entry, table << kPageShift | kTableBits);
    path.reached--;
    path.table[path.reached] = static_cast<std::uint32_t>(table);
    path.entry = entries(table) + index_at(va, path.reached);
  }
}

void PageTables::count_leaf(const Space& space, const Path& path, std::uint32_t change) {
  PageInfo& t1 = pages_.info(path.table[1]);
  PageInfo& t2 = pages_.info(path.table[2]);
  PageInfo& t3 = pages_.info(path.table[3]);
  PageInfo& t4 = pages_.info(path.table[4]);
  static_assert(kShared == 2 && kForked == 3);  // the others have 1
  if (((t1.reader_limit | t2.reader_limit | t3.reader_limit | t4.reader_limit) & kShared) != 0)
    return;
  t1.writers += change;
  t2.writers += change;
  t3.writers += change;
  t4.writers += change;
  space.record->mapped_pages = t4.writers;
}

void PageTables::store(const Space& space, const Path& path, std::uint64_t va,
                       std::uint64_t value) {
  const std::uint64_t old = *path.entry;
  if (old == 0) mark_used(path.table[1], path.entry);
  machine_.write_entry(path.entry, value);
  const bool was_present = (old & kPtePresent) != 0;
  const bool is_present = (value & kPtePresent) != 0;
  if (was_present != is_present) count_leaf(space, path, is_present ? 1 : ~std::uint32_t{0});
  if (!was_present) return;
  forget(path, va);
  if (pages_.unmap(entry_page(old), (old & kPteWritable) != 0)) space.record->pages_returned++;
}

bool PageTables::table_is_empty(const Path& path) {
  const std::uint64_t table = entry_page(*path.entry);
  const PageInfo& p = pages_.info(table);
  if (p.mappings != 1 || shared(table)) return false;
  return first_used(table, kEntries) == nullptr;
}

void PageTables::store_large(const Space& space, const Path& path, std::uint64_t value) {
  const std::uint64_t old = *path.entry;
  const bool counts = counted(path);
  put_link(path.table[2], path.entry, value);
  const auto count = [&](std::uint32_t leaves, std::uint32_t tables) {
    if (!counts) return;
    for (unsigned l = 2; l <= 4; l++) {
      pages_.info(path.table[l]).writers += leaves;
      pages_.info(path.table[l]).stamp += tables;
    }
    space.record->mapped_pages = pages_.info(path.table[4]).writers;
    space.record->table_pages = pages_.info(path.table[4]).stamp;
  };
  constexpr auto kMany = static_cast<std::uint32_t>(kLargePages);
  if (is_large(value)) count(kMany, 0);
  if ((old & kPtePresent) == 0) return;
  // Processors may hold the old page's translations in pieces, and the old table's in caches of
  // their own: all go.
  translations_.forget_all(path.table[4], !translations_.alone() && !counts);
  if (is_large(old)) {
    count(~kMany + 1, 0);
    space.record->pages_returned += unmap_large(old);
  } else {
    count(0, ~std::uint32_t{0});
    pages_.info(entry_page(old)).mappings = 0;
    pages_.give_kernel(entry_page(old));
  }
}

/// Takes back the mappings of a large page; how many of its pages were freed.
std::uint64_t PageTables::unmap_large(std::uint64_t entry) {
  std::uint64_t freed = 0;
  for (std::uint64_t i = 0; i < kLargePages; i++)
    freed += pages_.unmap(entry_page(entry) + i, (entry & kPteWritable) != 0) ? 1 : 0;
  return freed;
}

void PageTables::change_bits(const Path& path, std::uint64_t va, std::uint64_t value) {
  const std::uint64_t old = *path.entry;
  if ((value & ~old & kPteWritable) != 0) pages_.info(entry_page(value)).writers++;
  if (change_run(path, path.entry, 1, value & ~old, old & ~value)) forget(path, va);
}

namespace {

/// What PageTables::change_run does to entries.
struct BitChange {
  std::uint64_t add, kept;
  bool changed = false;  // a present one
  [[nodiscard]] std::uint64_t of(std::uint64_t old) const { return (old & kept) | add; }
};

/// Where no other processor walks the tables: changes entries up to the first that is not present
/// and would change. Returns  that one, or `end`
std::uint64_t* change_present(std::uint64_t* entry, const std::uint64_t* end, BitChange& change,
                              PageInfo* pages) {
  BitChange mine = change;
  const std::uint64_t lost = kPteWritable & ~mine.of(kPteWritable);
  for (; entry != end; entry++) {
    const std::uint64_t old = *entry;
    const std::uint64_t value = mine.of(old);
    if (value == old) continue;
    if ((old & kPtePresent) == 0) break;
    __atomic_store_n(entry, value, __ATOMIC_RELAXED);
    mine.changed = true;
    if ((old & lost) != 0) Pages::named_by(old, pages).writers--;
  }
  change.changed = mine.changed;
  return entry;
}

}  // namespace

bool PageTables::change_run(const Path& path, std::uint64_t* entry, std::uint64_t n,
                            std::uint64_t add, std::uint64_t remove) {
  BitChange change{.add = add, .kept = ~remove};
  std::uint64_t* const end = entry + n;
  for (;; entry++) {
    if (translations_.alone()) entry = change_present(entry, end, change, &pages_.info(0));
    if (entry == end) return change.changed && ((add | remove) & ~kPteSoftware) != 0;
    const std::uint64_t old = *entry;
    const std::uint64_t value = change.of(old);
    if (value == old) continue;
    if (old == 0) mark_used(path.table[1], entry);
    machine_.update_entry(entry, old, value);
    if ((old & kPtePresent) == 0) continue;
    change.changed = true;
    if ((old & ~value & kPteWritable) != 0) pages_.info(entry_page(old)).writers--;
  }
}

void PageTables::forget_range(std::uint64_t top, std::uint64_t va, std::uint64_t n) {
  bool all_counted = true;
  for (std::uint64_t at = va; !translations_.alone() && at < va + n * kPageSize;
       at = (at | (kLargeSize - 1)) + 1)
    all_counted = all_counted && counted(walk(top, at));
  translations_.forget_all(top, !all_counted);
}

/// Adds to the counts of the path's tables and of the space, unless one of them is shared.
void PageTables::count_table(const Space& space, const Path& path, std::uint32_t leaves,
                             std::uint32_t tables) {
  if (!counted(path)) return;
  for (unsigned l = path.reached; l <= 4; l++) {
    pages_.info(path.table[l]).writers += leaves;
    pages_.info(path.table[l]).stamp += tables;
  }
  space.record->mapped_pages = pages_.info(path.table[4]).writers;
  space.record->table_pages = pages_.info(path.table[4]).stamp;
}

void PageTables::share(const Space& source, const Path& from, const Path& to) {
  const std::uint64_t table = entry_page(*from.entry);
  PageInfo& p = pages_.info(table);
  if (!shared(table)) uncount_table(source, from, p);
  p.reader_limit = kShared;
  p.mappings++;
  put_link(to.table[to.reached], to.entry, table << kPageShift | kTableBits);
}

void PageTables::move_slot(const Space& from, unsigned slot, std::uint64_t to_top) {
  const std::uint64_t entry = entries(from.top)[slot];
  const PageInfo& moved = pages_.info(entry_page(entry));
  PageInfo& old = pages_.info(from.top);
  PageInfo& now = pages_.info(to_top);
  old.writers -= moved.writers;
  old.stamp -= moved.stamp;
  from.record->mapped_pages -= moved.writers;
  from.record->table_pages -= moved.stamp;
  now.writers += moved.writers;
  now.stamp += moved.stamp;
  machine_.write_entry(entries(from.top) + slot, 0);
  put(to_top, entries(to_top) + slot, entry);
}

void PageTables::abandon(std::uint64_t table, unsigned level) {
  PageInfo& p = pages_.info(table);
  XOK_CHECK(p.mappings == 0, table);
  p.writer_limit = (level - 1) & 3;
  p.stamp = static_cast<std::uint32_t>(dying_);
  dying_ = table;
}

bool PageTables::reap(unsigned budget) {
  for (; budget > 0 && dying_ != 0; budget--) {
    const std::uint64_t table = dying_;
    const PageInfo& p = pages_.info(table);
    const unsigned level = p.writer_limit + 1u;
    dying_ = p.stamp;
    if (level == 1) {
      reap_leaves(table);
    } else if (!reap_links(table, level)) {
      abandon(table, level);
      continue;
    }
    pages_.give_kernel(table);
  }
  return dying_ != 0;
}

/// The first entry of a table below `end` that is not 0; nullptr if there is none. Forgets groups
/// that are empty.
std::uint64_t* PageTables::first_used(std::uint64_t table, std::size_t end) {
  std::uint64_t* const entry = entries(table);
  Capability& groups = pages_.info(table).acl[0];
  for (std::uint64_t left = groups.bits(); left != 0; left &= left - 1) {
    const auto first = static_cast<std::size_t>(std::countr_zero(left)) * 8;
    for (std::size_t i = first; i < first + 8 && i < end; i++) {
      if (entry[i] == 0) continue;
      groups = Capability::from_bits(left);
      return entry + i;
    }
  }
  groups = Capability::from_bits(0);
  return nullptr;
}

/// Lets go of the tables below a dying one, which die with it unless other trees hold them. False:
/// of one large page only, and there may be more.
bool PageTables::reap_links(std::uint64_t table, unsigned level) {
  std::uint64_t* const entry = entries(table);
  std::uint64_t* large = nullptr;
  if (level == 2) {
    each_in(table, pages_.info(table).acl[1].bits(), [&](std::size_t i) {
      if (is_large(entry[i])) large = entry + i;
    });
  }
  if (large != nullptr) [[unlikely]] {
    unmap_large(*large);
    *large = 0;
    return false;
  }
  if (level == 4) std::fill(entry + kUserSlots, entry + kPageTableSlot + 1, 0);
  PageInfo* const records = &pages_.info(0);
  each_used(table, [&](std::size_t i) {
    if (--Pages::named_by(entry[i], records).mappings == 0)
      abandon(entry_page(entry[i]), level - 1);
  });
  return true;
}

void PageTables::reap_leaves(std::uint64_t table) {
  const std::uint64_t* const entry = entries(table);
  PageInfo* const records = &pages_.info(0);
  each_used(table, [&](std::size_t i) {
    if ((entry[i] & kPtePresent) == 0) return;
    PageInfo& p = Pages::named_by(entry[i], records);
    p.writers -= (entry[i] & kPteWritable) != 0 ? 1 : 0;
    if (--p.mappings == 0) pages_.release_if_unused(entry_page(entry[i]));
  });
}

}  // namespace xok::kernel
