// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "abi/exposed.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/registers.hpp"
#include "exos/rt/self.hpp"

/// What the examples share: printing, ending the machine, and starting programs that they then
/// schedule, page or distrust. An example is the first environment; slot 0 holds the root
/// capability.
namespace xok::example {

inline constexpr std::uint64_t kRoot = 0;
inline constexpr std::uint64_t kData = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;
inline constexpr std::uint64_t kConstant = kPtePresent | kPteUser | kPteNoExecute;

inline void print(std::string_view text) {
  while (!text.empty()) {
    const std::int64_t n =
        sys::console_write(kRoot, 0, reinterpret_cast<std::uint64_t>(text.data()), text.size());
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// `width`: blanks go before a shorter number.
inline void print(std::uint64_t number, std::size_t width = 0) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  const auto n = static_cast<std::size_t>(end - digits);
  for (std::size_t i = n; i < width; i++) print(" ");
  print({digits, n});
}

/// Ends the machine: kStopClean when all was as it should be, else kStopFailure.
[[noreturn]] inline void stop(bool good) {
  sys::machine_stop(kRoot, good ? kStopClean : kStopFailure);
  for (;;) sys::yield(kSelf, 0);
}

/// The result of a call that cannot fail unless the example is wrong.
inline std::uint64_t must(std::int64_t result, std::string_view what) {
  if (result >= 0) return static_cast<std::uint64_t>(result);
  print(what);
  print(" failed: error ");
  print(static_cast<std::uint64_t>(-result));
  print("\n");
  stop(false);
}

/// Makes this environment's upcalls arrive: page faults at rt::rt_fault, requests for pages at
/// rt::rt_pages. A program made by `start` has it done for it.
inline void take_upcalls(Uenv& uenv, EnvId id, std::uint64_t stack_top) {
  uenv.library[rt::kSelfWord] = kInitUenvAddress;
  uenv.library[rt::kEnvIdWord] = id;
  uenv.fault_entry = reinterpret_cast<std::uint64_t>(&rt::rt_fault_entry);
  uenv.fault_stack = stack_top;
  uenv.revocation.entry = reinterpret_cast<std::uint64_t>(&rt::rt_pages_entry);
  uenv.revocation.stack = stack_top - kPageSize;
}
inline void take_upcalls() {
  alignas(kPageSize) static constinit std::uint8_t stacks[2 * kPageSize];
  take_upcalls(*reinterpret_cast<Uenv*>(kInitUenvAddress),
               reinterpret_cast<const volatile Env*>(kExposedEnvs)[1].id,
               reinterpret_cast<std::uint64_t>(stacks) + sizeof stacks);
  rt::set_gs_base(kInitUenvAddress);
}

/// Another program: an environment with an address space of its own.
struct Program {
  EnvId id;
  std::uint64_t target;  ///< for calls of ours on it
  Uenv* uenv;            ///< as we see it

  [[nodiscard]] bool alive() const {
    return rt::env_record(id).id == id && rt::env_record(id).status != EnvStatus::Dead;
  }
};

inline constexpr std::uint64_t kImage = 0x40'0000;           // apps/bare.ld: one 2 MiB stretch
inline constexpr std::uint64_t kUpcallStacks = 0x50'0000;    // of a program: two pages
inline constexpr std::uint64_t kView = 0x7d'0000'0000;       // where we fill a page of another's
inline constexpr std::uint64_t kUenvViews = 0x7d'0010'0000;  // and see its Uenv

/// A program that will run `run(argument)`, and end when that returns. It has the capability of our
/// `slot` in its slot 0 and no other; this image's code, and a copy of its data as it is now. It
/// owns no slice: give it one (slice_alloc), or some of ours (yield).
inline Program start(std::uint64_t slot, void (*run)(std::uint64_t), std::uint64_t argument) {
  static constinit std::uint64_t count = 0;
  const auto id = static_cast<EnvId>(must(sys::env_alloc(slot, 0, kInitUenvAddress), "env_alloc"));
  const std::uint64_t target = make_target(kRoot, id);
  for (std::uint64_t va = kImage; va < kImage + 512 * kPageSize; va += kPageSize) {
    const std::uint64_t entry = *reinterpret_cast<const volatile std::uint64_t*>(pte_address(va));
    if ((entry & kPtePresent) == 0) continue;
    if ((entry & kPteWritable) == 0) {
      must(sys::pte_insert(kRoot, entry, va, target), "sharing code");
      continue;
    }
    const std::uint64_t page = must(sys::pte_insert(slot, kData, va, target), "copying data");
    must(sys::pte_insert(kRoot, page << kPageShift | kData, kView, kSelf), "viewing a page");
    std::memcpy(reinterpret_cast<void*>(kView), reinterpret_cast<const void*>(va), kPageSize);
  }
  sys::pte_insert(kRoot, 0, kView, kSelf);
  for (std::uint64_t i = 1; i <= 4; i++)
    must(sys::pte_insert(slot, kData, kInitStackTop - i * kPageSize, target), "a stack");
  for (std::uint64_t i = 0; i < 2; i++)
    must(sys::pte_insert(slot, kData, kUpcallStacks + i * kPageSize, target), "upcall stacks");
  const std::uint64_t view = kUenvViews + count++ * kPageSize;
  must(sys::pte_insert(kRoot, rt::env_record(id).uenv_page << kPageShift | kData, view, kSelf),
       "viewing the Uenv");
  auto* const uenv = reinterpret_cast<Uenv*>(view);
  take_upcalls(*uenv, id, kUpcallStacks + 2 * kPageSize);
  Context context{};
  context.rip = reinterpret_cast<std::uint64_t>(
      +[](void (*entry)(std::uint64_t), std::uint64_t its_argument) {
        entry(its_argument);
        sys::env_free(kSelf);
      });
  context.rsp = kInitStackTop - 8;
  context.rdi = reinterpret_cast<std::uint64_t>(run);
  context.rsi = argument;
  context.gs_base = kInitUenvAddress;
  must(sys::env_set_context(target, reinterpret_cast<std::uint64_t>(&context)), "starting it");
  return {id, target, uenv};
}

/// A fresh page of ours at `va`, as a T.
template <class T>
volatile T* new_page(std::uint64_t va) {
  static_assert(sizeof(T) <= kPageSize);
  must(sys::pte_insert(kRoot, kData, va, kSelf), "a page");
  return reinterpret_cast<volatile T*>(va);
}

/// Shows the page that we have at `va` to a program, at the same place. `entry`: kData or
/// kConstant.
inline void share(std::uint64_t va, const Program& program, std::uint64_t entry) {
  const std::uint64_t page =
      *reinterpret_cast<const volatile std::uint64_t*>(pte_address(va)) & kPtePageMask;
  must(sys::pte_insert(kRoot, page | entry, va, program.target), "sharing a page");
}

}  // namespace xok::example
