// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "abi/layout.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/pages.hpp"
#include "kernel/core/translations.hpp"

/// Page tables: the hardware's own 4-level trees, held in Kernel pages.
///
/// A table page can be held by several trees at once (table_share), always at the same virtual
/// address. Its PageInfo then says:
///   mappings      entries (or, top level: environments) that hold it; at 0 it is freed
///   reader_limit  1 while only one tree ever held it; 2 from the first table_share on; 3 from a
///                 table_fork until one holder is left and owns it again
///   writers       present level-1 entries at or below it that are not below a shared table
///   stamp         table pages at or below it, itself included, not below a shared table
///   acl[0]        bit g is set if one of the entries 8g to 8g+7 may not be 0 (user half)
///   acl[1]        above level 1: bit g is set if one of the entries 8g to 8g+7 may be writable or
///                 for a large page. At level 1: 1 if it is forked and no entry is writable
/// The last two give `Env::mapped_pages` and `Env::table_pages`, exact at every moment. A table is
/// shared for them while its reader_limit is 2 or 3; while that is 3 they mean nothing, and
/// table_own makes them right.
///
/// An entry for a table that lacks the writable bit is *frozen*: the hardware lets nobody write
/// through it, and the kernel changes nothing behind it. All entries for a table with reader_limit
/// 3 are; table_own unfreezes them one by one (frozen_tables.cpp).
///
/// A level-2 entry may map 2 MiB (kPteLarge) instead of holding a table: 512 pages in a row, each
/// of which counts one more mapping, as if a table of 512 entries stood there.
///
/// Entries of the user half always carry the user bit, so the self-map shows the tables to the
/// application; the self-map's own entry lacks the writable bit, so nothing below it is writable.
namespace xok::kernel {

/// One address space, as far as changing it needs.
struct Space {
  std::uint64_t top;     ///< page of the top-level table
  Env* record;           ///< the environment whose record carries its counts
  AccountIndex account;  ///< pays for its tables
};

inline constexpr std::uint64_t kLargePages = 512;
inline constexpr std::uint64_t kLargeSize = kLargePages * kPageSize;
constexpr bool is_large(std::uint64_t entry) {
  return (entry & (kPtePresent | kPteLarge)) == (kPtePresent | kPteLarge);
}

/// Where a walk led.
struct Path {
  std::uint64_t* entry = nullptr;      ///< the entry for the address in the lowest table reached
  unsigned reached = 4;                ///< that table's level
  std::array<std::uint32_t, 5> table;  ///< page of the table of each level, 4 to `reached`
  std::uint64_t links = kPteWritable;  ///< what all entries on the way have in common
  /// Whether a large page stands where the next table would.
  [[nodiscard]] bool large() const { return reached == 2 && is_large(*entry); }
  /// Whether an entry on the way is frozen: then the entry reached must not be changed.
  [[nodiscard]] bool frozen() const { return (links & kPteWritable) == 0; }
};

inline constexpr std::size_t kEntries = 512;

class PageTables {
 public:
  static constexpr std::uint8_t kShared = 2;  ///< this bit is set in kForked, too
  static constexpr std::uint8_t kForked = 3;
  static constexpr std::uint64_t kTableBits = kPtePresent | kPteWritable | kPteUser;

  PageTables(Machine& machine, Pages& pages, Translations& translations)
      : machine_{machine}, pages_{pages}, translations_{translations} {}
  PageTables(const PageTables&) = delete;
  PageTables& operator=(const PageTables&) = delete;

  /// A new top-level table: kernel half, exposed window, self-map. One free page must be there.
  /// Held once.
  std::uint64_t create(AccountIndex account);

  /// Walks to the table of `level` (1 to 4), or as far down as tables exist. `va` < kUserTop.
  /// Cost 4 loads.
  Path walk(std::uint64_t top, std::uint64_t va, unsigned level = 1) {
    Path path;
    path.table[4] = static_cast<std::uint32_t>(top);
    path.entry = entries(top) + (va >> 39 & 511);
    (void)(level < 4 && descend(path, va, 3) && level < 3 && descend(path, va, 2) && level < 2 &&
           descend(path, va, 1));
    return path;
  }
  /// What maps `va`, as a level-1 entry: also out of a large page, and with the writable bit only
  /// if all of the way has it. 0: no table there.
  std::uint64_t lookup(std::uint64_t top, std::uint64_t va) {
    const Path path = walk(top, va);
    const std::uint64_t mask = path.frozen() ? ~kPteWritable : ~std::uint64_t{0};
    if (path.reached == 1) return *path.entry & mask;
    if (!path.large()) return 0;
    return ((*path.entry & ~kPteLarge) + (va & (kLargeSize - 1) & ~kPageMask)) & mask;
  }
  /// Makes the tables that are missing on the way down to `level`: `path.reached - level` free
  /// pages must be there.
  void complete(const Space& space, Path& path, std::uint64_t va, unsigned level = 1);
  /// Stores a level-1 entry (`path` is complete) and drops what it mapped before, translations
  /// first. The page that `value` maps has already been counted with Pages::map.
  void store(const Space& space, const Path& path, std::uint64_t va, std::uint64_t value);

