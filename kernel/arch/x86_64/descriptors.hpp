// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

namespace xok::kernel::x86 {

/// Segments, the task segment with its stacks, the interrupt table, and the system-call registers
/// of this processor. After it every exception is caught.
/// Context  once per processor, with features on (features.hpp)
void install_descriptors();

}  // namespace xok::kernel::x86
