// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "abi/exposed.hpp"

/// The cycle counter, its frequency, the timer that interrupts at a given count, and the time of
/// day at boot.
namespace xok::kernel::x86 {

/// Finds the counter's frequency (processor or hypervisor leaf where there is one, otherwise 5 ms
/// against the 8254 timer), starts the timer, reads the battery clock, and fills the clock fields
/// of the exposed record.
///
/// boot_cycles  the counter when the kernel was entered
void initialize_clock(SystemInfo& info, std::uint64_t boot_cycles);

/// The timer of another processor: its own rate, measured against the cycle counter.
void start_timer_here();
/// After initialize_clock.
std::uint64_t tsc_hz();

/// One interrupt on kTimerVector at or after that count; replaces the one before.
void set_timer(std::uint64_t deadline_cycles);

}  // namespace xok::kernel::x86
