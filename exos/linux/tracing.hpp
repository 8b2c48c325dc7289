// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "exos/rt/registers.hpp"

namespace xok::exos::linux_abi {

/// Makes the system call in `registers`. Returns its result, -errno, or a kRestart... value.
std::int64_t perform(rt::Registers& registers);

/// The same, with a line in strace's format about it on the trace port.
std::int64_t perform_traced(rt::Registers& registers);

}  // namespace xok::exos::linux_abi
