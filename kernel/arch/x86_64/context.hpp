// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "abi/env.hpp"
#include "base/result.hpp"
#include "kernel/arch/x86_64/descriptors.hpp"
#include "kernel/arch/x86_64/kernel_env.hpp"
#include "kernel/core/kernel.hpp"

/// Environments as the processor sees them: their records, and which one it runs.
namespace xok::kernel::x86 {

/// The ends of a processor's stacks, each with an unmapped page below it.
struct Stacks {
  std::uint64_t kernel = 0, nmi = 0, double_fault = 0, machine_check = 0, debug = 0;
};

/// One processor's state.
struct Processor {
  Cpu core;
  /// Whose vector registers and fs/gs bases the hardware holds, and whose record gs points to.
  KernelEnv* loaded = nullptr;
  std::uint32_t apic_id = 0;
  std::uint32_t held_ranks = 0;
  std::uint64_t timer_steps_per_cycle = 0;  ///< times 2^32; 0 in deadline mode
  Stacks stacks;
  TaskSegment task{};
  std::array<std::uint64_t, 8> segments{};  ///< the GDT
  /// The state of each environment's window (Paging::window_state) this processor has last seen.
  std::array<std::uint32_t, kMaxEnvironments> windows{};
  /// What gs points to while no environment is loaded.
  KernelEnv idle{};
};

/// This processor, whose `idle` or whose environment's record gs points to. After
/// install_descriptors; not for the entries that can come before the kernel's gs is in force.
inline Processor& processor() {
  Cpu* core;
  asm("movq %%gs:%c1, %0" : "=r"(core) : "i"(KENV_CPU));
  return *reinterpret_cast<Processor*>(core);
}
Processor& processor_number(std::uint32_t number);
/// This processor holds nothing of any environment any more, and saves nothing.
void forget_environment(Processor& self);
/// From now on environments may move between processors.
void expect_several_processors();
bool several_processors();

/// Pages for the records of environments, set aside at boot: `first` physical, `count` pages.
void provide_kernel_envs(std::uint64_t first, std::uint64_t count);

/// As Machine::context_create and its companions.
Result<> context_create(Env& env, EnvIndex index, std::uint64_t uenv_physical, Kernel& kernel);
void context_destroy(EnvIndex env);
void context_release(EnvIndex env, bool plain);
void rest(EnvIndex env, bool plain);
void let_in(EnvIndex env, const Rest& rest, std::uint64_t key);
/// Before its Uenv is reached through the window: the processor forgets an older mapping of it.
void refresh_window(EnvIndex env);
/// The complete saved registers: completes them first when the environment is inside a fast call.
Context& context_of(EnvIndex env);

/// As Machine::save_vectors and restore_vectors.
void put_vectors_aside(EnvIndex env, std::byte* area);
void take_vectors_back(EnvIndex env, const std::byte* area);

/// Resumes `processor().core.current`, or idles until there is one. Never returns: the processor's
/// stack is empty afterwards.
[[noreturn]] void resume();

}  // namespace xok::kernel::x86
