// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A protected method on the real processor, and the attacks on it: by its callers (P1 stack, P2
// pages, P3 ending early) and by itself on its callers.
#include <array>

#include "exos/rt/method.hpp"
#include "exos/rt/wait.hpp"
#include "tests/guest/child.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kCallerSlot = 1;  // {70}: the guard
constexpr std::uint64_t kStateSlot = 2;   // {71}: the pages
constexpr std::uint64_t kPages = 4;       // text, Uenv, state, stack
constexpr std::uint64_t kState = kMethodBase + 2 * kPageSize;
constexpr std::uint64_t kWindow = 0x36'0000'0000;
constexpr std::uint64_t kText = kPtePresent | kPteWritable | kPteUser;
enum Operation : std::uint64_t { kCount, kFault, kLoop, kAttack, kLook, kStore, kSlow };

/// The method: rsi says what to do, kState holds its counter.
extern "C" const char method_begin[];
extern "C" const char method_end[];
__asm__(R"(
        .section .rodata
        .globl method_begin, method_end
method_begin:
        movabs $0x640000002000, %r12
        cmp $1, %rsi
        je 1f
        cmp $2, %rsi
        je 2f
        cmp $3, %rsi
        je 3f
        cmp $4, %rsi
        je 4f
        cmp $5, %rsi
        je 5f
        cmp $6, %rsi
        je 6f
        push %rdi
        add %rdx, (%r12)
        mov (%r12), %rax
        pop %rsi
        jmp 9f
1:      movl $1, 8
2:      jmp 2b
3:      xor %edi, %edi                  # unmap the caller's memory, take its rights, end it
        xor %esi, %esi
        mov %r9, %rdx
        xor %r10d, %r10d
        mov $0x584f0010, %eax
        syscall
        mov %rax, %r13
        xor %edi, %edi
        mov $0x584f0002, %eax
        syscall
        mov %rax, %rsi
        mov %r13, %rax
        pcmpeqd %xmm0, %xmm0            # and spoil what it can reach
        mov $-1, %rbx
        mov $-1, %rbp
        mov $-1, %r12
        mov $-1, %r14
        mov $-1, %rsp
        jmp 9f
4:      movq %xmm0, %rax                # what the caller's registers held
        or %rbx, %rax
        or %rbp, %rax
        or %r13, %rax
        or %r14, %rax
        or %r15, %rax
        jmp 9f
5:      mov %r9, %rax
        and $-2, %rax
        movq $77, (%rax)
        xor %eax, %eax
        jmp 9f
6:      mov $8000000, %ecx              # about two slices long, the state half changed meanwhile
        incq 8(%r12)
7:      dec %ecx
        jnz 7b
        incq 16(%r12)
        mov 8(%r12), %rax
        sub 16(%r12), %rax
9:      mov %rax, %rdi
        movq $0x1234567812345678, %rcx
        movq %rcx, %xmm1                # a secret left behind
        mov $0x584f0062, %eax
        syscall
        ud2
method_end:
        .text
)");

volatile MethodId g_method = 0;
volatile std::uint64_t g_loops = 0;

/// Makes the method out of four pages, whose numbers it returns.
std::array<std::uint64_t, kPages> build(Checks& t) {
  std::array<std::uint64_t, kPages> pages{};
  for (std::uint64_t i = 0; i < kPages; i++)
    pages[i] = static_cast<std::uint64_t>(
        sys::pte_insert(kStateSlot, kText, kMethodBase + i * kPageSize, kSelf));
  auto* const text = reinterpret_cast<char*>(kMethodBase);
  const auto length = static_cast<std::size_t>(method_end - method_begin);
  for (std::size_t i = 0; i < length; i++) text[i] = method_begin[i];
  const std::int64_t made =
      sys::method_define(kCallerSlot, kStateSlot, kMethodBase, kMethodBase + kPages * kPageSize,
                         kMethodBase + kPageSize);
  t.holds("a method is defined", made > 0);
  g_method = static_cast<MethodId>(made);
  return pages;
}

rt::MethodResult run_method(Operation what, std::uint64_t word = 0, std::uint64_t share = 0) {
  return rt::call_method(kCallerSlot, g_method, {what, word, 0, 0}, share);
}

/// Holds the guard's capability in slot 0; shares our address space. Runs the long operation.
[[noreturn]] void slow_caller() {
  for (;;) {
    rt::call_method(0, g_method, {kSlow, 0, 0, 0});
    g_loops = g_loops + 1;
  }
}

[[gnu::noinline]] void works(Checks& t) {
  t.equal("a call works", run_method(kCount, 5).result, 5);
  t.equal("its state stays", run_method(kCount, 2).result, 7);
  t.equal("it knows its caller", static_cast<std::int64_t>(run_method(kCount).second),
          rt::env_id());
  bool all = true;
  for (std::int64_t i = 0; i < 1000; i++) all = run_method(kCount, 1).result == 8 + i && all;
  t.holds("a thousand calls", all);
}

