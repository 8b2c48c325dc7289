// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "exos/fs/page_source.hpp"

namespace xok::exos {

struct Slab;

/// Sizes of small objects, in bytes. The largest still fits a page twice.
inline constexpr std::array<std::uint16_t, 10> kObjectSizes = {48,  64,  80,  96,   128,
                                                               208, 320, 528, 1008, 2016};

/// The shared part of a heap: what it took from the page source, and its slabs with free objects.
/// Zero-initialised except for the limit. Lives in shared memory.
struct HeapState {
  std::uint64_t used_pages = 0;   ///< pages taken and not given back, data pages included
  std::uint64_t limit_pages = 0;  ///< the quota; `used_pages` never exceeds it
  std::array<Slab*, kObjectSizes.size()> partial{};
};

/// A slab allocator over a `PageSource`, with a quota. One page holds objects of one size; a page
/// whose objects are all free goes back to the source, but for one per size kept against
/// alternating allocate and free.
///
/// A handle: build it per call from the shared state and the caller's page source. The caller
/// holds the lock of what the state is part of. Source: own, after Bonwick's slab allocator.
class ObjectHeap {
 public:
  ObjectHeap(HeapState& state, PageSource& source) : state_{&state}, source_{&source} {}

  /// Zeroed, contiguous pages, counted against the quota.
  /// Returns  nullptr when the quota or the source is exhausted; nothing has changed then
  void* allocate_pages(std::size_t count);
  void free_pages(void* first, std::size_t count);

  /// `size` bytes (1 to kPageSize), 16-byte aligned, not cleared. Cost: constant, about 15
  /// instructions when a slab has room. Above 2016 bytes it takes a whole page.
  /// Returns  nullptr as above
  void* allocate(std::size_t size);
  /// Gives back what `allocate(size)` returned.
  void free(void* object, std::size_t size);

  /// A new T, or nullptr.
  template <class T, class... Arguments>
  T* make(Arguments&&... arguments) {
    void* memory = allocate(sizeof(T));
    return memory == nullptr ? nullptr : new (memory) T{std::forward<Arguments>(arguments)...};
  }
  template <class T>
  void destroy(T* object) {
    object->~T();
    free(object, sizeof(T));
  }

  /// Gives the kept empty slabs back to the source. Run when a page is missed, and at teardown.
  void trim();

  /// Pages that may still be taken before the quota is reached.
  [[nodiscard]] std::uint64_t available_pages() const {
    return state_->limit_pages - state_->used_pages;
  }

 private:
  Slab* new_slab(std::size_t size_class);
  void link(Slab& slab);
  void unlink(Slab& slab);

  HeapState* state_;
  PageSource* source_;
};

}  // namespace xok::exos
