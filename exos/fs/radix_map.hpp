// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <optional>

#include "exos/fs/object_heap.hpp"

namespace xok::exos {

struct RadixNode;

/// A sparse, ordered map from 64-bit keys to non-zero words: the pages of a file by index, the
/// entries of a directory by sequence number. A map whose only key is 0 takes no memory of its own.
///
/// Lives in shared memory; plain data. Whoever owns the map removes all keys before dropping it.
/// Cost of every operation: O(levels), that is one step per 6 bits of the largest key.
/// Source: own.
class RadixMap {
 public:
  struct Item {
    std::uint64_t key;
    std::uintptr_t value;
  };

  /// The value at `key`, 0 when there is none.
  [[nodiscard]] std::uintptr_t get(std::uint64_t key) const;

  /// Puts `value` (not 0) at `key`, replacing what was there; replacing never fails.
  /// Returns  false when the heap has no memory: the map is unchanged then
  [[nodiscard]] bool set(ObjectHeap& heap, std::uint64_t key, std::uintptr_t value);

  /// Removes `key`. Returns  the value that was there, 0 when there was none
  std::uintptr_t take(ObjectHeap& heap, std::uint64_t key);

  /// The item with the smallest key >= `from`, or with the largest key <= `from`.
  [[nodiscard]] std::optional<Item> first_from(std::uint64_t from) const;
  [[nodiscard]] std::optional<Item> last_until(std::uint64_t from) const;

 private:
  [[nodiscard]] bool covers(std::uint64_t key) const;
  bool raise(ObjectHeap& heap);
  std::uintptr_t* make_slot(ObjectHeap& heap, std::uint64_t key);
  void prune(ObjectHeap& heap, std::uint64_t key);
  void lower(ObjectHeap& heap);

  std::uintptr_t top_ = 0;    ///< the value of key 0 when levels_ is 0, else a RadixNode
  std::uint64_t levels_ = 0;  ///< keys below 64^levels_ have a place
};

}  // namespace xok::exos
