// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
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
///   reader_limit  1 while only one tree ever held it, 2 from the first sharing on
///   writers       present level-1 entries at or below it that are not below a shared table
///   stamp         table pages at or below it, itself included, not below a shared table
/// The last two give `Env::mapped_pages` and `Env::table_pages`, exact at every moment.
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
  /// Whether a large page stands where the next table would.
  [[nodiscard]] bool large() const { return reached == 2 && is_large(*entry); }
};

class PageTables {
 public:
  static constexpr std::uint8_t kShared = 2;
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
  /// The level-1 entry for `va`, or nullptr when a table on the way is missing.
  std::uint64_t* find(std::uint64_t top, std::uint64_t va) {
    const Path path = walk(top, va);
    return path.reached == 1 ? path.entry : nullptr;
  }
  /// What maps `va`, as a level-1 entry: also out of a large page. 0: no table there.
  std::uint64_t lookup(std::uint64_t top, std::uint64_t va) {
    const Path path = walk(top, va);
    if (path.reached == 1) return *path.entry;
    if (!path.large()) return 0;
    return (*path.entry & ~kPteLarge) + (va & (kLargeSize - 1) & ~kPageMask);
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

  /// Stores the level-1 entry `index` behind that of a complete path, in the same table, which maps
  /// (or does not map) the same page as before, with other bits: counts writers, and flushes if a
  /// processor may have cached what changed. `va` is that entry's address.
  void change_bits(const Path& path, std::uint64_t index, std::uint64_t va, std::uint64_t value);

  /// Makes `to` (complete down to level + 1, its entry empty) hold the table `from`'s entry holds.
  void share(const Space& source, const Path& from, const Path& to);

  /// Whether no table of the path was ever shared: only then do the counts include what it maps.
  [[nodiscard]] bool counted(const Path& path) const;
  /// Moves what a top-level entry holds, tables never shared, to another top-level table. The
  /// translations are the caller's to flush.
  void move_slot(const Space& from, unsigned slot, std::uint64_t to_top);

  /// Lets go of a top-level table that no environment uses any more and no processor has loaded.
  /// Its tree is taken down by `reap`.
  void abandon(std::uint64_t top);
  /// Takes down abandoned trees, at most `budget` table pages (each costs 512 entries). False when
  /// none is left.
  bool reap(unsigned budget);
  [[nodiscard]] bool reaping() const { return dying_ != 0; }
  /// Calls `visit(top)` for every tree still being taken down, for the invariant sweep.
  template <class Visit>
  void visit_dying(const Visit& visit) const {
    for (std::uint64_t top = dying_; top != 0; top = pages_.info(top).stamp) visit(top);
  }

 private:
  std::uint64_t* entries(std::uint64_t table) {
    return reinterpret_cast<std::uint64_t*>(pages_.bytes(table));
  }
  /// Goes on to the table of `level` that the path's entry holds. False: there is none.
  bool descend(Path& path, std::uint64_t va, unsigned level) {
    const std::uint64_t entry = *path.entry;
    if ((entry & (kPtePresent | kPteLarge)) != kPtePresent) return false;
    const std::uint64_t table = (entry & kPtePageMask) >> kPageShift;
    path.reached = level;
    path.table[level] = static_cast<std::uint32_t>(table);
    path.entry = entries(table) + (va >> (kPageShift + 9 * (level - 1)) & 511);
    return true;
  }
  void forget(const Path& path, std::uint64_t va) {
    translations_.forget(va, path.table[4], !translations_.alone() && !counted(path));
  }
  void count_leaf(const Space& space, const Path& path, std::uint32_t change);
  void reap_leaf_table(std::uint64_t table);
  std::uint64_t unmap_large(std::uint64_t entry);
  bool reap_one(std::uint64_t top);

  Machine& machine_;
  Pages& pages_;
  Translations& translations_;
  std::uint64_t dying_ = 0;  // abandoned top tables, linked through PageInfo::stamp
};

constexpr std::uint64_t entry_page(std::uint64_t entry) {
  return (entry & kPtePageMask) >> kPageShift;
}

}  // namespace xok::kernel
