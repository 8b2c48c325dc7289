// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/proc/signals.hpp"

#include <cstring>

#include "base/byte_order.hpp"
#include "exos/linux/abi_signal.hpp"
#include "exos/linux/tracing.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/shared.hpp"
#include "exos/vm/memory.hpp"

// Sending sets a bit in the receiver's shared entry and counts up `signal_event`, which every
// blocking wait watches. The receiver looks at its bits
//   - at the end of every system call            (exos/linux/dispatch.cpp)
//   - when it gets a slice after a forced switch (exos/proc/upcalls.cpp), if it is in the program
// and so needs no kernel help. KILL and STOP are carried out by the receiver, too.
namespace xok::exos {
namespace {

namespace abi = linux_abi;

constexpr std::uint64_t kIgnoreHandler = 1;
constexpr std::uint32_t kAltStackOnStack = 1;
constexpr std::uint32_t kAltStackDisabled = 2;

constexpr std::uint64_t kVectorBytes = sizeof(rt::VectorState);

constinit bool g_frame_access = false;

/// While it lives, a frame on the program's stack is written or read.
class FrameAccess {
 public:
  FrameAccess() { set(true); }
  FrameAccess(const FrameAccess&) = delete;
  FrameAccess& operator=(const FrameAccess&) = delete;
  ~FrameAccess() { set(false); }

