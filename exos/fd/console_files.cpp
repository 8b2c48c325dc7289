// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fd/console_files.hpp"

#include "abi/exposed.hpp"
#include "exos/fd/operations.hpp"
#include "exos/layout.hpp"
#include "exos/proc/process.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"

namespace xok::exos {
namespace {

const volatile ConsolePortInfo& info(std::uint32_t port) { return system_info().consoles[port]; }

bool ended(std::uint32_t port) { return info(port).input_ended != 0 && info(port).available == 0; }

Outcome<> wait_for(rt::WaitSet& wait) {
  wait.watch(process().proc->signal_event);
  if (signal_pending()) return std::unexpected{Errc::Interrupted};
  wait.sleep();
  return {};
}

std::int64_t put(std::uint32_t port, std::span<const std::byte> bytes) {
  return sys::console_write(kCapConsole, port, reinterpret_cast<std::uint64_t>(bytes.data()),
                            bytes.size());
}

}  // namespace

Outcome<std::size_t> read_console(OpenFile& file, std::span<std::byte> to) {
  for (;;) {
    rt::WaitSet wait;
    wait.watch(info(file.device).received);
    const bool at_end = ended(file.device);
    const std::int64_t n = sys::console_read(kCapConsole, file.device,
                                             reinterpret_cast<std::uint64_t>(to.data()), to.size());
    if (n > 0 || to.empty() || at_end) return n > 0 ? static_cast<std::size_t>(n) : 0;
    if (n < 0 && n != -static_cast<std::int64_t>(Errc::WouldBlock))
      return std::unexpected{static_cast<Errc>(-n)};
    if ((file.flags & kOpenNonBlocking) != 0) return std::unexpected{Errc::WouldBlock};
    XOK_TRY(wait_for(wait));
  }
}

Outcome<std::size_t> write_console(OpenFile& file, std::span<const std::byte> from) {
  std::size_t done = 0;
  while (done < from.size()) {
    rt::WaitSet wait;
    wait.watch(info(file.device).sent);
    const std::int64_t n = put(file.device, from.subspan(done));
    if (n > 0) {
      done += static_cast<std::size_t>(n);
      continue;
    }
    if (n < 0 && n != -static_cast<std::int64_t>(Errc::WouldBlock))
      return std::unexpected{static_cast<Errc>(-n)};
    if ((file.flags & kOpenNonBlocking) != 0) {
      if (done != 0) return done;
      return std::unexpected{Errc::WouldBlock};
    }
    if (auto waited = wait_for(wait); !waited.has_value()) {
      if (done != 0) return done;
      return std::unexpected{waited.error()};
    }
  }
  return done;
}

std::uint32_t poll_console(const OpenFile& file) {
  std::uint32_t bits = kPollOut;
  if (info(file.device).available != 0) bits |= kPollIn;
  if (ended(file.device)) bits |= kPollIn | kPollHangUp;
  return bits;
}

void watch_console(const OpenFile& file, rt::WaitSet& wait) {
  wait.watch(info(file.device).received);
  wait.watch(info(file.device).sent);
}

void console_print(std::uint32_t port, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    rt::WaitSet wait;
    wait.watch(info(port).sent);
    const std::int64_t n = put(port, bytes);
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    } else if (n == -static_cast<std::int64_t>(Errc::WouldBlock)) {
      wait.sleep();
    } else {
      return;
    }
  }
}

void console_flush(std::uint32_t port) {
  const std::uint64_t give_up = rt::monotonic_ns() + 2 * kNanosecondsPerSecond;
  while (info(port).queued != 0 && rt::monotonic_ns() < give_up) {
    rt::WaitSet wait;
    wait.watch(info(port).sent);
    wait.deadline(give_up);
    if (info(port).queued == 0) return;
    wait.sleep();
  }
}

}  // namespace xok::exos
