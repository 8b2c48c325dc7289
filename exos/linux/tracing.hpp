// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "exos/linux/abi_signal.hpp"
#include "exos/rt/registers.hpp"

namespace xok::exos::linux_abi {

/// Makes the system call in `registers`. Returns its result, -errno, or a kRestart... value.
std::int64_t perform(rt::Registers& registers);

/// The same, with a line in strace's format about it on the trace port.
std::int64_t perform_traced(rt::Registers& registers);

/// Lines about a signal that arrives and about the end of the process; nothing unless tracing.
void trace_signal(const Siginfo& info);
void trace_end(std::uint32_t wait_status);

}  // namespace xok::exos::linux_abi