 private:
  /// The accesses stay between: they may fault, and the handler asks.
  static void set(bool value) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    g_frame_access = value;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
  }
};

Proc& self() { return *process().proc; }

void take_pending(int signal) {
  __atomic_fetch_and(&self().pending, ~signal_bit(signal), __ATOMIC_ACQUIRE);
}

/// Its owner takes bits away meanwhile, without the lock.
void clear_pending(Proc& to, std::uint64_t bits) {
  __atomic_fetch_and(&to.pending, ~bits, __ATOMIC_RELAXED);
}

void report_stop(int signal) {
  Proc& me = self();
  const rt::Locked locked{shared().proc_lock};
  me.state = ProcState::Stopped;
  me.wait_status = static_cast<std::uint32_t>(signal) << 8 | 0x7f;
  me.unreported = kReportStopped;
  if (Proc* parent = find_proc(me.parent)) {
    parent->child_event++;
    send_signal(*parent, kSigChld, {.code = 5, .pid = me.pid, .uid = me.uid, .status = signal});
  }
}

void stop_process(int signal) {
  Proc& me = self();
  report_stop(signal);
  for (;;) {
    rt::WaitSet wait;
    wait.watch(me.signal_event);
    if (me.state != ProcState::Stopped) return;
    if ((me.pending & signal_bit(kSigKill)) != 0) {
      me.state = ProcState::Running;
      return;
    }
    wait.sleep();
  }
}

bool is_ignored(int signal) {
  const SignalAction& action = process().actions[static_cast<std::size_t>(signal - 1)];
  if (action.handler == kIgnoreHandler) return true;
  return action.handler == 0 && (kDefaultIgnored & signal_bit(signal)) != 0;
}

[[noreturn]] void end_by_signal(int signal) {
  // RLIMIT_CORE is 0 here: "core dumped" is never said.
  exit_process(static_cast<std::uint32_t>(signal));
}

std::uint64_t handler_stack(const rt::Registers& registers, const SignalAction& action) {
  const Process& p = process();
  const bool usable = p.alt_stack_size != 0 && (p.alt_stack_flags & kAltStackDisabled) == 0;
  const bool on_it =
      usable && registers.rsp > p.alt_stack && registers.rsp <= p.alt_stack + p.alt_stack_size;
  if ((action.flags & kSaOnStack) != 0 && usable && !on_it) return p.alt_stack + p.alt_stack_size;
  return registers.rsp - abi::kRedZoneBytes;
}

void fill_context(abi::Sigcontext& to, const rt::Registers& from, const FaultReport& fault) {
  to.r8 = from.r8;
  to.r9 = from.r9;
  to.r10 = from.r10;
  to.r11 = from.r11;
  to.r12 = from.r12;
  to.r13 = from.r13;
  to.r14 = from.r14;
  to.r15 = from.r15;
  to.rdi = from.rdi;
  to.rsi = from.rsi;
  to.rbp = from.rbp;
  to.rbx = from.rbx;
  to.rdx = from.rdx;
  to.rax = from.rax;
  to.rcx = from.rcx;
  to.rsp = from.rsp;
  to.rip = from.rip;
  to.eflags = from.rflags;
  to.cs = 0x33;
  to.gs = to.fs = 0;
  to.ss = 0x2b;
  to.err = fault.error;
  to.trapno = fault.vector;
  to.oldmask = 0;
  to.cr2 = fault.vector == 14 ? fault.address : 0;
  for (std::uint64_t& word : to.reserved) word = 0;
}

/// Puts a frame on the program's stack and points the registers at the handler. `fill` writes the
/// frame's siginfo. False: the stack cannot take it.
/// Cost: 230 instructions.
template <class Fill>
bool enter_handler(rt::Registers& registers, const FaultReport& fault, const Fill& fill) {
  Process& p = process();
  SignalAction& action = p.actions[static_cast<std::size_t>(fault.signal - 1)];
  const std::uint64_t top = handler_stack(registers, action);
  const std::uint64_t vectors = (top - kVectorBytes) & ~std::uint64_t{63};
  // The handler starts as after a call: rsp is 8 off a multiple of 16.
  const std::uint64_t at = ((vectors - sizeof(abi::RtSigframe)) & ~std::uint64_t{15}) - 8;
  if (top < kVectorBytes + 4096 || top > kProgramTop) return false;
  const FrameAccess access;

  auto& frame = *reinterpret_cast<abi::RtSigframe*>(at);
  frame.return_address = action.restorer;
  fill(frame.info);
  frame.context.uc_flags = abi::kUC_FP_XSTATE | abi::kUC_SIGCONTEXT_SS | abi::kUC_STRICT_RESTORE_SS;
  frame.context.uc_link = 0;
  frame.context.uc_stack = {.ss_sp = p.alt_stack,
                            .ss_flags = static_cast<std::int32_t>(
                                p.alt_stack_size == 0                   ? kAltStackDisabled
                                : top == p.alt_stack + p.alt_stack_size ? 0
                                                                        : p.alt_stack_flags),
                            .padding = 0,
                            .ss_size = p.alt_stack_size};
  frame.context.uc_sigmask = p.has_restore_mask != 0 ? p.restore_mask : p.blocked;
  p.has_restore_mask = 0;
  fill_context(frame.context.uc_mcontext, registers, fault);
  frame.context.uc_mcontext.fpstate = vectors;
  // XSAVE leaves parts of the header untouched, XRSTOR insists that they are 0.
  auto* const header = reinterpret_cast<std::uint64_t*>(vectors + 512);
  for (std::size_t i = 0; i < 8; i++) header[i] = 0;
  rt::rt_save_vectors(reinterpret_cast<rt::VectorState*>(vectors));
  auto& software = reinterpret_cast<abi::FpState*>(vectors)->software;
  software = {.magic1 = abi::kFP_XSTATE_MAGIC1,
              .extended_size = kVectorBytes + 4,
              .xfeatures = 7,
              .xstate_size = kVectorBytes,
              .padding = {}};

  std::uint64_t mask = p.blocked | action.mask;
  if ((action.flags & kSaNoDefer) == 0) mask |= signal_bit(fault.signal);
  set_blocked(mask);
  registers.rdi = static_cast<std::uint64_t>(fault.signal);
  registers.rsi = reinterpret_cast<std::uint64_t>(&frame.info);
  registers.rdx = reinterpret_cast<std::uint64_t>(&frame.context);
  registers.rax = 0;
  registers.rip = action.handler;
  registers.rsp = at;
  registers.rflags &= ~std::uint64_t{0x500};  // direction and single-step off
  if ((action.flags & kSaResetHand) != 0) {
    action.handler = 0;
    publish_dispositions();
  }
  return true;
}

abi::Siginfo info_of(int signal, const SignalOrigin& origin) {
  abi::Siginfo info{};
  info.si_signo = signal;
  info.si_code = origin.code;
  if (signal == kSigChld) {
    info.child.si_pid = origin.pid;
    info.child.si_uid = origin.uid;
    info.child.si_status = origin.status;
  } else {
    info.process.si_pid = origin.pid;
    info.process.si_uid = origin.uid;
  }
  return info;
}

/// The system call being left either starts again or reports EINTR.
void settle_call(rt::Registers& registers, std::int64_t result, std::uint64_t call_number,
                 const SignalAction* handler) {
  if (result != kRestartCall && result != kRestartNoHand) return;
  const bool again =
      handler == nullptr || (result == kRestartCall && (handler->flags & kSaRestart) != 0);
  if (again) {
    registers.rax = call_number;
    registers.rip -= 2;
  } else {
    registers.rax = static_cast<std::uint64_t>(-4);  // EINTR
  }
}

}  // namespace

bool accesses_frame() { return g_frame_access; }

void end_by_bad_frame() {
  g_frame_access = false;
  end_by_signal(kSigSegv);
}

