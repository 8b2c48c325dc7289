// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// futex: waiting for a word of the program's to change. The wait is a wakeup predicate over the
// word itself, so that whoever changes it wakes the waiter, and FUTEX_WAKE has nothing left to do.
#include "exos/linux/call.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/vm/memory.hpp"

namespace xok::exos::linux_abi {
namespace {

constexpr std::uint32_t kOperationMask = kFUTEX_PRIVATE_FLAG - 1;

/// The end of a wait. FUTEX_WAIT's time is relative, FUTEX_WAIT_BITSET's is absolute.
Outcome<std::uint64_t> deadline_of(std::uint64_t address, std::uint32_t operation) {
  if (address == 0) return rt::kNoDeadline;
  Timespec time{};
  if (!get(address, time)) return std::unexpected{Errc::Fault};
  if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= 1'000'000'000)
    return std::unexpected{Errc::BadArgument};
  const std::uint64_t ns = to_ns(time);
  const std::uint64_t now = rt::monotonic_ns();
  if ((operation & kOperationMask) == kFUTEX_WAIT) return now + ns;
  if ((operation & kFUTEX_CLOCK_REALTIME) == 0) return ns;
  const std::uint64_t wall = rt::wall_ns();
  return ns > wall ? now + (ns - wall) : now;
}

std::int64_t wait_for_change(std::uint64_t address, std::uint32_t seen, std::uint64_t deadline) {
  const auto& word = *reinterpret_cast<const volatile std::uint32_t*>(address);
  for (;;) {
    if (word != seen) return 0;
    if (signal_pending()) return kRestartCall;
    if (deadline != rt::kNoDeadline && rt::monotonic_ns() >= deadline) return -kETIMEDOUT;
    rt::WaitSet wait;
    wait.watch(process().proc->signal_event);
    wait.watch32(word, seen);
    wait.deadline(deadline);
    wait.sleep();
  }
}

}  // namespace

std::int64_t call_futex(const Arguments& a) {
  const std::uint64_t address = a[0];
  const std::uint32_t operation = a.as_u32(1);
  if (address % sizeof(std::uint32_t) != 0) return -kEINVAL;
  switch (operation & kOperationMask) {
    case kFUTEX_WAKE:
    case kFUTEX_WAKE_BITSET:
      return touch_readable(address, sizeof(std::uint32_t)) ? 0 : -kEFAULT;
    case kFUTEX_WAIT:
    case kFUTEX_WAIT_BITSET: {
      if (!touch_readable(address, sizeof(std::uint32_t))) return -kEFAULT;
      const std::uint64_t deadline = XOK_LINUX_TRY(deadline_of(a[3], operation));
      if (*reinterpret_cast<const volatile std::uint32_t*>(address) != a.as_u32(2)) return -kEAGAIN;
      return wait_for_change(address, a.as_u32(2), deadline);
    }
    default:
      return -kENOSYS;
  }
}

}  // namespace xok::exos::linux_abi
