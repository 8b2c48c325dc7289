// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What a yield or a control transfer by the straight way (kernel/arch/x86_64/straight.S) leaves in
// the processor: nothing of one environment that the other one is not given, and everything that
// the first one is promised to find again. Each round is made often enough to be straight.
#include "exos/rt/ipc.hpp"
#include "tests/guest/child.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kGateSlot = 1;
constexpr int kRounds = 64;
const Capability kGate = Capability::make({40, 1});

/// The state that a call is made with, and what is there after it.
struct Registers {
  std::uint64_t rbx, rbp, r12, r13, r14, r15;
  std::uint64_t rdi, rsi, rdx, r10, r8, r9;
  std::uint64_t fs_base, selectors;
  std::uint64_t xmm[2];
};
static_assert(sizeof(Registers) == 128);

extern "C" {
/// syscall with that rax, rdi and rsi; everything else from `load`. Returns rax.
std::uint64_t probe_call(std::uint64_t rax, std::uint64_t rdi, std::uint64_t rsi,
                         const Registers* load, Registers* found);
/// A resting server's entry: leaves what it finds in probe_found, loads `probe_load`, and answers
/// with the words it got.
void probe_entry();
Registers probe_found;
Registers probe_load;
}

__asm__(R"(
        .macro STORE_GENERAL
        mov %rbx, 0(%rcx)
        mov %rbp, 8(%rcx)
        mov %r12, 16(%rcx)
        mov %r13, 24(%rcx)
        mov %r14, 32(%rcx)
        mov %r15, 40(%rcx)
        mov %rdi, 48(%rcx)
        mov %rsi, 56(%rcx)
        mov %rdx, 64(%rcx)
        mov %r10, 72(%rcx)
        mov %r8, 80(%rcx)
        mov %r9, 88(%rcx)
        .endm
        .pushsection .text
        .globl probe_call
probe_call:
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        push %r8
        mov %rdi, %rax
        mov %rsi, %rdi
        mov %rdx, %rsi
        mov 0(%rcx), %rbx
        mov 8(%rcx), %rbp
        mov 16(%rcx), %r12
        mov 24(%rcx), %r13
        mov 32(%rcx), %r14
        mov 40(%rcx), %r15
        mov 64(%rcx), %rdx
        mov 72(%rcx), %r10
        mov 88(%rcx), %r9
        mov 96(%rcx), %r8
        wrfsbase %r8
        mov 104(%rcx), %r8
        mov %r8d, %ds
        mov %r8d, %es
        movups 112(%rcx), %xmm0
        mov 80(%rcx), %r8
        syscall
        pop %rcx
        STORE_GENERAL
        rdfsbase %rdx
        mov %rdx, 96(%rcx)
        mov %ds, %edx
        mov %es, %esi
        or %esi, %edx
        mov %rdx, 104(%rcx)
        movups %xmm0, 112(%rcx)
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        ret

        .globl probe_entry
probe_entry:
        lea probe_found(%rip), %rcx
        STORE_GENERAL
        rdfsbase %rbx
        mov %rbx, 96(%rcx)
        mov %ds, %ebx
        mov %es, %ebp
        or %ebp, %ebx
        mov %rbx, 104(%rcx)
        movups %xmm0, 112(%rcx)
        lea probe_load(%rip), %rcx
        movups 112(%rcx), %xmm0
        mov 104(%rcx), %rbx
        mov %ebx, %ds
        mov %ebx, %es
        mov 0(%rcx), %rbx
        mov 8(%rcx), %rbp
        mov 16(%rcx), %r12
        mov 24(%rcx), %r13
        mov 32(%rcx), %r14
        mov 40(%rcx), %r15
        bts $33, %rdi                   # make_reply(kIpcRest, caller)
        mov $0x584f0027, %eax
        syscall
        ud2
        .popsection
)");

/// Values that appear nowhere else; each environment has its own `who`.
Registers secrets(std::uint64_t who) {
  const std::uint64_t base = 0x5ec2'e700'0000'0000 | who << 32;
  return {.rbx = base | 1,
          .rbp = base | 2,
          .r12 = base | 3,
          .r13 = base | 4,
          .r14 = base | 5,
          .r15 = base | 6,
          .rdi = 0,
          .rsi = base | 7,
          .rdx = base | 8,
          .r10 = base | 9,
          .r8 = base | 10,
          .r9 = base | 11,
          .fs_base = 0x1234'0000'0000 | who << 12,
          .selectors = 0x23,
          .xmm = {base | 12, base | 13}};
}

