// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// poll and select: waiting for several files is one wakeup predicate with a term for each.
#include <array>
#include <span>

#include "exos/fd/descriptors.hpp"
#include "exos/fd/operations.hpp"
#include "exos/linux/call.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"

namespace xok::exos::linux_abi {
namespace {

constexpr std::size_t kMaxPolled = 1024;

std::int16_t revents_of(const Pollfd& entry) {
  if (entry.fd < 0) return 0;
  const OpenFile* file = open_file(static_cast<std::uint64_t>(entry.fd));
  if (file == nullptr) return kPollInvalid;
  std::uint32_t bits = poll_file(*file);
  if ((bits & kPollIn) != 0) bits |= kPOLLRDNORM;
  if ((bits & kPollOut) != 0) bits |= kPOLLWRNORM;
  const auto wanted = static_cast<std::uint32_t>(entry.events) | kPollError | kPollHangUp;
  return static_cast<std::int16_t>(bits & wanted);
}

/// Waits until one entry is ready, the deadline passes or a signal comes. Returns how many are.
std::int64_t poll_entries(std::span<Pollfd> entries, std::uint64_t deadline_ns) {
  for (;;) {
    rt::WaitSet wait;
    wait.watch(process().proc->signal_event);
    for (const Pollfd& entry : entries) {
      const OpenFile* file =
          entry.fd < 0 ? nullptr : open_file(static_cast<std::uint64_t>(entry.fd));
      if (file != nullptr) watch_file(*file, wait);
    }
    std::int64_t ready = 0;
    for (Pollfd& entry : entries) {
      entry.revents = revents_of(entry);
      if (entry.revents != 0) ready++;
    }
    if (ready != 0) return ready;
    if (deadline_ns != rt::kNoDeadline && rt::monotonic_ns() >= deadline_ns) return 0;
    if (signal_pending()) return kRestartNoHand;
    wait.deadline(deadline_ns);
    wait.sleep();
  }
}

std::uint64_t deadline_in_ms(std::int32_t milliseconds) {
  if (milliseconds < 0) return rt::kNoDeadline;
  return rt::monotonic_ns() + static_cast<std::uint64_t>(milliseconds) * 1'000'000;
}

/// A timespec argument as a deadline. Errors  Fault, BadArgument
Outcome<std::uint64_t> deadline_of(std::uint64_t address) {
  if (address == 0) return rt::kNoDeadline;
  Timespec time{};
  if (!get(address, time)) return std::unexpected{Errc::Fault};
  if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= 1'000'000'000)
    return std::unexpected{Errc::BadArgument};
  return rt::monotonic_ns() + to_ns(time);
}

/// A temporary signal mask, put back by deliver_signals when the call ends.
void use_mask(SignalSet mask) {
  Process& p = process();
  p.restore_mask = p.blocked;
  p.has_restore_mask = 1;
  set_blocked(mask);
}

std::int64_t poll_user(std::uint64_t address, std::uint64_t count, std::uint64_t deadline_ns) {
  if (count > kMaxPolled) return -kEINVAL;
  const auto memory = XOK_LINUX_TRY(user_output(address, count * sizeof(Pollfd)));
  // The program's own array is used in place: it is touched, and nobody else runs in it.
  return poll_entries({reinterpret_cast<Pollfd*>(memory.data()), count}, deadline_ns);
}

bool bit_of(const FdSet& set, std::size_t fd) { return (set.bits[fd / 64] >> (fd % 64) & 1) != 0; }

struct SelectSets {
  FdSet read{};
  FdSet write{};
  FdSet except{};
};

bool load_set(std::uint64_t address, std::size_t bytes, FdSet& to) {
  return address == 0 || copy_in(&to, address, bytes);
}

std::int64_t select_with(const Arguments& a, std::uint64_t deadline_ns) {
  const std::int64_t count = a.as_int(0);
  if (count < 0 || count > static_cast<std::int64_t>(kFD_SETSIZE)) return -kEINVAL;
  const std::size_t bytes = (static_cast<std::size_t>(count) + 63) / 64 * 8;
  SelectSets sets;
  if (!load_set(a[1], bytes, sets.read) || !load_set(a[2], bytes, sets.write) ||
      !load_set(a[3], bytes, sets.except))
    return -kEFAULT;
  std::array<Pollfd, kMaxPolled> entries;
  std::size_t n = 0;
  for (std::size_t fd = 0; fd < static_cast<std::size_t>(count); fd++) {
    std::uint32_t events = 0;
    if (bit_of(sets.read, fd)) events |= kPollIn;
    if (bit_of(sets.write, fd)) events |= kPollOut;
    if (bit_of(sets.except, fd)) events |= kPollPriority;
    if (events == 0) continue;
    if (open_file(fd) == nullptr) return -kEBADF;
    entries[n++] = {.fd = static_cast<std::int32_t>(fd),
                    .events = static_cast<std::int16_t>(events),
                    .revents = 0};
  }
  const std::int64_t polled = poll_entries(std::span{entries}.first(n), deadline_ns);
  if (polled < 0) return polled;
  SelectSets ready;
  std::int64_t total = 0;
  const auto mark = [&total](FdSet& set, std::int32_t fd) {
    set.bits[fd / 64] |= std::uint64_t{1} << (fd % 64);
    total++;
  };
  for (const Pollfd& entry : std::span{entries}.first(n)) {
    const auto bits = static_cast<std::uint32_t>(entry.revents);
    const auto wanted = static_cast<std::uint32_t>(entry.events);
    if ((wanted & kPollIn) != 0 && (bits & (kPollIn | kPollHangUp | kPollError)) != 0)
      mark(ready.read, entry.fd);
    if ((wanted & kPollOut) != 0 && (bits & (kPollOut | kPollError)) != 0)
      mark(ready.write, entry.fd);
    if ((wanted & bits & kPollPriority) != 0) mark(ready.except, entry.fd);
  }
  const bool stored = (a[1] == 0 || copy_out(a[1], &ready.read, bytes)) &&
                      (a[2] == 0 || copy_out(a[2], &ready.write, bytes)) &&
                      (a[3] == 0 || copy_out(a[3], &ready.except, bytes));
  return stored ? total : -kEFAULT;
}

}  // namespace

std::int64_t call_poll(const Arguments& a) {
  return poll_user(a[0], a[1], deadline_in_ms(a.as_int(2)));
}

std::int64_t call_ppoll(const Arguments& a) {
  const std::uint64_t deadline = XOK_LINUX_TRY(deadline_of(a[2]));
  SignalSet mask = 0;
  if (a[3] != 0 && !get(a[3], mask)) return -kEFAULT;
  if (a[3] != 0) use_mask(mask);
  return poll_user(a[0], a[1], deadline);
}

std::int64_t call_select(const Arguments& a) {
  std::uint64_t deadline = rt::kNoDeadline;
  if (a[4] != 0) {
    Timeval time{};
    if (!get(a[4], time)) return -kEFAULT;
    if (time.tv_sec < 0 || time.tv_usec < 0) return -kEINVAL;
    deadline = rt::monotonic_ns() +
               static_cast<std::uint64_t>(time.tv_sec) * kNanosecondsPerSecond +
               static_cast<std::uint64_t>(time.tv_usec) * 1000;
  }
  return select_with(a, deadline);
}

std::int64_t call_pselect6(const Arguments& a) {
  const std::uint64_t deadline = XOK_LINUX_TRY(deadline_of(a[4]));
  if (a[5] != 0) {
    std::uint64_t argument[2] = {};  // pointer to the mask, its size
    if (!get(a[5], argument)) return -kEFAULT;
    SignalSet mask = 0;
    if (argument[0] != 0) {
      if (!get(argument[0], mask)) return -kEFAULT;
      use_mask(mask);
    }
  }
  return select_with(a, deadline);
}

}  // namespace xok::exos::linux_abi
