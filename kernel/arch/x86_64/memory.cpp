// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/memory.hpp"

extern "C" void zero_page_plain(void* page);
extern "C" void zero_page_vector(void* page);
extern "C" void copy_page_plain(void* to, const void* from);
extern "C" void copy_page_vector(void* to, const void* from);

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

void copy_page(void* to, const void* from) {
  if (g_vectors)
    copy_page_vector(to, from);
  else
    copy_page_plain(to, from);
}

void use_vectors() { g_vectors = true; }

}  // namespace xok::kernel::x86
