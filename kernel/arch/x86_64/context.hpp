// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "abi/env.hpp"
#include "base/result.hpp"
#include "kernel/arch/x86_64/kernel_env.hpp"
#include "kernel/core/kernel.hpp"

/// Environments as the processor sees them: their records, and which one it runs.
namespace xok::kernel::x86 {

/// This processor's state.
struct Processor {
  Cpu core;
  /// Whose vector registers and fs/gs bases the hardware holds, and whose record gs points to.
  KernelEnv* loaded = nullptr;
};
Processor& processor();

/// Pages for the records of environments, set aside at boot: `first` physical, `count` pages.
void provide_kernel_envs(std::uint64_t first, std::uint64_t count);

/// As Machine::context_create and its companions. `faults` is the environment's exposed counter.
Result<> context_create(EnvIndex env, std::uint64_t uenv_physical, std::uint64_t* faults,
                        Kernel& kernel);
void context_destroy(EnvIndex env);
/// The complete saved registers: completes them first when the environment is inside a fast call.
Context& context_of(EnvIndex env);

/// As Machine::save_vectors and restore_vectors.
void put_vectors_aside(EnvIndex env, std::byte* area);
void take_vectors_back(EnvIndex env, const std::byte* area);

/// Resumes `processor().core.current`, or idles until there is one. Never returns: the processor's
/// stack is empty afterwards.
[[noreturn]] void resume();

}  // namespace xok::kernel::x86
