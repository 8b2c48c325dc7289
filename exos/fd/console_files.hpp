// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "exos/error.hpp"
#include "exos/fd/open_file.hpp"
#include "exos/rt/wait.hpp"

/// Console ports as plain byte streams: the host's side of a batch job, and lines of our own.
namespace xok::exos {

Outcome<std::size_t> read_console(OpenFile& file, std::span<std::byte> to);
Outcome<std::size_t> write_console(OpenFile& file, std::span<const std::byte> from);
std::uint32_t poll_console(const OpenFile& file);
void watch_console(const OpenFile& file, rt::WaitSet& wait);

/// Writes all of it, waiting for the device as long as it takes. For messages of ExOS itself.
void console_print(std::uint32_t port, std::span<const std::byte> bytes);
/// Waits until the device has taken everything.
void console_flush(std::uint32_t port);

}  // namespace xok::exos
