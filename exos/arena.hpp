// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>

#include "exos/fs/page_source.hpp"
#include "exos/shared.hpp"

namespace xok::exos {

/// Pages of the shared region, for file data and shared objects. A page given back is unmapped; the
/// kernel keeps the physical page as long as a process has it mapped.
class Arena final : public PageSource {
 public:
  void* allocate_pages(std::size_t count) override;
  void free_pages(void* first, std::size_t count) override;
};

/// The one every process uses: it has no state of its own.
Arena& arena();

/// Takes an object from a pool, zeroed; nullptr when memory is short. Holds no lock.
void* pool_take(ObjectPool& pool, std::size_t size);
void pool_give(ObjectPool& pool, void* object);

template <class T>
T* pool_new(ObjectPool& pool) {
  return static_cast<T*>(pool_take(pool, sizeof(T)));
}

}  // namespace xok::exos
