// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

/// Clearing and copying pages, and copies that may fault (memory.S).
namespace xok::kernel::x86 {

/// Clears a page: 135 instructions once vectors are enabled, 512 steps before.
void zero_page(void* page);
/// Copies a page to another: 265 instructions once vectors are enabled, 512 steps before.
void copy_page(void* to, const void* from);
/// Says that the AVX registers are enabled and none wider are.
void use_vectors();

/// Copies between kernel and user memory; the caller has checked that the user's side lies below
/// kUserTop. False: a byte could not be touched; bytes before it may have been copied.
extern "C" bool copy_user_bytes(void* to, const void* from, std::size_t n);

}  // namespace xok::kernel::x86
