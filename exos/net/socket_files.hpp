// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "exos/error.hpp"
#include "exos/fd/open_file.hpp"
#include "exos/rt/wait.hpp"

/// Open files that are sockets: the cases of exos/fd/operations.hpp.
namespace xok::exos {

Outcome<std::size_t> read_socket(OpenFile& file, std::span<std::byte> to);
Outcome<std::size_t> write_socket(OpenFile& file, std::span<const std::byte> from);
std::uint32_t poll_socket(const OpenFile& file);
void watch_socket(const OpenFile& file, rt::WaitSet& wait);
void close_socket(OpenFile& file);
/// ioctl(2) on a socket. Returns its result or -errno of exos/linux.
std::int64_t socket_control(OpenFile& file, std::uint64_t command, std::uint64_t argument);

}  // namespace xok::exos
