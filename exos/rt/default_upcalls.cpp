// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// For programs that do not handle an upcall themselves: it ends them, or is ignored. A program that
// defines one of these functions gets its own instead.
#include "exos/rt/calls.hpp"
#include "exos/rt/registers.hpp"

namespace xok::rt {

extern "C" [[gnu::weak]] std::uint64_t rt_foreign_call(Registers* /*registers*/) {
  sys::env_free(kSelf);
  return 0;
}
extern "C" [[gnu::weak]] void rt_fault(Registers* /*registers*/) { sys::env_free(kSelf); }
extern "C" [[gnu::weak]] void rt_slice_start(Registers* /*registers*/) {}
extern "C" [[gnu::weak]] void rt_pages(Registers* /*registers*/) {}

}  // namespace xok::rt