  /// Stores a level-2 entry (`path` reaches level 2) that maps a large page or is 0, in place of
  /// another such entry or of a table that nobody else holds and that is empty. The pages have
  /// already been counted with Pages::map.
  void store_large(const Space& space, const Path& path, std::uint64_t value);
  /// Whether the path's level-2 entry holds a table that store_large may put away.
  bool table_is_empty(const Path& path);

  /// Stores a complete path's entry, which maps (or does not map) the same page as before, with
  /// other bits: counts writers, and flushes if a processor may have cached what changed.
  void change_bits(const Path& path, std::uint64_t va, std::uint64_t value);
  /// Adds and removes bits in n entries of a complete path's level-1 table, without flushing:
  /// whether a processor may have cached what changed. A bit in both ends set. Takes back the
  /// writers that are lost; those that are gained have been counted. Cost: 20 instructions each.
  bool change_run(const Path& path, std::uint64_t* entry, std::uint64_t n, std::uint64_t add,
                  std::uint64_t remove);
  /// Flushes a translation, after `change_run`.
  void forget(const Path& path, std::uint64_t va) {
    translations_.forget(va, path.table[4], !translations_.alone() && !counted(path));
  }
  /// Flushes all, after `change_run` on entries of that range of a space.
  void forget_range(std::uint64_t top, std::uint64_t va, std::uint64_t n);

  /// Makes `to` (complete down to level + 1, its entry empty) hold the table `from`'s entry holds.
  void share(const Space& source, const Path& from, const Path& to);

  /// Whether no table of the path was ever shared: only then do the counts include what it maps.
  [[nodiscard]] bool counted(const Path& path) const;
  /// Moves what a top-level entry holds, tables never shared, to another top-level table. The
  /// translations are the caller's to flush.
  void move_slot(const Space& from, unsigned slot, std::uint64_t to_top);

  /// Stores an entry of a table that is not 0 and may have been. The counts are the caller's.
  void put(std::uint64_t table, std::uint64_t* entry, std::uint64_t value) {
    mark_used(table, entry);
    machine_.write_entry(entry, value);
  }
  /// n entries of a table, from `entry` on, have been stored and are not 0. The counts are the
  /// caller's.
  void note_used(std::uint64_t table, const std::uint64_t* entry, std::uint64_t n) {
    const std::size_t first = group_of(entry);
    const std::size_t groups = group_of(entry + n - 1) - first;
    Capability& map = pages_.info(table).acl[0];
    map = Capability::from_bits(map.bits() | (~std::uint64_t{0} >> (63 - groups)) << first);
  }
  /// Adds present level-1 entries to the counts of a complete path, unless a table of it was
  /// shared.
  void count_leaf(const Space& space, const Path& path, std::uint32_t change);

  // -- Frozen tables (frozen_tables.cpp)

  /// As `share`, but both entries are frozen. The source's has never been shared, or is frozen.
  void fork(const Space& source, const Path& from, const Path& to);
  /// How many table pages `own` takes.
  std::uint64_t pages_to_own(std::uint64_t top, std::uint64_t va);
  /// Unfreezes the way to `va`, from the top down to where tables end: a table that others hold is
  /// copied. Entries of a level-1 table stay writable only if `held` may write their pages and
  /// nobody else had the table. How many tables were unfrozen.
  unsigned own(const Space& space, std::uint64_t va, const Capability& held);
  /// Takes the table that the path's entry holds out of the tree. Its own tree is taken down by
  /// `reap` if nobody else has it.
  void drop(const Space& space, const Path& path);

