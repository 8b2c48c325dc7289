// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about protected methods. abi/method.hpp says what a method sees, methods.hpp why it is
/// safe.
namespace xok::kernel::calls {

/// Makes a method of what the caller has mapped in the 2 MiB from kMethodBase: those pages leave
/// its address space (and its threads') for the method's. Whoever may map a page by its ACL still
/// may: give the state a capability of its own.
///
/// guard  needs Allocate and Write; its name guards the method
/// own    the caller's slot whose value the method's code will hold, as slot 0
/// entry  where every call begins;  stack  rsp at entry: (kMethodBase, kMethodBase + kMethodBytes]
/// uenv   the method's own Uenv: a page mapped writable in the stretch
/// Returns  its id
/// Errors   BadCapability; Denied, also when somebody else holds a page table of the stretch
///          BadArgument  an address outside the stretch; something is mapped between it and
///                       kMethodBase + 512 GiB
///          NotFound     nothing is mapped in the stretch;  Fault  `uenv` is not mapped writable
///          NoSpace      kMaxMethods exist, the caller has kMethodsPerEnv, or too many pins
///          NoMemory     two pages
/// Cost     O(kMaxMethods), a look at two page tables, and zeroing two pages
/// Source   thesis ch. 3 (protected methods); original sys/kern/pam.c (PAM-1). differs: the method
///          has an address space of its own
CallResult method_define(Call& call, CapSlot guard, CapSlot own, UserAddr entry, UserAddr stack,
                         UserAddr uenv);

/// Enters a method at its entry. The caller's registers, vectors included, wait in the kernel.
///
/// method  (slot << 32) | MethodId; the slot's capability must give Write on the guard
/// a to d  words for the method: rsi rdx r10 r8 at its entry
/// share   which 512 GiB of the caller's memory to show it, and whether writable (abi/method.hpp)
/// Returns  rax and rdx as method_exit gives them; all other registers are kept
/// Errors   BadArgument    inside a batch; `share` outside the user half, or the method's slot
///          NotFound       no such method (any more);  BadCapability, Denied
///          Closed         it is broken
///          Fault          nothing is mapped in the slot of `share`
///          WouldBlock     somebody is inside, who has now got the rest of this slice: try again
///          Interrupted    it ended in the middle: a fault it does not handle, a slice end it
///                         ignored too often, or its maker deleted it
///          A method's own results should not look like these
/// Cost     about 1220 instructions in the kernel for the call and its exit together
/// Source   original PAM-2
CallResult method_call(Call& call, Target method, Word a, Word b, Word c, Word d, UserAddr share);

/// Inside a method: back to the caller, whose call returns `result` in rax and `second` in rdx. If
/// somebody has ended the caller meanwhile, it ends now.
/// Errors  NotFound  not inside a method
/// Cost    as method_call says
CallResult method_exit(Call& call, Word result, Word second);

/// Ends a method. Who is inside goes on with Interrupted. Its pages go with it.
/// cap     needs Modify on the guard
/// Errors  NotFound; BadCapability, Denied
/// Cost    bounded: three page tables taken down, with all pages in them
CallResult method_delete(Call& call, CapSlot cap, Count method);

}  // namespace xok::kernel::calls
