// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A slab is one page: a header, then objects of one size.
//
//   page: | Slab header (64 bytes) | object | object | ... |
//
// `free_list` chains the freed objects; objects from `fresh` on have never been used, so a new slab
// touches its header only. A slab is on its size's list while it has a free object. An object finds
// its slab by rounding its address down to the page.
#include "exos/fs/object_heap.hpp"

#include "base/check.hpp"
#include "base/units.hpp"

namespace xok::exos {

struct Slab {
  Slab* next = nullptr;
  Slab* previous = nullptr;
  void* free_list = nullptr;
  std::uint16_t used = 0;
  std::uint16_t fresh = 0;
  std::uint16_t capacity = 0;
  std::uint16_t size_class = 0;
};

namespace {

constexpr std::size_t kSlabHeader = 64;
static_assert(sizeof(Slab) <= kSlabHeader);

constexpr std::size_t kNoClass = kObjectSizes.size();

constexpr std::size_t class_of(std::size_t size) {
  std::size_t index = 0;
  while (index < kNoClass && kObjectSizes[index] < size) ++index;
  return index;
}

Slab* slab_of(void* object) {
  return reinterpret_cast<Slab*>(page_floor(reinterpret_cast<std::uintptr_t>(object)));
}

}  // namespace

void* ObjectHeap::allocate_pages(std::size_t count) {
  if (count > available_pages()) trim();
  if (count > available_pages()) return nullptr;
  void* first = source_->allocate_pages(count);
  if (first == nullptr) {
    trim();
    first = source_->allocate_pages(count);
  }
  if (first != nullptr) state_->used_pages += count;
  return first;
}

void ObjectHeap::free_pages(void* first, std::size_t count) {
  XOK_CHECK(count <= state_->used_pages, count, state_->used_pages);
  state_->used_pages -= count;
  source_->free_pages(first, count);
}

void* ObjectHeap::allocate(std::size_t size) {
  XOK_CHECK(size > 0 && size <= kPageSize, size);
  const std::size_t size_class = class_of(size);
  if (size_class == kNoClass) return allocate_pages(1);
  Slab* slab = state_->partial[size_class];
  if (slab == nullptr) slab = new_slab(size_class);
  if (slab == nullptr) return nullptr;
  void* object = slab->free_list;
  if (object != nullptr) {
    slab->free_list = *static_cast<void**>(object);
  } else {
    object = reinterpret_cast<std::byte*>(slab) + kSlabHeader +
             std::size_t{slab->fresh} * kObjectSizes[size_class];
    ++slab->fresh;
  }
  if (++slab->used == slab->capacity) unlink(*slab);
  return object;
}

void ObjectHeap::free(void* object, std::size_t size) {
  const std::size_t size_class = class_of(size);
  if (size_class == kNoClass) return free_pages(object, 1);
  Slab& slab = *slab_of(object);
  XOK_CHECK(slab.size_class == size_class && slab.used > 0, slab.size_class, slab.used);
  *static_cast<void**>(object) = slab.free_list;
  slab.free_list = object;
  if (slab.used-- == slab.capacity) link(slab);
  const bool alone = slab.next == nullptr && slab.previous == nullptr;
  if (slab.used > 0 || alone) return;
  unlink(slab);
  free_pages(&slab, 1);
}

void ObjectHeap::trim() {
  for (Slab* slab : state_->partial) {
    while (slab != nullptr) {
      Slab* next = slab->next;
      if (slab->used == 0) {
        unlink(*slab);
        free_pages(slab, 1);
      }
      slab = next;
    }
  }
}

Slab* ObjectHeap::new_slab(std::size_t size_class) {
  void* page = allocate_pages(1);
  if (page == nullptr) return nullptr;
  Slab* slab = new (page) Slab{};
  slab->size_class = static_cast<std::uint16_t>(size_class);
  slab->capacity = static_cast<std::uint16_t>((kPageSize - kSlabHeader) / kObjectSizes[size_class]);
  link(*slab);
  return slab;
}

void ObjectHeap::link(Slab& slab) {
  Slab*& head = state_->partial[slab.size_class];
  slab.previous = nullptr;
  slab.next = head;
  if (head != nullptr) head->previous = &slab;
  head = &slab;
}

void ObjectHeap::unlink(Slab& slab) {
  if (slab.previous != nullptr) slab.previous->next = slab.next;
  if (slab.next != nullptr) slab.next->previous = slab.previous;
  if (state_->partial[slab.size_class] == &slab) state_->partial[slab.size_class] = slab.next;
  slab.next = slab.previous = nullptr;
}

}  // namespace xok::exos
