// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/core/kernel.hpp"

/// Vectors, and what runs when they come. All handlers run with interrupts off and the kernel's
/// lock held; the local APIC is acknowledged after the handler.
namespace xok::kernel::x86 {

using InterruptHandler = void (*)(void* argument);

inline constexpr std::uint8_t kTimerVector = 0x30;
inline constexpr std::uint8_t kFirstDeviceVector = 0x31;
inline constexpr std::uint8_t kLastDeviceVector = 0xef;
inline constexpr std::uint8_t kRequestVector = 0xf0;  ///< another processor asks (processors.hpp)
inline constexpr std::uint8_t kWakeVector = 0xf1;     ///< there is work for an idle processor
inline constexpr std::uint8_t kSpuriousVector = 0xff;

/// Edge or level, as the I/O APIC wants to know it.
enum class Trigger : std::uint8_t { EdgeHigh, EdgeLow, LevelHigh, LevelLow };

/// A vector of its own for a device's messages or line. Nothing when all are taken.
std::optional<std::uint8_t> allocate_vector(InterruptHandler handler, void* argument);

/// Runs `handler` at each interrupt of a line, after the line's earlier handlers. `gsi` is the
/// global interrupt number. False: no I/O APIC has that line, or no vector is left.
bool register_line(std::uint32_t gsi, Trigger trigger, InterruptHandler handler, void* argument);

/// Who is told of the timer and of device interrupts.
void attach_kernel(Kernel& kernel);

/// Serves one interrupt: the timer, or a device's handler followed by Kernel::wake.
void handle_interrupt(std::uint8_t vector, Cpu& cpu);

/// Work at each timer tick besides the kernel's (polling of devices without an interrupt).
void set_tick_handler(InterruptHandler handler, void* argument);

}  // namespace xok::kernel::x86