SignalOrigin origin_of_self() { return {.code = kSiUser, .pid = self().pid, .uid = self().uid}; }

void send_signal(Proc& to, int signal, const SignalOrigin& origin) {
  const rt::Locked locked{shared().proc_lock};
  if (to.state == ProcState::Free || to.state == ProcState::Zombie) return;
  const std::uint64_t bit = signal_bit(signal);
  if (signal == kSigCont || signal == kSigKill) {
    clear_pending(to, kStopSignals);
    if (to.state == ProcState::Stopped) {
      to.state = ProcState::Running;
      to.unreported = signal == kSigCont ? std::uint32_t{kReportContinued} : 0;
      __atomic_fetch_add(&to.signal_event, 1, __ATOMIC_RELEASE);
      if (Proc* parent = signal == kSigCont ? find_proc(to.parent) : nullptr) {
        parent->child_event++;
        send_signal(*parent, kSigChld,
                    {.code = 6, .pid = to.pid, .uid = to.uid, .status = kSigCont});
      }
    }
  }
  if ((kStopSignals & bit) != 0) clear_pending(to, signal_bit(kSigCont));
  // pid 1 is not killed by accident.
  if (to.pid == kInitPid && (to.ignored & bit) == 0 && signal != kSigChld) return;
  if ((to.ignored & bit) != 0 && (to.blocked & bit) == 0) return;
  if ((__atomic_load_n(&to.pending, __ATOMIC_RELAXED) & bit) == 0)
    to.origin[static_cast<std::size_t>(signal - 1)] = origin;
  // The bit first, release; pairs with the acquire in take_pending, and with the predicate's load
  // of the event.
  __atomic_fetch_or(&to.pending, bit, __ATOMIC_RELEASE);
  __atomic_fetch_add(&to.signal_event, 1, __ATOMIC_RELEASE);
}

int send_group_signal(Pid group, int signal, const SignalOrigin& origin) {
  const rt::Locked locked{shared().proc_lock};
  int count = 0;
  for (Proc& proc : shared().procs) {
    if (proc.state == ProcState::Free || proc.group != group) continue;
    count++;
    if (signal != 0) send_signal(proc, signal, origin);
  }
  return count;
}

void publish_dispositions() {
  std::uint64_t ignored = 0;
  for (int signal = 1; signal <= kSignalCount; signal++)
    if (is_ignored(signal)) ignored |= signal_bit(signal);
  self().ignored = ignored & ~kNotMaskable;
  const SignalAction& child = process().actions[kSigChld - 1];
  self().no_zombie = child.handler == kIgnoreHandler || (child.flags & kSaNoChildWait) != 0 ? 1 : 0;
}

void set_blocked(std::uint64_t mask) {
  process().blocked = mask & ~kNotMaskable;
  self().blocked = process().blocked;
}

void reset_handlers() {
  Process& p = process();
  for (SignalAction& action : p.actions) {
    const std::uint64_t kept = action.handler == kIgnoreHandler ? kIgnoreHandler : 0;
    action = {.handler = kept, .flags = 0, .restorer = 0, .mask = 0};
  }
  p.alt_stack = p.alt_stack_size = p.alt_stack_flags = 0;
  publish_dispositions();
}

void deliver_signals(rt::Registers& registers, std::int64_t result, std::uint64_t call_number) {
  Process& p = process();
  for (;;) {
    const std::uint64_t ready = self().pending & ~p.blocked;
    if (ready == 0) break;
    const bool kill = (ready & signal_bit(kSigKill)) != 0;
    const int signal = kill ? int{kSigKill} : __builtin_ctzll(ready) + 1;
    const SignalOrigin origin = self().origin[static_cast<std::size_t>(signal - 1)];
    take_pending(signal);
    abi::trace_signal(info_of(signal, origin));
    const SignalAction action = p.actions[static_cast<std::size_t>(signal - 1)];
    if (!kill && signal != kSigStop) {
      if (is_ignored(signal)) continue;
      if (action.handler > kIgnoreHandler) {
        settle_call(registers, result, call_number, &action);
        result = kNoCall;
        const auto fill = [&](abi::Siginfo& info) { info = info_of(signal, origin); };
        if (!enter_handler(registers, {.signal = signal}, fill)) end_by_signal(kSigSegv);
        continue;
      }
    }
    if ((kStopSignals & signal_bit(signal)) != 0) {
      stop_process(signal);
      continue;
    }
    end_by_signal(signal);
  }
  settle_call(registers, result, call_number, nullptr);
  if (p.has_restore_mask != 0) {
    p.has_restore_mask = 0;
    set_blocked(p.restore_mask);
  }
}

