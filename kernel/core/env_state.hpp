// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "kernel/core/machine.hpp"
#include "kernel/core/wakeup.hpp"

namespace xok::kernel {

/// No processor.
inline constexpr std::uint32_t kNowhere = ~std::uint32_t{0};

/// What the kernel keeps about an environment beside the exposed `Env`.
struct EnvState {
  std::uint32_t generation = 0;
  EnvIndex next_free = 0;              ///< list of free slots, 0 ends it
  bool context_set = false;            ///< env_set_context was called: it may run
  bool forced_out = false;             ///< switched by force: the slice-start upcall is due
  std::uint32_t processor = kNowhere;  ///< that has it as Cpu::current
  std::uint32_t overruns_in_a_row = 0;
  std::uint64_t pass = 0;            ///< last scheduling pass in which its predicate was false
  std::uint64_t predicate_page = 0;  ///< kernel page of its Predicate, 0: never set one
  Predicate* predicate = nullptr;    ///< in that page
  std::uint32_t rings = 0;
  std::uint32_t filters = 0;
};

/// Bounds on what one environment may take of a table that all share.
inline constexpr std::uint32_t kSlicesPerEnv = 256;
inline constexpr std::uint32_t kRingsPerEnv = 64;
inline constexpr std::uint32_t kFiltersPerEnv = 128;

}  // namespace xok::kernel
