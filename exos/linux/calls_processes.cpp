// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on processes.
#include <algorithm>

#include "exos/linux/call.hpp"
#include "exos/proc/exec.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/shared.hpp"
#include "exos/vm/memory.hpp"

namespace xok::exos::linux_abi {
namespace {

Proc& self() { return *process().proc; }

/// argv or envp of execve, in the program's memory.
class UserVector final : public StringVector {
 public:
  explicit UserVector(std::uint64_t address) : address_{address} {}

  Outcome<std::size_t> copy(std::size_t i, std::span<char> to) override {
    if (address_ == 0) return 0;
    std::uint64_t string = 0;
    if (!get(address_ + i * sizeof string, string)) return std::unexpected{Errc::Fault};
    if (string == 0) return 0;
    const auto text = user_string(string, 128 * 1024);
    if (!text.has_value()) {
      return std::unexpected{text.error() == Error{Errc::Fault} ? Errc::Fault : Errc::TooBig};
    }
    if (text->size() + 1 > to.size()) return std::unexpected{Errc::TooBig};
    std::memcpy(to.data(), text->data(), text->size());
    to[text->size()] = 0;
    return text->size() + 1;
  }

 private:
  std::uint64_t address_;
};

std::int64_t fork_result(const Result<Pid>& made) {
  if (made.has_value()) return *made;
  return made.error() == Errc::NoMemory ? -kENOMEM : -kEAGAIN;
}

Rusage usage_of(std::uint64_t cycles) {
  Rusage out{};
  const std::uint64_t ns = rt::cycles_to_ns(system_info().tsc_boot + cycles);
  out.ru_utime = {.tv_sec = static_cast<std::int64_t>(ns / kNanosecondsPerSecond),
                  .tv_usec = static_cast<std::int64_t>(ns % kNanosecondsPerSecond / 1000)};
  return out;
}

/// The process a call names, 0 being the caller. Hold proc_lock.
Proc* named(Pid pid) { return pid == 0 ? &self() : find_proc(pid); }

bool group_exists(Pid group, Pid session) {
  return std::ranges::any_of(shared().procs, [=](const Proc& proc) {
    return proc.state != ProcState::Free && proc.group == group && proc.session == session;
  });
}

}  // namespace

std::int64_t call_fork(const Arguments& a) { return fork_result(fork_process(a.registers())); }
std::int64_t call_vfork(const Arguments& a) { return fork_result(vfork_process(a.registers())); }

std::int64_t call_clone(const Arguments& a) {
  const std::uint64_t flags = a[0] & ~kCSIGNAL;
  constexpr std::uint64_t kIgnored =
      kCLONE_CHILD_SETTID | kCLONE_CHILD_CLEARTID | kCLONE_PARENT_SETTID | kCLONE_SETTLS;
  const bool vfork = flags == (kCLONE_VM | kCLONE_VFORK) && a[1] == 0;
  if (vfork) return fork_result(vfork_process(a.registers()));
  // Threads and shared tables are not there; what fork(3) of the C libraries asks for is, and
  // posix_spawn's vfork on a stack of its own, which fork serves as well.
  const bool spawn = (flags & ~kIgnored) == (kCLONE_VM | kCLONE_VFORK) && a[1] != 0;
  if ((flags & ~kIgnored) != 0 && !spawn) return -kENOSYS;
  rt::Registers child = a.registers();
  if (a[1] != 0) child.rsp = a[1];
  // The child finds its registers in the copy of our stack: put its version there for the moment.
  rt::Registers& frame = a.registers();
  const rt::Registers ours = frame;
  const std::uint64_t fs = rt::fs_base();
  if ((flags & kCLONE_SETTLS) != 0) rt::set_fs_base(a[4]);
  frame.rsp = child.rsp;
  const auto made = fork_process(frame);
  frame = ours;
  rt::set_fs_base(fs);
  if (made.has_value() && (flags & kCLONE_PARENT_SETTID) != 0) {
    const Pid pid = *made;
    (void)put(ours.rdx, pid);
  }
  return fork_result(made);
}

std::int64_t call_execve(const Arguments& a) {
  const std::string_view path = XOK_LINUX_TRY(user_string(a[0]));
  UserVector arguments{a[1]};
  UserVector environment{a[2]};
  const auto ready = prepare_exec(process().cwd, path, arguments, environment);
  if (!ready.has_value()) {
    forget_exec_stage();
    return error_number(ready.error());
  }
  move_exec_to_own_environment();
  load_prepared_image();
}

std::int64_t call_exit(const Arguments& a) { exit_process(exited_status(a.as_int(0))); }
std::int64_t call_exit_group(const Arguments& a) { exit_process(exited_status(a.as_int(0))); }

std::int64_t call_wait4(const Arguments& a) {
  constexpr std::uint32_t kKnown = kWNOHANG | kWSTOPPED | kWCONTINUED | k__WALL | k__WCLONE;
  if ((a.as_u32(2) & ~kKnown) != 0) return -kEINVAL;
  const auto result = wait_child(a.as_int(0), a.as_u32(2));
  if (!result.has_value())
    return result.error() == Errc::NotFound ? -kECHILD : error_number(result.error());
  if (result->pid == 0) return 0;
  if (a[1] != 0 && !put(a[1], result->status)) return -kEFAULT;
  if (a[3] != 0 && !put(a[3], usage_of(result->cycles))) return -kEFAULT;
  return result->pid;
}

std::int64_t call_waitid(const Arguments& a) {
  constexpr std::uint32_t kAny = kWEXITED | kWSTOPPED | kWCONTINUED;
  const std::uint32_t options = a.as_u32(3);
  if ((options & kAny) == 0 || (options & kWNOWAIT) != 0) return -kEINVAL;
  Pid which = -1;
  if (a.as_u32(0) == kP_PID) which = a.as_int(1);
  if (a.as_u32(0) == kP_PGID) which = a.as_int(1) == 0 ? 0 : -a.as_int(1);
  const auto result = wait_child(which, options & (kWNOHANG | kWSTOPPED | kWCONTINUED));
  if (!result.has_value())
    return result.error() == Errc::NotFound ? -kECHILD : error_number(result.error());
  Siginfo info{};
  if (result->pid != 0) {
    const std::uint32_t status = result->status;
    info.si_signo = kSIGCHLD;
    info.child.si_pid = result->pid;
    if (status == kContinuedStatus) {
      info.si_code = kCLD_CONTINUED;
      info.child.si_status = kSIGCONT;
    } else if ((status & 0xff) == 0x7f) {
      info.si_code = kCLD_STOPPED;
      info.child.si_status = static_cast<std::int32_t>(status >> 8 & 0xff);
    } else if ((status & 0x7f) != 0) {
      info.si_code = kCLD_KILLED;
      info.child.si_status = static_cast<std::int32_t>(status & 0x7f);
    } else {
      info.si_code = kCLD_EXITED;
      info.child.si_status = static_cast<std::int32_t>(status >> 8 & 0xff);
    }
  }
  if (a[2] != 0 && !put(a[2], info)) return -kEFAULT;
  if (a[4] != 0 && !put(a[4], usage_of(result->cycles))) return -kEFAULT;
  return 0;
}

std::int64_t call_getpid(const Arguments& /*a*/) { return self().pid; }
std::int64_t call_gettid(const Arguments& /*a*/) { return self().pid; }
std::int64_t call_getppid(const Arguments& /*a*/) {
  // init's children see it as their parent; init itself has none.
  return self().parent;
}

std::int64_t call_getpgid(const Arguments& a) {
  const rt::Locked locked{shared().proc_lock};
  const Proc* proc = named(a.as_int(0));
  return proc == nullptr ? -kESRCH : proc->group;
}
std::int64_t call_getpgrp(const Arguments& /*a*/) { return self().group; }

std::int64_t call_setpgid(const Arguments& a) {
  if (a.as_int(1) < 0) return -kEINVAL;
  const rt::Locked locked{shared().proc_lock};
  Proc* proc = named(a.as_int(0));
  if (proc == nullptr) return -kESRCH;
  if (proc != &self()) {
    if (proc->parent != self().pid) return -kESRCH;
    if (proc->executed != 0) return -kEACCES;
    if (proc->session != self().session) return -kEPERM;
  }
  if (proc->session == proc->pid) return -kEPERM;
  const Pid group = a.as_int(1) == 0 ? proc->pid : a.as_int(1);
  if (group != proc->pid && !group_exists(group, proc->session)) return -kEPERM;
  proc->group = group;
  return 0;
}

std::int64_t call_getsid(const Arguments& a) {
  const rt::Locked locked{shared().proc_lock};
  const Proc* proc = named(a.as_int(0));
  return proc == nullptr ? -kESRCH : proc->session;
}

std::int64_t call_setsid(const Arguments& /*a*/) {
  const rt::Locked locked{shared().proc_lock};
  Proc& me = self();
  if (me.group == me.pid) return -kEPERM;
  me.session = me.group = me.pid;
  me.has_terminal = 0;
  return me.pid;
}

std::int64_t call_arch_prctl(const Arguments& a) {
  switch (a.as_u32(0)) {
    case kARCH_SET_FS:
      if (a[1] >= kProgramTop) return -kEPERM;
      rt::set_fs_base(a[1]);
      return 0;
    case kARCH_GET_FS:
      return put(a[1], rt::fs_base()) ? 0 : -kEFAULT;
    default:
      return -kEINVAL;  // gs is ExOS'
  }
}

std::int64_t call_prctl(const Arguments& a) {
  switch (a.as_u32(0)) {
    case kPR_SET_NAME: {
      std::array<char, 16> name{};
      const auto text = XOK_LINUX_TRY(user_string(a[1]));
      std::memcpy(name.data(), text.data(), std::min<std::size_t>(text.size(), 15));
      self().comm = name;
      return 0;
    }
    case kPR_GET_NAME:
      return put(a[1], self().comm) ? 0 : -kEFAULT;
    case kPR_SET_PDEATHSIG:
    case kPR_SET_DUMPABLE:
    case kPR_SET_NO_NEW_PRIVS:
      return 0;
    case kPR_GET_DUMPABLE:
      return 1;
    default:
      return -kEINVAL;
  }
}

std::int64_t call_set_tid_address(const Arguments& a) {
  process().clear_child_tid = a[0];
  return self().pid;
}

std::int64_t call_set_robust_list(const Arguments& /*a*/) { return 0; }

std::int64_t call_sched_yield(const Arguments& /*a*/) {
  rt::yield();
  return 0;
}

std::int64_t call_sched_getaffinity(const Arguments& a) {
  const std::uint64_t mask = (std::uint64_t{1} << system_info().processors) - 1;
  if (a[1] < sizeof mask) return -kEINVAL;
  return put(a[2], mask) ? static_cast<std::int64_t>(sizeof mask) : -kEFAULT;
}

std::int64_t call_getpriority(const Arguments& a) {
  const rt::Locked locked{shared().proc_lock};
  const Proc* proc = a.as_u32(0) == 0 ? named(a.as_int(1)) : &self();
  return proc == nullptr ? -kESRCH : 20 - proc->nice;
}

std::int64_t call_setpriority(const Arguments& a) {
  const rt::Locked locked{shared().proc_lock};
  Proc* proc = a.as_u32(0) == 0 ? named(a.as_int(1)) : &self();
  if (proc == nullptr) return -kESRCH;
  const int nice = std::clamp(a.as_int(2), -20, 19);
  if (nice < proc->nice && self().euid != 0) return -kEACCES;
  proc->nice = nice;
  return 0;
}

std::int64_t call_getrusage(const Arguments& a) {
  const bool children = a.as_int(0) == -1;
  return put(a[1], usage_of(children ? self().child_cycles : run_cycles(self()))) ? 0 : -kEFAULT;
}

std::int64_t call_times(const Arguments& a) {
  const auto ticks = [](std::uint64_t cycles) {
    return static_cast<std::int64_t>(rt::cycles_to_ns(system_info().tsc_boot + cycles) /
                                     (kNanosecondsPerSecond / 100));
  };
  const Tms out{.tms_utime = ticks(run_cycles(self())),
                .tms_stime = 0,
                .tms_cutime = ticks(self().child_cycles),
                .tms_cstime = 0};
  if (a[0] != 0 && !put(a[0], out)) return -kEFAULT;
  return static_cast<std::int64_t>(rt::monotonic_ns() / (kNanosecondsPerSecond / 100));
}

}  // namespace xok::exos::linux_abi
