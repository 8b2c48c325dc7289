// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/sweep.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

#include "kernel/core/acl.hpp"
#include "kernel/core/capability.hpp"
#include "kernel/core/testing/findings.hpp"

namespace xok::kernel::testing {
namespace {

struct Tally {
  std::uint32_t mappings = 0, writers = 0, pins = 0, holders = 0;
};

/// Pages, tables, and who holds them.
class MemorySweep : Findings {
 public:
  MemorySweep(Core& core, FakeMachine& machine)
      : Findings{core, machine}, tally_(machine.info().page_count) {}

  std::string run() {
    check_trees();
    check_pins();
    check_pages();
    check_free_list();
    check_accounts();
    for (const FakeProcessor& processor : machine_.processors) check_tlb(processor.tlb);
    return wrong_;
  }

 private:
  const std::uint64_t* entries(std::uint64_t table) {
    return reinterpret_cast<const std::uint64_t*>(machine_.page(PageNumber{table}));
  }

  bool is_shared(std::uint64_t table) {
    return table < tally_.size() &&
           (machine_.page_info(table).reader_limit & PageTables::kShared) != 0;
  }

  // Visits a table the first time it is met; returns the leaf and table counts below it that are
  // not below a shared table.
  std::pair<std::uint64_t, std::uint64_t> visit(std::uint64_t table, unsigned level,
                                                bool counted = true) {
    if (table == 0 || table >= tally_.size()) {
      expect(false, "table out of range", table);
      return {0, 0};
    }
    tally_[table].holders++;
    const PageInfo& p = machine_.page_info(table);
    if (p.status != PageStatus::Kernel) {
      expect(false, "table page is not the kernel's", table, level);
      return {0, 0};
    }
    const bool seen = !tables_.insert({table, level}).second;
    std::uint64_t leaves = 0;
    std::uint64_t tables = 1;
    if (seen) {
      expect(is_shared(table) || level == 4, "shared table not marked", table);
      return {0, 0};
    }
    counted = counted && !is_shared(table);
    const unsigned end = level == 4 ? 254 : 512;
    for (unsigned i = 0; i < end; i++) {
      const std::uint64_t entry = entries(table)[i];
      expect(entry == 0 || (p.acl[0].bits() >> i / 8 & 1) != 0, "entry not in the map", table, i);
      if ((entry & kPtePresent) == 0) continue;
      expect((entry & kPteUser) != 0, "entry without the user bit", table, i, entry);
      if (level == 1) {
        visit_leaf(entry, table, i);
        expect(p.reader_limit != PageTables::kForked || p.acl[1].bits() == 0 ||
                   (entry & kPteWritable) == 0,
               "writable in a table marked read-only", table, i);
        leaves++;
        continue;
      }
      const bool thawed = (p.acl[1].bits() >> i / 8 & 1) != 0;
      if (level == 2 && is_large(entry)) {
        for (std::uint64_t k = 0; k < kLargePages; k++)
          visit_leaf((entry & ~kPteLarge) + k * kPageSize, table, i);
        expect(thawed, "large page in a group marked frozen", table, i);
        leaves += kLargePages;
        continue;
      }
      const std::uint64_t child = entry_page(entry);
      const bool frozen = (entry & kPteWritable) == 0;
      expect(frozen || level == 4 || thawed, "writable in a group marked frozen", table, i);
      expect(((entry & ~(kPtePageMask | kPteAccessed)) | kPteWritable) == PageTables::kTableBits,
             "odd bits in a table's entry", table, i, entry);
      expect(!frozen || is_shared(child), "frozen, and not shared", table, i);
      expect(frozen || machine_.page_info(child).reader_limit != PageTables::kForked,
             "forked, and not frozen", table, i);
      const auto [l, t] = visit(child, level - 1, counted);
      if (is_shared(child)) continue;
      leaves += l;
      tables += t;
    }
    if (dying_ || !counted) return {leaves, tables};
    expect(p.writers == leaves, "count of leaves", table, p.writers, leaves);
    expect(p.stamp == tables, "count of tables", table, p.stamp, tables);
    return {leaves, tables};
  }

