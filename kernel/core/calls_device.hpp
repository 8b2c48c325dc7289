// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about the console, random bytes and disks.
namespace xok::kernel::calls {

/// The most bytes one console call moves.
inline constexpr std::uint64_t kMaxConsoleBytes = 65536;
/// The most bytes one entropy_read gives.
inline constexpr std::uint64_t kMaxEntropyBytes = 256;

/// Puts bytes into a console port's output. More than kMaxConsoleBytes are cut to that.
///
/// cap     needs Write on the name {kConsoleName, port}
/// Returns how many bytes were taken, at least 1 unless n is 0
/// Errors  NotFound    no such port;  BadCapability, Denied
///         WouldBlock  no room: wait for ConsolePortInfo::sent to change
///         Fault       `bytes` is not readable and nothing was taken
/// Cost    O(bytes taken)
CallResult console_write(Call& call, CapSlot cap, Count port, UserAddr bytes, Count n);

/// Takes bytes of a console port's input. More than kMaxConsoleBytes are cut to that.
///
/// cap     needs Write on the name {kConsoleName, port}
/// Returns how many bytes were stored, at least 1 unless n is 0
/// Errors  as console_write, where `bytes` is not writable
///         WouldBlock  none is there: wait for ConsolePortInfo::received to change
/// Cost    O(bytes stored)
CallResult console_read(Call& call, CapSlot cap, Count port, UserAddr bytes, Count n);

/// Random bytes from the hardware. More than kMaxEntropyBytes are cut to that.
///
/// Returns how many bytes were stored
/// Errors  WouldBlock  none now;  Fault  `bytes` is not writable
/// Cost    O(bytes)
CallResult entropy_read(Call& call, UserAddr bytes, Count n);

/// Starts a transfer between a disk and memory of the caller's; returns at once.
///
/// cap      needs Write on the name {kDiskName, disk} to write, the bare right to read
/// request  user address of a DiskRequest: count 1 to kMaxTransferPages; memory page-aligned,
///          present, and writable where the disk is read; pending and status writable, 8-aligned
/// Returns  0: started. All pages are pinned until the end, even if the caller dies
/// Errors   Fault        `request`, memory or a word is not mapped with the needed access
///          NotFound     no such disk;  BadCapability, Denied  cap, or the disk is read-only
///          BadArgument  count 0, blocks past the disk's end, alignment, a write flag above 1
///          TooBig       count;  NoSpace, WouldBlock  too much is under way
/// Cost     O(count + kMaxTransfers): each page is looked up and pinned
CallResult disk_transfer(Call& call, CapSlot cap, UserAddr request);

}  // namespace xok::kernel::calls
