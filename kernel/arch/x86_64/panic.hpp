// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "kernel/arch/x86_64/traps.hpp"

/// The end of a kernel that found itself wrong: one line `KERNEL PANIC: ...`, registers, a
/// backtrace with function names, the last log lines when the boot was quiet; then QEMU is stopped
/// with debug-exit value 2, and any other machine halts so that the report stays readable.
namespace xok::kernel::x86 {

[[noreturn]] void panic(const char* reason);
[[noreturn]] void panic_with_frame(const TrapFrame& frame);

/// Makes failed checks (base/check.hpp) panics.
void catch_failed_checks();

/// For the tests of the above (command-line words `panic_test`, `stack_overflow_test`).
[[noreturn]] void panic_on_purpose();
[[noreturn]] void overflow_stack_on_purpose();

}  // namespace xok::kernel::x86
