// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The smallest program for Xok: no library OS, just an environment and the kernel.
//
// It runs as the first environment of the machine, so slot 0 of its capability list holds the root
// capability. It prints on console port 0 (the serial line), reads the exposed window to see what
// machine this is - memory that the kernel shows everybody, no call needed - and switches off.
#include <charconv>
#include <string_view>

#include "abi/exposed.hpp"
#include "exos/rt/calls.hpp"

namespace {

constexpr std::uint64_t kRoot = 0;

void print(std::string_view text) {
  xok::sys::console_write(kRoot, 0, reinterpret_cast<std::uint64_t>(text.data()), text.size());
}

void print(std::uint64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  print(std::string_view{digits, static_cast<std::size_t>(end - digits)});
}

}  // namespace

/// Where the run-time's start.S brings us, with the boot bundle mapped at the first argument.
extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  const xok::SystemInfo& info = xok::system_info();
  print("hello from a bare environment\n");
  print("pages free: ");
  print(info.free_pages);
  print(" of ");
  print(info.usable_pages);
  print("\n");
  // Any page of memory can be asked for by its number; 0 lets the kernel choose.
  const std::int64_t page = xok::sys::pte_insert(
      kRoot, xok::kPtePresent | xok::kPteWritable | xok::kPteUser, 0x10'0000'0000, xok::kSelf);
  print("the kernel gave page ");
  print(static_cast<std::uint64_t>(page));
  print("\n");
  xok::sys::machine_stop(kRoot, xok::kStopClean);
  for (;;) xok::sys::yield(xok::kSelf, 0);
}
