// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "abi/errors.hpp"
#include "abi/method.hpp"
#include "exos/rt/calls.hpp"

namespace xok::rt {

struct MethodResult {
  std::int64_t result;   ///< as the method gave it to method_exit, or the negative Errc of the call
  std::uint64_t second;  ///< likewise
};

/// Runs a protected method (kernel/core/calls_method.hpp); while somebody else is inside, helps
/// that one and tries again. `share`: see abi/method.hpp.
///
///   const auto popped = rt::call_method(slot, stack_method, {kPop});
inline MethodResult call_method(std::uint64_t slot, MethodId method,
                                const std::array<std::uint64_t, 4>& words,
                                std::uint64_t share = 0) {
  for (;;) {
    std::int64_t result = kSyscallBase | static_cast<std::int64_t>(SyscallNumber::method_call);
    std::uint64_t rdi = make_target(slot, method);
    std::uint64_t rsi = words[0];
    std::uint64_t rdx = words[1];
    register std::uint64_t r10 __asm__("r10") = words[2];
    register std::uint64_t r8 __asm__("r8") = words[3];
    register std::uint64_t r9 __asm__("r9") = share;
    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
                     :
                     : "rcx", "r11", "memory");
    if (result != -static_cast<std::int64_t>(Errc::WouldBlock)) return {result, rdx};
  }
}

}  // namespace xok::rt
