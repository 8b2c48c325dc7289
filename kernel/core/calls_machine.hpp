// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about the whole machine, and many calls at once.
namespace xok::kernel::calls {

/// Makes several calls in one entry; stops behind the first that fails. Each is checked with the
/// caller's rights at its own time, and writes its result into its entry.
///
/// entries  user address of n BatchEntry, each read once, just before it runs
/// n        at most kMaxBatch
/// done     user address of a 64-bit word: how many succeeded, so the index of the one that failed
/// Returns  0 when all succeeded, else the error of the one that failed
/// Errors   TooBig       n
///          TimedOut     kBatchNanoseconds have passed and entries are left: all up to `done` have
///                       succeeded; call again with the rest
///          Fault        `done` or an entry is not mapped writable
///          NoSuchCall   an entry's number;  BadArgument  batch, yield, a control transfer,
///                       machine_stop or env_free of the caller as an entry
/// Cost     the calls', without their crossings, and 80 bytes copied for each
/// Source   original sys_batch (BAT-1). differs: bounded, not nested
CallResult batch(Call& call, UserAddr entries, Count n, UserAddr done);

/// Ends the machine.
/// cap     needs Write on the root's name: only the root capability has it
/// status  kStopClean, kStopFailure or another value below 128, for whoever started the machine
/// Errors  BadCapability, Denied;  BadArgument  status, or inside a batch
/// Cost    does not return
CallResult machine_stop(Call& call, CapSlot cap, Count status);

}  // namespace xok::kernel::calls
