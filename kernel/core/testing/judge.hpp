// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <string>

#include "kernel/core/testing/snapshot.hpp"
#include "kernel/core/testing/step.hpp"

namespace xok::kernel::testing {

/// The oracle: whether every change from `before` to `after` is granted by a capability that the
/// caller held. Written apart from the kernel's own checks, from the documentation.
/// Returns "" or what is not granted.
std::string judge(const Snapshot& before, const Snapshot& after, const Step& step);

}  // namespace xok::kernel::testing
