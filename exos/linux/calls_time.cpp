// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on time. The clock is read from the exposed window and the cycle counter.
#include "exos/linux/call.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/shared.hpp"

namespace xok::exos::linux_abi {
namespace {

Outcome<std::uint64_t> clock_ns(std::uint32_t clock) {
  switch (clock) {
    case kCLOCK_REALTIME:
    case kCLOCK_REALTIME_COARSE:
    case kCLOCK_TAI:
      return rt::wall_ns();
    case kCLOCK_MONOTONIC:
    case kCLOCK_MONOTONIC_RAW:
    case kCLOCK_MONOTONIC_COARSE:
    case kCLOCK_BOOTTIME:
      return rt::monotonic_ns();
    case kCLOCK_PROCESS_CPUTIME_ID:
    case kCLOCK_THREAD_CPUTIME_ID:
      return rt::cycles_to_ns(system_info().tsc_boot + run_cycles(*process().proc));
    default:
      return std::unexpected{Errc::BadArgument};
  }
}

bool valid(const Timespec& time) {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < 1'000'000'000;
}

/// Sleeps until the time (ns since boot). False: a signal came first.
bool sleep_until(std::uint64_t deadline_ns) {
  for (;;) {
    rt::WaitSet wait;
    wait.watch(process().proc->signal_event);
    if (rt::monotonic_ns() >= deadline_ns) return true;
    if (signal_pending()) return false;
    wait.deadline(deadline_ns);
    wait.sleep();
  }
}

std::int64_t sleep_relative(const Timespec& time, std::uint64_t remaining_out) {
  const std::uint64_t deadline = rt::monotonic_ns() + to_ns(time);
  if (sleep_until(deadline)) return 0;
  const std::uint64_t now = rt::monotonic_ns();
  const std::uint64_t left = deadline > now ? deadline - now : 0;
  if (remaining_out != 0 && !put(remaining_out, to_timespec(static_cast<std::int64_t>(left))))
    return -kEFAULT;
  return -kEINTR;
}

std::uint64_t to_ns(const Timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * kNanosecondsPerSecond +
         static_cast<std::uint64_t>(time.tv_usec) * 1000;
}

Timeval to_timeval(std::uint64_t ns) {
  return {.tv_sec = static_cast<std::int64_t>(ns / kNanosecondsPerSecond),
          .tv_usec = static_cast<std::int64_t>(ns % kNanosecondsPerSecond / 1000)};
}

Itimerval read_timer() {
  const Proc& proc = *process().proc;
  const std::uint64_t now = rt::monotonic_ns();
  const std::uint64_t left = proc.alarm_ns > now ? proc.alarm_ns - now : 0;
  return {.it_interval = to_timeval(proc.alarm_interval_ns),
          .it_value = to_timeval(proc.alarm_ns == 0 ? 0 : left)};
}

/// init raises the alarm: it sleeps until the earliest one of all processes.
void set_timer(std::uint64_t value_ns, std::uint64_t interval_ns) {
  Proc& proc = *process().proc;
  proc.alarm_interval_ns = interval_ns;
  proc.alarm_ns = value_ns == 0 ? 0 : rt::monotonic_ns() + value_ns;
  shared().alarm_event++;
}

}  // namespace

std::int64_t call_time(const Arguments& a) {
  const auto now = static_cast<std::int64_t>(rt::wall_ns() / kNanosecondsPerSecond);
  if (a[0] != 0 && !put(a[0], now)) return -kEFAULT;
  return now;
}

std::int64_t call_gettimeofday(const Arguments& a) {
  if (a[0] != 0 && !put(a[0], to_timeval(rt::wall_ns()))) return -kEFAULT;
  const std::int32_t zone[2] = {0, 0};
  if (a[1] != 0 && !put(a[1], zone)) return -kEFAULT;
  return 0;
}

std::int64_t call_clock_gettime(const Arguments& a) {
  const std::uint64_t ns = XOK_LINUX_TRY(clock_ns(a.as_u32(0)));
  return put(a[1], to_timespec(static_cast<std::int64_t>(ns))) ? 0 : -kEFAULT;
}

std::int64_t call_clock_getres(const Arguments& a) {
  if (const auto now = clock_ns(a.as_u32(0)); !now.has_value()) return error_number(now.error());
  const Timespec resolution{.tv_sec = 0, .tv_nsec = 1};
  return a[1] == 0 || put(a[1], resolution) ? 0 : -kEFAULT;
}

std::int64_t call_nanosleep(const Arguments& a) {
  Timespec time{};
  if (!get(a[0], time)) return -kEFAULT;
  if (!valid(time)) return -kEINVAL;
  return sleep_relative(time, a[1]);
}

std::int64_t call_clock_nanosleep(const Arguments& a) {
  Timespec time{};
  if (!get(a[2], time)) return -kEFAULT;
  if (!valid(time)) return -kEINVAL;
  const std::uint64_t now = XOK_LINUX_TRY(clock_ns(a.as_u32(0)));
  if ((a[1] & kTIMER_ABSTIME) == 0) return sleep_relative(time, a[3]);
  const std::uint64_t target = linux_abi::to_ns(time);
  if (target <= now) return 0;
  return sleep_until(rt::monotonic_ns() + (target - now)) ? 0 : -kEINTR;
}

std::int64_t call_alarm(const Arguments& a) {
  const Timeval left = read_timer().it_value;
  set_timer(std::uint64_t{a.as_u32(0)} * kNanosecondsPerSecond, 0);
  return left.tv_sec + (left.tv_usec != 0 ? 1 : 0);
}

std::int64_t call_getitimer(const Arguments& a) {
  if (a.as_u32(0) > kITIMER_PROF) return -kEINVAL;
  const Itimerval out = a.as_u32(0) == kITIMER_REAL ? read_timer() : Itimerval{};
  return put(a[1], out) ? 0 : -kEFAULT;
}

std::int64_t call_setitimer(const Arguments& a) {
  if (a.as_u32(0) != kITIMER_REAL) return a.as_u32(0) > kITIMER_PROF ? -kEINVAL : -kENOSYS;
  Itimerval wanted{};
  if (a[1] != 0 && !get(a[1], wanted)) return -kEFAULT;
  if (wanted.it_value.tv_sec < 0 || wanted.it_value.tv_usec < 0 ||
      wanted.it_value.tv_usec >= 1'000'000)
    return -kEINVAL;
  const Itimerval old = read_timer();
  set_timer(to_ns(wanted.it_value), to_ns(wanted.it_interval));
  if (a[2] != 0 && !put(a[2], old)) return -kEFAULT;
  return 0;
}

}  // namespace xok::exos::linux_abi
