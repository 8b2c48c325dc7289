// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/env.hpp"

namespace xok::exos {

using Pid = std::int32_t;

inline constexpr std::size_t kMaxProcs = 1024;
inline constexpr Pid kMaxPid = 32768;
inline constexpr Pid kInitPid = 1;
inline constexpr int kSignalCount = 64;

enum class ProcState : std::uint32_t {
  Free = 0,
  Running,  ///< or blocked: the kernel's Env tells
  Stopped,
  Zombie,  ///< ended, status not yet collected
};

/// Where a pending signal came from: what siginfo will say.
struct SignalOrigin {
  std::int32_t code = 0;
  Pid pid = 0;
  std::uint32_t uid = 0;
  std::int32_t status = 0;
};

/// What all processes know of one process. Lives in shared memory, under SharedState::proc_lock,
/// but for the words others wait on. The slot of a pid is pid % kMaxProcs.
struct Proc {
  Pid pid;
  Pid parent;
  Pid group;
  Pid session;
  ProcState state;
  EnvId env;
  std::uint32_t wait_status;  ///< as wait(2) reports it; valid for Zombie and Stopped
  std::uint32_t unreported;   ///< kReportStopped, kReportContinued: not yet seen by wait
  std::uint32_t uid, euid, suid;
  std::uint32_t gid, egid, sgid;
  std::uint64_t pending;       ///< signals, bit n-1
  std::uint64_t ignored;       ///< dispositions SIG_IGN, kept here for the sender's benefit
  std::uint64_t blocked;       ///< its mask, for /proc
  std::uint64_t signal_event;  ///< counts signals sent
  std::uint64_t child_event;   ///< counts changes of its children
  std::uint64_t child_cycles;  ///< processor time of collected children
  std::uint64_t start_ns;      ///< since boot
  std::uint64_t start_cycles;  ///< run cycles its environment had when this process took it over
  std::uint64_t borrowed_env;  ///< a vfork child still running in its parent's environment
  std::uint64_t vfork_done;    ///< 0 while the parent waits for our exec or exit
  std::uint64_t virtual_bytes;
  std::uint64_t alarm_ns;  ///< ITIMER_REAL: next expiry (ns since boot), 0 = off; init raises it
  std::uint64_t alarm_interval_ns;
  std::uint32_t no_zombie;     ///< its parent does not want to know: freed at exit
  std::uint32_t has_terminal;  ///< the session's terminal is its controlling one
  std::uint32_t first_child;   ///< slots + 1, 0 ends the list
  std::uint32_t next_sibling;
  std::uint32_t executed;  ///< exec done: setpgid by the parent is no longer allowed
  std::int32_t nice;
  std::array<char, 16> comm;
  std::uint32_t command_length;
  std::array<char, 220> command;  ///< argv, NUL-separated
  std::array<SignalOrigin, kSignalCount> origin;
};

enum Report : std::uint32_t { kReportStopped = 1, kReportContinued = 2 };

}  // namespace xok::exos
