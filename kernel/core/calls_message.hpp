// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about message rings (abi/message_ring.hpp).
namespace xok::kernel::calls {

/// Makes the caller's message ring of memory of its own. The pages are pinned until the ring is
/// deleted or its owner ends. Slots whose owner word is not 0 count as full.
///
/// slots  page-aligned address of n MessageSlots in consecutive, present, writable pages
/// n      a power of two, kMinMessageSlots to kMaxMessageSlots
/// gate   Capability::bits() of what a sender needs Write on. The receiver need not hold it: it
///        only says whom it listens to
/// Returns  0
/// Errors   BadArgument  n; the alignment; `gate` is not valid or a pointer
///          Fault        a page is not mapped writable
///          Exists       the caller has a ring;  NoSpace  a page has too many pins
/// Cost     O(pages): each is looked up and pinned
/// Source   original ipc msgring (IPC-4). differs: pages must be writable, a gate
CallResult message_ring_create(Call& call, UserAddr slots, Count n, CapBits gate);

/// Takes the caller's ring away. Its memory stays as it is.
///
/// Errors  NotFound  there is none
/// Cost    O(pages)
CallResult message_ring_delete(Call& call);

/// Puts a message into another environment's ring, or one's own. It is there whole or not at all.
///
/// to       (slot << 32) | EnvId (0: the caller); the slot's capability must give Write on the gate
/// message  user address of n bytes;  n  1 to kMaxMessageBytes
/// Returns  0
/// Errors   BadEnv       stale, free, dead;  NotFound  it has no ring
///          BadCapability, Denied
///          BadArgument  n is 0;  TooBig  n > kMaxMessageBytes;  Fault  `message` is not readable
///          WouldBlock   the ring is full: its next slot is still the receiver's
/// Cost     O(n)
/// Source   original sys_ipc_sendmsg (IPC-4). differs: the capability is looked at
CallResult message_send(Call& call, Target to, UserAddr message, Count n);

}  // namespace xok::kernel::calls
