// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about the processor: slices, yields, predicates.
namespace xok::kernel::calls {

/// Takes a position of a processor's slice vector.
///
/// cap        needs Allocate; its value guards the slice
/// processor  below SystemInfo::processors
/// position   0 to kSlicesPerProcessor - 1, or kAnyPosition: the first that is free
/// env        who gets the time; 0 is the caller. Any live environment: time harms nobody
/// Returns    the position
/// Errors     BadCapability; Denied  no Allocate;  BadArgument  processor or position out of range
///            BadEnv   stale, free, dead
///            Exists   the position is taken
///            NoSpace  none is free, or `env` owns kSlicesPerEnv
/// Cost       constant; kAnyPosition: O(kSlicesPerProcessor / 64)
/// Source     thesis ch. 9; original sys_quantum_alloc. differs: environment 0 is no special owner
CallResult slice_alloc(Call& call, CapSlot cap, Count processor, Count position, EnvIdWord env);

/// Gives a position back. Who is running in it keeps the processor to its end.
/// cap     needs Write on the slice's guard
/// Errors  BadArgument  out of range;  NotFound  nobody owns it;  BadCapability, Denied
/// Cost    constant
CallResult slice_free(Call& call, CapSlot cap, Count processor, Count position);

/// Gives a position to another owner. The guard stays.
///
/// cap     needs Write on the slice's guard
/// env     who gets the time, as slice_alloc
/// Errors  as slice_free;  BadEnv  stale, free, dead;  NoSpace  `env` owns kSlicesPerEnv
/// Cost    constant
CallResult slice_transfer(Call& call, CapSlot cap, Count processor, Count position, EnvIdWord env);

/// Gives the processor away.
///
/// to     0: the next in the vector. Otherwise that environment gets the rest of this slice; if it
///        cannot run (asleep and its predicate false), or the slice is over, the next in the vector
/// flags  kYieldSleep: sleep until the caller's predicate holds; at once back if it does now
/// Returns  the tag of the product that woke it; 0 if it did not sleep
/// Errors   BadArgument  unknown flag; kYieldSleep without a predicate; inside a batch
///          BadEnv       `to` is stale, free or dead
/// Cost     with a switch to one that yielded too, on the only processor, 81 instructions, and 126
///          to the next in the vector (straight.S); otherwise about 500
CallResult yield(Call& call, EnvIdWord to, YieldFlags flags);

/// Replaces the caller's wakeup predicate.
///
/// terms  user address of n WakeTerms;  n  at most kMaxWakeTerms; 0 takes the predicate away
/// Errors  TooBig       n > kMaxWakeTerms
///         Fault        `terms`, or a word that a term reads, is not readable
///         BadArgument  an unknown kind or comparison, a misaligned word, an open last product
///         NoMemory     the first time: no page for it;  NoSpace  a page has too many pins
///         After an error the old predicate stands.
/// Cost    O(n): each word that a term reads is looked up in the page tables and pinned
/// Source  thesis ch. 4; original sys_wkpred. differs: operands are counted and checked (WK-4)
CallResult wakeup_set(Call& call, UserAddr terms, Count n);

}  // namespace xok::kernel::calls
