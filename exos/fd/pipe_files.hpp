// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <span>

#include "exos/error.hpp"
#include "exos/fd/open_file.hpp"
#include "exos/fd/pipe.hpp"
#include "exos/rt/wait.hpp"

/// Open files that are ends of pipes: the cases of exos/fd/operations.hpp.
namespace xok::exos {

/// For other queues of bytes than pipes. Hold the file lock.
/// Puts in as much as there is room and memory for. Returns how much.
std::size_t fill_pipe(Pipe& pipe, std::span<const std::byte> from);
/// Gives the memory of its bytes back, and with it the bytes.
void empty_pipe(Pipe& pipe);

/// The bytes may be memory of the program's that nobody has touched. Errors  Fault (of the first);
/// Closed (no reader); WouldBlock; Interrupted
Outcome<std::size_t> read_pipe(OpenFile& file, std::span<std::byte> to);
Outcome<std::size_t> write_pipe(OpenFile& file, std::span<const std::byte> from);
std::uint32_t poll_pipe(const OpenFile& file);
void watch_pipe(const OpenFile& file, rt::WaitSet& wait);
void close_pipe(OpenFile& file);

}  // namespace xok::exos
