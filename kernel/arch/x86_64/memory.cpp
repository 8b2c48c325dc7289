// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/memory.hpp"

extern "C" void zero_page_plain(void* page);
extern "C" void zero_page_vector(void* page);

namespace xok::kernel::x86 {
namespace {
constinit bool g_vectors = false;
}

void zero_page(void* page) {
  if (g_vectors)
    zero_page_vector(page);
  else
    zero_page_plain(page);
}

void use_vector_zeroing() { g_vectors = true; }

}  // namespace xok::kernel::x86
