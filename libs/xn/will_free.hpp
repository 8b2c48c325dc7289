// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/xn.hpp"
#include "base/result.hpp"
#include "libs/xn/owned.hpp"

namespace xok::xn {

/// Pointers that memory no longer has and the disk still may: the will-free list.
///
/// A metadata block that gave up pointers has a chain of entries, one for each extent. They are
/// resolved when a version without the pointers is durable on the disk; then the extents are free.
/// A block that is given up itself takes its chain along: what it pointed to is free when the disk
/// no longer points to it. An entry can also stand for blocks that have another owner by now (a
/// move, or one of several references given up): it frees nothing, but as long as it exists the
/// blocks must not be freed.
///
/// Source  thesis 4.4, rule 1
class WillFree {
 public:
  struct Entry {
    BlockNumber block;
    std::uint32_t count;
    std::uint32_t next;   ///< in its chain; kXnNone ends
    std::uint32_t inner;  ///< the chain that the blocks brought along
    std::uint32_t epoch;  ///< the flush that makes it durable; kXnNone: not written yet
    bool owned;           ///< has another owner: nothing is freed
  };

  WillFree() = default;
  explicit WillFree(std::span<Entry> entries) : entries_{entries} {
    for (std::size_t i = entries.size(); i-- > 0;) give_back(static_cast<std::uint32_t>(i));
    used_ = 0;
  }

  std::size_t used() const { return used_; }
  bool full() const { return free_ == kXnNone; }
  std::uint64_t blocks() const { return blocks_; }

  /// Puts an entry at the front of `chain`; `full()` must be false.
  void add(std::uint32_t& chain, BlockNumber block, std::uint32_t count, std::uint32_t inner,
           bool owned) {
    const std::uint32_t index = free_;
    Entry& e = entries_[index];
    free_ = e.next;
    ++used_;
    e = {block, count, chain, inner, kXnNone, owned};
    chain = index;
    if (owned) ++owned_;
    if (!owned) blocks_ += count;
  }

  /// A write of the block that `chain` belongs to has completed.
  void written(std::uint32_t chain, std::uint32_t epoch) {
    for (std::uint32_t i = chain; i != kXnNone; i = entries_[i].next)
      entries_[i].epoch = std::min(entries_[i].epoch, epoch);
  }

  /// Takes the entries out of `chain` whose epoch is at most `durable`, with all they brought
  /// along, and calls `release(block, count)` for what is free now.
  template <class Release>
  void resolve(std::uint32_t& chain, std::uint32_t durable, Release&& release) {
    std::uint32_t done = kXnNone;  // a list of its own: no recursion, however deep the chains
    for (std::uint32_t* link = &chain; *link != kXnNone;) {
      Entry& e = entries_[*link];
      if (e.epoch > durable) {
        link = &e.next;
        continue;
      }
      const std::uint32_t index = *link;
      *link = e.next;
      e.next = done;
      done = index;
    }
    drain(done, release);
  }

  /// As `resolve` for all of `chain`: its block is not on the disk.
  template <class Release>
  void resolve_all(std::uint32_t& chain, Release&& release) {
    const std::uint32_t all = chain;
    chain = kXnNone;
    drain(all, release);
  }

  /// Whether one of the blocks is still to become free. Cost O(entries)
  bool contains(BlockNumber block, std::uint32_t count) const {
    return std::ranges::any_of(entries_, [&](const Entry& e) {
      return e.count != 0 && !e.owned && overlap(e.block, e.count, block, count);
    });
  }

  /// Whether the disk may have a pointer to one of the blocks from somewhere that gave it up.
  bool elsewhere(BlockNumber block, std::uint32_t count) const {
    if (owned_ == 0) return false;
    return std::ranges::any_of(entries_, [&](const Entry& e) {
      return e.count != 0 && e.owned && overlap(e.block, e.count, block, count);
    });
  }

 private:
  template <class Release>
  void drain(std::uint32_t list, Release& release) {
    while (list != kXnNone) {
      const Entry e = entries_[list];
      give_back(list);
      --used_;
      list = e.next;
      if (e.owned) {
        --owned_;
      } else {
        blocks_ -= e.count;
        release(e.block, e.count);
      }
      for (std::uint32_t inner = e.inner; inner != kXnNone;) {
        const std::uint32_t next = entries_[inner].next;
        entries_[inner].next = list;
        list = inner;
        inner = next;
      }
    }
  }
  void give_back(std::uint32_t index) {
    entries_[index] = {};
    entries_[index].next = free_;
    free_ = index;
  }

  std::span<Entry> entries_;
  std::uint32_t free_ = kXnNone;
  std::size_t used_ = 0;
  std::size_t owned_ = 0;
  std::uint64_t blocks_ = 0;
};

}  // namespace xok::xn
