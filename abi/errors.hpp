// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

namespace xok {

/// Every way an operation of ours can fail. One meaning each; a system call returns the negative.
/// Linux' errno exists only in exos/linux, which translates in one function.
enum class Errc : std::uint8_t {
  BadArgument = 1,  ///< an argument is outside its documented range, or two contradict
  BadCapability,    ///< the capability slot is out of range, empty, or not of a usable form
  Denied,           ///< the capability is valid but does not grant the right the call needs
  NoMemory,         ///< no free page (or the page asked for by number is in use)
  NoSpace,          ///< a table, ring, disk or quota is full
  NotFound,         ///< the named thing does not exist (any more)
  Exists,           ///< the name is taken
  Busy,             ///< the thing is in use in a way that forbids the operation now
  Fault,            ///< user memory named by the call is not mapped with the needed access
  BadEnv,           ///< the environment id is stale, free, or dead
  TooBig,           ///< a length or count exceeds the documented bound
  Overlap,          ///< the filter would take packets that another filter owns
  BadFormat,        ///< bytes to be parsed (ELF, archive, packet, program) break their format
  NotSupported,     ///< a well-formed request for something this system does not do
  WouldBlock,       ///< nothing can be done now; wait for the documented word to change
  NoSuchCall,       ///< the system call number is not assigned
  Interrupted,      ///< the operation was abandoned because of a signal or upcall
  TimedOut,         ///< the deadline passed first
  Refused,          ///< the peer refused the connection
  Reset,            ///< the peer reset the connection
  Unreachable,      ///< no route, or the next hop does not answer
  Closed,           ///< the stream or connection is shut in this direction
  InProgress,       ///< it was begun and goes on; wait for the documented word to change
  NotConnected,     ///< the socket has no peer
  Device,           ///< the device reported a failure, or is gone
  GraftFailed,      ///< a downloaded function used up its steps, wrote outside, or wrote nonsense
  WrongReads,       ///< a downloaded function reads what it did not read at its import
  WrongOwns,        ///< `owns` does not show exactly the change that was claimed
  WrongType,        ///< the block is of another type than the operation needs
  Tainted,          ///< written now, the disk would point to a block that is not initialised
  Last = Tainted,
};

}  // namespace xok
