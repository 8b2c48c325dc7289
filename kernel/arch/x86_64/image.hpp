// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

/// Symbols of the linker script and of the assembly files.
// NOLINTBEGIN(bugprone-dynamic-static-initializers): these are addresses, nothing initialises them
extern "C" {
extern char kernel_physical_begin[], kernel_physical_end[];
extern char text_begin[], text_end[], rodata_begin[], rodata_end[], data_begin[], data_end[];
extern char processor_stack_end[], nmi_stack_end[], double_fault_stack_end[];
extern char machine_check_stack_end[], debug_stack_end[];
extern const std::uint64_t stack_guards[];
/// Pairs (address of an instruction, where to go on when it faults).
extern const std::uint64_t fixups_begin[], fixups_end[];
using Initializer = void (*)();
extern const Initializer init_array_begin[], init_array_end[];
}
// NOLINTEND(bugprone-dynamic-static-initializers)
