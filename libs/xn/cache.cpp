// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <algorithm>

#include "base/checked.hpp"
#include "libs/xn/volume.hpp"

/// Blocks come into the cache and leave it.
namespace xok::xn {

Result<> Volume::recycle_one() {
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    XnBuffer* buffer = registry_.oldest();
    if (buffer == nullptr) break;
    if (linked(*buffer)) {
      drop(*buffer);
      return {};
    }
    registry_.renew(*buffer);  // its parent is to be written first
  }
  return fail(Errc::NotFound);
}

Result<> Volume::make_room(std::size_t records) {
  while (registry_.room() < records)
    if (!recycle_one()) return fail(Errc::NoSpace);
  return {};
}

Result<PageNumber> Volume::new_page() {
  for (;;) {
    auto page = pages_.allocate();
    if (page || page.error() != Errc::NoMemory || !recycle_one()) return page;
  }
}

Result<> Volume::read_and_insert(BlockNumber parent_block, const XnExtent& extent,
                                 std::uint64_t cookie) {
  if (!open_ || !in_data(extent)) return fail(Errc::BadArgument);
  if (extent.count > kMaxRun) return fail(Errc::TooBig);
  for (BlockNumber b = extent.block; b < extent.block + extent.count; ++b)
    if (registry_.find(b) != nullptr) return fail(Errc::Exists);
  XnBuffer* parent = nullptr;
  if (parent_block != 0) {
    parent = registry_.find(parent_block);
    if (parent == nullptr) return fail(Errc::NotFound);
    XOK_TRY(owned_by(*parent, extent));
    if (usable_type(extent.type) == nullptr) return fail(Errc::WrongType);
  }
  // The parent's flags are noted first: making room may recycle it.
  const bool temporary = parent != nullptr && parent->is(XnFlag::Temporary);
  XOK_TRY(make_room(extent.count));
  std::array<PageNumber, kMaxRun> pages;  // NOLINT: filled below
  std::size_t got = 0;
  Result<> outcome{};
  for (; got < extent.count; ++got) {
    const auto page = new_page();
    if (!page) {
      outcome = fail(page.error());
      break;
    }
    pages[got] = *page;
  }
  std::uint32_t transfer = kXnNone;
  if (outcome) {
    const auto taken = take_transfer(Disk::Kind::Read, extent.block, extent.count, cookie);
    if (taken) transfer = *taken;
    outcome = taken ? submit(*taken, {pages.data(), got}) : Result<>{fail(taken.error())};
  }
  if (!outcome) {
    if (transfer != kXnNone) give_back_transfer(transfer);
    while (got > 0) pages_.release(pages[--got]);
    return outcome;
  }
  for (std::size_t i = 0; i < extent.count; ++i) {
    XnBuffer* buffer = *registry_.insert(extent.block + i);  // make_room
    buffer->page = pages[i].value;
    buffer->parent = parent_block;
    buffer->type = parent == nullptr ? 0 : extent.type;
    buffer->set(XnFlag::ComingIn);
    if (parent == nullptr) buffer->set(XnFlag::UnknownType);
    if (temporary) buffer->set(XnFlag::Temporary);
  }
  return {};
}

Result<> Volume::insert_attribute(const Caller& caller, BlockNumber parent_block,
                                  const XnExtent& block, std::optional<PageNumber> page) {
  if (!open_ || !in_data(block) || block.count != 1) return fail(Errc::BadArgument);
  XnBuffer* parent = XOK_TRY(structure(caller, parent_block));
  XOK_TRY(owned_by(*parent, block));
  const Type* type = usable_type(block.type);
  if (type == nullptr) return fail(Errc::WrongType);
  XnBuffer* buffer = registry_.find(block.block);
  if (buffer != nullptr) (void)XOK_TRY(settled(caller, block.block));
  const bool bound = buffer != nullptr && !buffer->is(XnFlag::UnknownType) &&
                     (buffer->parent != 0 || buffer->is(XnFlag::Root));
  if (buffer != nullptr && buffer->page != 0 && (bound || page)) return fail(Errc::Exists);
  if (page) {
    if (type->kind != XnTypeKind::Data) return fail(Errc::WrongType);
    XOK_TRY(ask(caller, *parent, XnOperation::WriteData, block, {}));
  }
  if (buffer == nullptr && !page) return fail(Errc::NotFound);

  const bool needs_page = buffer == nullptr || buffer->page == 0;
  PageNumber number{};
  const bool temporary = parent->is(XnFlag::Temporary);
  if (page) {
    XOK_TRY(pages_.hold(*page));
    number = *page;
  } else if (needs_page) {
    number = XOK_TRY(new_page());  // an Uninitialised record is never recycled
  }
  if (buffer == nullptr) {
    if (auto room = make_room(1); !room) {
      pages_.release(number);
      return room;
    }
    buffer = *registry_.insert(block.block);
  }
  buffer->clear(XnFlag::UnknownType);
  buffer->type = block.type;
  buffer->parent = parent_block;
  constexpr std::uint32_t kNotDurable =
      bit(XnFlag::Dirty) | bit(XnFlag::GoingOut) | bit(XnFlag::Unflushed);
  if (!bound) buffer->bound = parent->is_any(kNotDurable) ? ++time_ : 0;
  if (temporary) buffer->set(XnFlag::Temporary);
  if (needs_page) {
    buffer->page = number.value;
    buffer->set(XnFlag::Present);
    buffer->set(XnFlag::Dirty);
  }
  registry_.settle(*buffer);
  return {};
}