void deliver_fault(rt::Registers& registers, const FaultReport& fault) {
  const SignalAction& action = process().actions[static_cast<std::size_t>(fault.signal - 1)];
  const bool blocked = (process().blocked & signal_bit(fault.signal)) != 0;
  const auto fill = [&fault](abi::Siginfo& info) {
    std::memset(&info, 0, sizeof info);
    info.si_signo = fault.signal;
    info.si_code = fault.code;
    info.fault.si_addr = fault.address;
  };
  if (shared().trace_calls != 0) [[unlikely]] {
    abi::Siginfo info;
    fill(info);
    abi::trace_signal(info);
  }
  if (action.handler <= kIgnoreHandler || blocked) end_by_signal(fault.signal);
  if (!enter_handler(registers, fault, fill)) end_by_signal(kSigSegv);
}

namespace {

constexpr std::size_t kMxcsrOffset = 24;
constexpr std::size_t kComponentsOffset = 512;  // the XSAVE header: which, then what must be 0
constexpr std::uint32_t kMxcsrBits = 0xffff;
constexpr std::uint64_t kComponents = 7;

/// Puts the vector state of a signal frame back. What XRSTOR would refuse is the program's to
/// damage, not ours to fault on: a damaged state is put right in a copy.
void restore_vectors(std::uint64_t address) {
  const auto* const frame = reinterpret_cast<const std::uint8_t*>(address);
  const auto components = load<std::uint64_t>(frame + kComponentsOffset);
  const auto mxcsr = load<std::uint32_t>(frame + kMxcsrOffset);
  std::uint64_t reserved = components & ~kComponents;
  for (std::size_t i = 1; i < 8; i++)
    reserved |= load<std::uint64_t>(frame + kComponentsOffset + 8 * i);
  if (reserved == 0 && (mxcsr & ~kMxcsrBits) == 0) [[likely]] {
    rt::rt_restore_vectors(reinterpret_cast<const rt::VectorState*>(address));
    return;
  }
  rt::VectorState state;
  std::memcpy(&state, frame, sizeof state);
  std::memset(state.bytes + kComponentsOffset, 0, 64);
  const std::uint64_t kept = components & kComponents;
  std::memcpy(state.bytes + kComponentsOffset, &kept, sizeof kept);
  const std::uint32_t clean = mxcsr & kMxcsrBits;
  std::memcpy(state.bytes + kMxcsrOffset, &clean, sizeof clean);
  rt::rt_restore_vectors(&state);
}

void take_context(rt::Registers& to, const abi::Sigcontext& from) {
  to.r8 = from.r8;
  to.r9 = from.r9;
  to.r10 = from.r10;
  to.r11 = from.r11;
  to.r12 = from.r12;
  to.r13 = from.r13;
  to.r14 = from.r14;
  to.r15 = from.r15;
  to.rdi = from.rdi;
  to.rsi = from.rsi;
  to.rbp = from.rbp;
  to.rbx = from.rbx;
  to.rdx = from.rdx;
  to.rax = from.rax;
  to.rcx = from.rcx;
  to.rsp = from.rsp;
  to.rip = from.rip;
  // Only what a program may change: arithmetic flags, direction, overflow, trap, alignment, id.
  to.rflags = (from.eflags & 0x240dd5) | 0x202;
  const std::uint64_t vectors = from.fpstate;
  if (vectors == 0) return;
  if ((vectors & 63) != 0 || vectors > kProgramTop - kVectorBytes) end_by_signal(kSigSegv);
  restore_vectors(vectors);
}

}  // namespace

void signal_return(rt::Registers& registers) {
  // The handler's `ret` took the return address, so rsp is 8 above the frame.
  const std::uint64_t at = registers.rsp - 8;
  if (at > kProgramTop - sizeof(abi::RtSigframe)) end_by_signal(kSigSegv);
  Process& p = process();
  rt::Registers to;
  {
    const FrameAccess access;
    const abi::Ucontext& context = reinterpret_cast<const abi::RtSigframe*>(at)->context;
    take_context(to, context.uc_mcontext);
    set_blocked(context.uc_sigmask);
    if (context.uc_stack.ss_size != 0) {
      p.alt_stack = context.uc_stack.ss_sp;
      p.alt_stack_size = context.uc_stack.ss_size;
      p.alt_stack_flags =
          static_cast<std::uint64_t>(context.uc_stack.ss_flags) & ~std::uint64_t{kAltStackOnStack};
    }
  }
  if (signal_pending() || p.has_restore_mask != 0) deliver_signals(to, kNoCall, 0);
  rt::rt_resume(&to);
}

}  // namespace xok::exos
