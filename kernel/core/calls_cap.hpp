// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about capabilities.
namespace xok::kernel::calls {

/// Puts a capability into a slot, the caller's or another environment's: made out of one the
/// caller holds, never more than it; or empties the slot.
///
/// from    the caller's slot it is made from
/// to      0 to kCapabilitySlots - 1
/// value   Capability::bits(); a value that is not valid empties the slot
/// target  whose slot
/// Returns `to`
/// Errors  BadArgument    `to` is out of range; `value` is a pointer
///         BadCapability  `from` is out of range, empty or a pointer
///         Denied         `to` is 0 and `value` is not valid with all permissions; or (unless it
///                        empties) `from` lacks Modify or does not dominate `value`
/// Cost    constant
/// Source  thesis ch. 3; original sys_forge (CAP-7)
CallResult cap_forge(Call& call, CapSlot from, CapSlot to, CapBits value, Target target);

/// Takes the grant that another environment offers in its Uenv (grant_to, grant_slot, grant), once.
///
/// to       the caller's slot, not 0
/// grantor  the environment that offers
/// Returns  `to`; the grantor's `grant_to` is then 0
/// Errors   BadArgument    `to` is 0 or out of range; the grant is a pointer
///          BadEnv         the grantor is stale, free, dead
///          Denied         it is inside a protected method; it offers nothing to the caller; or its
///          slot lacks Modify or does not
///                         dominate the grant
///          BadCapability  its slot is out of range, empty or a pointer; the grant is not valid
/// Cost     constant
/// Source   original sys_self_acquire (CAP-8)
CallResult cap_acquire(Call& call, CapSlot to, EnvIdWord grantor);

/// Empties a slot. Needs no right but the one over the environment: giving up is always allowed.
///
/// slot    1 to kCapabilitySlots - 1; it may be empty already
/// target  whose slot
/// Returns 0
/// Errors  BadArgument  out of range;  Denied  slot 0, which guards the environment itself
/// Cost    constant
CallResult cap_release(Call& call, CapSlot slot, Target target);

}  // namespace xok::kernel::calls
