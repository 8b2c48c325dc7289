// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace xok {

/// rax of a kernel call is kSyscallBase | number.
inline constexpr std::uint64_t kSyscallBase = 0x584f'0000;
inline constexpr std::size_t kSyscallNumbers = 0x80;

enum class SyscallNumber : std::uint16_t {
#define XOK_SYSCALL(number, name, user_memory, arguments) name = number,
#include "abi/syscalls.def"
#undef XOK_SYSCALL
};

/// The call's name, or "" for a number not assigned.
constexpr std::string_view syscall_name(std::uint64_t number) {
  switch (number) {
#define XOK_SYSCALL(no, name, user_memory, arguments) \
  case no:                                            \
    return #name;
#include "abi/syscalls.def"
#undef XOK_SYSCALL
    default:
      return "";
  }
}

/// Argument words shared by several calls.
inline constexpr std::uint64_t kAnyPage = 0;            ///< page number in a Pte: kernel chooses
inline constexpr std::uint64_t kAnyPosition = ~0ull;    ///< slice_alloc: first free position
inline constexpr std::uint64_t kShareAddressSpace = 1;  ///< env_alloc flag: the caller's
inline constexpr std::uint64_t kYieldSleep = 1;         ///< yield flag: until the predicate holds
inline constexpr std::size_t kMaxRange = 512;           ///< pages per range call
inline constexpr std::uint64_t kMaxFill = 64;           ///< pages per pte_fill
inline constexpr std::uint64_t kFillZero = 1;           ///< its source: no page, zeroes
inline constexpr std::size_t kMaxRequest = 512;         ///< pages per pages_request
inline constexpr std::size_t kMaxBatch = 64;            ///< entries per batch
inline constexpr std::uint64_t kBatchNanoseconds = 1'000'000;  ///< then it stops: TimedOut

constexpr std::uint64_t make_target(std::uint64_t cap_slot, std::uint32_t env) {
  return cap_slot << 32 | env;
}

/// One element of a batch; `result` is written by the kernel.
struct BatchEntry {
  std::uint64_t number;  ///< SyscallNumber; batch itself and yield are refused
  std::array<std::uint64_t, 6> arguments;
  std::int64_t result;
};
static_assert(sizeof(BatchEntry) == 64);

/// Argument of disk_transfer. Whole blocks of kPageSize; memory is page-aligned, pinned until the
/// transfer ends, then *pending is decremented (64-bit word) and *status set to 0 or -Errc.
struct DiskRequest {
  std::uint32_t disk;
  std::uint32_t write;  ///< 0 read, 1 write
  std::uint64_t block;
  std::uint64_t count;
  std::uint64_t memory;
  std::uint64_t pending;  ///< address of a word the caller can write
  std::uint64_t status;   ///< address of a 64-bit word the caller can write
};

/// Status values of machine_stop: what the emulator is told (debug-exit value).
inline constexpr std::uint64_t kStopClean = 0;
inline constexpr std::uint64_t kStopFailure = 1;

}  // namespace xok
