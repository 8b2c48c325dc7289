// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "exos/linux/abi.hpp"
#include "exos/linux/trace_text.hpp"

namespace xok::exos::trace {

/// How a trace looks at the traced program's memory without being hurt by it.
struct UserReader {
  /// Copies bytes from `address`. Returns  how many could be read before the first that could not
  std::size_t (*read)(void* context, std::uint64_t address, std::span<std::uint8_t> destination);
  void* context;
};

/// Long enough for any line here: two paths of 4095 bytes, each byte escaped, are cut off.
inline constexpr std::size_t kLineBytes = 2048;

/// Writes one system call as strace 6.1 does, e.g.
///
///   openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
///   read(3, "root:x:0:0:root:/root:/bin/bash\n"..., 4096) = 1221
///
/// `begin` when the call starts, for what it reads may be gone when it ends (execve, rename); then
/// exactly one of the `finish` operations. Calls without a printer of their own show their
/// arguments as numbers, from the kinds in syscalls.def; unknown numbers as syscall_0x1f4(...).
///
/// Context  any; allocates nothing, takes no lock; memory is only read through `reader`
/// Source   own, compared with strace 6.1 on the host (trace_test.cpp).
///          differs: no dates behind times; TCSETS and its kin without the sound names that share
///          their numbers; the first members only of statfs; clone3 and timerfd structures as
///          pointers
class CallTrace {
 public:
  /// reader  used until `finish`
  /// line    where the line is built, kLineBytes are enough; must outlive this object's use
  CallTrace(UserReader reader, std::span<char> line)
      : reader_(reader), buffer_(line), text_(line) {}

  void begin(std::uint32_t number, const std::array<std::uint64_t, 6>& arguments);

  /// The call returned `result` (negative errno on failure).
  /// Returns  the line with its newline, valid as long as the buffer
  std::string_view finish(std::int64_t result);

  /// The call did not return: exit, exit_group, rt_sigreturn without a result, execve's success in
  /// a new image. The result is shown as `?`.
  std::string_view finish_without_result();

 private:
  std::string_view finish_line(bool returned, std::int64_t result);

  UserReader reader_;
  std::span<char> buffer_;
  Text text_;
  std::uint32_t number_ = 0;
  std::array<std::uint64_t, 6> arguments_{};
  std::size_t next_ = 0;            ///< first argument not yet written
  std::uint32_t entry_length_ = 0;  ///< what a length argument pointed at when the call began
};

/// "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, ...} ---" and a newline, built in `line`.
std::string_view signal_line(std::span<char> line, const linux_abi::Siginfo& info);

/// "+++ exited with 0 +++" or "+++ killed by SIGSEGV +++" and a newline, for a wait(2) status.
std::string_view end_line(std::span<char> line, std::uint32_t wait_status);

}  // namespace xok::exos::trace
