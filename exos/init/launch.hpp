// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "base/result.hpp"
#include "exos/init/job.hpp"
#include "exos/proc/proc.hpp"

namespace xok::exos {

/// Starts the job's program: a session of its own, descriptors 0-2 on the terminal (shell) or on
/// the stream ports (batch). What cannot be started says so on the control port and exits with 127.
Result<Pid> launch_job(const Job& job);

}  // namespace xok::exos
