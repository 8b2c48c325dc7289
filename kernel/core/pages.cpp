// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/pages.hpp"

#include "kernel/core/acl.hpp"
#include "kernel/core/capability.hpp"

namespace xok::kernel {

void Pages::initialize(const ExposedTables& tables) {
  system_ = tables.info;
  info_ = tables.pages;
  XOK_CHECK(system_->page_count <= 0xffff'ffff, system_->page_count);
  system_->free_pages = system_->usable_pages = system_->kernel_pages = 0;
  system_->free_list_head = free_tail_ = 0;
  if (system_->page_count > 0) info_[0].status = PageStatus::Absent;
  std::uint64_t any = 0;
  while (any < system_->page_count && info_[any].status == PageStatus::Absent) any++;
  XOK_CHECK(any < system_->page_count);
  direct_map_ = machine_.page(PageNumber{any}) - any * kPageSize;
  for (std::uint64_t page = 0; page < system_->page_count; page++) {
    PageInfo& p = info_[page];
    const PageStatus status = p.status;
    p = PageInfo{};
    p.status = status;
    p.reader_limit = p.writer_limit = kAnyNumber;
    if (status != PageStatus::Absent) system_->usable_pages++;
    if (status == PageStatus::Kernel) system_->kernel_pages++;
    if (status == PageStatus::BootModule) p.acl[0] = kRootCapability;
    if (status == PageStatus::Free) append(page);
  }
}

std::uint64_t Pages::take_kernel(AccountIndex account) {
  const std::uint64_t page = system_->free_list_head;
  XOK_CHECK(page != 0);
  unlink(page);
  PageInfo& p = info_[page];
  await_translations(p);
  p = PageInfo{};
  p.status = PageStatus::Kernel;
  p.account = account;
  accounts_.charge(account);
  system_->kernel_pages++;
  machine_.zero_page(PageNumber{page});
  return page;
}

void Pages::give_kernel(std::uint64_t page) {
  XOK_CHECK(info_[page].status == PageStatus::Kernel, page);
  system_->kernel_pages--;
  accounts_.refund(info_[page].account);
  append(page);
}

void Pages::free_user(std::uint64_t page) {
  if (const AclExtension more = acl_extension(info_[page].acl[1]); more.page != 0) [[unlikely]]
    give_kernel(more.page);
  accounts_.refund(info_[page].account);
  append(page);
}

/// Takes a free page for a user, with whatever it holds.
void Pages::adopt(std::uint64_t page, const Capability& owner, AccountIndex account) {
  XOK_CHECK(info_[page].status == PageStatus::Free, page);
  unlink(page);
  PageInfo& p = info_[page];
  await_translations(p);
  p.status = PageStatus::User;
  p.reader_limit = p.writer_limit = kAnyNumber;
  p.account = account;
  accounts_.charge(account);
  p.pins = 0;
  p.mappings = p.writers = 0;
  p.stamp = now();
  p.acl = {canonical(owner), Capability{}};
}

void Pages::unlink(std::uint64_t page) {
  const std::uint32_t next = info_[page].mappings;
  const std::uint32_t previous = info_[page].writers;
  if (previous != 0) {
    info_[previous].mappings = next;
  } else {
    system_->free_list_head = next;
  }
  if (next != 0) {
    info_[next].writers = previous;
  } else {
    free_tail_ = previous;
  }
  system_->free_pages--;
}

void Pages::append(std::uint64_t page) {
  PageInfo& p = info_[page];
  p.status = PageStatus::Free;
  p.reader_limit = translations_.settled() ? kAnyNumber : kUnsettled;
  p.writer_limit = kAnyNumber;
  p.account = 0;
  p.pins = 0;
  p.mappings = 0;
  p.writers = static_cast<std::uint32_t>(free_tail_);
  p.stamp = now();
  p.acl = {};
  if (free_tail_ != 0) {
    info_[free_tail_].mappings = static_cast<std::uint32_t>(page);
  } else {
    system_->free_list_head = page;
  }
  free_tail_ = page;
  system_->free_pages++;
}

}  // namespace xok::kernel
