// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fd/operations.hpp"

#include <cstring>

#include "exos/fd/console_files.hpp"
#include "exos/fd/pipe_files.hpp"
#include "exos/net/socket.hpp"
#include "exos/net/unix_socket.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/process.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/random.hpp"
#include "exos/tty/terminal.hpp"

namespace xok::exos {
namespace {

Outcome<std::size_t> read_regular(OpenFile& file, std::uint64_t offset, std::span<std::byte> to) {
  const FileSystemLock lock;
  Vfs fs = file_system();
  if (fs.type(file.node) == FileType::Directory) return std::unexpected{FsError::IsADirectory};
  return fs.read(file.node, offset, to, &file.text);
}

Outcome<std::size_t> write_regular(OpenFile& file, std::uint64_t& offset,
                                   std::span<const std::byte> from) {
  const FileSystemLock lock;
  Vfs fs = file_system();
  if ((file.flags & kOpenAppend) != 0) offset = fs.attributes(file.node).size;
  // RLIMIT_FSIZE: what is beyond it is not written; nothing at all raises SIGXFSZ.
  const std::uint64_t limit = process().limits[kLimitFileSize].soft;
  if (from.size() > limit || offset > limit - from.size()) [[unlikely]] {
    if (offset >= limit && !from.empty()) {
      send_signal(*process().proc, kSigXfsz, origin_of_self());
      return std::unexpected{FsError::FileTooBig};
    }
    from = from.first(limit - offset);
  }
  return fs.write(credentials(), file.node, offset, from);
}

}  // namespace

Outcome<std::size_t> read_file(OpenFile& file, std::span<std::byte> to) {
  switch (file.kind) {
    case FileKind::Regular: {
      const std::size_t n = XOK_TRY(read_regular(file, file.offset, to));
      file.offset += n;
      return n;
    }
    case FileKind::Pipe:
      return read_pipe(file, to);
    case FileKind::Terminal:
      return read_terminal(file, to);
    case FileKind::Console:
      return read_console(file, to);
    case FileKind::Socket: {
      const Received received = XOK_TRY(receive_socket(file, to, Peek::No, Wait::Yes));
      return received.bytes;
    }
    case FileKind::UnixSocket: {
      const UnixReceived received = XOK_TRY(receive_unix(file, to, Peek::No, Wait::Yes));
      return received.bytes;
    }
    case FileKind::Null:
      return 0;
    case FileKind::Zero:
    case FileKind::Full:
      std::memset(to.data(), 0, to.size());
      return to.size();
    case FileKind::Random:
      rt::fill_random(to);
      return to.size();
    case FileKind::Free:
      break;
  }
  return std::unexpected{Errc::BadArgument};
}

Outcome<std::size_t> write_file(OpenFile& file, std::span<const std::byte> from) {
  switch (file.kind) {
    case FileKind::Regular: {
      const std::size_t n = XOK_TRY(write_regular(file, file.offset, from));
      file.offset += n;
      return n;
    }
    case FileKind::Pipe:
      return write_pipe(file, from);
    case FileKind::Terminal:
      return write_terminal(file, from);
    case FileKind::Console:
      return write_console(file, from);
    case FileKind::Socket:
      return send_socket(file, from, std::nullopt, Wait::Yes);
    case FileKind::UnixSocket:
      return send_unix(file, from, nullptr, Wait::Yes);
    case FileKind::Null:
    case FileKind::Zero:
    case FileKind::Random:
      return from.size();
    case FileKind::Full:
      return std::unexpected{FsError::NoSpace};
    case FileKind::Free:
      break;
  }
  return std::unexpected{Errc::BadArgument};
}

Outcome<std::size_t> read_file_at(OpenFile& file, std::uint64_t offset, std::span<std::byte> to) {
  switch (file.kind) {
    case FileKind::Regular:
      return read_regular(file, offset, to);
    case FileKind::Null:
    case FileKind::Zero:
    case FileKind::Full:
    case FileKind::Random:
      return read_file(file, to);
    default:
      return std::unexpected{Errc::NotSupported};
  }
}

Outcome<std::size_t> write_file_at(OpenFile& file, std::uint64_t offset,
                                   std::span<const std::byte> from) {
  switch (file.kind) {
    case FileKind::Regular:
      return write_regular(file, offset, from);
    case FileKind::Null:
    case FileKind::Zero:
    case FileKind::Full:
    case FileKind::Random:
      return write_file(file, from);
    default:
      return std::unexpected{Errc::NotSupported};
  }
}

std::uint32_t poll_file(const OpenFile& file) {
  switch (file.kind) {
    case FileKind::Pipe:
      return poll_pipe(file);
    case FileKind::Terminal:
      return poll_terminal(file);
    case FileKind::Console:
      return poll_console(file);
    case FileKind::Socket:
      return poll_socket(file);
    case FileKind::UnixSocket:
      return poll_unix(file);
    default:
      return kPollIn | kPollOut;
  }
}

void watch_file(const OpenFile& file, rt::WaitSet& wait) {
  switch (file.kind) {
    case FileKind::Pipe:
      return watch_pipe(file, wait);
    case FileKind::Terminal:
      return watch_terminal(file, wait);
    case FileKind::Console:
      return watch_console(file, wait);
    case FileKind::Socket:
      return watch_socket(file, wait);
    case FileKind::UnixSocket:
      return watch_unix(file, wait);
    default:
      return;
  }
}

void close_file(OpenFile& file) {
  if (file.kind == FileKind::Pipe) close_pipe(file);
  if (file.kind == FileKind::Socket) close_socket(file);
  if (file.kind == FileKind::UnixSocket) close_unix(file);
  if (file.node.valid()) file_system().release(file.node);
}

}  // namespace xok::exos
