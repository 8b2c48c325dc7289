// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "exos/fs/vfs.hpp"
#include "exos/layout.hpp"
#include "exos/proc/proc.hpp"
#include "exos/rt/registers.hpp"
#include "exos/vm/region.hpp"

namespace xok::exos {

struct SignalAction {
  std::uint64_t handler;  ///< 0 default, 1 ignore
  std::uint64_t flags;
  std::uint64_t restorer;
  std::uint64_t mask;
};

struct ResourceLimit {
  std::uint64_t soft;
  std::uint64_t hard;
};
inline constexpr std::size_t kResourceLimits = 16;
/// Indices into Process::limits, as Linux numbers them.
enum LimitIndex : std::size_t {
  kLimitFileSize = 1,
  kLimitStack = 3,
  kLimitCore = 4,
  kLimitProcesses = 6,
  kLimitDescriptors = 7,
};
inline constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};
inline constexpr std::size_t kMaxGroups = 32;

/// What a process knows of itself and nobody else needs: private memory, copied by fork. Kept
/// small, since fork copies it at once.
struct Process {
  Proc* proc;        ///< our entry in the shared table
  Vnode cwd;         ///< held
  Vnode root;        ///< held
  Vnode executable;  ///< held; invalid before the first exec
  std::uint32_t umask;
  std::uint32_t group_count;
  std::array<std::uint32_t, kMaxGroups> groups;
  std::uint64_t blocked;       ///< signal mask
  std::uint64_t restore_mask;  ///< sigsuspend, ppoll: the mask to put back after the handler
  std::uint32_t has_restore_mask;
  std::uint32_t personality;
  std::array<SignalAction, kSignalCount> actions;
  std::uint64_t alt_stack, alt_stack_size, alt_stack_flags;
  std::uint64_t heap_start, heap_end;
  std::size_t region_count;
  std::size_t descriptor_end;  ///< no descriptor at or above it is in use
  std::uint64_t clear_child_tid;
  std::array<ResourceLimit, kResourceLimits> limits;
  // A vfork child runs in its parent's environment until it execs or exits: what the parent is
  // then put back to.
  Process* vfork_parent;
  rt::Registers vfork_registers;
};

extern Process g_process;
inline Process& process() { return g_process; }

/// This process as the file system sees it.
inline Credentials credentials() {
  const Process& p = process();
  return {.uid = p.proc->euid, .gid = p.proc->egid, .groups = {p.groups.data(), p.group_count}};
}

/// Ends this process at once with a message on the console: a bug in ExOS, or memory so short that
/// nothing else is left.
[[noreturn]] void die(const char* why, std::uint64_t a = 0, std::uint64_t b = 0);

}  // namespace xok::exos
