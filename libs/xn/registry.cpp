// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/registry.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace xok::xn {
namespace {

constexpr XnFlag kListFlags[] = {XnFlag::InUseList, XnFlag::InFlushList};

constexpr std::uint32_t kBusy = bit(XnFlag::Dirty) | bit(XnFlag::ComingIn) | bit(XnFlag::GoingOut) |
                                bit(XnFlag::Uninitialised) | bit(XnFlag::Unflushed);

}  // namespace

Registry::Registry(std::span<XnBuffer> records, std::span<std::uint32_t> heads)
    : records_{records}, heads_{heads} {
  XOK_CHECK(!heads.empty() && (heads.size() & (heads.size() - 1)) == 0 && records.size() < kXnNone);
  std::ranges::fill(heads_, kXnNone);
  std::ranges::fill(records_, XnBuffer{});
  for (std::size_t i = records_.size(); i-- > 0;) {
    records_[i].hash_next = free_;
    free_ = static_cast<std::uint32_t>(i);
  }
}

XnBuffer* Registry::find(BlockNumber block) {
  XnBuffer* buffer = at(head(block));
  while (buffer != nullptr && buffer->block != block) buffer = at(buffer->hash_next);
  return buffer;
}

const XnBuffer* Registry::find(BlockNumber block) const {
  return const_cast<Registry*>(this)->find(block);  // NOLINT: find changes nothing
}

Result<XnBuffer*> Registry::insert(BlockNumber block) {
  XnBuffer* buffer = at(free_);
  if (buffer == nullptr) return fail(Errc::NoSpace);
  free_ = buffer->hash_next;
  *buffer = {};
  buffer->block = block;
  buffer->older = buffer->newer = buffer->stale = kXnNone;
  std::uint32_t& first = head(block);
  buffer->hash_next = first;
  first = index_of(*buffer);
  ++used_;
  return buffer;
}

void Registry::remove(XnBuffer& buffer) {
  for (std::size_t list = 0; list < kLists; ++list)
    if (buffer.is(kListFlags[list])) unlink(buffer, list);
  std::uint32_t* link = &head(buffer.block);
  while (*link != index_of(buffer)) link = &records_[*link].hash_next;
  *link = buffer.hash_next;
  buffer = {};
  buffer.hash_next = free_;
  free_ = index_of(buffer);
  --used_;
}

void Registry::settle(XnBuffer& buffer) {
  const bool unused = buffer.is(XnFlag::Present) && buffer.users == 0 && buffer.locker == 0 &&
                      !buffer.is_any(kBusy);
  const bool wanted[kLists] = {unused, buffer.is(XnFlag::Unflushed)};
  for (std::size_t list = 0; list < kLists; ++list)
    if (!wanted[list] && buffer.is(kListFlags[list])) unlink(buffer, list);
  for (std::size_t list = 0; list < kLists; ++list)
    if (wanted[list] && !buffer.is(kListFlags[list])) append(buffer, list);
}

void Registry::renew(XnBuffer& buffer) {
  unlink(buffer, kUnused);
  append(buffer, kUnused);
}

void Registry::unlink(XnBuffer& buffer, std::size_t list) {
  Ends& ends = lists_[list];
  (buffer.older == kXnNone ? ends.oldest : records_[buffer.older].newer) = buffer.newer;
  (buffer.newer == kXnNone ? ends.newest : records_[buffer.newer].older) = buffer.older;
  buffer.older = buffer.newer = kXnNone;
  buffer.clear(kListFlags[list]);
}

void Registry::append(XnBuffer& buffer, std::size_t list) {
  Ends& ends = lists_[list];
  buffer.older = ends.newest;
  (ends.newest == kXnNone ? ends.oldest : records_[ends.newest].newer) = index_of(buffer);
  ends.newest = index_of(buffer);
  buffer.set(kListFlags[list]);
}

}  // namespace xok::xn
