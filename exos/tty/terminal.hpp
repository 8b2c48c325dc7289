// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "exos/error.hpp"
#include "exos/fd/open_file.hpp"
#include "exos/rt/wait.hpp"

/// The terminal as a file, and as init sees it: the line discipline joined to a console port.
namespace xok::exos {

Outcome<std::size_t> read_terminal(OpenFile& file, std::span<std::byte> to);
Outcome<std::size_t> write_terminal(OpenFile& file, std::span<const std::byte> from);
std::uint32_t poll_terminal(const OpenFile& file);
void watch_terminal(const OpenFile& file, rt::WaitSet& wait);

/// Chooses the port and the initial settings. init, before anybody opens it.
void set_up_terminal(std::uint32_t port);
/// Moves what has arrived on the port into the line discipline; raises the signals typed. init.
/// False: the queue is full, try again when Terminal::write_event changes.
bool pump_terminal();
/// New size from the host; SIGWINCH if it differs.
void resize_terminal(std::uint16_t rows, std::uint16_t columns);

/// Job control: whether this process may use the terminal now; raises SIGTTIN or SIGTTOU otherwise.
/// Errors  Interrupted (a signal was raised), BadFormat (EIO: orphaned or ignored)
Outcome<> check_foreground(int signal);

/// ioctl(2) on the terminal, the argument untouched user memory. Errors  NotSupported (ENOTTY)
Outcome<std::int64_t> terminal_control(std::uint64_t command, std::uint64_t argument);

}  // namespace xok::exos
