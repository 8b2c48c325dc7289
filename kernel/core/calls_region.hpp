// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about software regions: memory smaller than a page with an ACL of its own.
namespace xok::kernel::calls {

/// Makes a region of zeroes. It belongs to the caller and goes when the caller ends.
///
/// cap     needs Allocate and Write; its name guards the region: who covers it may read, and with
///         Write write, and with Write delete
/// bytes   1 to kMaxRegionBytes. Charged to the caller, in multiples of kRegionGranule
/// reader  Capability::bits() of a second ACL entry, 0 for none: who covers that name may read, and
///         write if it carries Write and so does the holder's. It is given away by the owner, so it
///         needs no capability
/// Returns  its id
/// Errors   BadCapability; Denied
///          BadArgument  `bytes` is 0; `reader` is a pointer, or neither 0 nor valid
///          TooBig       bytes > kMaxRegionBytes
///          NoSpace      kMaxRegions or kMaxRegionPages exist, the caller has kRegionsPerEnv, or
///                       kRegionPagesPerEnv pages full
///          NoMemory     no page for it
/// Cost     O(kMaxRegions + kMaxRegionPages), and zeroing
/// Source   thesis ch. 3 (software regions); the original had a table in its library and two calls
///          that copied from and to anybody. differs: a kernel object, checked
CallResult region_create(Call& call, CapSlot cap, Count bytes, CapBits reader);

/// Copies bytes out of a region: all as they are at one moment.
///
/// cap      covers a name of the region's ACL
/// region   its id
/// offset   in bytes;  n  how many, within the region together
/// to       user address of n bytes, contents unspecified after Fault
/// Returns  0
/// Errors   NotFound     no such region (any more);  BadCapability, Denied
///          BadArgument  outside the region;  Fault  `to` is not mapped writable
/// Cost     O(n): about 330 instructions in the kernel for 64 bytes
CallResult region_read(Call& call, CapSlot cap, RegionIdWord region, Count offset, UserAddr to,
                       Count n);

/// Copies bytes into a region: all at once, or none.
///
/// cap     covers a name of the region's ACL, and both have Write
/// from    user address of n bytes
/// Returns 0
/// Errors  as region_read, where `from` is not readable; the others as there
/// Cost    O(n), copied twice
CallResult region_write(Call& call, CapSlot cap, RegionIdWord region, Count offset, UserAddr from,
                        Count n);

/// Ends a region; its memory is zeroed before another use.
/// cap     needs Write on the guard (not on the second entry)
/// Errors  NotFound; BadCapability, Denied
/// Cost    constant
CallResult region_delete(Call& call, CapSlot cap, RegionIdWord region);

}  // namespace xok::kernel::calls
