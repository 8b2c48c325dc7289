// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

#include "abi/layout.hpp"

/// Protected methods: code and state that others may run but neither see nor change
/// (kernel/core/calls_method.hpp).
///
/// A method lives in an address space of its own, which holds the 2 MiB from kMethodBase and,
/// during a call, one top-level slot (512 GiB) of its caller's at its usual addresses: the one that
/// the caller names. Its text, state, stack and Uenv are the pages that its maker mapped there
/// before method_define, which takes them out of the maker's own space.
///
/// At entry rdi = the caller's EnvId, rsi rdx r10 r8 = its words, r9 = its `share` word, rax =
/// Capability::bits() of the slot it named, gs base = the method's Uenv; the other registers,
/// vectors included, are clean. Its upcalls are those of its own Uenv, whose depth words the kernel
/// clears. Of the capabilities only the method's own is there, in slot 0. It may make the calls
/// null_call, yield (not to sleep), region_read, region_write, message_send, packet_send,
/// console_write, console_read, entropy_read and method_exit; others are Denied.
namespace xok {

inline constexpr unsigned kMethodSlot = 200;
inline constexpr std::uint64_t kMethodBase = kMethodSlot * kSlotSize;  // 0x640000000000
inline constexpr std::uint64_t kMethodBytes = std::uint64_t{2} << 20;
inline constexpr std::size_t kMaxMethods = 64;

/// Names a method: (generation << 6) | index. A stale id is refused.
using MethodId = std::uint32_t;

/// The `share` word of method_call: an address in the slot to show the method, perhaps with this
/// bit; without it the method cannot write there. 0: show nothing.
inline constexpr std::uint64_t kShareWritable = 1;

/// What env_free returns for an environment inside a method: it will end when it leaves that.
inline constexpr std::int64_t kEndsLater = 1;

}  // namespace xok
