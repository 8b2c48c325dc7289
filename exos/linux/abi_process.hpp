// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

#include "exos/linux/abi_files.hpp"

namespace xok::exos::linux_abi {

/// getrusage(2), wait4(2).
struct Rusage {
  Timeval ru_utime;
  Timeval ru_stime;
  std::int64_t ru_maxrss;  ///< KiB
  std::int64_t ru_ixrss, ru_idrss, ru_isrss;
  std::int64_t ru_minflt;
  std::int64_t ru_majflt;
  std::int64_t ru_nswap, ru_inblock, ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals;
  std::int64_t ru_nvcsw;
  std::int64_t ru_nivcsw;
};
static_assert(sizeof(Rusage) == 144 && offsetof(Rusage, ru_minflt) == 64);

struct Rlimit {
  std::uint64_t rlim_cur;
  std::uint64_t rlim_max;
};
static_assert(sizeof(Rlimit) == 16);
inline constexpr std::uint64_t kRLIM_INFINITY = ~std::uint64_t{0};

/// uname(2): strings that end with a 0 byte.
struct Utsname {
  char sysname[65];
  char nodename[65];
  char release[65];
  char version[65];
  char machine[65];
  char domainname[65];
};
static_assert(sizeof(Utsname) == 390);

struct Sysinfo {
  std::int64_t uptime;     ///< seconds
  std::uint64_t loads[3];  ///< 16.16 fixed point: 1, 5, 15 minutes
  std::uint64_t totalram;  ///< units of mem_unit bytes, as those below
  std::uint64_t freeram;
  std::uint64_t sharedram;
  std::uint64_t bufferram;
  std::uint64_t totalswap;
  std::uint64_t freeswap;
  std::uint16_t procs;
  std::uint16_t padding;
  std::uint32_t padding_too;
  std::uint64_t totalhigh;
  std::uint64_t freehigh;
  std::uint32_t mem_unit;
  std::uint32_t padding_end;
};
static_assert(sizeof(Sysinfo) == 112 && offsetof(Sysinfo, procs) == 80 &&
              offsetof(Sysinfo, mem_unit) == 104);

/// times(2), in clock ticks of 1/100 s.
struct Tms {
  std::int64_t tms_utime, tms_stime, tms_cutime, tms_cstime;
};
static_assert(sizeof(Tms) == 32);
inline constexpr std::int64_t kClockTicksPerSecond = 100;

struct Itimerval {
  Timeval it_interval;
  Timeval it_value;
};
static_assert(sizeof(Itimerval) == 32);

/// clone3(2), first version and its later members.
struct CloneArgs {
  std::uint64_t flags;
  std::uint64_t pidfd;
  std::uint64_t child_tid;
  std::uint64_t parent_tid;
  std::uint64_t exit_signal;
  std::uint64_t stack;
  std::uint64_t stack_size;
  std::uint64_t tls;
  std::uint64_t set_tid;
  std::uint64_t set_tid_size;
  std::uint64_t cgroup;
};
static_assert(sizeof(CloneArgs) == 88);

/// The low byte of clone(2)'s flags is the signal that tells the parent of the end.
inline constexpr std::uint64_t kCSIGNAL = 0xff;

/// Status words as wait4(2) stores them.
constexpr std::uint32_t exited_status(int code) {
  return (static_cast<std::uint32_t>(code) & 0xff) << 8;
}
constexpr std::uint32_t killed_status(int signal) {
  return static_cast<std::uint32_t>(signal) & 0x7f;
}
constexpr std::uint32_t stopped_status(int signal) {
  return (static_cast<std::uint32_t>(signal) << 8) | 0x7f;
}
inline constexpr std::uint32_t kContinuedStatus = 0xffff;
inline constexpr std::uint32_t kCoreDumpedStatus = 0x80;

/// One entry of the auxiliary vector above a new program's environment.
struct AuxEntry {
  std::uint64_t type;
  std::uint64_t value;
};
static_assert(sizeof(AuxEntry) == 16);

inline constexpr std::uint64_t kAT_NULL = 0;
inline constexpr std::uint64_t kAT_PHDR = 3;
inline constexpr std::uint64_t kAT_PHENT = 4;
inline constexpr std::uint64_t kAT_PHNUM = 5;
inline constexpr std::uint64_t kAT_PAGESZ = 6;
inline constexpr std::uint64_t kAT_BASE = 7;
inline constexpr std::uint64_t kAT_FLAGS = 8;
inline constexpr std::uint64_t kAT_ENTRY = 9;
inline constexpr std::uint64_t kAT_UID = 11;
inline constexpr std::uint64_t kAT_EUID = 12;
inline constexpr std::uint64_t kAT_GID = 13;
inline constexpr std::uint64_t kAT_EGID = 14;
inline constexpr std::uint64_t kAT_PLATFORM = 15;
inline constexpr std::uint64_t kAT_HWCAP = 16;
inline constexpr std::uint64_t kAT_CLKTCK = 17;
inline constexpr std::uint64_t kAT_SECURE = 23;
inline constexpr std::uint64_t kAT_RANDOM = 25;
inline constexpr std::uint64_t kAT_HWCAP2 = 26;
inline constexpr std::uint64_t kAT_EXECFN = 31;
inline constexpr std::uint64_t kAT_SYSINFO_EHDR = 33;
inline constexpr std::uint64_t kAT_MINSIGSTKSZ = 51;

}  // namespace xok::exos::linux_abi
