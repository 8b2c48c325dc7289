// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

namespace xok::kernel {

struct Core;

}  // namespace xok::kernel
