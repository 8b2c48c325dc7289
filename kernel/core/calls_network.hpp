// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about packets.
namespace xok::kernel::calls {

/// Makes a packet ring of memory of the caller's (abi/packet_ring.hpp). Its pages are pinned.
///
/// slots  page-aligned address of n RingSlots in consecutive, present, writable pages
/// n      a power of two, 2 to kMaxRingSlots
/// Returns  the ring's number; it is the caller's alone
/// Errors   BadArgument  n or the alignment;  Fault  a page is not mapped writable
///          NoSpace      kMaxRings exist, the caller has kRingsPerEnv, or too many pins
/// Cost     O(pages + kMaxRings): each page is looked up and pinned
/// Source   original sys_pktring_setring. differs: pages must be writable, rings have an owner
CallResult ring_create(Call& call, UserAddr slots, Count n);

/// Errors  NotFound;  Denied  another environment's;  Busy  a filter delivers to it
/// Cost    O(pages)
CallResult ring_delete(Call& call, Count ring);

/// Adds a packet filter that delivers to a ring of the caller's.
///
/// cap    needs Write on the name {kFilterName}; and on the guard of every filter that would lose
///        packets to this one (libs/dpf/filter_table.hpp has the rules)
/// guard  the caller's slot whose name guards the new filter
/// atoms  user address of n dpf::Atoms;  n  1 to dpf::kMaxAtoms
/// Returns  the filter's number
/// Errors   BadCapability, Denied  cap; guard empty; a ring that is another environment's
///          TooBig  n;  Fault  atoms;  BadFormat  the program (dpf::Program::from)
///          NotFound  no such ring;  Overlap  another filter owns some of the packets
///          NoSpace  kMaxFilters exist, the trie is full, or the caller has kFiltersPerEnv
/// Cost     at most kMaxFilters * kMaxAtoms^2 comparisons of two fields
CallResult filter_insert(Call& call, CapSlot cap, CapSlot guard, UserAddr atoms, Count n,
                         Count ring);

/// Takes a filter away; its packets go to the next most specific one.
/// guard   the caller's slot; needs Write on the filter's guard
/// Errors  NotFound; BadCapability, Denied
/// Cost    O(atoms + kMaxFilters)
CallResult filter_delete(Call& call, CapSlot guard, Count filter);

/// Sends one frame, gathered from pieces and copied before the call returns.
///
/// cap        needs Write on the name {kInterfaceName, interface}
/// interface  number in SystemInfo::interfaces. The loopback delivers at once to the filters
/// pieces     user address of n SendPieces;  n  1 to kMaxSendPieces
/// Returns    0
/// Errors     NotFound     no such interface;  BadCapability, Denied
///            BadArgument  n is 0, or fewer than kMinFrame bytes
///            TooBig       n > kMaxSendPieces, or more than kMaxFrame bytes
///            Fault        `pieces` or a piece is not readable
///            WouldBlock   the interface's queue is full
/// Cost       O(bytes); the loopback: the filters' trie, once, and another copy
/// Source     original sys_net_xmit. differs: needs a capability; copies
CallResult packet_send(Call& call, CapSlot cap, Count interface, UserAddr pieces, Count n);

}  // namespace xok::kernel::calls
