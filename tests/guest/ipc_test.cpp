// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Protected control transfer on the real processor: registers and blocks arrive, the interrupted
// program never notices, deaths on either side leave the other one sane.
#include "exos/rt/ipc.hpp"

#include "exos/rt/wait.hpp"
#include "tests/guest/child.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kGateSlot = 1;
constexpr std::uint64_t kHandlerStackBytes = 8192;
const Capability kGate = Capability::make({40, 1});

alignas(16) std::byte g_handler_stack[kHandlerStackBytes];
volatile std::uint64_t g_requests = 0;
volatile std::uint64_t g_wrong = 0;   // the interrupted program saw a changed register
volatile std::uint64_t g_rounds = 0;  // of the interrupted program
enum Request : std::uint64_t { kAdd = 1, kDie, kSlow };

void handle(rt::IpcRequest& request) {
  g_requests = g_requests + 1;
  switch (request.words[0]) {
    case kAdd:
      request.words[0] = request.words[1] + request.words[2];
      request.words[1] = request.caller;
      rt::self().ipc.out[0] = rt::self().ipc.in[0] + 1;
      rt::self().ipc.out_words = rt::self().ipc.in_words;
      break;
    case kDie:
      __asm__ volatile("movl $1, 8");
      break;
    default: {  // longer than its caller's slice
      const std::uint64_t end = rt::monotonic_ns() + 35'000'000;
      while (rt::monotonic_ns() < end) continue;
      request.words[0] = 5;
    }
  }
}

void start_serving() {
  rt::serve_ipc(handle, reinterpret_cast<std::uint64_t>(g_handler_stack) + kHandlerStackBytes,
                kGate);
}

[[noreturn]] void sleeping_server() {
  start_serving();
  for (;;) rt::sleep_until(rt::monotonic_ns() + 3'600'000'000'000);
}

/// Serves, and meanwhile computes with every register and vector register it has.
[[noreturn]] void busy_server() {
  start_serving();
  for (;;) {
    std::uint64_t good = 0;
    __asm__ volatile(R"(
        mov $0x1111, %%rcx
        mov $0x2222, %%rdx
        mov $0x3333, %%rsi
        mov $0x4444, %%rdi
        mov $0x5555, %%r8
        mov $0x6666, %%r9
        mov $0x7777, %%r10
        mov $0x8888, %%r11
        mov $0x9999, %%r12
        movq %%r12, %%xmm0
        mov $20000, %%eax
1:      dec %%eax
        jnz 1b
        xor %%ebx, %%ebx
        cmp $0x1111, %%rcx
        jne 2f
        cmp $0x2222, %%rdx
        jne 2f
        cmp $0x3333, %%rsi
        jne 2f
        cmp $0x4444, %%rdi
        jne 2f
        cmp $0x5555, %%r8
        jne 2f
        cmp $0x6666, %%r9
        jne 2f
        cmp $0x7777, %%r10
        jne 2f
        cmp $0x8888, %%r11
        jne 2f
        cmp $0x9999, %%r12
        jne 2f
        movq %%xmm0, %%rcx
        cmp $0x9999, %%rcx
        jne 2f
        inc %%ebx
2:      )"
                     : "=b"(good)
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "cc",
                       "memory");
    if (good != 1) g_wrong = g_wrong + 1;
    g_rounds = g_rounds + 1;
  }
}

/// Lets a child run until it serves.
void let_start(const Child& child) {
  for (int i = 0; i < 100 && child.uenv->ipc.entry == 0; i++) sys::yield(child.id, 0);
}

std::int64_t add(const Child& server, std::uint64_t a, std::uint64_t b, std::int64_t& error) {
  const rt::IpcAnswer answer = rt::ipc_call(kGateSlot, server.id, {kAdd, a, b});
  error = answer.result;
  return static_cast<std::int64_t>(answer.words[0]);
}