[[gnu::noinline]] void the_method_attacks(Checks& t) {
  std::uint64_t mine = 5;
  std::uint64_t secret = 0x5555;
  std::uint64_t after = 0;
  std::uint64_t left = 0;
  __asm__ volatile("movq %0, %%xmm0; movq %0, %%xmm1" : : "r"(secret));
  const rt::MethodResult attack = run_method(kAttack, 0, kWindow);
  __asm__ volatile("movq %%xmm0, %0; movq %%xmm1, %1" : "=r"(after), "=r"(left));
  t.refused("a method cannot unmap its caller's memory", attack.result, Errc::Denied);
  t.refused("a method cannot end its caller", static_cast<std::int64_t>(attack.second),
            Errc::Denied);
  t.equal("the caller's vector registers are kept", static_cast<std::int64_t>(after), 0x5555);
  t.equal("nothing of the method is left in them", static_cast<std::int64_t>(left), 0x5555);
  t.equal("the caller's stack is", static_cast<std::int64_t>(mine), 5);
  __asm__ volatile("movq %0, %%xmm0" : : "r"(secret));
  t.equal("it sees none of the caller's registers", run_method(kLook).result, 0);
  auto* const shared = reinterpret_cast<volatile std::uint64_t*>(kWindow);
  *shared = 1;
  t.equal("shown memory can be written", run_method(kStore, 0, kWindow | kShareWritable).result, 0);
  t.equal("and was", static_cast<std::int64_t>(*shared), 77);
  *shared = 1;
  t.refused("memory shown to read cannot", run_method(kStore, 0, kWindow).result,
            Errc::Interrupted);
  t.equal("and was not", static_cast<std::int64_t>(*shared), 1);
  t.refused("a fault in it comes back as an error", run_method(kFault).result, Errc::Interrupted);
  t.equal("it is usable after that", run_method(kCount, 1).result > 0, 1);
}

[[gnu::noinline]] void p1_stack(Checks& t) {
  // The caller's stack pointer is anything: the method has its own.
  std::int64_t result = kSyscallBase | static_cast<std::int64_t>(SyscallNumber::method_call);
  std::uint64_t rdi = make_target(kCallerSlot, g_method);
  std::uint64_t rsi = kCount;
  std::uint64_t rdx = 0;
  __asm__ volatile(
      "mov %%rsp, %%r12; mov $0x8000000000000000, %%rsp; xor %%r9d, %%r9d; syscall; mov %%r12, "
      "%%rsp"
      : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx)
      :
      : "rcx", "r8", "r9", "r10", "r11", "r12", "memory");
  t.holds("P1 a wild stack pointer does not reach the method", result > 0);
}

[[gnu::noinline]] void p2_pages(Checks& t, const std::array<std::uint64_t, kPages>& pages) {
  const std::int64_t first = run_method(kCount).result;
  sys::pte_insert(kRoot, kData, kMethodBase, kSelf);  // the same addresses in our own space
  sys::pte_insert(kRoot, kData, kState, kSelf);
  *reinterpret_cast<volatile std::uint64_t*>(kState) = 9999;
  t.equal("P2 pages at its addresses are not the method's", run_method(kCount).result, first);
  for (std::uint64_t i = 0; i < kPages; i++) {
    t.refused(
        "P2 its pages cannot be mapped without their capability",
        sys::pte_insert(kCallerSlot, pages[i] << kPageShift | kData, kWindow + kPageSize, kSelf),
        Errc::Denied);
  }
  sys::pte_insert(kRoot, 0, kMethodBase, kSelf);
  sys::pte_insert(kRoot, 0, kState, kSelf);
  Child inside = make_child(0, Space::Own, slow_caller, kCallerSlot);
  // It may be between two calls when its slice ends, or not have come to the first one.
  const auto look = [&] { return sys::env_get_context(make_target(kRoot, inside.id), kWindow); };
  for (int i = 0; i < 100 && look() == 0; i++) sys::yield(inside.id, 0);
  t.refused("P2 the registers of who is inside are not shown", look(), Errc::Busy);
  t.refused("P2 nor set", sys::env_set_context(make_target(kRoot, inside.id), kWindow), Errc::Busy);
  while (is_alive(inside.id)) sys::env_free(make_target(kRoot, inside.id));
  end_child(inside);
}

[[gnu::noinline]] void p3_early_end(Checks& t) {
  bool whole = true;
  for (int i = 0; i < 3; i++) {
    Child caller = make_child(0, Space::Own, slow_caller, kCallerSlot);
    sys::yield(caller.id, 0);  // it is in the middle when this slice ends
    while (is_alive(caller.id)) sys::env_free(make_target(kRoot, caller.id));
    whole = whole && run_method(kSlow).result == 0;
    end_child(caller);
  }
  t.holds("P3 callers that are killed inside leave the state whole", whole);
  Child caller = make_child(0, Space::Own, slow_caller, kCallerSlot);
  sys::yield(caller.id, 0);
  t.holds("P3 who has no slice and is inside is helped", run_method(kCount, 1).result > 0);
  while (is_alive(caller.id)) sys::env_free(make_target(kRoot, caller.id));
  end_child(caller);
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  sys::cap_forge(kRoot, kCallerSlot, Capability::make({70}).bits(), kSelf);
  sys::cap_forge(kRoot, kStateSlot, Capability::make({71}).bits(), kSelf);
  sys::pte_insert(kRoot, kData, kWindow, kSelf);
  const auto pages = build(t);
  t.refused("the stretch is empty after it",
            sys::method_define(kCallerSlot, kStateSlot, kMethodBase, kMethodBase + kPageSize,
                               kMethodBase),
            Errc::NotFound);
  works(t);
  the_method_attacks(t);
  p1_stack(t);
  p2_pages(t, pages);
  p3_early_end(t);
  t.equal("it is deleted", sys::method_delete(kCallerSlot, g_method), 0);
  t.refused("and gone", run_method(kCount).result, Errc::NotFound);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
