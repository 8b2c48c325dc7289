// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "kernel/arch/x86_64/interrupts.hpp"

/// The I/O APICs: interrupt lines by global number.
/// Source: Intel 82093AA data sheet.
namespace xok::kernel::x86 {

/// Adds a controller whose first line is `first_gsi`, all lines masked.
void add_io_apic(std::uint64_t physical, std::uint32_t first_gsi);
[[nodiscard]] bool io_apic_has(std::uint32_t gsi);
/// Sends a line to this processor. The line exists.
void io_apic_route(std::uint32_t gsi, std::uint8_t vector, Trigger trigger);

}  // namespace xok::kernel::x86
