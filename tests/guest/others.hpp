// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "exos/rt/wait.hpp"
#include "tests/guest/check.hpp"

/// Environments on other processors. The first environment runs on processor 0; its text and data
/// (all below 512 GiB) are shared with the others by table_share, or as threads.
namespace xok::guest {

inline constexpr std::uint64_t kEntry = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;
inline constexpr std::uint64_t kUenvs = 0x100'0000'0000;       // of the others, one page each
inline constexpr std::uint64_t kUenvViews = 0x7000'0000'0000;  // where we see them
inline constexpr std::uint64_t kPatience = 20 * kNanosecondsPerSecond;
inline constexpr std::size_t kOthers = kMaxProcessors;

/// Words that several processors use, a cache line each.
struct alignas(64) Word {
  std::uint64_t value = 0;
  std::uint64_t load() const { return __atomic_load_n(&value, __ATOMIC_ACQUIRE); }
  void store(std::uint64_t to) { __atomic_store_n(&value, to, __ATOMIC_RELEASE); }
  void add(std::uint64_t n) { __atomic_fetch_add(&value, n, __ATOMIC_ACQ_REL); }
};
alignas(16) inline std::array<std::array<std::byte, 8192>, kOthers> g_stacks;
/// What an attacker, or a spinning thread, counts.
inline Word g_written;

/// Writes to r12 + 1 pages (a power of two) from rdi in turn. rsi: counter of completed writes,
/// rbx: next value. At a fault it goes on with the next page.
extern "C" const char attack[];
extern "C" const char attack_fault[];
__asm__(R"(
        .text
        .globl attack, attack_fault
attack: mov %rbx, %r8
        and %r12, %r8
        shl $12, %r8
        mov %rbx, (%rdi,%r8)
        incq (%rsi)
        inc %rbx
        jmp attack
attack_fault:
        movq $0, %gs:32
        inc %rbx
        jmp attack
)");
static_assert(offsetof(Uenv, fault_depth) == 32);

template <class Condition>
bool soon(const Condition& condition) {
  const std::uint64_t end = rt::monotonic_ns() + kPatience;
  while (!condition()) {
    if (rt::monotonic_ns() > end) return false;
    __builtin_ia32_pause();
  }
  return true;
}

/// An environment on `processor` that starts at `entry`; `share`: in our address space.
inline EnvId start(std::uint64_t processor, std::uint64_t entry, Context context, bool share) {
  const std::uint64_t uenv = kUenvs + processor * kPageSize;
  const std::int64_t made = sys::env_alloc(kRoot, share ? kShareAddressSpace : 0, uenv);
  if (made <= 0) return 0;
  const auto id = static_cast<EnvId>(made);
  const std::uint64_t target = make_target(kRoot, id);
  if (!share) sys::table_share(0, 3, kSelf, target);
  const std::uint64_t view = kUenvViews + processor * kPageSize;
  const std::uint64_t page = rt::env_record(id).uenv_page;
  sys::pte_insert(kRoot, page << kPageShift | kEntry, view, kSelf);
  auto& record = *reinterpret_cast<Uenv*>(view);
  record.library[rt::kSelfWord] = uenv;
  record.library[rt::kEnvIdWord] = id;
  record.fault_entry = reinterpret_cast<std::uint64_t>(attack_fault);
  sys::pte_insert(kRoot, 0, view, kSelf);
  context.rip = entry;
  context.gs_base = uenv;
  context.rsp = reinterpret_cast<std::uint64_t>(&g_stacks[processor].back()) - 7 - 8;
  sys::env_set_context(target, reinterpret_cast<std::uint64_t>(&context));
  sys::slice_alloc(kRoot, processor, kAnyPosition, id);
  return id;
}

inline EnvId start(std::uint64_t processor, void (*entry)(std::uint64_t), bool share) {
  Context context{};
  context.rdi = processor;
  return start(processor, reinterpret_cast<std::uint64_t>(entry), context, share);
}

/// A thread's Uenv page stays mapped in its address space, which is ours.
inline std::int64_t end(EnvId id) {
  const std::uint64_t uenv = rt::env_record(id).uenv_address;
  const std::int64_t result = sys::env_free(make_target(kRoot, id));
  sys::pte_insert(kRoot, 0, uenv, kSelf);
  return result;
}

/// Waits for `n` more writes: then the attacker has the translations of n / 2 pages.
inline bool written_again(std::uint64_t n = 2) {
  const std::uint64_t seen = g_written.load();
  return soon([&] { return g_written.load() >= seen + n; });
}

/// Tables that stay are made before pages are counted.
inline void make_tables(std::initializer_list<std::uint64_t> addresses) {
  for (const std::uint64_t va : addresses) {
    sys::pte_insert(kRoot, kEntry, va, kSelf);
    sys::pte_insert(kRoot, 0, va, kSelf);
  }
}

}  // namespace xok::guest
