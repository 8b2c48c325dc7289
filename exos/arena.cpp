// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/arena.hpp"

#include <cstring>

#include "exos/rt/calls.hpp"
#include "exos/rt/registers.hpp"

namespace xok::exos {
namespace {

constexpr std::uint64_t kPageEntry = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;

bool is_used(std::uint64_t page) {
  return (shared().arena_bitmap[page / 64] >> (page % 64) & 1) != 0;
}
void mark(std::uint64_t page, bool used) {
  std::uint64_t& word = shared().arena_bitmap[page / 64];
  const std::uint64_t bit = std::uint64_t{1} << (page % 64);
  word = used ? word | bit : word & ~bit;
}

/// Index of the first of `count` free pages at or after `from`, or kArenaPages.
std::uint64_t find_run(std::uint64_t from, std::size_t count) {
  std::uint64_t page = from;
  while (page + count <= kArenaPages) {
    if (page % 64 == 0 && shared().arena_bitmap[page / 64] == ~std::uint64_t{0}) {
      page += 64;
      continue;
    }
    std::size_t n = 0;
    while (n < count && !is_used(page + n)) n++;
    if (n == count) return page;
    page += n + 1;
  }
  return kArenaPages;
}

std::uint64_t address_of(std::uint64_t page) { return kArenaBase + page * kPageSize; }

bool map_pages(std::uint64_t first, std::size_t count) {
  for (std::size_t i = 0; i < count; i++) {
    if (sys::pte_insert(kCapPages, kPageEntry, address_of(first + i), kSelf) < 0) {
      while (i-- > 0) sys::pte_insert(kCapPages, 0, address_of(first + i), kSelf);
      return false;
    }
  }
  return true;
}

}  // namespace

void* Arena::allocate_pages(std::size_t count) {
  const rt::Locked locked{shared().arena_lock};
  std::uint64_t first = find_run(shared().arena_hint, count);
  if (first == kArenaPages) first = find_run(0, count);
  if (first == kArenaPages || !map_pages(first, count)) return nullptr;
  for (std::size_t i = 0; i < count; i++) mark(first + i, true);
  shared().arena_used += count;
  shared().arena_hint = first + count;
  return reinterpret_cast<void*>(address_of(first));
}

void Arena::free_pages(void* first, std::size_t count) {
  const rt::Locked locked{shared().arena_lock};
  const std::uint64_t page = (reinterpret_cast<std::uint64_t>(first) - kArenaBase) / kPageSize;
  for (std::size_t i = 0; i < count; i++) {
    sys::pte_insert(kCapPages, 0, address_of(page + i), kSelf);
    mark(page + i, false);
  }
  shared().arena_used -= count;
  if (page < shared().arena_hint) shared().arena_hint = page;
}

Arena& arena() {
  static constinit Arena the_arena;
  return the_arena;
}

void* pool_take(ObjectPool& pool, std::size_t size) {
  if (pool.free == nullptr) {
    auto* page = static_cast<std::byte*>(arena().allocate_pages(1));
    if (page == nullptr) return nullptr;
    for (std::size_t at = 0; at + size <= kPageSize; at += size) pool_give(pool, page + at);
  }
  void* object = pool.free;
  std::memcpy(&pool.free, object, sizeof pool.free);
  std::memset(object, 0, size);
  return object;
}

void pool_give(ObjectPool& pool, void* object) {
  std::memcpy(object, &pool.free, sizeof pool.free);
  pool.free = object;
}

}  // namespace xok::exos
