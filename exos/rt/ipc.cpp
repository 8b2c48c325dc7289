// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/rt/ipc.hpp"

#include "abi/syscalls.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"

namespace xok::rt {
namespace {

constinit IpcHandler g_handler = nullptr;

void agree(IpcHandler handler, std::uint64_t stack_top, const Capability& gate, void (*entry)()) {
  g_handler = handler;
  IpcArea& area = self().ipc;
  area.stack = stack_top;
  area.gate = gate.bits();
  area.only = 0;
  area.allow =
      1u << static_cast<unsigned>(IpcKind::Call) | 1u << static_cast<unsigned>(IpcKind::Send);
  __atomic_store_n(&area.entry, reinterpret_cast<std::uint64_t>(entry), __ATOMIC_RELEASE);
}

}  // namespace

IpcAnswer ipc_call(std::uint64_t slot, EnvId callee, const IpcWords& words) {
  std::int64_t result = kSyscallBase | static_cast<std::int64_t>(SyscallNumber::ipc_call);
  std::uint64_t target = make_target(slot, callee);
  std::uint64_t rsi = words[0];
  std::uint64_t rdx = words[1];
  register std::uint64_t r10 __asm__("r10") = words[2];
  register std::uint64_t r8 __asm__("r8") = words[3];
  register std::uint64_t r9 __asm__("r9") = words[4];
  __asm__ volatile("syscall"
                   : "+a"(result), "+D"(target), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
                   :
                   : "rcx", "r11", "memory");
  return {result, static_cast<EnvId>(target), {rsi, rdx, r10, r8, r9}};
}

extern "C" void rt_ipc(IpcRequest* request) { g_handler(*request); }

void serve_ipc(IpcHandler handler, std::uint64_t stack_top, const Capability& gate) {
  agree(handler, stack_top, gate, &rt_ipc_entry);
}

void serve_ipc_at_rest(IpcHandler handler, std::uint64_t stack_top, const Capability& gate) {
  agree(handler, stack_top, gate, &rt_ipc_rest_entry);
  sys::ipc_reply(make_reply(kIpcRest, kSelf), 0, 0, 0, 0, 0);
  __builtin_trap();  // refused: there is an entry, so it cannot be
}

}  // namespace xok::rt