  /// Lets go of a table that no tree holds any more and no processor uses. Its tree is taken down
  /// by `reap`.
  void abandon(std::uint64_t table, unsigned level = 4);
  /// Takes down abandoned trees, at most `budget` table pages (each costs 512 entries). False when
  /// none is left.
  bool reap(unsigned budget);
  [[nodiscard]] bool reaping() const { return dying_ != 0; }
  /// Calls `visit(table, level)` for every tree still being taken down, for the invariant sweep.
  template <class Visit>
  void visit_dying(const Visit& visit) const {
    for (std::uint64_t table = dying_; table != 0; table = pages_.info(table).stamp)
      visit(table, pages_.info(table).writer_limit + 1u);
  }

 private:
  std::uint64_t* entries(std::uint64_t table) {
    return reinterpret_cast<std::uint64_t*>(pages_.bytes(table));
  }
  /// Stores an entry above level 1 that may be writable.
  void put_link(std::uint64_t table, std::uint64_t* entry, std::uint64_t value) {
    Capability& thawed = pages_.info(table).acl[1];
    thawed = Capability::from_bits(thawed.bits() | std::uint64_t{1} << group_of(entry));
    put(table, entry, value);
  }
  static std::size_t group_of(const std::uint64_t* entry) {
    return reinterpret_cast<std::uintptr_t>(entry) >> 6 & 63;
  }
  void mark_used(std::uint64_t table, const std::uint64_t* entry) {
    Capability& groups = pages_.info(table).acl[0];
    groups = Capability::from_bits(groups.bits() | std::uint64_t{1} << group_of(entry));
  }
  /// Calls `visit(index)` for each entry of a table that is not 0. Cost: 45 instructions per group
  /// of eight with such entries.
  template <class Visit>
  void each_used(std::uint64_t table, const Visit& visit) {
    each_in(table, pages_.info(table).acl[0].bits(), visit);
  }
  /// The same for the groups of a map.
  template <class Visit>
  void each_in(std::uint64_t table, std::uint64_t groups, const Visit& visit) {
    const std::uint64_t* const entry = entries(table);
    for (std::uint64_t left = groups; left != 0; left &= left - 1) {
      const auto first = static_cast<std::size_t>(std::countr_zero(left)) * 8;
      for (std::size_t k = 0; k != 8; k++) {
        if (entry[first + k] != 0) visit(first + k);
      }
    }
  }
  std::uint64_t* first_used(std::uint64_t table, std::size_t end);
  /// Goes on to the table of `level` that the path's entry holds. False: there is none.
  bool descend(Path& path, std::uint64_t va, unsigned level) {
    const std::uint64_t entry = *path.entry;
    if ((entry & (kPtePresent | kPteLarge)) != kPtePresent) return false;
    const std::uint64_t table = (entry & kPtePageMask) >> kPageShift;
    path.links &= entry;
    path.reached = level;
    path.table[level] = static_cast<std::uint32_t>(table);
    path.entry = entries(table) + (va >> (kPageShift + 9 * (level - 1)) & 511);
    return true;
  }
  [[nodiscard]] bool shared(std::uint64_t table) const {
    return (pages_.info(table).reader_limit & kShared) != 0;
  }
  void forget_all(const Path& path) {
    translations_.forget_all(path.table[4], !translations_.alone() && !counted(path));
  }
  void count_table(const Space& space, const Path& path, std::uint32_t leaves,
                   std::uint32_t tables);
  void uncount_table(const Space& space, const Path& path, const PageInfo& p) {
    count_table(space, path, ~p.writers + 1, ~p.stamp + 1);
  }
  void own_table(const Space& space, const Path& path, const Capability& held);
  std::uint64_t copy_of(std::uint64_t table, unsigned level, AccountIndex account);
  void copy_leaves(std::uint64_t from, std::uint64_t to);
  void copy_tables(std::uint64_t from, std::uint64_t to);
  bool share_large(std::uint64_t entry);
  void freeze_below(std::uint64_t table);
  void drop_writes(std::uint64_t table, const Capability& held);
  void make_read_only(std::uint64_t* entry, std::uint64_t old);
  void reap_leaves(std::uint64_t table);
  bool reap_links(std::uint64_t table, unsigned level);
  std::uint64_t unmap_large(std::uint64_t entry);

  Machine& machine_;
  Pages& pages_;
  Translations& translations_;
  // Abandoned tables, linked through PageInfo::stamp; writer_limit holds the level less one.
  std::uint64_t dying_ = 0;
};

constexpr std::uint64_t entry_page(std::uint64_t entry) {
  return (entry & kPtePageMask) >> kPageShift;
}

}  // namespace xok::kernel
