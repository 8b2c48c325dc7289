// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "exos/linux/abi_files.hpp"
#include "exos/linux/abi_process.hpp"
#include "exos/linux/abi_signal.hpp"
#include "exos/linux/abi_sockets.hpp"
#include "exos/tty/termios.hpp"

/// The binary interface of Linux x86-64, in our own words: numbers, layouts, named values.
///
/// Constants keep the manual's name behind a `k` (`kENOENT`, `kO_CREAT`, `kSIGCHLD`), so that they
/// can be looked up, and cannot meet the C library's macros in tests. Structures keep the names of
/// their members; what the kernel leaves unnamed is called `padding` or `reserved`, and is zero.
/// Every layout is pinned by static_assert. Times are signed 64-bit seconds throughout.
/// Source: the manual pages; Linux 6.1 uapi headers for values and layouts.
namespace xok::exos::linux_abi {

/// System call numbers, as the manual names the calls.
enum class Call : std::uint32_t {
#define XOK_LINUX_CALL(number, name, ...) name = number,
#include "exos/linux/syscalls.def"
#undef XOK_LINUX_CALL
};

/// Error numbers; a failing call returns the negative.
enum Errno : int {
#define XOK_LINUX_ERRNO(number, name, text) k##name = number,
#include "exos/linux/abi_errno.def"
#undef XOK_LINUX_ERRNO
};

/// The largest error number a return value can carry: [-4095, -1] are errors, all else results.
inline constexpr std::int64_t kMaxErrno = 4095;

constexpr bool is_error(std::int64_t result) { return result < 0 && result >= -kMaxErrno; }

#define XOK_LINUX_GROUP(group, unknown)
#define XOK_LINUX_VALUE(group, name, value) inline constexpr std::uint32_t k##name = value;
#include "exos/linux/abi_flags.def"
#undef XOK_LINUX_VALUE
#undef XOK_LINUX_GROUP

/// The directory argument of the ...at calls that means the working directory.
inline constexpr std::int32_t kAT_FDCWD = -100;

using Termios = exos::Termios;        ///< TCGETS, TCSETS...
using WindowSize = exos::WindowSize;  ///< TIOCGWINSZ, TIOCSWINSZ

}  // namespace xok::exos::linux_abi
