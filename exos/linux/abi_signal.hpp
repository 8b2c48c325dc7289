// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

namespace xok::exos::linux_abi {

/// A set of signals: signal n is bit n-1.
using SignalSet = std::uint64_t;
inline constexpr int kNSIG = 64;
constexpr SignalSet signal_bit(int signal) { return SignalSet{1} << (signal - 1); }

/// rt_sigaction(2): the kernel's structure; the C library's is ordered otherwise.
struct Sigaction {
  std::uint64_t handler;  ///< kSIG_DFL, kSIG_IGN or an address
  std::uint64_t sa_flags;
  std::uint64_t sa_restorer;  ///< called when the handler returns; x86-64 requires it
  SignalSet sa_mask;
};
static_assert(sizeof(Sigaction) == 32 && offsetof(Sigaction, sa_mask) == 24);

/// sigaltstack(2).
struct Stack {
  std::uint64_t ss_sp;
  std::int32_t ss_flags;
  std::uint32_t padding;
  std::uint64_t ss_size;
};
static_assert(sizeof(Stack) == 24 && offsetof(Stack, ss_size) == 16);

/// What a handler installed with SA_SIGINFO is told. Which member of the union is valid follows
/// from the signal and its code.
struct Siginfo {
  struct FromProcess {  ///< kill, sigqueue
    std::int32_t si_pid;
    std::uint32_t si_uid;
    std::uint64_t si_value;
  };
  struct FromChild {  ///< SIGCHLD
    std::int32_t si_pid;
    std::uint32_t si_uid;
    std::int32_t si_status;
    std::uint32_t padding;
    std::int64_t si_utime;  ///< clock ticks
    std::int64_t si_stime;
  };
  struct FromFault {  ///< SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP
    std::uint64_t si_addr;
    std::int16_t si_addr_lsb;
  };
  struct FromPoll {  ///< SIGIO
    std::int64_t si_band;
    std::int32_t si_fd;
  };

  std::int32_t si_signo;
  std::int32_t si_errno;
  std::int32_t si_code;
  std::int32_t padding;
  union {
    FromProcess process;
    FromChild child;
    FromFault fault;
    FromPoll poll;
    std::uint8_t bytes[112];
  };
};
static_assert(sizeof(Siginfo) == 128 && offsetof(Siginfo, child) == 16 &&
              offsetof(Siginfo::FromChild, si_utime) == 16);

/// The registers in a signal frame (uc_mcontext); fpstate is an address, 0 when there is none.
struct Sigcontext {
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
  std::uint64_t eflags;
  std::uint16_t cs, gs, fs, ss;
  std::uint64_t err;     ///< error code of the fault
  std::uint64_t trapno;  ///< vector of the fault
  SignalSet oldmask;
  std::uint64_t cr2;
  std::uint64_t fpstate;  ///< a FpState (legacy or extended), aligned to 64
  std::uint64_t reserved[8];
};
static_assert(sizeof(Sigcontext) == 256 && offsetof(Sigcontext, rip) == 128 &&
              offsetof(Sigcontext, cs) == 144 && offsetof(Sigcontext, fpstate) == 184);

struct Ucontext {
  std::uint64_t uc_flags;  ///< kUC_...
  std::uint64_t uc_link;
  Stack uc_stack;
  Sigcontext uc_mcontext;
  SignalSet uc_sigmask;
};
static_assert(sizeof(Ucontext) == 304 && offsetof(Ucontext, uc_mcontext) == 40 &&
              offsetof(Ucontext, uc_sigmask) == 296);

inline constexpr std::uint64_t kUC_FP_XSTATE = 1;          ///< fpstate is extended
inline constexpr std::uint64_t kUC_SIGCONTEXT_SS = 2;      ///< ss is saved
inline constexpr std::uint64_t kUC_STRICT_RESTORE_SS = 4;  ///< ss is restored

/// What follows the legacy 512 bytes of FXSAVE when the state is extended: the software bytes at
/// 464 say so, and kFP_XSTATE_MAGIC2 stands behind `extended_size - 4`.
struct FpSoftware {
  std::uint32_t magic1;         ///< kFP_XSTATE_MAGIC1
  std::uint32_t extended_size;  ///< bytes of the whole area, the closing magic included
  std::uint64_t xfeatures;      ///< the components that are saved
  std::uint32_t xstate_size;    ///< bytes that XSAVE wrote
  std::uint32_t padding[7];
};
static_assert(sizeof(FpSoftware) == 48);

inline constexpr std::uint32_t kFP_XSTATE_MAGIC1 = 0x46505853;
inline constexpr std::uint32_t kFP_XSTATE_MAGIC2 = 0x46505845;

struct FpState {
  std::uint16_t cwd, swd, twd, fop;
  std::uint64_t rip, rdp;
  std::uint32_t mxcsr, mxcsr_mask;
  std::uint8_t st[128];
  std::uint8_t xmm[256];
  std::uint8_t reserved[48];
  FpSoftware software;
};
static_assert(sizeof(FpState) == 512 && offsetof(FpState, software) == 464);

/// What lies on the stack when a handler starts: rsp points at `return_address` (the restorer),
/// rdi = signal, rsi = &info, rdx = &context. rsp + 8 is aligned to 16, and the red zone of the
/// interrupted code (128 bytes) lies above. rt_sigreturn finds the frame at rsp - 8.
struct RtSigframe {
  std::uint64_t return_address;
  Ucontext context;
  Siginfo info;
};
static_assert(sizeof(RtSigframe) == 440 && offsetof(RtSigframe, info) == 312);

inline constexpr std::size_t kRedZoneBytes = 128;
inline constexpr std::size_t kMINSIGSTKSZ = 2048;

}  // namespace xok::exos::linux_abi
