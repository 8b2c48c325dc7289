// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "exos/fs/vfs.hpp"

namespace xok::exos {

struct Pipe;
struct Socket;

/// What an open file is: the dispatch of the fd layer (state is shared between processes, so the
/// kind is a value, not a virtual table).
enum class FileKind : std::uint32_t {
  Free = 0,
  Regular,  ///< a file or directory of a file system
  Pipe,     ///< one end (or, a fifo opened read-write, both) of a pipe
  Terminal,
  Null,
  Zero,
  Full,
  Random,
  Console,  ///< a console port as a plain byte stream (`device` is the port)
  Socket,
};

/// An open file description: what dup and fork share. Under SharedState::file_lock, but for the
/// counters that others wait on.
struct OpenFile {
  FileKind kind;
  std::uint32_t references;
  std::uint32_t flags;   ///< Linux' O_* as fcntl(F_GETFL) reports them
  std::uint32_t device;  ///< Console: the port
  std::uint64_t offset;
  Vnode node;  ///< held; invalid for unnamed pipes
  Pipe* pipe;
  Socket* socket;
  GeneratedText text;
  std::int32_t owner;  ///< F_SETOWN
  std::uint32_t reserved;
};

inline constexpr std::uint32_t kAccessModeMask = 3;
inline constexpr std::uint32_t kOpenReadOnly = 0;
inline constexpr std::uint32_t kOpenWriteOnly = 1;
inline constexpr std::uint32_t kOpenReadWrite = 2;
inline constexpr std::uint32_t kOpenAppend = 02000;
inline constexpr std::uint32_t kOpenNonBlocking = 04000;

/// The number that tells an open file without a node from others: its "inode".
inline std::uint64_t unnamed_number(const OpenFile& file) {
  return reinterpret_cast<std::uint64_t>(&file) >> 4 & 0xffffffff;
}

inline bool readable_mode(const OpenFile& file) {
  return (file.flags & kAccessModeMask) != kOpenWriteOnly;
}
inline bool writable_mode(const OpenFile& file) {
  return (file.flags & kAccessModeMask) != kOpenReadOnly;
}

}  // namespace xok::exos