bool is_secret_of(std::uint64_t value, std::uint64_t who) {
  return value >> 32 == (0x5ec2'e700 | who);
}
/// Whether anything of the environment `who` is in there, or a kernel address.
bool leaks(const Registers& r, std::uint64_t who) {
  const auto* const words = reinterpret_cast<const std::uint64_t*>(&r);
  for (std::size_t i = 0; i < sizeof r / 8; i++)
    if (is_secret_of(words[i], who) || words[i] >> 47 == 0x1ffff) return true;
  return r.fs_base == secrets(who).fs_base || r.selectors != 0;
}
/// Whether what every call keeps is there.
bool kept(const Registers& r, const Registers& set) {
  return r.rbx == set.rbx && r.rbp == set.rbp && r.r12 == set.r12 && r.r13 == set.r13 &&
         r.r14 == set.r14 && r.r15 == set.r15 && r.fs_base == set.fs_base &&
         r.xmm[0] == set.xmm[0] && r.xmm[1] == set.xmm[1];
}

constexpr std::uint64_t number(SyscallNumber n) {
  return static_cast<std::uint64_t>(kSyscallBase) | static_cast<std::uint64_t>(n);
}

volatile EnvId g_first = 0;
volatile std::uint64_t g_leaks = 0;
volatile std::uint64_t g_losses = 0;
volatile std::uint64_t g_turns = 0;
Registers g_found;  // by the child
alignas(16) std::byte g_stack[4096];

void judge(const Registers& found, const Registers& set, std::uint64_t other) {
  if (leaks(found, other)) g_leaks = g_leaks + 1;
  if (!kept(found, set)) g_losses = g_losses + 1;
}

[[noreturn]] void yields(std::uint64_t (*to)()) {
  const Registers mine = secrets(2);
  for (;;) {
    g_turns = g_turns + 1;
    probe_call(number(SyscallNumber::yield), to(), 0, &mine, &g_found);
    judge(g_found, mine, 1);
  }
}
[[noreturn]] void yields_back() {
  yields([] { return std::uint64_t{g_first}; });
}
[[noreturn]] void yields_on() {
  yields([] { return std::uint64_t{kSelf}; });
}

/// Both sides of many yields: directed ones, or each to the next of the vector.
[[gnu::noinline]] void check_yields(Checks& t, const char* what, void (*run)(), bool directed) {
  Child child = make_child(0, Space::Own, run);
  if (!directed) sys::slice_alloc(kRoot, 0, kAnyPosition, child.id);
  const Registers mine = secrets(1);
  Registers found{};
  g_turns = 0;
  for (int i = 0; i < kRounds; i++) {
    probe_call(number(SyscallNumber::yield), directed ? child.id : kSelf, 0, &mine, &found);
    judge(found, mine, 2);
  }
  t.holds(what, g_turns >= kRounds / 2);
  end_child(child);
}

[[noreturn]] void rests() {
  IpcArea& area = rt::self().ipc;
  area.entry = reinterpret_cast<std::uint64_t>(&probe_entry);
  area.stack = reinterpret_cast<std::uint64_t>(g_stack) + sizeof g_stack;
  area.allow = 2;
  area.gate = kGate.bits();
  sys::ipc_reply(make_reply(kIpcRest, kSelf), 0, 0, 0, 0, 0);
  __builtin_trap();
}

[[gnu::noinline]] void check_transfers(Checks& t) {
  Child server = make_child(0, Space::Own, rests);
  while (rt::env_record(server.id).status != EnvStatus::Resting) sys::yield(server.id, 0);
  const Registers mine = secrets(1);
  Registers found{};
  probe_load = secrets(2);
  std::uint64_t refused = 0, wrong = 0;
  for (int i = 0; i < kRounds; i++) {
    if (probe_call(number(SyscallNumber::ipc_call), make_target(kGateSlot, server.id), 77, &mine,
                   &found) != 0)
      refused++;
    // The message is not secret: it went there, and came back.
    const auto message = [&](const Registers& r) {
      return r.rsi == 77 && r.rdx == mine.rdx && r.r10 == mine.r10 && r.r8 == mine.r8 &&
             r.r9 == mine.r9;
    };
    if (!message(found) || !message(probe_found) || found.rdi != server.id ||
        probe_found.rdi != rt::env_id())
      wrong++;
    const auto without_message = [](Registers r) {
      r.rsi = r.rdx = r.r10 = r.r8 = r.r9 = 0;
      return r;
    };
    judge(without_message(found), mine, 2);
    if (leaks(without_message(probe_found), 1)) g_leaks = g_leaks + 1;
  }
  t.equal("S3 calls of a resting server that were refused", static_cast<std::int64_t>(refused), 0);
  t.equal("S3 messages that did not arrive", static_cast<std::int64_t>(wrong), 0);
  end_child(server);
}

/// A server that rests is not entered with a capability that has gone meanwhile, nor by a name that
/// is not its own.
[[gnu::noinline]] void check_refusals(Checks& t) {
  Child server = make_child(0, Space::Own, rests);
  while (rt::env_record(server.id).status != EnvStatus::Resting) sys::yield(server.id, 0);
  probe_load = secrets(2);
  const auto call = [&](std::uint64_t slot, EnvId id) {
    return rt::ipc_call(slot, id, {1}).result;
  };
  t.refused("S3 an empty slot before anybody came", call(9, server.id), Errc::BadCapability);
  for (int i = 0; i < 3; i++) t.equal("S3 the gate's capability", call(kGateSlot, server.id), 0);
  t.refused("S3 an empty slot", call(9, server.id), Errc::BadCapability);
  t.refused("S3 no slot", call(kCapabilitySlots, server.id), Errc::BadCapability);
  t.refused("S3 another generation", call(kGateSlot, server.id + 1024), Errc::BadEnv);
  sys::cap_release(kGateSlot, kSelf);
  t.refused("S3 the slot given back", call(kGateSlot, server.id), Errc::BadCapability);
  sys::cap_forge(kRoot, kGateSlot, Capability::make({41}).bits(), kSelf);
  t.refused("S3 another capability in it", call(kGateSlot, server.id), Errc::Denied);
  const EnvId id = server.id;
  end_child(server);
  t.refused("S3 the dead", call(kGateSlot, id), Errc::BadEnv);
  t.refused("S3 a yield to the dead", sys::yield(id, 0), Errc::BadEnv);
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  g_first = rt::env_id();
  sys::cap_forge(kRoot, kGateSlot, Capability::make({40}).bits(), kSelf);
  check_yields(t, "S3 directed yields", yields_back, true);
  check_yields(t, "S3 yields to the next", yields_on, false);
  check_transfers(t);
  check_refusals(t);
  t.equal("S3 something of the other one was left", static_cast<std::int64_t>(g_leaks), 0);
  t.equal("S3 something was not found again", static_cast<std::int64_t>(g_losses), 0);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
