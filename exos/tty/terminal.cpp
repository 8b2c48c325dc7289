// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/tty/terminal.hpp"

#include <array>
#include <new>

#include "abi/exposed.hpp"
#include "exos/fd/console_files.hpp"
#include "exos/fd/operations.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"
#include "exos/vm/memory.hpp"

namespace xok::exos {
namespace {

// ioctl numbers of ioctl_tty(2).
enum Command : std::uint64_t {
  kGetAttributes = 0x5401,
  kSetAttributes = 0x5402,
  kSetAttributesDrain = 0x5403,
  kSetAttributesFlush = 0x5404,
  kSendBreak = 0x5409,
  kFlowControl = 0x540a,
  kFlush = 0x540b,
  kSetController = 0x540e,
  kGetGroup = 0x540f,
  kSetGroup = 0x5410,
  kOutputQueue = 0x5411,
  kGetWindow = 0x5413,
  kSetWindow = 0x5414,
  kInputQueue = 0x541b,
  kGetSession = 0x5429,
};

Terminal& terminal() { return shared().terminal; }

/// Sends echo that the line discipline has collected; what the port does not take stays there.
void send_echo() {
  Terminal& t = terminal();
  while (t.line.echo_pending()) {
    std::array<std::uint8_t, 256> bytes;
    const std::size_t n = t.line.drain_echo(bytes);
    if (n == 0) return;
    console_print(t.port, std::as_bytes(std::span{bytes}.first(n)));
  }
}

void raise_in_foreground(std::uint64_t signals) {
  for (int signal = 1; signals != 0; signal++, signals >>= 1)
    if ((signals & 1) != 0 && terminal().foreground > 0)
      send_group_signal(terminal().foreground, signal, {.code = kSiKernel});
}

bool is_orphaned(const Proc& proc) {
  const Proc* parent = find_proc(proc.parent);
  return parent == nullptr || parent->session != proc.session;
}

template <class T>
Outcome<std::int64_t> give(std::uint64_t address, const T& value) {
  if (!touch_writable(address, sizeof value)) return std::unexpected{Errc::Fault};
  rt::rt_user_copy(reinterpret_cast<void*>(address), &value, sizeof value);
  return 0;
}

template <class T>
Outcome<T> take(std::uint64_t address) {
  T value{};
  if (!touch_readable(address, sizeof value)) return std::unexpected{Errc::Fault};
  rt::rt_user_copy(&value, reinterpret_cast<const void*>(address), sizeof value);
  return value;
}

Outcome<std::int64_t> set_attributes(std::uint64_t command, std::uint64_t argument) {
  const Termios wanted = XOK_TRY(take<Termios>(argument));
  XOK_TRY(check_foreground(kSigTtou));
  const rt::Locked locked{shared().tty_lock};
  if (command == kSetAttributesFlush) terminal().line.flush_input();
  terminal().line.set_attributes(wanted);
  terminal().read_event++;
  return 0;
}

Outcome<std::int64_t> set_group(std::uint64_t argument) {
  const Pid group = XOK_TRY(take<Pid>(argument));
  if (group <= 0) return std::unexpected{Errc::BadArgument};
  if (terminal().session != process().proc->session) return std::unexpected{Errc::NotSupported};
  XOK_TRY(check_foreground(kSigTtou));
  const rt::Locked locked{shared().proc_lock};
  for (const Proc& proc : shared().procs) {
    if (proc.state == ProcState::Free || proc.group != group) continue;
    if (proc.session != process().proc->session) return std::unexpected{FsError::NotPermitted};
    terminal().foreground = group;
    return 0;
  }
  return std::unexpected{Errc::BadEnv};
}

Outcome<std::int64_t> become_controller(std::uint64_t argument) {
  Proc& self = *process().proc;
  Terminal& t = terminal();
  if (t.session == self.session) return 0;
  if (self.session != self.pid) return std::unexpected{FsError::NotPermitted};
  if (t.session != 0 && find_proc(t.session) != nullptr && argument != 1)
    return std::unexpected{FsError::NotPermitted};
  t.session = self.session;
  t.foreground = self.group;
  self.has_terminal = 1;
  return 0;
}

}  // namespace

void set_up_terminal(std::uint32_t port) {
  Terminal& t = terminal();
  new (&t.line) LineDiscipline;
  t.port = port;
}

void resize_terminal(std::uint16_t rows, std::uint16_t columns) {
  bool changed = false;
  {
    const rt::Locked locked{shared().tty_lock};
    changed = terminal().line.set_window_size({rows, columns, 0, 0});
  }
  if (changed) raise_in_foreground(signal_bit(kSigWinch));
}

bool pump_terminal() {
  Terminal& t = terminal();
  static std::array<std::uint8_t, 512> pending;
  static std::size_t pending_count = 0;
  for (;;) {
    if (pending_count == 0) {
      const std::int64_t n = sys::console_read(
          kCapConsole, t.port, reinterpret_cast<std::uint64_t>(pending.data()), pending.size());
      if (n <= 0) break;
      pending_count = static_cast<std::size_t>(n);
    }
    LineDiscipline::Typed typed;
    {
      const rt::Locked locked{shared().tty_lock};
      typed = t.line.input({pending.data(), pending_count}, rt::monotonic_ns());
      t.read_event++;
      t.write_event++;
    }
    send_echo();
    raise_in_foreground(typed.signals);
    pending_count -= typed.consumed;
    for (std::size_t i = 0; i < pending_count; i++) pending[i] = pending[i + typed.consumed];
    if (pending_count != 0) return false;
  }
  const volatile ConsolePortInfo& info = system_info().consoles[t.port];
  if (info.input_ended != 0 && info.available == 0 && t.hung_up == 0) {
    t.hung_up = 1;
    t.read_event++;
  }
  return true;
}

Outcome<> check_foreground(int signal) {
  const Proc& self = *process().proc;
  const Terminal& t = terminal();
  if (t.session != self.session || t.foreground == 0 || t.foreground == self.group) return {};
  const bool blocked = ((self.ignored | process().blocked) & signal_bit(signal)) != 0;
  if (blocked) {
    if (signal == kSigTtou) return {};
    return std::unexpected{Errc::BadFormat};
  }
  if (is_orphaned(self)) return std::unexpected{Errc::BadFormat};
  send_group_signal(self.group, signal, {.code = kSiKernel});
  return std::unexpected{Errc::Interrupted};
}

Outcome<std::size_t> read_terminal(OpenFile& file, std::span<std::byte> to) {
  Terminal& t = terminal();
  const std::uint64_t started = rt::monotonic_ns();
  const auto mode = (file.flags & kOpenNonBlocking) != 0 ? LineDiscipline::ReadMode::NonBlocking
                                                         : LineDiscipline::ReadMode::Blocking;
  for (;;) {
    XOK_TRY(check_foreground(kSigTtin));
    rt::WaitSet wait;
    wait.watch(t.read_event);
    wait.watch(process().proc->signal_event);
    {
      const rt::Locked locked{shared().tty_lock};
      const std::span<std::uint8_t> bytes{reinterpret_cast<std::uint8_t*>(to.data()), to.size()};
      const auto n = t.line.read(bytes, mode, started, rt::monotonic_ns());
      if (n.has_value()) {
        t.write_event++;
        return *n;
      }
      if (t.hung_up != 0) return 0;
      if (const auto deadline = t.line.read_deadline(started)) wait.deadline(*deadline);
    }
    if (mode == LineDiscipline::ReadMode::NonBlocking) return std::unexpected{Errc::WouldBlock};
    if (signal_pending()) return std::unexpected{Errc::Interrupted};
    wait.sleep();
  }
}

Outcome<std::size_t> write_terminal(OpenFile& file, std::span<const std::byte> from) {
  Terminal& t = terminal();
  constexpr std::uint32_t kToStop = 0400;
  if ((t.line.attributes().c_lflag & kToStop) != 0) XOK_TRY(check_foreground(kSigTtou));
  const std::span<const std::uint8_t> source{reinterpret_cast<const std::uint8_t*>(from.data()),
                                             from.size()};
  std::size_t done = 0;
  while (done < source.size()) {
    std::array<std::uint8_t, 512> out;
    rt::WaitSet wait;
    wait.watch(t.write_event);
    wait.watch(process().proc->signal_event);
    LineDiscipline::Written written;
    {
      const rt::Locked locked{shared().tty_lock};
      written = t.line.write_translate(source.subspan(done), out);
    }
    console_print(t.port, std::as_bytes(std::span{out}.first(written.produced)));
    done += written.consumed;
    if (written.consumed != 0) continue;
    if ((file.flags & kOpenNonBlocking) != 0 || signal_pending()) {
      if (done != 0) return done;
      return std::unexpected{signal_pending() ? Errc::Interrupted : Errc::WouldBlock};
    }
    wait.sleep();
  }
  return done;
}

std::uint32_t poll_terminal(const OpenFile& /*file*/) {
  const Terminal& t = terminal();
  std::uint32_t bits = 0;
  if (!t.line.output_stopped()) bits |= kPollOut;
  if (t.line.readable()) bits |= kPollIn;
  if (t.hung_up != 0) bits |= kPollIn | kPollHangUp;
  return bits;
}

void watch_terminal(const OpenFile& /*file*/, rt::WaitSet& wait) {
  wait.watch(terminal().read_event);
  wait.watch(terminal().write_event);
}

Outcome<std::int64_t> terminal_control(std::uint64_t command, std::uint64_t argument) {
  Terminal& t = terminal();
  switch (command) {
    case kGetAttributes:
      return give(argument, t.line.attributes());
    case kSetAttributes:
    case kSetAttributesDrain:
    case kSetAttributesFlush:
      return set_attributes(command, argument);
    case kSendBreak:
      return 0;
    case kFlowControl: {
      const rt::Locked locked{shared().tty_lock};
      if (argument == 0) t.line.stop_output();
      if (argument == 1) t.line.start_output();
      t.write_event++;
      return 0;
    }
    case kFlush: {
      const rt::Locked locked{shared().tty_lock};
      if (argument == 0 || argument == 2) t.line.flush_input();
      if (argument == 1 || argument == 2) t.line.flush_echo();
      return 0;
    }
    case kSetController:
      return become_controller(argument);
    case kGetGroup:
      if (t.session != process().proc->session) return std::unexpected{Errc::NotSupported};
      return give(argument, t.foreground);
    case kSetGroup:
      return set_group(argument);
    case kGetSession:
      if (t.session != process().proc->session) return std::unexpected{Errc::NotSupported};
      return give(argument, t.session);
    case kOutputQueue:
      return give(argument, static_cast<std::int32_t>(system_info().consoles[t.port].queued));
    case kInputQueue:
      return give(argument, static_cast<std::int32_t>(t.line.available()));
    case kGetWindow:
      return give(argument, t.line.window_size());
    case kSetWindow: {
      const auto size = XOK_TRY(take<WindowSize>(argument));
      resize_terminal(size.rows, size.columns);
      return 0;
    }
    default:
      return std::unexpected{Errc::NotSupported};
  }
}

}  // namespace xok::exos
