// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/power.hpp"

#include "abi/syscalls.hpp"
#include "kernel/arch/x86_64/acpi.hpp"
#include "kernel/arch/x86_64/log.hpp"
#include "kernel/arch/x86_64/registers.hpp"
#include "kernel/arch/x86_64/serial.hpp"

namespace xok::kernel::x86 {
namespace {

constinit PowerOff g_way = PowerOff::Acpi;

void debug_exit(std::uint64_t status) { out32(0x501, static_cast<std::uint32_t>(status)); }

/// An emulator takes a moment to act on the request, and the processor runs on meanwhile.
void wait_for_power_off() {
  constexpr std::uint64_t kPatienceCycles = 1'000'000'000;
  const std::uint64_t begin = read_tsc();
  while (read_tsc() - begin < kPatienceCycles) relax();
}

/// The keyboard controller's reset line, then a triple fault.
[[noreturn]] void reset() {
  out8(0x64, 0xfe);
  for (int i = 0; i < 10'000; i++) relax();
  const struct [[gnu::packed]] {
    std::uint16_t limit = 0;
    std::uint64_t base = 0;
  } none;
  asm volatile("lidt %0\n\tud2" : : "m"(none));
  halt_forever();
}

}  // namespace

void prefer_power_off(PowerOff way) { g_way = way; }

void stop_machine(std::uint64_t status) {
  disable_interrupts();
  if (status != kStopClean) print_kept_lines();
  serial().drain();
  if (status != kStopClean || g_way == PowerOff::DebugExit) debug_exit(status);
  if (acpi().power_off()) wait_for_power_off();
  debug_exit(status);
  if (status != kStopClean) halt_forever();
  reset();
}

}  // namespace xok::kernel::x86
