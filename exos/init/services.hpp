// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/init/job.hpp"

namespace xok::exos {

/// Starts what runs beside the job: the network service, and Cheetah if the job wants it.
void start_services(const Job& job);

}  // namespace xok::exos
