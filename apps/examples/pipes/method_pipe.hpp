// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstdint>

#include "apps/examples/example.hpp"
#include "apps/examples/pipes/plain_pipe.hpp"
#include "exos/rt/method.hpp"

namespace xok::example {

/// A protected method: the ring and the code that works on it are in an address space that neither
/// side can enter but at its beginning. The kernel says who calls; the caller shows the part of its
/// memory with its buffer. So the ring is as it should be, whoever calls with whatever, and there
/// is nothing to check for either side. Both trust the code, and who made it.
///
/// A fault in the middle (a buffer that is not there) ends the call and nothing else: positions
/// change last.
enum class MethodCall : std::uint64_t { Write, Read };

struct MethodState {
  EnvId writer, reader;
  std::uint64_t head, tail;
  std::byte bytes[kRingBytes];
};
// The method's pages: code, Uenv, state, stack.
inline constexpr std::uint64_t kMethodUenv = kMethodBase + kPageSize;
inline constexpr std::uint64_t kMethodState = kMethodBase + 2 * kPageSize;
inline constexpr std::uint64_t kMethodEnd = kMethodBase + 4 * kPageSize;

/// Eight bytes at a time. Part of the method: must not become a call of anything outside it.
[[gnu::always_inline]] inline void copy_inside(std::byte* to, const std::byte* from,
                                               std::uint64_t n) {
  using Word [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;
  for (; n >= 8; n -= 8, to += 8, from += 8) {
    *reinterpret_cast<Word*>(to) = *reinterpret_cast<const Word*>(from);
    __asm__ volatile("");
  }
  for (; n > 0; n--) {
    *to++ = *from++;
    __asm__ volatile("");
  }
}

/// The method itself, entered by the kernel (abi/method.hpp). Copied to kMethodBase as it is.
[[gnu::section("pipe_method"), gnu::used, gnu::noinline, noreturn]] inline void pipe_method(
    EnvId caller, MethodCall what, std::uint64_t address, std::uint64_t /*rcx*/, std::uint64_t n,
    std::uint64_t share) {
  auto& state = *reinterpret_cast<MethodState*>(kMethodState);
  const bool writes = what == MethodCall::Write;
  std::int64_t result = -static_cast<std::int64_t>(Errc::Denied);
  if (caller == (writes ? state.writer : state.reader)) {
    const std::uint64_t used = state.head - state.tail;
    const std::uint64_t room = writes ? kRingBytes - used : used;
    n = n < room ? n : room;
    // A buffer outside what the caller shows could be our own state.
    result = -static_cast<std::int64_t>(Errc::BadArgument);
    if (address / kSlotSize == share / kSlotSize &&
        (address + n) / kSlotSize == share / kSlotSize) {
      auto* const buffer = reinterpret_cast<std::byte*>(address);
      std::uint64_t& position = writes ? state.head : state.tail;
      const std::uint64_t at = position % kRingBytes;
      const std::uint64_t first = n < kRingBytes - at ? n : kRingBytes - at;
      if (writes) {
        copy_inside(state.bytes + at, buffer, first);
        copy_inside(state.bytes, buffer + first, n - first);
      } else {
        copy_inside(buffer, state.bytes + at, first);
        copy_inside(buffer + first, state.bytes, n - first);
      }
      position += n;
      result = static_cast<std::int64_t>(n);
    }
  }
  __asm__ volatile("syscall; ud2"
                   :
                   : "a"(kSyscallBase | static_cast<std::uint64_t>(SyscallNumber::method_exit)),
                     "D"(result), "S"(0));
  __builtin_unreachable();
}
extern "C" const std::byte __start_pipe_method[];  // the linker's: the section's ends
extern "C" const std::byte __stop_pipe_method[];

/// Makes the method for two programs. `guard`: slot of what callers need; `own`: of the pages.
inline MethodId make_pipe_method(std::uint64_t guard, std::uint64_t own, EnvId writer,
                                 EnvId reader) {
  for (std::uint64_t va = kMethodBase; va < kMethodEnd; va += kPageSize)
    must(sys::pte_insert(own, va == kMethodBase ? kData & ~kPteNoExecute : kData, va, kSelf),
         "a page of the method");
  std::memcpy(reinterpret_cast<void*>(kMethodBase), __start_pipe_method,
              static_cast<std::size_t>(__stop_pipe_method - __start_pipe_method));
  auto& state = *reinterpret_cast<MethodState*>(kMethodState);
  state.writer = writer;
  state.reader = reader;
  return static_cast<MethodId>(
      must(sys::method_define(guard, own, kMethodBase, kMethodEnd, kMethodUenv), "method_define"));
}

/// Either end. `slot`: of ours, opens the method.
class MethodPipe {
 public:
  MethodPipe(std::uint64_t slot, MethodId method) : slot_{slot}, method_{method} {}

  std::int64_t write(const std::byte* from, std::size_t n) const {
    const auto address = reinterpret_cast<std::uint64_t>(from);
    return call(MethodCall::Write, address, n, page_floor(address));
  }
  std::int64_t read(std::byte* to, std::size_t n) const {
    const auto address = reinterpret_cast<std::uint64_t>(to);
    return call(MethodCall::Read, address, n, page_floor(address) | kShareWritable);
  }
  /// With any arguments. kLiar: refused, or the method is gone.
  [[nodiscard]] std::int64_t call(MethodCall what, std::uint64_t address, std::uint64_t n,
                                  std::uint64_t share) const {
    const std::int64_t result =
        rt::call_method(slot_, method_, {static_cast<std::uint64_t>(what), address, 0, n}, share)
            .result;
    return result < 0 ? kLiar : result;
  }

 private:
  std::uint64_t slot_;
  MethodId method_;
};

}  // namespace xok::example
