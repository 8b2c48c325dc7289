// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <algorithm>

#include "libs/xn/volume.hpp"

/// Transfers, and what their ends mean for the order of writes.
///
/// A write that has completed may still be in the disk's volatile cache. Flushes are numbered: a
/// write that completes now is durable after flush `epoch_`, the next one to be submitted. A record
/// is in the flush list from the completion of its write to the end of that flush.
namespace xok::xn {

Result<std::uint32_t> Volume::take_transfer(Disk::Kind kind, BlockNumber block, std::uint32_t count,
                                            std::uint64_t cookie) {
  const std::uint32_t index = free_transfer_;
  if (index == kXnNone) return fail(Errc::WouldBlock);
  TransferState& t = memory_.transfers[index];
  free_transfer_ = t.next_free;
  t.kind = kind;
  t.block = block;
  t.count = count;
  t.cookie = cookie;
  t.active = true;
  ++t.generation;
  ++in_flight_;
  return index;
}

void Volume::give_back_transfer(std::uint32_t index) {
  TransferState& t = memory_.transfers[index];
  t.active = false;
  t.next_free = free_transfer_;
  free_transfer_ = index;
  --in_flight_;
}

Result<> Volume::submit(std::uint32_t index, std::span<const PageNumber> pages) {
  const TransferState& t = memory_.transfers[index];
  return disk_.submit({t.kind, t.block, pages, std::uint64_t{t.generation} << 32 | index});
}

bool Volume::waiting(const XnBuffer& buffer) const {
  if (buffer.waits_for == 0) return false;
  const XnBuffer* other = registry_.find(buffer.waits_for);
  constexpr std::uint32_t kNotDurable = bit(XnFlag::Dirty) | bit(XnFlag::GoingOut) |
                                        bit(XnFlag::Unflushed) | bit(XnFlag::Uninitialised);
  return other != nullptr && other->is_any(kNotDurable);
}

Result<bool> Volume::tainted(XnBuffer& buffer) {
  if (buffer.is(XnFlag::Temporary) || !buffer.is(XnFlag::Tainted)) return false;
  if (!buffer.is(XnFlag::RecountTaint)) return buffer.uninitialised_children != 0;
  // Others than its first parent point to some of the children: count again.
  const Type* type = XOK_TRY(structure_type(buffer));
  std::uint32_t count = 0;
  for (std::size_t p = 0; p < type->partitions; ++p) {
    XOK_TRY(owned(buffer.block, *type, p, bytes_of(buffer), before_));
    for (const XnExtent& e : before_.all()) {
      if (!in_data(e)) continue;  // does not count
      for (BlockNumber b = e.block; b < e.block + e.count; ++b)
        if (uninitialised_.test(b)) ++count;
    }
  }
  buffer.uninitialised_children = count;
  if (count == 0) {
    buffer.clear(XnFlag::RecountTaint);
    buffer.clear(XnFlag::Tainted);
  }
  return count != 0;
}

Result<> Volume::writable(const Caller& caller, XnBuffer& buffer) {
  (void)XOK_TRY(settled(caller, buffer.block));
  if (buffer.is(XnFlag::UnknownType)) return fail(Errc::WrongType);
  if (!buffer.is(XnFlag::Present)) return fail(Errc::NotFound);
  if (buffer.users != 0)
    XOK_TRY(ask_for(caller, buffer, XnOperation::Write, XnOperation::WriteData, {}));
  if (XOK_TRY(tainted(buffer))) return fail(Errc::Tainted);
  if (waiting(buffer)) return fail(Errc::WouldBlock);
  return {};
}

/// Marks each block that may be written as going out, so that one named twice is found.
Result<> Volume::mark_going_out(const Caller& caller, std::span<const BlockNumber> blocks,
                                std::size_t& marked) {
  for (marked = 0; marked < blocks.size(); ++marked) {
    XnBuffer* buffer = registry_.find(blocks[marked]);
    if (buffer == nullptr) return fail(Errc::NotFound);
    XOK_TRY(writable(caller, *buffer));
    buffer->set(XnFlag::GoingOut);
  }
  return {};
}

/// Submits the run that `blocks` begins with. Returns its length.
Result<std::size_t> Volume::write_run(std::span<const BlockNumber> blocks, std::uint64_t cookie) {
  std::array<PageNumber, kMaxRun> pages;  // NOLINT: filled below
  std::size_t run = 0;
  for (; run < kMaxRun && run < blocks.size() && blocks[run] == blocks[0] + run; ++run)
    pages[run] = PageNumber{registry_.find(blocks[run])->page};
  const std::uint32_t transfer =
      XOK_TRY(take_transfer(Disk::Kind::Write, blocks[0], static_cast<std::uint32_t>(run), cookie));
  if (auto out = submit(transfer, {pages.data(), run}); !out) {
    give_back_transfer(transfer);
    return fail(out.error());
  }
  for (std::size_t i = 0; i < run; ++i) {
    XnBuffer* buffer = registry_.find(blocks[i]);
    buffer->clear(XnFlag::Dirty);  // what is changed from here on is not in this write
    buffer->waits_for = 0;
    buffer->started = ++time_;
    registry_.settle(*buffer);
  }
  return run;
}

Result<std::uint32_t> Volume::write_back(const Caller& caller, std::span<const BlockNumber> blocks,
                                         std::uint64_t cookie) {
  if (!open_ || blocks.empty() || caller.id == 0) return fail(Errc::BadArgument);
  std::size_t marked = 0;
  std::size_t started = 0;
  std::uint32_t transfers = 0;
  Result<> outcome = mark_going_out(caller, blocks, marked);
  while (outcome.has_value() && started < blocks.size()) {
    const auto run = write_run(blocks.subspan(started), cookie);
    if (!run) {
      outcome = fail(run.error());
      break;
    }
    started += *run;
    ++transfers;
  }
  for (std::size_t i = started; i < marked; ++i) registry_.find(blocks[i])->clear(XnFlag::GoingOut);
  if (!outcome.has_value() && transfers == 0) return fail(outcome.error());
  return transfers;
}

Result<> Volume::flush(std::uint64_t cookie) {
  if (!open_) return fail(Errc::BadArgument);
  if (disk_.durable_on_completion()) {
    completions_.transfer_done(cookie, {});
    return {};
  }
  if (flushing_ != 0) return fail(Errc::WouldBlock);
  const std::uint32_t transfer = XOK_TRY(take_transfer(Disk::Kind::Flush, 0, 0, cookie));
  if (auto out = submit(transfer, {}); !out) {
    give_back_transfer(transfer);
    return out;
  }
  flushing_ = epoch_++;
  return {};
}

void Volume::completed(std::uint64_t tag, Result<> result) {
  const std::uint64_t index = tag & ~std::uint32_t{0};
  if (index >= memory_.transfers.size()) return;
  const TransferState t = memory_.transfers[index];
  if (!t.active || t.generation != tag >> 32) return;
  give_back_transfer(static_cast<std::uint32_t>(index));
  switch (t.kind) {
    case Disk::Kind::Read:
      read_done(t, result);
      break;
    case Disk::Kind::Write:
      write_done(t, result);
      break;
    case Disk::Kind::Flush:
      flush_done(result);
      break;
  }
  completions_.transfer_done(t.cookie, result);
}

void Volume::read_done(const TransferState& t, Result<> result) {
  for (BlockNumber b = t.block; b < t.block + t.count; ++b) {
    XnBuffer* buffer = registry_.find(b);
    if (buffer == nullptr || !buffer->is(XnFlag::ComingIn)) continue;
    buffer->clear(XnFlag::ComingIn);
    if (!result) {
      drop(*buffer);
      continue;
    }
    buffer->set(XnFlag::Present);
    buffer->durable = ++time_;
    registry_.settle(*buffer);
  }
}

void Volume::write_done(const TransferState& t, Result<> result) {
  for (BlockNumber b = t.block; b < t.block + t.count; ++b) {
    XnBuffer* buffer = registry_.find(b);
    if (buffer == nullptr || !buffer->is(XnFlag::GoingOut)) continue;
    buffer->clear(XnFlag::GoingOut);
    if (!result) {
      buffer->set(XnFlag::Failed);
      buffer->set(XnFlag::Dirty);
      registry_.settle(*buffer);
      continue;
    }
    buffer->clear(XnFlag::Failed);
    buffer->epoch = epoch_;
    buffer->completed = buffer->started;
    if (buffer->is(XnFlag::Uninitialised) && buffer->first_epoch == 0) buffer->first_epoch = epoch_;
    will_free_.written(buffer->stale, epoch_);
    if (disk_.durable_on_completion() || buffer->is(XnFlag::Temporary)) {
      made_durable(*buffer, epoch_);
    } else {
      buffer->set(XnFlag::Unflushed);
    }
    registry_.settle(*buffer);
  }
}

void Volume::flush_done(Result<> result) {
  const std::uint32_t durable = flushing_;
  flushing_ = 0;
  if (!result) return;
  XnBuffer* next = nullptr;
  for (XnBuffer* b = registry_.first_unflushed(); b != nullptr; b = next) {
    next = registry_.next(*b);
    made_durable(*b, durable);
    registry_.settle(*b);
  }
}

void Volume::made_durable(XnBuffer& buffer, std::uint32_t durable) {
  will_free_.resolve(buffer.stale, durable,
                     [this](BlockNumber b, std::uint32_t n) { release_blocks(b, n); });
  if (buffer.first_epoch != 0 && buffer.first_epoch <= durable) initialised(buffer);
  if (buffer.epoch > durable) return;
  buffer.durable = buffer.completed;
  buffer.clear(XnFlag::Unflushed);
}

void Volume::initialised(XnBuffer& buffer) {
  buffer.first_epoch = 0;
  buffer.clear(XnFlag::Uninitialised);
  uninitialised_.clear(buffer.block);
  XnBuffer* parent = registry_.find(buffer.parent);
  if (parent == nullptr || parent->is(XnFlag::Temporary) || parent->uninitialised_children == 0)
    return;
  --parent->uninitialised_children;
  if (parent->uninitialised_children == 0 && !parent->is(XnFlag::RecountTaint))
    parent->clear(XnFlag::Tainted);
}

std::size_t Volume::list_writable(std::size_t& cursor, std::span<BlockNumber> out) {
  std::size_t found = 0;
  const auto records = registry_.records();
  for (; cursor < records.size() && found < out.size(); ++cursor) {
    const XnBuffer& record = records[cursor];
    if (record.block == 0 || !record.is(XnFlag::Dirty) || !record.is(XnFlag::Present) ||
        record.is(XnFlag::GoingOut) || record.locker != 0 || record.users != 0 || waiting(record))
      continue;
    const auto taint = tainted(*registry_.find(record.block));
    if (taint && !*taint) out[found++] = record.block;
  }
  return found;
}

}  // namespace xok::xn
