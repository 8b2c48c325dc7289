// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/deadline_heap.hpp"

namespace xok::net {

void DeadlineHeap::attach(std::span<Slot> memory) {
  slots_ = memory.data();
  capacity_ = static_cast<std::uint32_t>(memory.size());
  count_ = 0;
}

Result<> DeadlineHeap::update(TcpConnection& connection) {
  const Slot slot{.deadline_ns = connection.next_deadline(), .connection = &connection};
  if (connection.heap_index_ != 0) {
    const std::uint32_t index = connection.heap_index_ - 1;
    if (slot.deadline_ns < slots_[index].deadline_ns) sift_up(index, slot);
    return {};
  }
  if (slot.deadline_ns == kNever) return {};
  if (count_ == capacity_) return fail(Errc::NoSpace);
  sift_up(count_++, slot);
  return {};
}

void DeadlineHeap::remove(TcpConnection& connection) {
  if (connection.heap_index_ == 0) return;
  const std::uint32_t index = connection.heap_index_ - 1;
  connection.heap_index_ = 0;
  const Slot last = slots_[--count_];
  if (index == count_) return;
  if (index != 0 && last.deadline_ns < slots_[(index - 1) / 2].deadline_ns) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

TcpConnection* DeadlineHeap::due(std::uint64_t now_ns) {
  while (count_ != 0 && slots_[0].deadline_ns <= now_ns) {
    TcpConnection& connection = *slots_[0].connection;
    const std::uint64_t actual = connection.next_deadline();
    if (actual <= now_ns) return &connection;
    if (actual == kNever) {
      remove(connection);
    } else {
      sift_down(0, {.deadline_ns = actual, .connection = &connection});
    }
  }
  return nullptr;
}

void DeadlineHeap::place(std::uint32_t index, const Slot& slot) {
  slots_[index] = slot;
  slot.connection->heap_index_ = index + 1;
}

void DeadlineHeap::sift_up(std::uint32_t index, const Slot& slot) {
  while (index != 0 && slot.deadline_ns < slots_[(index - 1) / 2].deadline_ns) {
    place(index, slots_[(index - 1) / 2]);
    index = (index - 1) / 2;
  }
  place(index, slot);
}

void DeadlineHeap::sift_down(std::uint32_t index, const Slot& slot) {
  for (std::uint32_t child = 2 * index + 1; child < count_; child = 2 * index + 1) {
    if (child + 1 < count_ && slots_[child + 1].deadline_ns < slots_[child].deadline_ns) ++child;
    if (slots_[child].deadline_ns >= slot.deadline_ns) break;
    place(index, slots_[child]);
    index = child;
  }
  place(index, slot);
}

}  // namespace xok::net
