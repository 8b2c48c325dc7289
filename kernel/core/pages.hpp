// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "abi/exposed.hpp"
#include "base/check.hpp"
#include "base/result.hpp"
#include "kernel/core/accounts.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/translations.hpp"

/// Physical pages: who has which, and when one becomes free.
///
/// The book-keeping is the exposed `PageInfo` table itself. Invariants:
///   Free        on the free list (mappings = next, writers = previous page), pins 0
///   User        mappings + pins > 0; acl[0] valid; the last unmap or unpin frees it
///   Kernel      not mapped by user code, except that page tables show in the page-table window;
///               for a page table see page_table.hpp
///   BootModule  as User, but never freed and never writable
/// A page in use is counted in the account its `account` names. An extended ACL (acl.hpp) is freed
/// with its page.
/// A page leaves the free list filled with zeroes, or with a copy of another. The list is first in,
/// first out: its head is the page that has been free for the longest time.
namespace xok::kernel {

class Pages {
 public:
  Pages(Machine& machine, Accounts& accounts, Translations& translations)
      : machine_{machine}, accounts_{accounts}, translations_{translations} {}
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  /// Builds the free list from the pages marked Free; page 0 becomes Absent (0 means "any").
  void initialize(const ExposedTables& tables);

  [[nodiscard]] bool exists(std::uint64_t page) const { return page < system_->page_count; }
  [[nodiscard]] std::span<PageInfo> records() { return {info_, system_->page_count}; }
  /// The record of a page that exists.
  PageInfo& info(std::uint64_t page) { return info_[page]; }
  /// The contents of a page of RAM: Machine::page, but without asking each time, because the direct
  /// map is linear.
  std::byte* bytes(std::uint64_t page) {
#ifndef NDEBUG
    XOK_CHECK(machine_.page(PageNumber{page}) == direct_map_ + page * kPageSize, page);
#endif
    return direct_map_ + page * kPageSize;
  }
  [[nodiscard]] std::uint64_t free_count() const { return system_->free_pages; }

  /// Takes the page at the head of the free list (there must be one) for the kernel. `account` pays
  /// for it, and has room (Accounts::fits).
  std::uint64_t take_kernel(AccountIndex account);
  /// Gives a kernel page back.
  void give_kernel(std::uint64_t page);
  /// The head of the free list, 0 when it is empty.
  [[nodiscard]] std::uint64_t first_free() const { return system_->free_list_head; }
  /// Takes a page that is Free for a user: zeroed, `owner` as its first ACL entry. `account` pays
  /// and has room. It must be mapped or pinned before the call ends.
  void take_user(std::uint64_t page, const Capability& owner, AccountIndex account) {
    adopt(page, owner, account);
    machine_.zero_page(PageNumber{page});
  }
  /// The same, filled with a copy of another page.
  void take_user_copy(std::uint64_t page, const Capability& owner, AccountIndex account,
                      std::uint64_t source) {
    adopt(page, owner, account);
    machine_.copy_page(PageNumber{page}, PageNumber{source});
  }

  /// Counts a present entry that maps the page. `count_fits` must have said yes.
  void map(std::uint64_t page, bool writable) {
    PageInfo& p = info_[page];
    p.mappings++;
    p.writers += writable ? 1 : 0;
  }
  /// Takes that back; frees the page if nothing holds it. No processor may still translate to it.
  /// Whether it was freed.
  bool unmap(std::uint64_t page, bool writable) {
    PageInfo& p = info_[page];
    p.mappings--;
    p.writers -= writable ? 1 : 0;
    return release_if_unused(page);
  }
  /// Frees a page if it is the user's and nothing holds it. Whether it was freed.
  bool release_if_unused(std::uint64_t page) {
    const PageInfo& p = info_[page];
    if (p.mappings != 0 || p.pins != 0 || p.status != PageStatus::User) return false;
    free_user(page);
    return true;
  }
  /// Keeps the page from being reused until as many `unpin`. False: too many pins already.
  [[nodiscard]] bool pin(std::uint64_t page) {
    PageInfo& p = info_[page];
    if (p.pins == kMaxPins) return false;
    p.pins++;
    return true;
  }
  void unpin(std::uint64_t page) {
    info_[page].pins--;
    release_if_unused(page);
  }

  /// Whether one more mapping of an allocated page is allowed, by its limits and the counter.
  /// `replaced`: the entry it replaces, if that maps the same page; else 0.
  [[nodiscard]] bool count_fits(std::uint64_t page, bool writable, std::uint64_t replaced) const {
    const PageInfo& p = info_[page];
    const std::uint32_t others = p.mappings - ((replaced & kPtePresent) != 0 ? 1 : 0);
    if (p.reader_limit < kAnyNumber && others >= p.reader_limit) return false;
    if (writable && !writer_fits(page, (replaced & kPteWritable) != 0 ? 1 : 0)) return false;
    return others != ~std::uint32_t{0};
  }
  /// The same for one more writable mapping, `replaced` of which go away.
  [[nodiscard]] bool writer_fits(std::uint64_t page, std::uint32_t replaced) const {
    const PageInfo& p = info_[page];
    return p.writer_limit == kAnyNumber || p.writers - replaced < p.writer_limit;
  }

  /// Whether a page is in use, without limits, and has `acl` (Capability::bits) as its first ACL
  /// entry: then what that entry allowed for another such page it allows for this one.
  static bool is_alike(const PageInfo& p, std::uint64_t acl) {
    PageInfo alike{};
    alike.status = PageStatus::User;
    alike.reader_limit = alike.writer_limit = kAnyNumber;
    // All three share the first byte: one comparison.
    return std::memcmp(&p, &alike, 1) == 0 && p.acl[0].bits() == acl;
  }
  /// Where, in bytes, the record of the page that an entry names is among all.
  static std::uint64_t record_offset(std::uint64_t entry) {
    static_assert(sizeof(PageInfo) == 32);  // in one step: a multiplication and two shifts less
    return (entry & kPtePageMask) >> (kPageShift - 5);
  }
  /// The record, among all from page 0's on, of the page that an entry names.
  static PageInfo& named_by(std::uint64_t entry, PageInfo* records) {
    return *reinterpret_cast<PageInfo*>(reinterpret_cast<std::byte*>(records) +
                                        record_offset(entry));
  }

  static constexpr std::uint8_t kAnyNumber = 2;
  static constexpr std::uint16_t kMaxPins = 0xffff;

 private:
  /// The reader limit of a free page that some processor may still translate to.
  static constexpr std::uint8_t kUnsettled = 0;

  void adopt(std::uint64_t page, const Capability& owner, AccountIndex account);
  void unlink(std::uint64_t page);
  void append(std::uint64_t page);
  /// Before a free page is used: another processor may still write to one that was freed since the
  /// last `settle`.
  void await_translations(const PageInfo& p) {
    if (p.reader_limit == kUnsettled && !translations_.settled()) [[unlikely]]
      translations_.settle();
  }
  void free_user(std::uint64_t page);
  [[nodiscard]] std::uint32_t now() const { return static_cast<std::uint32_t>(system_->ticks); }

  Machine& machine_;
  Accounts& accounts_;
  Translations& translations_;
  SystemInfo* system_ = nullptr;
  PageInfo* info_ = nullptr;
  std::byte* direct_map_ = nullptr;  // where page 0 is, or would be
  std::uint64_t free_tail_ = 0;
};

}  // namespace xok::kernel
