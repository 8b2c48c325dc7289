// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about environments. A Target's errors (BadEnv, BadCapability, Denied) are those of
/// Call::target and are not repeated.
namespace xok::kernel::calls {

/// Does nothing, for measuring the crossing.
///
/// Returns  0
/// Errors   none
/// Cost     the crossing
CallResult null_call(Call& call);

/// Makes an environment.
///
/// cap    slot with all permissions: the value becomes slot 0 of the new environment, which names
///        and guards it, and the first ACL entry of its Uenv page. The other slots are empty
/// flags  0: a new, empty address space; kShareAddressSpace: the caller's (a thread)
/// uenv   where its zeroed Uenv page appears, writable, not executable; page-aligned, < kUserTop
/// Returns  its id (positive). It does not run before env_set_context, and owns no slice
/// Errors   BadCapability; Denied       the slot lacks a permission
///          BadArgument  unknown flag; `uenv` misplaced, or (shared) something is mapped there
///          NoMemory     up to 5 pages;  NoSpace  kMaxEnvironments exist
/// Cost     about 5 pages of zeroing
/// Source   thesis ch. 4; original sys_env_alloc, sys_env_clone
CallResult env_alloc(Call& call, CapSlot cap, EnvFlags flags, UserAddr uenv);

/// Ends an environment and frees its slot; for a Dead one only the latter is left to do. All it
/// held is free afterwards: slices, filters, rings, predicate, mappings. `SystemInfo::deaths` grows
/// by one when it was alive. Page tables beyond Core::kReapBudget are taken down over the next
/// timer interrupts. One that runs on another processor is stopped there first. Ending oneself
/// gives the processor to the next environment and does not return.
///
/// Returns 0, or kEndsLater: it is inside a protected method, ends when it leaves that or after
///         kMethodGraceTicks slices in it, and has got the rest of this slice to do so (not from a
///         batch). Another call gives it more
/// Errors  BadArgument  inside a batch: the caller itself
/// Cost    bounded by the sizes of the kernel's tables
CallResult env_free(Call& call, Target target);

/// Sets all registers of an environment other than the caller and makes it Runnable, also when it
/// slept: the wait is abandoned. Flags the application may not change are set right.
///
/// context  user address of a Context
/// Errors   BadArgument  the caller itself; rip >= kUserTop, or a base >= 2^47
///          Busy         it has a processor now, or is inside a protected method
///          Fault        `context` is not readable
/// Cost     constant: copies 160 bytes
CallResult env_set_context(Call& call, Target target, UserAddr context);

/// Copies the registers of an environment out. Of the caller itself: those that calls preserve.
/// Errors  Busy   another one that has a processor now, or one inside a protected method
///         Fault  `context` is not writable
/// Cost    constant: copies 160 bytes
CallResult env_get_context(Call& call, Target target, UserAddr context);

}  // namespace xok::kernel::calls
