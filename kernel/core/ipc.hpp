// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>

#include "kernel/core/core.hpp"

/// Protected control transfer: the state changes, without the rights (calls_ipc.cpp has those).
///
///   caller  Runnable --ipc_call--> Calling --ipc_reply of its callee, or that one's death-->
///   Runnable callee  Runnable or Sleeping --enter--> Runnable at its entry --restore--> as it was
///   server  Resting --enter--> Runnable at its entry --ipc_reply (kIpcRest)--> Resting
///
/// Who waits for whom is in Env (waits_for, callers): the right to reply is the kernel's own record
/// and good for one reply. While Calling, an environment's slices are its callee's
/// (Scheduler::runner), so a callee needs no slice of its own to finish.
namespace xok::kernel {

using IpcWords = std::array<std::uint64_t, 5>;

/// How many words of its block the sender sends along. Errors: TooBig: more than kIpcBlockWords.
Result<std::uint64_t> block_words(const volatile IpcArea& sender);

/// Copies `words` words of the sender's block to the receiver.
void pass_block(const volatile IpcArea& sender, volatile IpcArea& receiver, std::uint64_t words);

/// Sends the callee, which is ready for it, to its entry. What it destroys is in its `area`.
void enter_callee(Core& core, EnvIndex callee, volatile IpcArea& area, EnvIndex caller,
                  IpcKind kind, const Capability& presented, const Rest& agreed,
                  const IpcWords& words);

/// The same for a callee that rests.
void enter_resting(Core& core, EnvIndex callee, volatile IpcArea& area, EnvIndex caller,
                   IpcKind kind, const Capability& presented, const IpcWords& words);

/// Reads what the environment agrees to from its Uenv. Errors: BadArgument: no entry.
Result<> begin_rest(Core& core, EnvIndex index);

/// The current environment, which has an agreement, rests. Its processor is the caller's to give.
void go_to_rest(Core& core, EnvIndex index);

/// Puts back what the last entry destroyed, as its `area` has it, and the sleep it interrupted.
/// Errors  NotFound     the environment is in no transfer
///         BadArgument  the saved rip is no user address
Result<> restore_callee(Core& core, EnvIndex callee, volatile IpcArea& area, Context& context);

/// Makes `caller`, which is Calling, run again with that result and answer.
void answer_caller(Core& core, EnvIndex caller, EnvIndex callee, const IpcWords& words);

/// `index` no longer waits for a reply, if it did. Its status is the caller's to set.
void abandon_wait(Core& core, EnvIndex index);

/// `index` ends: whoever waits for its reply runs again with BadEnv.
/// Cost O(kMaxEnvironments) if somebody waits.
void end_transfers(Core& core, EnvIndex index);

}  // namespace xok::kernel
