// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// Page tables that several address spaces hold, and none may change.
//
//   T below A          fork          T below A and B, both entries frozen
//   A owns, B has it   copy          A: a copy of T; the entries of both are read-only, for their
//                                    pages are now mapped twice
//   A owns, alone      no copy       A's entry for T is writable again
//
// Above level 1 "read-only" is "frozen": the tables below a table that is owned are all forked, so
// ownership comes one level at a time, and costs what it is used for. Nobody gains by it: a copy is
// read-only, and what was writable in a table that stays must be writable for its last holder.
#include "kernel/core/acl.hpp"
#include "kernel/core/page_table.hpp"

namespace xok::kernel {
namespace {

constexpr std::uint64_t kFrozenBits = PageTables::kTableBits & ~kPteWritable;

constexpr bool is_present(std::uint64_t entry) { return (entry & kPtePresent) != 0; }
constexpr bool is_frozen(std::uint64_t entry) {
  return (entry & (kPtePresent | kPteWritable)) == kPtePresent;
}
/// What acl[1] of a forked level-1 table says when no entry is writable, and `writers` is right.
constexpr Capability kReadOnly = Capability::from_bits(1);

}  // namespace

void PageTables::fork(const Space& source, const Path& from, const Path& to) {
  const std::uint64_t table = entry_page(*from.entry);
  PageInfo& p = pages_.info(table);
  if (!shared(table)) uncount_table(source, from, p);
  p.reader_limit = kForked;
  p.mappings++;
  machine_.write_entry(from.entry, table << kPageShift | kFrozenBits);
  put(to.table[to.reached], to.entry, table << kPageShift | kFrozenBits);
  forget_all(from);
}

std::uint64_t PageTables::pages_to_own(std::uint64_t top, std::uint64_t va) {
  Path path = walk(top, va, 4);
  bool copies = false;  // what hangs in a copied table is held twice
  std::uint64_t pages = 0;
  for (unsigned level = 3; level >= 1; level--) {
    const std::uint64_t entry = *path.entry;
    if (!descend(path, va, level)) break;
    copies = copies || (is_frozen(entry) && pages_.info(path.table[level]).mappings > 1);
    if (copies) pages++;
  }
  return pages;
}

unsigned PageTables::own(const Space& space, std::uint64_t va, const Capability& held) {
  Path path = walk(space.top, va, 4);
  unsigned owned = 0;
  for (unsigned level = 3; level >= 1; level--) {
    if (is_frozen(*path.entry) && !is_large(*path.entry)) {
      own_table(space, path, held);
      owned++;
    }
    if (!descend(path, va, level)) break;
  }
  if (owned > 0) forget_all(walk(space.top, va, 4));
  return owned;
}

/// Unfreezes the path's entry, which is for a table.
void PageTables::own_table(const Space& space, const Path& path, const Capability& held) {
  const std::uint64_t table = entry_page(*path.entry);
  const unsigned level = path.reached - 1;
  PageInfo& p = pages_.info(table);
  std::uint64_t owned = table;
  if (p.mappings > 1) {
    owned = copy_of(table, level, space.account);
    p.mappings--;
  } else {
    if (level > 1) {
      freeze_below(table);
    } else {
      drop_writes(table, held);
    }
    if (p.reader_limit == kForked) p.reader_limit = 1;
    if (level == 1) p.acl[1] = {};
  }
  const PageInfo& mine = pages_.info(owned);
  if (!shared(owned)) count_table(space, path, mine.writers, mine.stamp);
  put_link(path.table[path.reached], path.entry, owned << kPageShift | kTableBits);
}

std::uint64_t PageTables::copy_of(std::uint64_t table, unsigned level, AccountIndex account) {
  const std::uint64_t copy = pages_.take_kernel(account);
  PageInfo& p = pages_.info(copy);
  p.mappings = p.reader_limit = 1;
  p.stamp = 1;
  p.acl[0] = pages_.info(table).acl[0];
  if (level > 1) {
    copy_tables(table, copy);
  } else {
    copy_leaves(table, copy);
  }
  return copy;
}

/// A page whose reader limit is reached stays out of the copy. Cost: 20 instructions per entry.
void PageTables::copy_leaves(std::uint64_t from, std::uint64_t to) {
  PageInfo* const records = &pages_.info(0);
  std::uint64_t* const old = entries(from);
  std::uint64_t* const copy = entries(to);  // which no processor knows yet
  std::uint32_t leaves = 0;
  std::uint32_t kept = 0;
  each_used(from, [&](std::size_t i) {
    const std::uint64_t entry = old[i];
    if (!is_present(entry)) {
      copy[i] = entry;
      return;
    }
    if ((entry & kPteWritable) != 0) make_read_only(old + i, entry);
    PageInfo& p = Pages::named_by(entry, records);
    const std::uint32_t mappings = p.mappings + 1;
    static_assert(Pages::kAnyNumber == 2);  // a limit is 0 or 1
    if ((p.reader_limit & 2) == 0 || mappings == 0) [[unlikely]] {
      kept++;
      return;
    }
    p.mappings = mappings;
    leaves++;
    copy[i] = entry & ~kPteWritable;
  });
  pages_.info(to).writers = leaves;
  PageInfo& p = pages_.info(from);
  if (p.reader_limit != kForked) return;  // others may still change it
  p.writers = leaves + kept;
  p.acl[1] = kReadOnly;
}

/// Tables that hang in `from` hang in both, forked; large pages are mapped by both, read-only.
void PageTables::copy_tables(std::uint64_t from, std::uint64_t to) {
  PageInfo* const records = &pages_.info(0);
  std::uint64_t* const old = entries(from);
  std::uint64_t* const copy = entries(to);  // which no processor knows yet
  freeze_below(from);
  const std::uint64_t large = pages_.info(from).acl[1].bits();  // groups with large pages
  std::uint32_t leaves = 0;
  each_in(from, pages_.info(from).acl[0].bits() & ~large, [&](std::size_t i) {
    Pages::named_by(old[i], records).mappings++;
    copy[i] = old[i];
  });
  each_in(from, large, [&](std::size_t i) {
    if (!is_large(old[i])) {
      Pages::named_by(old[i], records).mappings++;
    } else if (share_large(old[i])) {
      leaves += kLargePages;
    } else {
      return;
    }
    copy[i] = old[i];
  });
  pages_.info(to).writers = leaves;
  pages_.info(to).acl[1] = Capability::from_bits(large);
}

/// Counts one more read-only mapping of a large page. False: of one of its pages none may come.
bool PageTables::share_large(std::uint64_t entry) {
  const std::uint64_t first = entry_page(entry);
  for (std::uint64_t k = 0; k < kLargePages; k++)
    if (!pages_.count_fits(first + k, false, 0)) return false;
  for (std::uint64_t k = 0; k < kLargePages; k++) pages_.map(first + k, false);
  return true;
}

/// Makes all that hangs in a table above level 1 forked, or read-only if it is a large page. Counts
/// its leaves anew: those of its large pages.
void PageTables::freeze_below(std::uint64_t table) {
  PageInfo& p = pages_.info(table);
  std::uint64_t* const entry = entries(table);
  std::uint64_t large = 0;  // groups with large pages
  p.writers = 0;
  p.stamp = 1;
  each_in(table, p.acl[1].bits(), [&](std::size_t i) {
    const std::uint64_t old = entry[i];
    if (is_large(old)) {
      large |= std::uint64_t{1} << i / 8;
      p.writers += kLargePages;
      for (std::uint64_t k = 0; (old & kPteWritable) != 0 && k < kLargePages; k++)
        pages_.info(entry_page(old) + k).writers--;
    } else if (!shared(entry_page(old))) {
      pages_.info(entry_page(old)).reader_limit = kForked;
    }
    if ((old & kPteWritable) != 0) machine_.update_entry(entry + i, old, old & ~kPteWritable);
  });
  p.acl[1] = Capability::from_bits(large);
}

/// Leaves entries of a level-1 table writable whose pages `held` may write. Counts its leaves anew:
/// below a shared table nobody did.
void PageTables::drop_writes(std::uint64_t table, const Capability& held) {
  if (pages_.info(table).acl[1] == kReadOnly) return;
  std::uint64_t* const entry = entries(table);
  std::uint32_t leaves = 0;
  std::uint64_t last = 0;  // the first ACL entry of the last page found writable; never 0 itself
  each_used(table, [&](std::size_t i) {
    constexpr std::uint64_t kBoth = kPtePresent | kPteWritable;
    leaves += is_present(entry[i]) ? 1 : 0;
    if ((entry[i] & kBoth) != kBoth) return;
    PageInfo& p = pages_.info(entry_page(entry[i]));
    if (p.acl[0].bits() == last) return;
    if (!PageAcl(pages_, p).access(held, Permission::Write).has_value()) {
      make_read_only(entry + i, entry[i]);
    } else if (access(held, std::span{p.acl}.first(1), Permission::Write).has_value()) {
      last = p.acl[0].bits();
    }
  });
  pages_.info(table).writers = leaves;
}

/// `old` is the entry, present and writable.
void PageTables::make_read_only(std::uint64_t* entry, std::uint64_t old) {
  if (translations_.alone()) {
    __atomic_store_n(entry, old & ~kPteWritable, __ATOMIC_RELAXED);
  } else {
    machine_.update_entry(entry, old, old & ~kPteWritable);
  }
  pages_.info(entry_page(old)).writers--;
}

void PageTables::drop(const Space& space, const Path& path) {
  const std::uint64_t table = entry_page(*path.entry);
  PageInfo& p = pages_.info(table);
  if (!shared(table)) uncount_table(space, path, p);
  machine_.write_entry(path.entry, 0);
  forget_all(path);
  if (--p.mappings == 0) abandon(table, path.reached - 1);
}

}  // namespace xok::kernel
