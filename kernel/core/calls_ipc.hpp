// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls for protected control transfer. The callee's side is IpcArea in abi/env.hpp.
namespace xok::kernel::calls {

/// Enters another environment at its agreed entry and waits for its reply. The callee gets the rest
/// of this slice, and the caller's later slices until it replies.
///
/// callee   (slot << 32) | EnvId. The slot's capability must give Write on the callee's gate; the
///          callee finds the caller's id in rdi and the capability in its Uenv
/// a to e   the message, registers rsi rdx r10 r8 r9 at the callee's entry. With it go the words of
///          the caller's Uenv::ipc.out: all of them are there before the callee runs, or none
/// Returns  0; rdi = the callee's id and rsi rdx r10 r8 r9 = the words of the reply, a block in the
///          caller's Uenv::ipc.in. The other caller-saved registers are destroyed
/// Errors   BadArgument    inside a batch; the caller itself
///          BadEnv         stale, free, dead; or it died before it replied
///          BadCapability  the slot
///          Denied         no entry, not allowed for calls, another caller than `only`, or the
///                         capability does not give Write on the gate (also when that is not valid)
///          WouldBlock     the callee is not ready: busy, in a critical section or a fault handler,
///                         waiting for a reply itself, or never started
///          TooBig         more than kIpcBlockWords words
///          The order of these is the order of the checks.
/// Waits for ever if the callee never replies: call only whom you trust with your time (env_free
///          and env_set_context by a holder of the caller's capability end the wait)
/// Cost     with the switch 93 instructions in the kernel, and 77 for the answer, if the callee
///          rests, has been called with this capability since it agreed, no block is sent and there
///          is one processor (straight.S); otherwise about 800, and 9 more for each block word
/// Source   thesis ch. 3 and 9; original sys/kern/ipc.c (IPC-1 to 3). differs: a capability decides
CallResult ipc_call(Call& call, Target callee, Word a, Word b, Word c, Word d, Word e);

/// Enters another environment at its agreed entry and does not wait: the callee gets the rest of
/// this slice; the caller goes on in its next one. When this slice is already over, the callee runs
/// in its own next one. Arguments as ipc_call.
///
/// Returns  0; the caller-saved registers are destroyed
/// Errors   as ipc_call; Denied if not allowed for sends
/// Cost     as ipc_call
CallResult ipc_send(Call& call, Target callee, Word a, Word b, Word c, Word d, Word e);

/// Answers an environment that waits for the caller, which gets the rest of this slice; or ends
/// the handling of a transfer; or both.
///
/// caller   (flags << 32) | EnvId. An id needs no capability: being waited for is the right, and it
///          is good for one reply. 0: nobody is answered.
///          flags: kIpcDone: everything that the last entry destroyed is put back from
///          Uenv::ipc.save, `busy` is cleared, and the sleep that it interrupted goes on.
///          kIpcRest: the environment rests until the next transfer (IpcArea). With 0 as the caller
///          it agrees to what its IpcArea says now; with an id the last agreement goes on
/// a to e   the words, and Uenv::ipc.out the block, as ipc_call
/// Returns  without a flag 0, when the caller of this has the processor again; with one, does not
/// Errors   BadArgument  inside a batch; unknown flags, or both; neither an id nor a flag; kIpcDone
///                       and the saved rip is no user address; kIpcRest and the entry is none, or
///                       there is no agreement to go on
///          BadEnv       the id is stale, free, dead;  NotFound  it does not wait for the caller;
///          or
///                       kIpcDone outside a transfer;  TooBig  the block
///          The one to be answered still waits after an error
/// Cost     as ipc_call
/// Source   own; stands where the original's callee made an ipc2
CallResult ipc_reply(Call& call, ReplyTo caller, Word a, Word b, Word c, Word d, Word e);

}  // namespace xok::kernel::calls
