// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/xn.hpp"
#include "base/result.hpp"

namespace xok::xn {

/// The buffer-cache registry: which blocks are cached, where and how. Its records and hash heads
/// are the caller's memory, exposed read-only to all.
///
/// A record is in one of two lists, or in none. Those that nobody uses and that can be recycled at
/// once (clean, unlocked, not in transit) are in the LRU list; those that were written and are not
/// yet flushed are in the flush list. `settle` puts a record where its state says: call it after
/// each change of flags, users or locker.
///
/// No member allocates. Lookups cost one hash chain.
class Registry {
 public:
  Registry() = default;
  /// `heads` has a power of two elements; both spans stay the registry's.
  Registry(std::span<XnBuffer> records, std::span<std::uint32_t> heads);

  XnBuffer* find(BlockNumber block);
  const XnBuffer* find(BlockNumber block) const;
  /// A new record, of a block that has none; all fields but `block` are 0 or none.
  /// Errors  NoSpace  all records are in use: `oldest` and `remove` make room
  Result<XnBuffer*> insert(BlockNumber block);
  void remove(XnBuffer& buffer);
  void settle(XnBuffer& buffer);
  /// Makes a record of the LRU list its newest one.
  void renew(XnBuffer& buffer);

  /// The record unused for the longest time; nullptr when none can be recycled.
  XnBuffer* oldest() { return at(lists_[kUnused].oldest); }
  /// A record that is written and not flushed, and the next one.
  XnBuffer* first_unflushed() { return at(lists_[kFlush].oldest); }
  XnBuffer* next(const XnBuffer& buffer) { return at(buffer.newer); }

  std::span<const XnBuffer> records() const { return records_; }
  std::size_t used() const { return used_; }
  std::size_t room() const { return records_.size() - used_; }

 private:
  enum : std::size_t { kUnused, kFlush, kLists };
  struct Ends {
    std::uint32_t oldest = kXnNone;
    std::uint32_t newest = kXnNone;
  };

  XnBuffer* at(std::uint32_t index) { return index == kXnNone ? nullptr : &records_[index]; }
  std::uint32_t index_of(const XnBuffer& buffer) const {
    return static_cast<std::uint32_t>(&buffer - records_.data());
  }
  std::uint32_t& head(BlockNumber block) {
    return heads_[(block * 0x9e3779b97f4a7c15 >> 32) & (heads_.size() - 1)];
  }
  void unlink(XnBuffer& buffer, std::size_t list);
  void append(XnBuffer& buffer, std::size_t list);

  std::span<XnBuffer> records_;
  std::span<std::uint32_t> heads_;
  Ends lists_[kLists];
  std::uint32_t free_ = kXnNone;  // linked by hash_next
  std::size_t used_ = 0;
};

}  // namespace xok::xn
