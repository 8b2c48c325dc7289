// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/fs/proc_source.hpp"

namespace xok::exos {

/// What /proc shows, drawn from the shared process table and the exposed window. Has no state.
ProcSource& process_source();

}  // namespace xok::exos
