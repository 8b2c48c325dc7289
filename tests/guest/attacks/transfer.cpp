// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Attacks on protected control transfer. The attacker is a child with the capability {77} alone.
#include "exos/rt/ipc.hpp"
#include "exos/rt/wait.hpp"
#include "tests/guest/child.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kGateSlot = 1;
constexpr std::uint64_t kAttackSlot = 2;
constexpr std::uint64_t kHandlerStackBytes = 8192;
const Capability kGate = Capability::make({40, 1});

alignas(16) std::byte g_handler_stack[kHandlerStackBytes];
volatile EnvId g_victim = 0;
volatile std::uint64_t g_requests = 0;
volatile std::uint64_t g_accepted = 0;
volatile std::uint64_t g_done = 0;

void handle(rt::IpcRequest& request) {
  g_requests = g_requests + 1;
  request.words[0] = request.caller;
}

[[noreturn]] void server() {
  rt::serve_ipc(handle, reinterpret_cast<std::uint64_t>(g_handler_stack) + kHandlerStackBytes,
                kGate);
  for (;;) rt::sleep_until(rt::monotonic_ns() + 3'600'000'000'000);
}

[[noreturn]] void stop_here() {
  g_done = 1;
  for (;;) sys::yield(kSelf, 0);
}

/// Names every slot, and many that do not exist; makes itself the gate's capability; replies to
/// whoever might wait.
[[noreturn]] void forger() {
  const EnvId victim = g_victim;
  sys::cap_forge(0, 5, kGate.bits(), kSelf);
  sys::cap_forge(0, 6, kRootCapability.bits(), kSelf);
  std::uint64_t state = 88172645463325252u;
  for (std::uint64_t i = 0; i < 100'000; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const std::uint64_t slot = i < 64 ? i : state >> 32;
    if (sys::ipc_call(slot << 32 | victim, i, i, i, i, i) == 0) g_accepted = g_accepted + 1;
    if (sys::ipc_send(slot << 32 | victim, i, i, i, i, i) == 0) g_accepted = g_accepted + 1;
    if (sys::ipc_reply(victim, i, i, i, i, i) == 0) g_accepted = g_accepted + 1;
  }
  stop_here();
}

/// Calls the victim, to be killed while it waits.
[[noreturn]] void dying_caller() {
  g_done = 1;
  for (;;) sys::ipc_call(make_target(0, g_victim), 1, 2, 3, 4, 5);
}

void wait_for_the_attack(const Child& attacker) {
  while (g_done == 0 && is_alive(attacker.id)) sys::yield(attacker.id, 0);
}

[[gnu::noinline]] void c1_forged_slots(Checks& t) {
  g_done = 0;
  Child attacker = make_child(1, Space::Own, forger, kAttackSlot);
  sys::slice_alloc(kRoot, 0, kAnyPosition, attacker.id);
  wait_for_the_attack(attacker);
  t.equal("C1 no transfer without the gate is accepted", static_cast<std::int64_t>(g_accepted), 0);
  t.equal("C1 the victim was never entered", static_cast<std::int64_t>(g_requests), 0);
  end_child(attacker);
}

[[gnu::noinline]] void p3_callers_that_die(Checks& t) {
  bool sane = true;
  for (std::uint64_t round = 0; round < 50; round++) {
    g_done = 0;
    Child attacker = make_child(1, Space::Own, dying_caller, kGateSlot);
    sys::yield(attacker.id, 0);  // it calls, the victim replies, and so on until its slice ends
    sys::env_free(make_target(kRoot, attacker.id));
    const rt::IpcAnswer answer = rt::ipc_call(kGateSlot, g_victim, {1});
    // It may have been killed in the middle: then the victim first finishes by its own slice.
    if (answer.result == -static_cast<std::int64_t>(Errc::WouldBlock)) {
      while (rt::ipc_call(kGateSlot, g_victim, {1}).result != 0) sys::yield(g_victim, 0);
    } else {
      sane = sane && answer.result == 0 && answer.words[0] == rt::env_id();
    }
    end_child(attacker);
  }
  t.holds("P3 callers that die in a call leave the callee sane", sane);
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  sys::cap_forge(kRoot, kGateSlot, kGate.bits(), kSelf);
  sys::cap_forge(kRoot, kAttackSlot, Capability::make({77}).bits(), kSelf);
  Child victim = make_child(0, Space::Own, server);
  sys::slice_alloc(kRoot, 0, kAnyPosition, victim.id);
  g_victim = victim.id;
  for (int i = 0; i < 100 && victim.uenv->ipc.entry == 0; i++) sys::yield(victim.id, 0);
  c1_forged_slots(t);
  p3_callers_that_die(t);
  t.holds("the victim lives", is_alive(victim.id));
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
