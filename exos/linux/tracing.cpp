// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/linux/tracing.hpp"

#include <array>
#include <charconv>

#include "exos/fd/console_files.hpp"
#include "exos/linux/call.hpp"
#include "exos/linux/trace.hpp"
#include "exos/proc/signals.hpp"
#include "exos/shared.hpp"

namespace xok::exos::linux_abi {
namespace {

std::size_t read_user(void* /*context*/, std::uint64_t address,
                      std::span<std::uint8_t> destination) {
  if (address >= kProgramTop) return 0;
  const std::uint64_t room = kProgramTop - address;
  const std::size_t n = destination.size() < room ? destination.size() : room;
  return n - rt::rt_user_copy(destination.data(), reinterpret_cast<const void*>(address), n);
}

/// "[pid    12] " in front of each line, as strace -f does.
void print_line(std::string_view line) {
  std::array<char, trace::kLineBytes + 32> text;
  const std::string_view open = "[pid ";
  std::size_t n = 0;
  for (const char c : open) text[n++] = c;
  std::array<char, 12> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), process().proc->pid).ptr;
  const auto length = static_cast<std::size_t>(end - digits.data());
  for (std::size_t i = length; i < 5; i++) text[n++] = ' ';
  for (std::size_t i = 0; i < length; i++) text[n++] = digits[i];
  text[n++] = ']';
  text[n++] = ' ';
  for (const char c : line) text[n++] = c;
  console_print(shared().trace_port, std::as_bytes(std::span{text}.first(n)));
}

/// Calls that do not come back to the caller's code here.
bool never_returns(std::uint64_t number) {
  switch (static_cast<Call>(number)) {
    case Call::exit:
    case Call::exit_group:
    case Call::rt_sigreturn:
    case Call::execve:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::int64_t perform_traced(rt::Registers& registers) {
  std::array<char, trace::kLineBytes> line;
  const std::uint64_t number = registers.rax;
  trace::CallTrace call{{.read = &read_user, .context = nullptr}, line};
  call.begin(static_cast<std::uint32_t>(number), {registers.rdi, registers.rsi, registers.rdx,
                                                  registers.r10, registers.r8, registers.r9});
  if (never_returns(number)) {
    print_line(call.finish_without_result());
    return perform(registers);
  }
  const std::int64_t result = perform(registers);
  const bool restart = result == kRestartCall || result == kRestartNoHand;
  print_line(restart ? call.finish_without_result() : call.finish(result));
  return result;
}

void trace_signal(const Siginfo& info) {
  if (shared().trace_calls == 0) return;
  std::array<char, 256> line;
  print_line(trace::signal_line(line, info));
}

void trace_end(std::uint32_t wait_status) {
  if (shared().trace_calls == 0) return;
  std::array<char, 64> line;
  print_line(trace::end_line(line, wait_status));
}

}  // namespace xok::exos::linux_abi
