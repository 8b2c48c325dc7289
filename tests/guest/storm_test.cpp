// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Ten seconds of environments without any right of note that throw random calls with random
// arguments at the kernel, and run random bytes as code. They may die; the kernel may not, and
// afterwards it has every page back.
#include <array>

#include "tests/guest/storm.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kCode = 0x40'0000'0000;  // random bytes, executable
constexpr std::uint64_t kStack = 0x41'0000'0000;
constexpr std::uint64_t kChildUenv = 0x42'0000'0000;
constexpr std::uint64_t kScratch = 0x43'0000'0000;
constexpr std::uint64_t kSeconds = 10;
constexpr std::uint64_t kSeed = 20261121;

/// Code of a storming child: an endless loop of calls whose number and arguments come from a
/// generator of its own (rbx), a third of them near-valid. Position-independent, no stack needed.
extern "C" const char storm_begin[];
extern "C" const char storm_end[];
__asm__(R"(
        .section .rodata
        .globl storm_begin, storm_end
storm_begin:
1:      mov %rbx, %rax
        shr $12, %rax
        xor %rax, %rbx
        mov %rbx, %rax
        shl $25, %rax
        xor %rax, %rbx
        mov %rbx, %rax
        shr $27, %rax
        xor %rax, %rbx
        mov %rbx, %rdi
        mov %rbx, %rsi
        rol $13, %rsi
        mov %rbx, %rdx
        rol $29, %rdx
        mov %rbx, %r10
        rol $37, %r10
        mov %rbx, %r8
        rol $43, %r8
        mov %rbx, %r9
        rol $53, %r9
        test $1, %bl
        jz 2f
        and $31, %edi
        and $15, %edx
        mov %r12, %rsi
        and $7, %r8d
2:      test $2, %bl
        jz 3f
        mov %r12, %rdi
        and $63, %esi
        and $3, %r10d
3:      mov %rbx, %rax
        shr $40, %rax
        and $0x7f, %eax
        cmp $0x51, %eax
        je 1b
        or $0x584f0000, %eax
        syscall
        jmp 1b
storm_end:
        .text
)");

EnvId start_child(Random& random, std::uint64_t kind) {
  const std::int64_t made = sys::env_alloc(1, 0, kChildUenv);
  if (made < 0) return 0;
  const auto child = static_cast<EnvId>(made);
  std::byte* code = give_page(child, kCode, kScratch);
  if (code == nullptr) return child;
  const auto length = static_cast<std::size_t>(storm_end - storm_begin);
  if (kind % 3 == 0) {
    for (std::size_t i = 0; i < kPageSize; i++) code[i] = static_cast<std::byte>(random.next());
  } else {
    for (std::size_t i = 0; i < length; i++) code[i] = static_cast<std::byte>(storm_begin[i]);
  }
  std::byte* stack = give_page(child, kStack, kScratch);
  if (stack != nullptr)
    for (std::size_t i = 0; i < kPageSize; i++) stack[i] = static_cast<std::byte>(random.next());
  sys::pte_insert(1, 0, kScratch, kSelf);
  Context context{};
  context.rip = kind % 7 == 6 ? random.next() : kCode;
  context.rsp = kStack + kPageSize - 64;
  context.rflags = kind % 5 == 4 ? random.next() : 0x202;
  context.rbx = random.next() | 1;
  context.r12 = kStack;
  context.fs_base = kind % 11 == 10 ? random.next() : 0;
  sys::env_set_context(make_target(kRoot, child), reinterpret_cast<std::uint64_t>(&context));
  sys::slice_alloc(1, kind % system_info().processors, kAnyPosition, child);
  return child;
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  Random random{kSeed};
  print("seed ");
  print_number(kSeed);
  print("\n");
  t.equal("the children's capability", forge_storm_name(), kStormSlot);
  prepare_to_count(kScratch);
  const Counts before;
  std::array<EnvId, 8> children{};
  std::uint64_t started = 0;
  const std::uint64_t end = rt::monotonic_ns() + kSeconds * kNanosecondsPerSecond;
  while (rt::monotonic_ns() < end) {
    for (EnvId& child : children) {
      const bool old = random.next() % 16 == 0;
      if (is_alive(child) && !old) continue;
      if (child != 0) sys::env_free(make_target(kRoot, child));
      child = start_child(random, started++);
    }
    rt::sleep_until(rt::monotonic_ns() + 15'000'000);
  }
  sys::pte_insert(1, 0, kScratch, kSelf);
  print_number(static_cast<std::int64_t>(started));
  print(" environments stormed\n");
  t.holds("many environments were started", started > 50);
  all_is_back(t, before);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
