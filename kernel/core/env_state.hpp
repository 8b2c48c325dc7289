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
  bool revoke_due = false;           ///< pages were asked for: the upcall is due
  /// How far repossession has looked, and whether executable pages are its turn now.
  std::uint64_t repossess_cursor = 0;
  bool repossess_code = false;
  std::uint64_t taken_before = 0, returned_before = 0;  ///< Env's counts when pages were asked for
  std::uint32_t rings = 0;
  std::uint32_t filters = 0;
  std::uint32_t regions = 0;
  std::uint32_t region_pages = 0;
  bool repossess_due = false;  ///< by the processor that runs it (Scheduler::repossess_there)
  std::uint32_t methods = 0;
  std::uint32_t method = 0;        ///< inside that method: its index + 1
  std::uint64_t method_top = 0;    ///< its address space, used instead of Env::table_page
  std::uint64_t method_shows = 0;  ///< Env::table_page while part of that is shown to it
  std::uint32_t method_ticks = 0;  ///< while condemned: slice ends that found it inside
  bool condemned = false;          ///< env_free was called: ends when it leaves the method
  bool ipc_slept = false;          ///< asleep when the last transfer entered it
};

/// Bounds on what one environment may take of a table that all share.
inline constexpr std::uint32_t kSlicesPerEnv = 256;
inline constexpr std::uint32_t kRingsPerEnv = 64;
inline constexpr std::uint32_t kFiltersPerEnv = 128;

}  // namespace xok::kernel
