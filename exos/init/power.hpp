// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

namespace xok::exos {

/// Asks init to end everything and switch the machine off. Any process whose user is root.
void request_power_off();

}  // namespace xok::exos
