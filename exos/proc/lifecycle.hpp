// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "exos/proc/process.hpp"

/// How processes come and go.
namespace xok::exos {

/// Makes the first process (pid 1) out of the environment the kernel started. No locks are needed.
void become_init();

/// fork: a new environment with all of this process, copy-on-write. The child continues with the
/// same registers and rax = 0. Errors  NoSpace (processes), NoMemory
Result<Pid> fork_process(rt::Registers& registers);

/// vfork: this environment goes on as the child, until exec or exit gives it back.
Result<Pid> vfork_process(rt::Registers& registers);

/// A child that runs a function of ExOS instead of a program (network service and the like).
Result<Pid> start_service(const char* name, void (*entry)());

/// Leaves exec's prepared image to a new environment if this one is only borrowed (vfork), and does
/// not return then; returns when the caller shall load it here.
void move_exec_to_own_environment();

/// Ends this process; `wait_status` as wait(2) encodes it.
[[noreturn]] void exit_process(std::uint32_t wait_status);

struct WaitResult {
  Pid pid;
  std::uint32_t status;
  std::uint64_t cycles;
};
enum WaitOptions : std::uint32_t { kWaitNoHang = 1, kWaitUntraced = 2, kWaitContinued = 8 };

/// wait4. pid > 0: that child; -1 any; 0 own group; < -1 that group. pid 0 in the result: none
/// ready (NoHang). Errors  NotFound (no such child), Interrupted
Result<WaitResult> wait_child(Pid pid, std::uint32_t options);

/// init: turns processes whose environment the kernel ended into zombies.
void collect_killed_environments();

/// The process with that id, or nullptr. Hold proc_lock.
Proc* find_proc(Pid pid);

std::uint64_t run_cycles(const Proc& proc);

}  // namespace xok::exos
