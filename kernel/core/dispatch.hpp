// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "kernel/core/call.hpp"

namespace xok::kernel {

/// Runs the call with this number; generated from abi/syscalls.def. Returns its result, or the
/// negative Errc (NoSuchCall for a number that is not assigned).
std::int64_t dispatch(Call& call, std::uint64_t number,
                      const std::array<std::uint64_t, 6>& arguments);

}  // namespace xok::kernel
