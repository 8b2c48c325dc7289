// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "kernel/core/call.hpp"

namespace xok::kernel {

using Words = std::array<std::uint64_t, 6>;
using Handler = std::int64_t (*)(Call&, const Words&);

/// By call number, generated from abi/syscalls.def; a number that is not assigned has NoSuchCall.
extern const std::array<Handler, kSyscallNumbers> kHandlers;

/// Runs the call with this number. Returns its result, or the negative Errc.
inline std::int64_t dispatch(Call& call, std::uint64_t number, const Words& arguments) {
  if (number >= kSyscallNumbers) [[unlikely]]
    return -static_cast<std::int64_t>(Errc::NoSuchCall);
  if (call.core.state(call.self).method != 0 && !allowed_in_method(number, arguments)) [[unlikely]]
    return -static_cast<std::int64_t>(Errc::Denied);
  return kHandlers[number](call, arguments);
}

}  // namespace xok::kernel
