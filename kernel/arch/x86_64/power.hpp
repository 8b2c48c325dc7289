// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

namespace xok::kernel::x86 {

/// debug-exit value of a kernel failure (docs/formats/boot.md); 0 and 1 are in abi/syscalls.hpp.
inline constexpr std::uint64_t kStopPanic = 2;

/// Which way off is tried first for a clean stop.
enum class PowerOff : std::uint8_t {
  Acpi,       ///< the default: what a machine has
  DebugExit,  ///< command-line word `debug_exit`: QEMU then reports 2 * status + 1
};
void prefer_power_off(PowerOff way);

/// Ends the machine, when the serial line has sent all: by ACPI, by QEMU's debug-exit port 0x501 (a
/// failure always tries that first, for ACPI reports no status). Where nothing turns it off, a
/// clean stop resets it; after a failure it stands still: what the console says stays to be read,
/// and it does not start over and over.
[[noreturn]] void stop_machine(std::uint64_t status);

}  // namespace xok::kernel::x86
