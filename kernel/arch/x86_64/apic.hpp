// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

/// The local APIC of this processor, by memory (xAPIC) or by registers (x2APIC) as the firmware
/// left it; and the old interrupt controllers, which are silenced.
/// Source: Intel SDM volume 3, chapter 11.
namespace xok::kernel::x86 {

/// Switches the APIC on with every local source masked. False: it cannot be mapped.
bool initialize_apic();
/// The same for another processor: in the first one's form.
void start_apic_here();
void acknowledge_interrupt();
/// This processor's number for interrupt messages (8 bits in xAPIC form).
std::uint32_t apic_id();

// -- Messages to other processors.

/// Interrupts one. What was written to memory before is visible to its handler.
void send_interrupt(std::uint32_t apic, std::uint8_t vector);
/// Resets one, then lets it run at `page` * 4096 in real mode.
void send_init(std::uint32_t apic);
void send_startup(std::uint32_t apic, std::uint8_t page);

// -- Its timer.

/// Counts down from the largest value, for calibration; `apic_timer_count` reads it.
void start_apic_timer_free();
std::uint32_t apic_timer_count();
/// Interrupts on kTimerVector: at a deadline of the cycle counter ...
void use_tsc_deadline();
/// ... or one shot after `count` steps.
void use_apic_one_shot();
void set_apic_count(std::uint32_t count);

}  // namespace xok::kernel::x86
