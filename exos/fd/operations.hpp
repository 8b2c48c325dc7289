// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "exos/error.hpp"
#include "exos/fd/open_file.hpp"
#include "exos/rt/wait.hpp"

/// What can be done with an open file, whatever it is. Buffers are memory that has been touched
/// (exos/vm/memory.hpp) or is ours. Blocking calls sleep until the file's words change or a signal
/// arrives (Errc::Interrupted).
namespace xok::exos {

/// At the file's own offset, which moves. Errors  WouldBlock (O_NONBLOCK), Interrupted, and the
/// file system's; Closed: writing to a pipe without readers (the caller raises SIGPIPE)
Outcome<std::size_t> read_file(OpenFile& file, std::span<std::byte> to);
Outcome<std::size_t> write_file(OpenFile& file, std::span<const std::byte> from);

/// At an offset. Errors  NotSupported (ESPIPE): not a file of a file system
Outcome<std::size_t> read_file_at(OpenFile& file, std::uint64_t offset, std::span<std::byte> to);
Outcome<std::size_t> write_file_at(OpenFile& file, std::uint64_t offset,
                                   std::span<const std::byte> from);

enum PollBits : std::uint32_t {
  kPollIn = 1,
  kPollPriority = 2,
  kPollOut = 4,
  kPollError = 8,
  kPollHangUp = 16,
  kPollInvalid = 32,
  kPollReadHangUp = 0x2000,
};
/// What would not block now.
std::uint32_t poll_file(const OpenFile& file);
/// Adds the words that change when poll_file's answer may. Call before poll_file.
void watch_file(const OpenFile& file, rt::WaitSet& wait);

/// The last reference is gone. Hold the file lock.
void close_file(OpenFile& file);

/// A pipe's two open files, one reference each. Errors  NoMemory
struct PipeEnds {
  OpenFile* read;
  OpenFile* write;
};
Outcome<PipeEnds> make_pipe(std::uint32_t flags);

/// open(2) of a fifo: blocks until there is a peer. `file` has its node and flags.
/// Errors  Interrupted; Unreachable (ENXIO): write-only, non-blocking, no reader
Outcome<> attach_fifo(OpenFile& file);

}  // namespace xok::exos
