// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

namespace xok::exos {

/// Objects of one size, cut from arena pages and never given back to them (pool_new in arena.hpp).
/// Under the lock of whoever owns the pool.
struct ObjectPool {
  void* free = nullptr;
};

}  // namespace xok::exos
