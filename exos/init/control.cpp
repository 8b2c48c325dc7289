// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/init/control.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <span>

#include "abi/exposed.hpp"
#include "exos/fd/console_files.hpp"
#include "exos/layout.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/calls.hpp"
#include "exos/shared.hpp"
#include "exos/tty/terminal.hpp"

namespace xok::exos {
namespace {

std::array<char, 128> g_line;
std::size_t g_length = 0;

/// The number at the front of `text`, which loses it and the blanks around it; -1: none.
int take_number(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  int value = -1;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{}) return -1;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return value;
}

void carry_out(std::string_view line, Pid job) {
  constexpr std::string_view kWindow = "winsize ";
  constexpr std::string_view kSignal = "signal ";
  if (line.starts_with(kWindow)) {
    line.remove_prefix(kWindow.size());
    const int rows = take_number(line);
    const int columns = take_number(line);
    if (rows > 0 && rows < 10000 && columns > 0 && columns < 10000)
      resize_terminal(static_cast<std::uint16_t>(rows), static_cast<std::uint16_t>(columns));
  } else if (line.starts_with(kSignal)) {
    line.remove_prefix(kSignal.size());
    const int signal = take_number(line);
    const Pid foreground = shared().terminal.foreground;
    if (signal > 0 && signal <= kSignalCount)
      send_group_signal(foreground != 0 ? foreground : job, signal, {.code = kSiKernel});
  }
}

}  // namespace

bool port_present(std::uint32_t port) { return system_info().consoles[port].present != 0; }

void send_control(std::string_view word, std::string_view rest) {
  if (!port_present(kControlPort)) return;
  const auto print = [](std::string_view text) {
    console_print(kControlPort, std::as_bytes(std::span{text.data(), text.size()}));
  };
  print(word);
  if (!rest.empty()) {
    print(" ");
    print(rest);
  }
  print("\n");
}

void send_exit_status(std::uint32_t wait_status) {
  const std::uint32_t signal = wait_status & 0x7f;
  const std::uint32_t status = signal != 0 ? 128 + signal : wait_status >> 8 & 0xff;
  std::array<char, 8> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), status).ptr;
  send_control("exit", {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void pump_control(Pid job) {
  if (!port_present(kControlPort)) return;
  for (;;) {
    char byte = 0;
    const std::int64_t n =
        sys::console_read(kCapConsole, kControlPort, reinterpret_cast<std::uint64_t>(&byte), 1);
    if (n <= 0) return;
    if (byte == '\n') {
      carry_out({g_line.data(), g_length}, job);
      g_length = 0;
    } else if (g_length < g_line.size()) {
      g_line[g_length++] = byte;
    }
  }
}

}  // namespace xok::exos
