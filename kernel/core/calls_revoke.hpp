// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls that take pages back. Revocation is visible: an environment is asked, chooses what to
/// give, and only what is missing after the deadline is taken from it, on record.
namespace xok::kernel::calls {

/// Asks an environment for pages: it should unmap so many that nobody else holds, more than it
/// allocates meanwhile. Uenv::pages_wanted and Revocation::deadline say so, and it has the upcall
/// Revocation::entry at its next slice. Nothing is taken by this call.
///
/// target    not the caller
/// n         pages, at most kMaxRequest; 0 withdraws the request
/// deadline  cycle count from which pages_repossess may take what is missing
/// Errors    BadArgument  the caller itself;  TooBig  n
///           Busy         a request is not settled yet (n > 0)
/// Cost      constant
/// Source    thesis ch. 3; original sys_revoke_pages. differs: a right, a deadline, one environment
CallResult pages_request(Call& call, Target target, Count n, Count deadline);

/// Takes what is missing of a request whose deadline has passed; or finds it answered and settles
/// it. Only pages go that nobody else maps and nothing pins: first those of the environment's list,
/// then data in ascending order of address, then executable pages. Env::guaranteed pages always
/// stay; so do those from Revocation::keep on, the Uenv, the list, the vector, and the pages with
/// its upcall entries, their stacks, and the instruction and stack pointer it is to resume with. A
/// large page goes whole, and only if 512 are missing. Each page taken is written to the vector,
/// and to the disk if blocks are named and the disk takes it now; its entry becomes 0.
///
/// Returns  how many pages were taken; `Env::pages_wanted` says whether the request is settled
/// Errors   NotFound    no request is open
///          WouldBlock  pages are missing, and the deadline has not passed; or it runs on another
///                      processor, which takes them as soon as it can be interrupted: then the
///                      request is settled, or another call goes on
/// Cost     looks at kRepossessBudget entries at most; the next call goes on from there
/// Source   thesis ch. 3 (abort protocol, repossession vector)
CallResult pages_repossess(Call& call, Target target);

}  // namespace xok::kernel::calls