  void visit_leaf(std::uint64_t entry, std::uint64_t table, unsigned i) {
    const std::uint64_t page = entry_page(entry);
    constexpr std::uint64_t kAllowed = kPtePresent | kPteWritable | kPteUser | kPteAccessed |
                                       kPteDirty | kPteSoftware | kPteNoExecute | kPtePageMask |
                                       kPteWriteThrough | kPteCacheDisable;
    expect((entry & ~kAllowed) == 0, "odd bits in an entry", table, i, entry);
    if (page >= tally_.size()) return expect(false, "entry names no page", table, i, page);
    const PageStatus status = machine_.page_info(page).status;
    const bool writable = (entry & kPteWritable) != 0;
    expect(status == PageStatus::User || (status == PageStatus::BootModule && !writable),
           "mapping of a page that is not the user's", table, i, page);
    tally_[page].mappings++;
    tally_[page].writers += writable ? 1 : 0;
  }

  void check_trees() {
    std::set<std::uint64_t> tops;
    for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
      if (!alive(i)) continue;
      const Env& e = core_.env(i);
      tops_[e.table_page].push_back(i);
    }
    for (const auto& [top, members] : tops_) {
      const auto [leaves, tables] = visit(top, 4);
      tally_[top].holders = static_cast<std::uint32_t>(members.size());
      expect(entries(top)[kPageTableSlot] ==
                 (top << kPageShift | kPtePresent | kPteUser | kPteNoExecute),
             "self-map", top, entries(top)[kPageTableSlot]);
      expect(entries(top)[254] == 0, "exposed slot", top);
      for (unsigned i = 256; i < 512; i++)
        expect((entries(top)[i] & kPteUser) == 0, "user bit in the kernel's half", top, i);
      for (const EnvIndex member : members) {
        const Env& e = core_.env(member);
        const bool leads = e.address_space == member;
        expect(std::ranges::count(members, e.address_space) == 1, "address_space", member);
        expect(e.mapped_pages == (leads ? leaves : 0), "mapped_pages", member, e.mapped_pages,
               leaves);
        expect(e.table_pages == (leads ? tables : 0), "table_pages", member, e.table_pages, tables);
      }
    }
    check_methods();
    dying_ = true;
    core_.page_tables.visit_dying([&](std::uint64_t table, unsigned level) {
      visit(table, level);
      tally_[table].holders = 0;
    });
  }

  void check_methods() {
    std::vector<std::uint32_t> owned(kMaxEnvironments);
    for (std::size_t index = 0; index < kMaxMethods; index++) {
      const Method& m = core_.methods.method[index];
      if (m.owner == 0) continue;
      owned[m.owner]++;
      expect(alive(m.owner), "method of nobody", index, m.owner);
      method_tops_.insert(m.top);
      tables_.insert({m.top, 4});
      records_++;
      tally_[m.top].holders = 1;
      const std::uint64_t* const entry = entries(m.top);
      const auto [leaves, tables] = visit(entry_page(entry[kMethodSlot]), 3);
      expect(machine_.page_info(m.top).writers == leaves, "leaves of a method", index, leaves);
      expect(machine_.page_info(m.top).stamp == tables + 1, "tables of a method", index, tables);
      if (m.user != kNoEnv) {
        expect(alive(m.user) && core_.state(m.user).method == index + 1 &&
                   core_.state(m.user).method_top == m.top,
               "who is in a method", index, m.user);
      }
      for (unsigned slot = 0; slot < 254; slot++) {
        if (slot == kMethodSlot) continue;
        if (entry[slot] == 0) continue;
        const bool shown = m.user != kNoEnv && slot == m.shared_slot;
        expect(shown && ((entry[slot] ^ entries(core_.env(m.user).table_page)[slot]) &
                         ~kPteWritable & ~kPteAccessed) == 0,
               "a method sees too much", index, slot);
      }
    }
    for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
      if (!alive(i)) continue;
      expect(core_.state(i).methods == owned[i], "methods", i, owned[i]);
      const std::uint32_t number = core_.state(i).method;
      if (number == 0) expect(core_.state(i).method_top == 0, "left a method, not its space", i);
      if (number != 0) expect(core_.methods.inside(number).user == i, "in a method", i, number);
    }
  }

