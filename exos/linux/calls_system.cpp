// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on the system as a whole.
#include <algorithm>
#include <cstring>

#include "exos/init/power.hpp"
#include "exos/linux/call.hpp"
#include "exos/linux/identity.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/rt/random.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"

namespace xok::exos::linux_abi {
namespace {

template <std::size_t N>
void set_text(char (&to)[N], std::string_view text) {
  std::memcpy(to, text.data(), std::min(text.size(), N - 1));
}

Outcome<ResourceLimit*> limit_at(std::uint64_t resource) {
  if (resource >= kResourceLimits) return std::unexpected{Errc::BadArgument};
  return &process().limits[resource];
}

std::int64_t change_limit(ResourceLimit& limit, std::uint64_t address) {
  Rlimit wanted{};
  if (!get(address, wanted)) return -kEFAULT;
  if (wanted.rlim_cur > wanted.rlim_max) return -kEINVAL;
  if (wanted.rlim_max > limit.hard && process().proc->euid != 0) return -kEPERM;
  limit = {.soft = wanted.rlim_cur, .hard = wanted.rlim_max};
  return 0;
}

}  // namespace

std::int64_t call_uname(const Arguments& a) {
  Utsname out{};
  set_text(out.sysname, kSystemName);
  set_text(out.nodename, shared().host_name.data());
  set_text(out.release, kSystemRelease);
  set_text(out.version, kSystemVersion);
  set_text(out.machine, "x86_64");
  set_text(out.domainname, "(none)");
  return put(a[0], out) ? 0 : -kEFAULT;
}

std::int64_t call_sethostname(const Arguments& a) {
  if (process().proc->euid != 0) return -kEPERM;
  if (a[1] > 64) return -kEINVAL;
  std::array<char, 65> name{};
  if (!copy_in(name.data(), a[0], a[1])) return -kEFAULT;
  shared().host_name = name;
  return 0;
}

std::int64_t call_sysinfo(const Arguments& a) {
  const auto& info = system_info();
  Sysinfo out{};
  out.uptime = static_cast<std::int64_t>(rt::monotonic_ns() / kNanosecondsPerSecond);
  out.totalram = info.usable_pages * kPageSize;
  out.freeram = info.free_pages * kPageSize;
  out.sharedram = shared().arena_used * kPageSize;
  out.procs = static_cast<std::uint16_t>(shared().proc_count);
  out.mem_unit = 1;
  return put(a[0], out) ? 0 : -kEFAULT;
}

std::int64_t call_getrandom(const Arguments& a) {
  if ((a[2] & ~std::uint64_t{kGRND_NONBLOCK | kGRND_RANDOM | kGRND_INSECURE}) != 0) return -kEINVAL;
  const auto to = XOK_LINUX_TRY(user_output(a[0], std::min<std::uint64_t>(a[1], 0x1ffffff)));
  rt::fill_random(to);
  return static_cast<std::int64_t>(to.size());
}

std::int64_t call_getrlimit(const Arguments& a) {
  const ResourceLimit* limit = XOK_LINUX_TRY(limit_at(a[0]));
  const Rlimit out{.rlim_cur = limit->soft, .rlim_max = limit->hard};
  return put(a[1], out) ? 0 : -kEFAULT;
}

std::int64_t call_setrlimit(const Arguments& a) {
  ResourceLimit* limit = XOK_LINUX_TRY(limit_at(a[0]));
  return change_limit(*limit, a[1]);
}

std::int64_t call_prlimit64(const Arguments& a) {
  if (a.as_int(0) != 0 && a.as_int(0) != process().proc->pid) return -kESRCH;
  ResourceLimit* limit = XOK_LINUX_TRY(limit_at(a[1]));
  const Rlimit old{.rlim_cur = limit->soft, .rlim_max = limit->hard};
  if (a[2] != 0) {
    const std::int64_t changed = change_limit(*limit, a[2]);
    if (changed != 0) return changed;
  }
  return a[3] == 0 || put(a[3], old) ? 0 : -kEFAULT;
}

std::int64_t call_getcpu(const Arguments& a) {
  const std::uint32_t cpu = rt::env_record(rt::env_id()).processor;
  const std::uint32_t node = 0;
  if (a[0] != 0 && !put(a[0], cpu)) return -kEFAULT;
  return a[1] == 0 || put(a[1], node) ? 0 : -kEFAULT;
}

std::int64_t call_reboot(const Arguments& a) {
  constexpr std::uint64_t kPowerOff = 0x4321fedc;
  constexpr std::uint64_t kHalt = 0xcdef0123;
  constexpr std::uint64_t kRestart = 0x01234567;
  if (process().proc->euid != 0) return -kEPERM;
  if (a[2] != kPowerOff && a[2] != kHalt && a[2] != kRestart) return -kEINVAL;
  request_power_off();
  return 0;
}

std::int64_t call_syslog(const Arguments& a) {
  // The kernel's log goes to the serial line as it is written; there is no buffer to read.
  return a[0] <= 10 ? 0 : -kEINVAL;
}

}  // namespace xok::exos::linux_abi