Result<> Volume::delete_attribute(BlockNumber block) {
  XnBuffer* buffer = registry_.find(block);
  if (buffer == nullptr) return fail(Errc::NotFound);
  if (!buffer->is(XnFlag::InUseList) || !linked(*buffer)) return fail(Errc::Busy);
  drop(*buffer);
  return {};
}

Result<> Volume::read_bytes(const Caller& caller, BlockNumber block, std::size_t offset,
                            std::span<std::byte> out) {
  if (!open_ || !range_fits(offset, out.size(), kBlockSize)) return fail(Errc::BadArgument);
  const PageNumber page = XOK_TRY(access(caller, block, false));
  if (!out.empty()) __builtin_memcpy(out.data(), pages_.bytes(page) + offset, out.size());
  return {};
}

Result<> Volume::write_bytes(const Caller& caller, BlockNumber block,
                             const Modifications& changes) {
  if (!open_) return fail(Errc::BadArgument);
  XOK_TRY(check_ranges(changes));
  XnBuffer* buffer = XOK_TRY(settled(caller, block));
  if (buffer->is(XnFlag::UnknownType)) return fail(Errc::WrongType);
  if (buffer->page == 0) return fail(Errc::NotFound);
  const Type* type = usable_type(buffer->type);
  const bool data = type != nullptr && type->kind == XnTypeKind::Data;
  if (!data) (void)XOK_TRY(structure_type(*buffer));
  XOK_TRY(ask_for(caller, *buffer, XnOperation::Write, XnOperation::WriteData, changes));
  if (!data) XOK_TRY(check_change(*buffer, changes, nullptr, nullptr, {}));
  commit(*buffer, changes);
  return {};
}

Result<PageNumber> Volume::access(const Caller& caller, BlockNumber block, bool write) {
  if (!open_) return fail(Errc::BadArgument);
  XnBuffer* buffer = registry_.find(block);
  if (buffer == nullptr) return fail(Errc::NotFound);
  if (buffer->is(XnFlag::UnknownType)) return fail(Errc::WrongType);
  if (buffer->is(XnFlag::ComingIn)) return fail(Errc::Busy);
  if (buffer->page == 0) return fail(Errc::NotFound);
  if (write) {
    if (buffer->locker != 0 && buffer->locker != caller.id) return fail(Errc::Busy);
    const Type* type = usable_type(buffer->type);
    if (type == nullptr || type->kind != XnTypeKind::Data) return fail(Errc::WrongType);
  }
  XOK_TRY(ask_for(caller, *buffer, XnOperation::Read,
                  write ? XnOperation::WriteData : XnOperation::ReadData, {}));
  if (write) dirty(*buffer);
  return PageNumber{buffer->page};
}

Result<> Volume::use(BlockNumber block, int delta) {
  XnBuffer* buffer = registry_.find(block);
  if (buffer == nullptr) return fail(Errc::NotFound);
  if ((delta != 1 && delta != -1) || (delta < 0 && buffer->users == 0) ||
      (delta > 0 && buffer->users == ~std::uint32_t{0}))
    return fail(Errc::BadArgument);
  buffer->users = delta > 0 ? buffer->users + 1 : buffer->users - 1;
  registry_.settle(*buffer);
  return {};
}

Result<> Volume::lock(const Caller& caller, BlockNumber block) {
  if (!open_) return fail(Errc::BadArgument);
  XnBuffer* buffer = XOK_TRY(settled(caller, block));
  if (buffer->is(XnFlag::UnknownType)) return fail(Errc::WrongType);
  if (buffer->page == 0) return fail(Errc::NotFound);
  XOK_TRY(ask_for(caller, *buffer, XnOperation::Lock, XnOperation::Lock, {}));
  buffer->locker = caller.id;
  registry_.settle(*buffer);
  return {};
}

Result<> Volume::unlock(const Caller& caller, BlockNumber block) {
  XnBuffer* buffer = registry_.find(block);
  if (buffer == nullptr) return fail(Errc::NotFound);
  if (buffer->locker == 0 || buffer->locker != caller.id) return fail(Errc::Denied);
  buffer->locker = 0;
  registry_.settle(*buffer);
  return {};
}

void Volume::unlock_all(std::uint64_t caller) {
  if (caller == 0) return;
  for (const XnBuffer& record : registry_.records()) {
    if (record.locker != caller) continue;
    XnBuffer* buffer = registry_.find(record.block);
    buffer->locker = 0;
    registry_.settle(*buffer);
  }
}

}  // namespace xok::xn
