// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/env.hpp"
#include "base/units.hpp"
#include "kernel/arch/x86_64/layout.h"
#include "kernel/core/kernel.hpp"

namespace xok::kernel::x86 {

struct Processor;

/// The six argument registers of a fast call, as the entry pushed them (entry.S).
using CallArguments = std::array<std::uint64_t, 6>;

/// The kernel's private record of one environment, first page of its 8 KiB window; the second page
/// is a supervisor alias of its Uenv. While the environment runs, the kernel's gs base is this
/// record, so that every entry finds all it needs at fixed offsets (layout.h).
struct KernelEnv {
  Context context;
  KernelEnv* self;
  std::uint64_t stack_top;   ///< rsp after an entry
  CallArguments* frame;      ///< inside a fast call: the registers not yet in `context`
  Env* env;                  ///< its exposed record
  std::uint64_t last_entry;  ///< highest address a handler may have: kUserTop - 1
  Kernel* kernel;
  Cpu* cpu;
  std::uint32_t index;
  bool bases_live;  ///< the processor holds fs and gs base, `context` does not
  EnvId id;
  // What Machine::let_in was told.
  std::uint64_t rest_key, rest_entry, rest_stack, rest_fs_base, rest_gs_base;
  std::array<std::byte, KENV_VECTORS - KENV_REST_GS_BASE - 8> reserved;
  /// XSAVE area in the standard form; all zero but MXCSR is the clean state.
  alignas(64) std::array<std::byte, kPageSize - KENV_VECTORS> vectors;
};
static_assert(sizeof(KernelEnv) == kPageSize);

inline KernelEnv& kernel_env(EnvIndex index) {
  return *reinterpret_cast<KernelEnv*>(ENV_WINDOW_BASE + std::uint64_t{index} * ENV_WINDOW_SIZE);
}
inline volatile Uenv& uenv_alias(EnvIndex index) {
  return *reinterpret_cast<volatile Uenv*>(ENV_WINDOW_BASE + UENV_ALIAS +
                                           std::uint64_t{index} * ENV_WINDOW_SIZE);
}

}  // namespace xok::kernel::x86
