// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "exos/proc/proc.hpp"
#include "exos/proc/process.hpp"

/// Signals: pending sets are shared memory that senders write; everything else happens in the
/// process that receives, when it next passes through the library.
namespace xok::exos {

enum Signal : int {
  kSigHup = 1,
  kSigInt = 2,
  kSigQuit = 3,
  kSigIll = 4,
  kSigTrap = 5,
  kSigAbrt = 6,
  kSigBus = 7,
  kSigFpe = 8,
  kSigKill = 9,
  kSigSegv = 11,
  kSigPipe = 13,
  kSigAlrm = 14,
  kSigTerm = 15,
  kSigChld = 17,
  kSigCont = 18,
  kSigStop = 19,
  kSigTstp = 20,
  kSigTtin = 21,
  kSigTtou = 22,
  kSigUrg = 23,
  kSigXfsz = 25,
  kSigWinch = 28,
};

constexpr std::uint64_t signal_bit(int signal) { return std::uint64_t{1} << (signal - 1); }

inline constexpr std::uint64_t kStopSignals =
    signal_bit(kSigStop) | signal_bit(kSigTstp) | signal_bit(kSigTtin) | signal_bit(kSigTtou);
inline constexpr std::uint64_t kDefaultIgnored =
    signal_bit(kSigChld) | signal_bit(kSigCont) | signal_bit(kSigUrg) | signal_bit(kSigWinch);
inline constexpr std::uint64_t kNotMaskable = signal_bit(kSigKill) | signal_bit(kSigStop);

// sigaction flags, as Linux numbers them.
inline constexpr std::uint64_t kSaNoChildStop = 1;
inline constexpr std::uint64_t kSaNoChildWait = 2;
inline constexpr std::uint64_t kSaOnStack = 0x08000000;
inline constexpr std::uint64_t kSaRestart = 0x10000000;
inline constexpr std::uint64_t kSaNoDefer = 0x40000000;
inline constexpr std::uint64_t kSaResetHand = 0x80000000;
inline constexpr std::uint64_t kSaRestorer = 0x04000000;

// si_code values.
inline constexpr std::int32_t kSiUser = 0;
inline constexpr std::int32_t kSiKernel = 0x80;

/// Results of blocking calls that a signal cut short; never seen by the program.
inline constexpr std::int64_t kRestartCall = -512;  ///< again, unless a handler without SA_RESTART
inline constexpr std::int64_t kRestartNoHand = -514;  ///< again only if no handler ran; else EINTR

/// Makes a signal pending. Holds proc_lock itself.
void send_signal(Proc& to, int signal, const SignalOrigin& origin);
/// To every process of a group. Returns how many there are.
int send_group_signal(Pid group, int signal, const SignalOrigin& origin);
/// An origin naming this process (kill).
SignalOrigin origin_of_self();

/// Whether a signal waits that the mask lets through.
inline bool signal_pending() {
  const Process& p = process();
  return (__atomic_load_n(&p.proc->pending, __ATOMIC_RELAXED) & ~p.blocked) != 0;
}

/// Handles what is pending: runs default actions, or changes `registers` so that the program enters
/// its handler. `result`: of the system call being left, or kNoCall; restarted or turned into
/// EINTR.
inline constexpr std::int64_t kNoCall = INT64_MIN;
void deliver_signals(rt::Registers& registers, std::int64_t result, std::uint64_t call_number);

/// A fault on its way to being a signal.
struct FaultReport {
  int signal = 0;
  std::int32_t code = 0;
  std::uint64_t address = 0;
  std::uint64_t error = 0;   ///< the processor's error code
  std::uint64_t vector = 0;  ///< and its vector
};

/// A fault that the program must hear of: enters the handler, or ends the process.
void deliver_fault(rt::Registers& registers, const FaultReport& fault);

/// Whether a signal's frame is being written to, or read from, memory of the program. A fault there
/// that nothing can resolve ends the process, by end_by_bad_frame on the main stack.
bool accesses_frame();
[[noreturn]] void end_by_bad_frame();

/// rt_sigreturn: takes the registers from the frame at the program's rsp. Does not return.
[[noreturn]] void signal_return(rt::Registers& registers);

/// Recomputes the shared set of ignored signals after a change of dispositions.
void publish_dispositions();
/// Sets the mask (KILL and STOP stay deliverable).
void set_blocked(std::uint64_t mask);
/// exec: handlers go back to default.
void reset_handlers();

}  // namespace xok::exos
