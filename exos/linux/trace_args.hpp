// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "exos/linux/trace.hpp"

namespace xok::exos::trace {

/// What an argument of a system call is, and so how it is shown. Kinds that end in Out, and the
/// three data kinds named there, show what the call left in memory, or the address when it failed.
enum class ArgKind : std::uint8_t {
  NoArguments,
  Unknown,  ///< the call has no description: all six words in hex
  // Numbers.
  Int,
  UInt,
  Long,
  Size,
  Hex,
  Pointer,
  Fd,
  DirFd,
  Mode,
  FileMode,
  Device,
  Signal,
  // Text and data. InData's length is the next argument, OutData's and OutPath's the result.
  Path,
  PathOut,
  Text,
  InData,
  OutData,
  OutPath,
  RandomOut,
  Strings,
  Environment,
  VectorsIn,
  VectorsOut,
  EntriesOut,
  // Names out of abi_flags.def.
  OpenFlags,
  OpenMode,
  AccessMode,
  Whence,
  Protection,
  MapFlags,
  MremapFlags,
  MremapAddress,
  MsyncFlags,
  Advice,
  FileAdvice,
  SigHow,
  WaitOptions,
  WaitIdType,
  LimitName,
  RusageWho,
  ItimerName,
  ClockName,
  TimerFlags,
  FlockOperation,
  RenameFlags,
  UnlinkFlags,
  LinkFlags,
  AtFlags,
  AccessFlags,
  StatxFlags,
  StatxMask,
  DescriptorFlags,
  EpollFlags,
  EventFlags,
  TimerFdFlags,
  SignalFdFlags,
  InotifyFlags,
  MemfdFlags,
  RandomFlags,
  CloneFlags,
  ArchOption,
  // Commands whose other arguments depend on them.
  FcntlCommand,
  FcntlArgument,
  IoctlCommand,
  IoctlArgument,
  ArchAddress,
  PrctlArguments,
  CloneArguments,
  FutexArguments,
  // Structures.
  StatOut,
  StatxOut,
  StatfsOut,
  SigActionIn,
  SigActionOut,
  SigSetIn,
  SigSetOut,
  MaskPair,
  StackIn,
  StackOut,
  TimespecIn,
  TimespecOut,
  TimespecPair,
  RemainingOut,
  TimevalIn,
  TimevalOut,
  ItimerIn,
  ItimerOut,
  WaitStatusOut,
  RusageOut,
  LimitIn,
  LimitOut,
  UtsnameOut,
  SysinfoOut,
  TmsOut,
  PollFds,
  FdSet,
  FdPairOut,
  IntOut,
  OffsetIn,
  // Sockets and epoll.
  SocketFamily,
  SocketType,
  SocketProtocol,
  SocketFlags,
  SocketLevel,
  SocketOption,
  OptionIn,
  OptionOut,
  MessageFlags,
  MessageIn,
  MessageOut,
  ShutdownHow,
  AddressIn,
  AddressOut,
  LengthInOut,
  EpollOperation,
  EpollEventIn,
  EpollEventsOut,
};

/// True when the argument can only be shown after the call has returned.
bool is_output(ArgKind kind);

/// One call in the eyes of the argument printers.
struct CallView {
  Text& text;
  UserReader reader;
  linux_abi::Call call;
  const std::array<std::uint64_t, 6>& arguments;
  std::int64_t result;  ///< 0 while the call has not returned
  bool returned;
  std::uint32_t entry_length;  ///< see CallTrace

  [[nodiscard]] bool succeeded() const { return returned && !linux_abi::is_error(result); }

  /// Reads a structure of the traced program's; nothing when not all of it is readable.
  template <class T>
  [[nodiscard]] std::optional<T> load(std::uint64_t address) const {
    T value{};
    auto* bytes = reinterpret_cast<std::uint8_t*>(&value);
    if (address == 0 ||
        reader.read(reader.context, address, {bytes, sizeof value}) != sizeof value) {
      return std::nullopt;
    }
    return value;
  }
};

/// Writes argument `index`, of kind `kind`, without the comma before it.
/// Returns  false when nothing is written, for this call does not use the argument (open's mode
///          without O_CREAT). The ...Arguments kinds write all that follow
bool put_argument(const CallView& view, ArgKind kind, std::size_t index);

/// Writes what stands behind the result: " (Timeout)", " ([{fd=3, revents=POLLIN}])", ...
void put_result_note(const CallView& view);

// Printers by subject, for put_argument. Each writes one argument and returns false when `kind` is
// not one of its own.
bool put_data(const CallView& view, ArgKind kind, std::size_t index);       // trace_data.cpp
bool put_structure(const CallView& view, ArgKind kind, std::size_t index);  // trace_structs.cpp
bool put_socket(const CallView& view, ArgKind kind, std::size_t index);     // trace_sockets.cpp
bool put_event(const CallView& view, ArgKind kind, std::size_t index);      // trace_events.cpp
bool put_command(const CallView& view, ArgKind kind, std::size_t index);    // trace_commands.cpp

/// At most `limit` bytes of the program's memory, quoted, "..." behind when there were more; the
/// address when none can be read.
void put_memory(const CallView& view, std::uint64_t address, std::uint64_t length,
                std::size_t limit, Text::Escape escape = Text::Escape::Shortest);

/// A string of the program's that ends with a 0 byte, quoted, cut off behind `limit`.
void put_string(const CallView& view, std::uint64_t address, std::size_t limit);

void put_timespec(Text& text, const linux_abi::Timespec& time);
void put_timeval(Text& text, const linux_abi::Timeval& time);
void put_file_mode(Text& text, std::uint32_t mode);

/// How much of a string or data is shown (strace -s).
inline constexpr std::size_t kShown = 32;

}  // namespace xok::exos::trace
