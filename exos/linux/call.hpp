// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "exos/error.hpp"
#include "exos/fd/open_file.hpp"
#include "exos/linux/abi.hpp"
#include "exos/proc/process.hpp"
#include "exos/rt/registers.hpp"

/// What the implementations of Linux' system calls share: arguments, user memory, errors.
namespace xok::exos::linux_abi {

/// The six arguments of a call, and the registers behind them.
class Arguments {
 public:
  explicit Arguments(rt::Registers& registers) : registers_{registers} {}

  [[nodiscard]] std::uint64_t operator[](int i) const {
    switch (i) {
      case 0:
        return registers_.rdi;
      case 1:
        return registers_.rsi;
      case 2:
        return registers_.rdx;
      case 3:
        return registers_.r10;
      case 4:
        return registers_.r8;
      default:
        return registers_.r9;
    }
  }
  [[nodiscard]] int as_int(int i) const { return static_cast<int>((*this)[i]); }
  [[nodiscard]] std::uint32_t as_u32(int i) const { return static_cast<std::uint32_t>((*this)[i]); }
  [[nodiscard]] std::int64_t as_i64(int i) const { return static_cast<std::int64_t>((*this)[i]); }
  [[nodiscard]] rt::Registers& registers() const { return registers_; }

 private:
  rt::Registers& registers_;
};

// The implementations: call_read(), call_write(), ... Each returns the value, -errno, or one of the
// kRestart... values of exos/proc/signals.hpp.
#define XOK_IMPLEMENTED(name) std::int64_t call_##name(const Arguments& a);
#include "exos/linux/implemented.def"
#undef XOK_IMPLEMENTED

// The one translation of errors into -errno.
std::int64_t error_number(Error error);
inline std::int64_t error_number(FsError error) { return error_number(Error{error}); }
/// The same for what a socket could not do: some errors have another name there.
std::int64_t socket_error(Error error);

template <class E>
std::int64_t result_of(const std::expected<void, E>& outcome) {
  return outcome.has_value() ? 0 : error_number(outcome.error());
}
template <class T, class E>
std::int64_t result_of(const std::expected<T, E>& outcome) {
  return outcome.has_value() ? static_cast<std::int64_t>(*outcome) : error_number(outcome.error());
}

/// Whether n bytes are where memory of the program can be.
constexpr bool is_program_range(std::uint64_t address, std::size_t n) {
  return address < kProgramTop && n <= kProgramTop - address;
}

/// Reads a T of the program's memory. False: EFAULT.
bool copy_in(void* to, std::uint64_t from, std::size_t n);
bool copy_out(std::uint64_t to, const void* from, std::size_t n);
template <class T>
bool get(std::uint64_t from, T& to) {
  return copy_in(&to, from, sizeof to);
}
template <class T>
bool put(std::uint64_t to, const T& from) {
  return copy_out(to, &from, sizeof from);
}

/// A NUL-terminated string of the program, in place. Errors  Fault; NameTooLong (above `limit`)
Outcome<std::string_view> user_string(std::uint64_t address, std::size_t limit = kPATH_MAX);

/// Buffers of the program, touched so that they can be used in place. Errors  Fault
Outcome<std::span<std::byte>> user_output(std::uint64_t address, std::size_t length);
Outcome<std::span<const std::byte>> user_input(std::uint64_t address, std::size_t length);

/// Where a path given with a directory descriptor starts. Errors  NotFound (EBADF); NotADirectory
Outcome<Vnode> start_directory(int fd, std::string_view path);

/// A descriptor's file. Errors  EBADF as BadCapability
Outcome<OpenFile*> file_at(std::uint64_t fd);

inline std::uint64_t to_ns(const Timespec& t) {
  return static_cast<std::uint64_t>(t.tv_sec) * kNanosecondsPerSecond +
         static_cast<std::uint64_t>(t.tv_nsec);
}
inline Timespec to_timespec(std::int64_t ns) {
  constexpr auto kSecond = static_cast<std::int64_t>(kNanosecondsPerSecond);
  std::int64_t seconds = ns / kSecond;
  std::int64_t rest = ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    seconds--;
  }
  return {.tv_sec = seconds, .tv_nsec = rest};
}

}  // namespace xok::exos::linux_abi

/// In a call's implementation: the value, or return its -errno.
#define XOK_LINUX_TRY(expr)                                               \
  __extension__({                                                         \
    auto linux_result_ = (expr);                                          \
    if (!linux_result_.has_value()) [[unlikely]]                          \
      return ::xok::exos::linux_abi::error_number(linux_result_.error()); \
    *std::move(linux_result_);                                            \
  })