[[gnu::noinline]] void calls(Checks& t, Space space) {
  Child server = make_child(0, space, sleeping_server);
  let_start(server);
  while (rt::env_record(server.id).status != EnvStatus::Sleeping) sys::yield(server.id, 0);
  std::int64_t error = 0;
  Uenv& mine = rt::self();
  mine.ipc.out_words = 1;
  mine.ipc.out[0] = 70;
  const rt::IpcAnswer answer = rt::ipc_call(kGateSlot, server.id, {kAdd, 30, 12});
  t.equal("a call succeeds", answer.result, 0);
  t.equal("the words are answered", static_cast<std::int64_t>(answer.words[0]), 42);
  t.equal("the callee knows who called", static_cast<std::int64_t>(answer.words[1]), rt::env_id());
  t.equal("the caller knows who answered", answer.from, server.id);
  t.equal("a block comes back", static_cast<std::int64_t>(mine.ipc.in[0]), 71);
  mine.ipc.out_words = 0;
  bool all = true;
  for (std::uint64_t i = 0; i < 1000; i++)
    all = add(server, i, i, error) == static_cast<std::int64_t>(2 * i) && all;
  t.holds("a thousand calls of a sleeper without a slice", all);
  t.equal("it sleeps again", static_cast<std::int64_t>(rt::env_record(server.id).status),
          static_cast<std::int64_t>(EnvStatus::Sleeping));
  const std::uint64_t before = g_requests;
  t.equal("a send", sys::ipc_send(make_target(kGateSlot, server.id), kAdd, 1, 2, 0, 0), 0);
  // A slice may have ended in the middle of it.
  while (is_alive(server.id) && (g_requests == before || server.uenv->ipc.busy != 0))
    sys::yield(server.id, 0);
  t.equal("a send is handled", static_cast<std::int64_t>(g_requests - before), 1);
  t.equal("a call that lasts three slices",
          static_cast<std::int64_t>(rt::ipc_call(kGateSlot, server.id, {kSlow}).words[0]), 5);
  end_child(server);
}

[[gnu::noinline]] void interruptions(Checks& t) {
  Child server = make_child(0, Space::Own, busy_server);
  sys::slice_alloc(kRoot, 0, kAnyPosition, server.id);
  let_start(server);
  std::int64_t error = 0;
  bool all = true;
  for (std::uint64_t i = 0; i < 30; i++) {
    for (std::uint64_t k = 0; k < 20; k++)
      all = add(server, i, k, error) == static_cast<std::int64_t>(i + k) && all;
    const std::uint64_t end = rt::monotonic_ns() + 3'000'000;  // somewhere else in our slice
    while (rt::monotonic_ns() < end) continue;
    sys::yield(kSelf, 0);
  }
  t.holds("a busy server answers", all);
  t.holds("it gets on with its own work", g_rounds > 10);
  t.equal("which never notices", static_cast<std::int64_t>(g_wrong), 0);
  end_child(server);
}

[[gnu::noinline]] void deaths(Checks& t) {
  Child server = make_child(0, Space::Own, sleeping_server);
  let_start(server);
  t.refused("the callee dies in the call", rt::ipc_call(kGateSlot, server.id, {kDie}).result,
            Errc::BadEnv);
  t.holds("it is dead", !is_alive(server.id));
  t.refused("and stays it", rt::ipc_call(kGateSlot, server.id, {kAdd}).result, Errc::BadEnv);
  end_child(server);
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  t.equal("the gate's capability", sys::cap_forge(kRoot, kGateSlot, kGate.bits(), kSelf),
          kGateSlot);
  // Tables and our predicate's page are made before we count.
  Child first = make_child(0, Space::Ours, sleeping_server);
  end_child(first);
  rt::sleep_until(rt::monotonic_ns() + 1'000'000);
  const std::uint64_t free_before = system_info().free_pages;
  calls(t, Space::Ours);
  calls(t, Space::Own);
  interruptions(t);
  deaths(t);
  t.equal("every page is back", static_cast<std::int64_t>(system_info().free_pages),
          static_cast<std::int64_t>(free_before));
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
