// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "abi/capability.hpp"
#include "abi/env.hpp"
#include "abi/region.hpp"
#include "abi/syscalls.hpp"

/// One function per kernel call, made from abi/syscalls.def: `sys::pte_insert(cap, pte, va,
/// target)`. Results are the kernel's: >= 0, or -Errc.
namespace xok::sys {

using CapSlot = std::uint64_t;
using EnvFlags = std::uint64_t;
using UserAddr = std::uint64_t;
using Target = std::uint64_t;
using CapBits = std::uint64_t;
using Pte = std::uint64_t;
using PteBits = std::uint64_t;
using PageIndex = std::uint64_t;
using Count = std::uint64_t;
using YieldFlags = std::uint64_t;
using Word = std::uint64_t;
using ReplyTo = std::uint64_t;
using xok::EnvId;
using xok::RegionId;

namespace detail {

template <std::uint64_t Number, class Signature>
struct Stub;

/// Loads the arguments where the kernel looks for them: rdi rsi rdx r10 r8 r9.
template <std::uint64_t Number, class... Arguments>
struct Stub<Number, std::int64_t(Arguments...)> {
  [[gnu::always_inline]] static inline std::int64_t call(Arguments... arguments) {
    // A call that gives the processor away comes back with the caller-saved registers destroyed.
    std::uint64_t words[6] = {static_cast<std::uint64_t>(arguments)...};
    std::int64_t result = static_cast<std::int64_t>(kSyscallBase | Number);
    register std::uint64_t r10 __asm__("r10") = words[3];
    register std::uint64_t r8 __asm__("r8") = words[4];
    register std::uint64_t r9 __asm__("r9") = words[5];
    if constexpr (sizeof...(Arguments) <= 3) {
      __asm__ volatile("syscall"
                       : "+a"(result), "+D"(words[0]), "+S"(words[1]), "+d"(words[2])
                       :
                       : "rcx", "r8", "r9", "r10", "r11", "memory");
    } else {
      __asm__ volatile("syscall"
                       : "+a"(result), "+D"(words[0]), "+S"(words[1]), "+d"(words[2]), "+r"(r10),
                         "+r"(r8), "+r"(r9)
                       :
                       : "rcx", "r11", "memory");
    }
    return result;
  }
};

}  // namespace detail

#define XOK_SYSCALL(number, name, user_memory, arguments) \
  inline constexpr auto name = &detail::Stub<number, std::int64_t arguments>::call;
#include "abi/syscalls.def"
#undef XOK_SYSCALL

}  // namespace xok::sys
