// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on signals.
#include "exos/linux/call.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/shared.hpp"

namespace xok::exos::linux_abi {
namespace {

Proc& self() { return *process().proc; }

bool may_signal(const Proc& to, int signal) {
  const Proc& me = self();
  if (me.euid == 0) return true;
  if (signal == kSIGCONT && to.session == me.session) return true;
  return me.euid == to.suid || me.euid == to.uid || me.uid == to.suid || me.uid == to.uid;
}

/// Sends to every process that `selects` takes and that may be signalled.
template <class Selects>
std::int64_t signal_all(int signal, Selects selects) {
  bool any = false;
  bool sent = false;
  const rt::Locked locked{shared().proc_lock};
  for (Proc& proc : shared().procs) {
    if (proc.state == ProcState::Free || !selects(proc)) continue;
    any = true;
    if (!may_signal(proc, signal)) continue;
    sent = true;
    if (signal != 0) send_signal(proc, signal, origin_of_self());
  }
  if (!any) return -kESRCH;
  return sent ? 0 : -kEPERM;
}

std::int64_t signal_one(Pid pid, int signal, std::int32_t code) {
  const rt::Locked locked{shared().proc_lock};
  Proc* to = find_proc(pid);
  if (to == nullptr) return -kESRCH;
  if (!may_signal(*to, signal)) return -kEPERM;
  SignalOrigin origin = origin_of_self();
  origin.code = code;
  if (signal != 0) send_signal(*to, signal, origin);
  return 0;
}

/// Sleeps until a signal that the mask lets through arrives.
void wait_for_signal() {
  for (;;) {
    rt::WaitSet wait;
    wait.watch(self().signal_event);
    if (signal_pending()) return;
    wait.sleep();
  }
}

}  // namespace

std::int64_t call_rt_sigaction(const Arguments& a) {
  const int signal = a.as_int(0);
  if (signal < 1 || signal > kNSIG || a[3] != sizeof(SignalSet)) return -kEINVAL;
  SignalAction& action = process().actions[static_cast<std::size_t>(signal - 1)];
  const Sigaction old{.handler = action.handler,
                      .sa_flags = action.flags,
                      .sa_restorer = action.restorer,
                      .sa_mask = action.mask};
  if (a[1] != 0) {
    Sigaction wanted{};
    if (!get(a[1], wanted)) return -kEFAULT;
    if (signal == kSIGKILL || signal == kSIGSTOP) return -kEINVAL;
    action = {.handler = wanted.handler,
              .flags = wanted.sa_flags,
              .restorer = wanted.sa_restorer,
              .mask = wanted.sa_mask & ~kNotMaskable};
    publish_dispositions();
    // What is ignored from now on is no longer pending either.
    __atomic_fetch_and(&self().pending, ~(self().ignored & signal_bit(signal)), __ATOMIC_RELAXED);
  }
  if (a[2] != 0 && !put(a[2], old)) return -kEFAULT;
  return 0;
}

std::int64_t call_rt_sigprocmask(const Arguments& a) {
  if (a[3] != sizeof(SignalSet)) return -kEINVAL;
  const SignalSet old = process().blocked;
  if (a[1] != 0) {
    SignalSet set = 0;
    if (!get(a[1], set)) return -kEFAULT;
    switch (a.as_u32(0)) {
      case kSIG_BLOCK:
        set_blocked(old | set);
        break;
      case kSIG_UNBLOCK:
        set_blocked(old & ~set);
        break;
      case kSIG_SETMASK:
        set_blocked(set);
        break;
      default:
        return -kEINVAL;
    }
  }
  if (a[2] != 0 && !put(a[2], old)) return -kEFAULT;
  return 0;
}

std::int64_t call_rt_sigreturn(const Arguments& a) { signal_return(a.registers()); }

std::int64_t call_rt_sigpending(const Arguments& a) {
  const SignalSet pending = self().pending & process().blocked;
  return put(a[0], pending) ? 0 : -kEFAULT;
}

std::int64_t call_rt_sigsuspend(const Arguments& a) {
  SignalSet mask = 0;
  if (!get(a[0], mask)) return -kEFAULT;
  Process& p = process();
  p.restore_mask = p.blocked;
  p.has_restore_mask = 1;
  set_blocked(mask);
  wait_for_signal();
  return -kEINTR;
}

std::int64_t call_pause(const Arguments& /*a*/) {
  wait_for_signal();
  return -kEINTR;
}

std::int64_t call_rt_sigtimedwait(const Arguments& a) {
  SignalSet set = 0;
  if (!get(a[0], set)) return -kEFAULT;
  std::uint64_t deadline = rt::kNoDeadline;
  if (a[2] != 0) {
    Timespec time{};
    if (!get(a[2], time)) return -kEFAULT;
    if (time.tv_nsec < 0 || time.tv_nsec >= 1'000'000'000) return -kEINVAL;
    deadline = rt::monotonic_ns() + to_ns(time);
  }
  for (;;) {
    rt::WaitSet wait;
    wait.watch(self().signal_event);
    const SignalSet ready = self().pending & set;
    if (ready != 0) {
      const int signal = __builtin_ctzll(ready) + 1;
      __atomic_fetch_and(&self().pending, ~signal_bit(signal), __ATOMIC_RELAXED);
      const SignalOrigin& origin = self().origin[static_cast<std::size_t>(signal - 1)];
      Siginfo info{};
      info.si_signo = signal;
      info.si_code = origin.code;
      info.process.si_pid = origin.pid;
      info.process.si_uid = origin.uid;
      if (a[1] != 0 && !put(a[1], info)) return -kEFAULT;
      return signal;
    }
    if (signal_pending()) return -kEINTR;
    if (rt::monotonic_ns() >= deadline) return -kEAGAIN;
    wait.deadline(deadline);
    wait.sleep();
  }
}

std::int64_t call_sigaltstack(const Arguments& a) {
  Process& p = process();
  const std::uint64_t rsp = a.registers().rsp;
  const bool on_it =
      p.alt_stack_size != 0 && rsp > p.alt_stack && rsp <= p.alt_stack + p.alt_stack_size;
  std::int32_t flags = 0;
  if (p.alt_stack_size == 0)
    flags = kSS_DISABLE;
  else if (on_it)
    flags = kSS_ONSTACK;
  const Stack old{
      .ss_sp = p.alt_stack, .ss_flags = flags, .padding = 0, .ss_size = p.alt_stack_size};
  if (a[0] != 0) {
    Stack wanted{};
    if (!get(a[0], wanted)) return -kEFAULT;
    if (on_it) return -kEPERM;
    if ((static_cast<std::uint32_t>(wanted.ss_flags) & kSS_DISABLE) != 0) {
      p.alt_stack = p.alt_stack_size = 0;
    } else {
      if (wanted.ss_size < kMINSIGSTKSZ) return -kENOMEM;
      p.alt_stack = wanted.ss_sp;
      p.alt_stack_size = wanted.ss_size;
      p.alt_stack_flags = 0;
    }
  }
  if (a[1] != 0 && !put(a[1], old)) return -kEFAULT;
  return 0;
}

std::int64_t call_kill(const Arguments& a) {
  const Pid pid = a.as_int(0);
  const int signal = a.as_int(1);
  if (signal < 0 || signal > kNSIG) return -kEINVAL;
  if (pid > 0) return signal_one(pid, signal, kSiUser);
  if (pid == -1) {
    return signal_all(
        signal, [](const Proc& proc) { return proc.pid != kInitPid && proc.pid != self().pid; });
  }
  const Pid group = pid == 0 ? self().group : -pid;
  return signal_all(signal, [group](const Proc& proc) { return proc.group == group; });
}

std::int64_t call_tkill(const Arguments& a) {
  if (a.as_int(1) < 0 || a.as_int(1) > kNSIG || a.as_int(0) <= 0) return -kEINVAL;
  return signal_one(a.as_int(0), a.as_int(1), static_cast<std::int32_t>(kSI_TKILL));
}

std::int64_t call_tgkill(const Arguments& a) {
  if (a.as_int(2) < 0 || a.as_int(2) > kNSIG || a.as_int(1) <= 0) return -kEINVAL;
  if (a.as_int(0) != a.as_int(1)) return -kESRCH;
  return signal_one(a.as_int(1), a.as_int(2), static_cast<std::int32_t>(kSI_TKILL));
}

}  // namespace xok::exos::linux_abi
