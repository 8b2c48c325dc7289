// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "libs/net/tcp_connection.hpp"

namespace xok::net {

/// Finds the connection whose timer is due first, among thousands, without looking at all: a binary
/// heap in the owner's memory.
///
/// The heap orders connections by the deadline they had when last placed. A deadline that has since
/// moved later is noticed when it comes up; one that has moved earlier must be announced
/// (`update`). So the usual case, an acknowledgement that pushes the timer out, costs one compare.
///
/// Context  one thread at a time; zero bytes are an empty heap of capacity 0
/// Source   own
class DeadlineHeap {
 public:
  struct Slot {
    std::uint64_t deadline_ns = 0;
    TcpConnection* connection = nullptr;
  };

  /// Takes `memory` for as many connections as it has slots.
  void attach(std::span<Slot> memory);

  /// Adds the connection, or moves it if its deadline has become earlier. A connection without
  /// deadline is not added.
  ///
  /// Errors   NoSpace  all slots are taken
  /// Cost     O(log connections), O(1) if the deadline has not become earlier
  Result<> update(TcpConnection& connection);

  /// Takes the connection out. Harmless if it is not in.
  void remove(TcpConnection& connection);

  /// A connection that is due at `now_ns`, or null. It stays in the heap: run its `on_timer`, then
  /// `update` it (or `remove` it); without that it would come again.
  TcpConnection* due(std::uint64_t now_ns);

  bool full() const { return count_ == capacity_; }

  /// When `due` should be asked next. May be too early, never too late.
  std::uint64_t next_deadline() const { return count_ == 0 ? kNever : slots_[0].deadline_ns; }

 private:
  void place(std::uint32_t index, const Slot& slot);
  void sift_up(std::uint32_t index, const Slot& slot);
  void sift_down(std::uint32_t index, const Slot& slot);

  Slot* slots_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace xok::net
