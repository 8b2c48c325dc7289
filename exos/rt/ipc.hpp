// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "abi/capability.hpp"
#include "abi/env.hpp"

/// Protected control transfer (kernel/core/calls_ipc.hpp) as function calls.
///
///   server   rt::serve_ipc(handle, stack_top, gate);          // then sleep, or do something else
///            rt::serve_ipc_at_rest(handle, stack_top, gate);  // or nothing else
///   client   const auto answer = rt::ipc_call(slot, server, {1, 2});
///            if (answer.result == 0) use(answer.words[0]);
namespace xok::rt {

using IpcWords = std::array<std::uint64_t, 5>;

struct IpcAnswer {
  std::int64_t result;  ///< 0, or the negative Errc of ipc_call
  EnvId from;
  IpcWords words;
};

/// Enters `callee` with `words` and waits for its answer. `slot`: the caller's, opens its gate.
IpcAnswer ipc_call(std::uint64_t slot, EnvId callee, const IpcWords& words);

/// What a transfer brought; the handler of a call leaves its answer in `words`.
struct IpcRequest {
  IpcKind kind;
  EnvId caller;  ///< by the kernel: cannot be forged
  std::uint32_t unused;
  IpcWords words;
};
using IpcHandler = void (*)(IpcRequest&);

/// From now on, whoever holds Write on `gate` may call and send. The handler runs on its own stack
/// (`stack_top`, 16-byte aligned), interrupts whatever the environment does, and is not interrupted
/// by another transfer. When it returns, the caller is answered and the environment goes on.
/// One handler for all environments of an address space.
void serve_ipc(IpcHandler handler, std::uint64_t stack_top, const Capability& gate);

/// The same for a server that does nothing else: it rests until somebody calls or sends, handles
/// that, and rests again; it is never busy, and a call of it costs a third. Does not return.
[[noreturn]] void serve_ipc_at_rest(IpcHandler handler, std::uint64_t stack_top,
                                    const Capability& gate);

/// The entries for IpcArea::entry, for those who fill it themselves; and what they call.
extern "C" void rt_ipc_entry();
extern "C" void rt_ipc_rest_entry();
extern "C" void rt_ipc(IpcRequest* request);

}  // namespace xok::rt