  void pin(std::uint64_t page) {
    if (page < tally_.size()) tally_[page].pins++;
    expect(page < tally_.size(), "pin of no page", page);
  }

  void check_pins() {
    core_.network.visit_pins([&](std::uint64_t page) { pin(page); });
    for (const Method& m : core_.methods.method) {
      if (m.owner != 0) pin(m.uenv_page);
    }
    core_.messages.visit_pins([&](EnvIndex env, std::uint64_t page) {
      expect(alive(env), "message ring of nobody", env);
      pin(page);
    });
    core_.disks.visit_pins([&](std::uint64_t page) { pin(page); });
    for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
      if (!alive(i)) continue;
      pin(core_.env(i).uenv_page);
      const EnvState& s = core_.state(i);
      if (s.predicate_page != 0) predicates_++;
      if (s.predicate == nullptr) continue;
      expect(core_.env(i).predicate_terms == s.predicate->terms, "predicate_terms", i);
      for (std::uint32_t k = 0; k < s.predicate->pinned; k++) pin(s.predicate->page[k]);
    }
    for (const DiskTransfer& t : machine_.transfers) {
      for (const std::uint64_t page : t.pages)
        expect(machine_.page_info(page).pins > 0, "DMA page not pinned", page);
    }
  }

  /// Before check_pages: counts the kernel's pages.
  void count_region_pages() {
    core_.regions.visit_pages([&](std::uint64_t page, EnvIndex owner, std::uint64_t) {
      expect(machine_.page_info(page).status == PageStatus::Kernel, "region page", page);
      expect(alive(owner), "region page of nobody", page, owner);
      region_pages_++;
    });
  }

  void check_pages() {
    count_region_pages();
    std::uint64_t kernel = 0, free = 0;
    for (std::uint64_t page = 0; page < tally_.size(); page++) {
      const PageInfo& p = machine_.page_info(page);
      const Tally& t = tally_[page];
      if (p.status == PageStatus::Kernel) kernel++;
      if (p.status == PageStatus::Free) free++;
      const bool user = p.status == PageStatus::User || p.status == PageStatus::BootModule;
      expect(user || (t.mappings == 0 && t.pins == 0), "held page is not the user's", page,
             t.mappings, t.pins);
      if (user) {
        expect(p.mappings == t.mappings, "mappings", page, p.mappings, t.mappings);
        expect(p.writers == t.writers, "writers", page, p.writers, t.writers);
        expect(p.pins == t.pins, "pins", page, p.pins, t.pins);
        expect(p.acl[0].valid() && !p.acl[0].pointer(), "acl", page);
        check_extension(page);
        expect(p.reader_limit == Pages::kAnyNumber || p.mappings <= p.reader_limit, "reader limit",
               page, p.mappings);
        expect(p.writer_limit == Pages::kAnyNumber || p.writers <= p.writer_limit, "writer limit",
               page, p.writers);
      }
      if (p.status != PageStatus::Free) used_by_[p.account]++;
      expect(p.status != PageStatus::Free || p.account == 0, "account of a free page", page);
      expect(p.status != PageStatus::User || t.mappings + t.pins > 0, "page leaked", page);
      if (t.holders > 0 && p.status == PageStatus::Kernel)
        expect(p.mappings == t.holders, "table holders", page, p.mappings, t.holders);
    }
    const std::uint64_t boot = FakeMachine::kBootKernelPages + 1;  // and the idle table
    expect(kernel == machine_.info().kernel_pages, "kernel_pages", kernel,
           machine_.info().kernel_pages);
    expect(kernel ==
               boot + tables_.size() + predicates_ + extensions_.size() + region_pages_ + records_,
           "kernel pages leaked", kernel, tables_.size() + extensions_.size(), predicates_);
    expect(free == machine_.info().free_pages, "free_pages", free, machine_.info().free_pages);
  }

  void check_extension(std::uint64_t page) {
    const AclExtension e = acl_extension(machine_.page_info(page).acl[1]);
    if (e.page == 0) return;
    const bool first = e.page < tally_.size() && extensions_.insert(e.page).second;
    expect(first, "ACL extension twice or nowhere", page, e.page);
    if (!first) return;
    const PageInfo& x = machine_.page_info(e.page);
    expect(x.status == PageStatus::Kernel && x.stamp == page, "ACL extension's page", page, e.page);
    expect(e.count >= 2 && e.count <= 512, "ACL extension's length", page, e.count);
    const auto* const entry =
        reinterpret_cast<const Capability*>(machine_.page(PageNumber{e.page}));
    for (std::uint64_t i = 0; i < 512; i++) {
      expect(entry[i] == canonical(entry[i]) && !entry[i].pointer(), "ACL extension entry", page,
             i);
      expect(i < e.count || entry[i] == Capability{}, "ACL beyond its end", page, i);
    }
  }

  void check_accounts() {
    const auto& accounts = machine_.info().accounts;
    std::array<std::uint32_t, kMaxAccounts> members{}, children{};
    std::array<std::uint64_t, kMaxAccounts> used{};
    for (EnvIndex i = 1; i < kMaxEnvironments; i++)
      if (alive(i)) members[core_.env(i).account]++;
    for (std::uint32_t a = 1; a < kMaxAccounts; a++) {
      if (accounts[a].depth == 0) {
        expect(used_by_[a] == 0 && members[a] == 0, "account not in use is named", a);
        continue;
      }
      children[accounts[a].parent]++;
      expect(accounts[a].depth == accounts[accounts[a].parent].depth + 1, "account depth", a);
      std::uint32_t above = a;
      for (unsigned steps = 0; above != 0 && steps <= kMaxAccountDepth; steps++) {
        used[above] += used_by_[a];
        above = accounts[above].parent;
      }
      expect(above == 0, "accounts in a circle", a);
    }
    for (std::uint32_t a = 0; a < kMaxAccounts; a++) {
      expect(a == 0 || accounts[a].used == used[a], "account's pages", a, accounts[a].used,
             used[a]);
      expect(accounts[a].members == members[a], "account's members", a, accounts[a].members);
      expect(accounts[a].children == children[a], "account's children", a, accounts[a].children);
      expect(a == 0 || accounts[a].depth == 0 || used[a] + members[a] + children[a] > 0,
             "account left over", a);
    }
  }

  void check_free_list() {
    std::uint64_t count = 0, previous = 0;
    for (std::uint64_t page = machine_.info().free_list_head; page != 0;) {
      const PageInfo& p = machine_.page_info(page);
      expect(p.status == PageStatus::Free, "free list holds a used page", page);
      expect(p.writers == previous, "free list back link", page, p.writers, previous);
      expect(p.pins == 0, "free page is pinned", page);
      previous = page;
      page = p.mappings;
      if (++count > tally_.size()) return expect(false, "free list is a circle");
    }
    expect(count == machine_.info().free_pages, "free list length", count,
           machine_.info().free_pages);
  }

  void check_tlb(const Tlb& tlb) {
    for (const auto& [key, cached] : tlb) {
      Translation now;
      const std::uint64_t va = key.second << kPageShift;
      if (!tops_.contains(key.first) && !method_tops_.contains(key.first))
        return expect(false, "TLB of no address space", key.first);
      if (!machine_.walk(key.first, va, now)) return expect(false, "TLB: unmapped", key.first, va);
      expect(now.page == cached.page, "TLB: other page", va, now.page, cached.page);
      expect(now.writable == cached.writable, "TLB: other rights", va, now.page);
    }
  }

  std::vector<Tally> tally_;
  std::set<std::pair<std::uint64_t, unsigned>> tables_;
  std::map<std::uint64_t, std::vector<EnvIndex>> tops_;
  std::uint64_t predicates_ = 0;
  std::set<std::uint64_t> extensions_;
  std::array<std::uint64_t, kMaxAccounts> used_by_{};
  std::uint64_t region_pages_ = 0;
  std::uint64_t records_ = 0;
  std::set<std::uint64_t> method_tops_;
  bool dying_ = false;
};

}  // namespace

std::string sweep(Core& core, FakeMachine& machine) {
  const std::string wrong = MemorySweep{core, machine}.run();
  return wrong.empty() ? sweep_records(core, machine) : wrong;
}

}  // namespace xok::kernel::testing
