// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on descriptors themselves.
#include "exos/fd/descriptors.hpp"

#include "exos/fd/operations.hpp"
#include "exos/fd/pipe.hpp"
#include "exos/linux/socket_calls.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/tty/terminal.hpp"

namespace xok::exos::linux_abi {
namespace {

std::int64_t install_limited(OpenFile& file, CloseOnExec close, std::size_t from = 0) {
  const auto fd = install_descriptor(file, close, from);
  return fd.has_value() ? *fd : -kEMFILE;
}

std::int64_t duplicate(std::uint64_t fd, std::size_t from, CloseOnExec close) {
  OpenFile* file = XOK_LINUX_TRY(file_at(fd));
  if (from >= process().limits[kRLIMIT_NOFILE].soft) return -kEINVAL;
  const std::int64_t made = install_limited(*file, close, from);
  if (made >= 0) file->references++;
  return made;
}

std::int64_t duplicate_at(std::uint64_t from, std::uint64_t to, CloseOnExec close) {
  const auto done = duplicate_to(from, to, close);
  return done.has_value() ? static_cast<std::int64_t>(to) : -kEBADF;
}

std::int64_t pipe_with(std::uint64_t out, std::uint64_t flags) {
  if ((flags & ~std::uint64_t{kO_CLOEXEC | kO_NONBLOCK | kO_DIRECT}) != 0) return -kEINVAL;
  const CloseOnExec close = (flags & kO_CLOEXEC) != 0 ? CloseOnExec::Yes : CloseOnExec::No;
  const PipeEnds ends = XOK_LINUX_TRY(make_pipe(static_cast<std::uint32_t>(flags & kO_NONBLOCK)));
  std::int32_t fds[2] = {-1, -1};
  const auto read = install_descriptor(*ends.read, close);
  const auto write = read.has_value() ? install_descriptor(*ends.write, close) : read;
  if (read.has_value() && write.has_value()) {
    fds[0] = *read;
    fds[1] = *write;
    if (put(out, fds)) return 0;
    (void)close_descriptor(static_cast<std::uint64_t>(fds[0]));
    (void)close_descriptor(static_cast<std::uint64_t>(fds[1]));
    return -kEFAULT;
  }
  if (read.has_value()) {
    (void)close_descriptor(static_cast<std::uint64_t>(*read));
  } else {
    const FileSystemLock lock;
    release_open_file(*ends.read);
  }
  const FileSystemLock lock;
  release_open_file(*ends.write);
  return -kEMFILE;
}

/// POSIX record locks between processes of one machine are advisory; nothing here holds one yet, so
/// every lock is granted and every query says "unlocked".
std::int64_t record_lock(std::uint64_t command, std::uint64_t address) {
  Flock lock{};
  if (!get(address, lock)) return -kEFAULT;
  if (command != kF_GETLK && command != kF_OFD_GETLK) return 0;
  lock.l_type = kF_UNLCK;
  return put(address, lock) ? 0 : -kEFAULT;
}

std::int64_t set_flag(OpenFile& file, std::uint32_t flag, bool on) {
  file.flags = on ? file.flags | flag : file.flags & ~flag;
  return 0;
}

}  // namespace

std::int64_t call_close(const Arguments& a) {
  return close_descriptor(a[0]).has_value() ? 0 : -kEBADF;
}

std::int64_t call_close_range(const Arguments& a) {
  constexpr std::uint64_t kMarkOnly = 4;
  const std::uint64_t first = a.as_u32(0);
  const std::uint64_t last = a.as_u32(1);
  if (first > last) return -kEINVAL;
  for (std::uint64_t fd = first; fd <= last && fd < process().descriptor_end; fd++) {
    if (open_file(fd) == nullptr) continue;
    if ((a[2] & kMarkOnly) != 0)
      descriptor_word(fd) |= 1;
    else
      (void)close_descriptor(fd);
  }
  return 0;
}

std::int64_t call_dup(const Arguments& a) { return duplicate(a[0], 0, CloseOnExec::No); }

std::int64_t call_dup2(const Arguments& a) {
  const std::uint64_t from = a.as_u32(0);
  const std::uint64_t to = a.as_u32(1);
  if (from == to) return open_file(from) == nullptr ? -kEBADF : static_cast<std::int64_t>(to);
  return duplicate_at(from, to, CloseOnExec::No);
}

std::int64_t call_dup3(const Arguments& a) {
  if (a.as_u32(0) == a.as_u32(1) || (a[2] & ~std::uint64_t{kO_CLOEXEC}) != 0) return -kEINVAL;
  return duplicate_at(a.as_u32(0), a.as_u32(1),
                      (a[2] & kO_CLOEXEC) != 0 ? CloseOnExec::Yes : CloseOnExec::No);
}

std::int64_t call_pipe(const Arguments& a) { return pipe_with(a[0], 0); }
std::int64_t call_pipe2(const Arguments& a) { return pipe_with(a[0], a[1]); }

std::int64_t call_fcntl(const Arguments& a) {
  constexpr std::uint32_t kSettable = kO_APPEND | kO_NONBLOCK | kO_DIRECT | kO_NOATIME | kFASYNC;
  OpenFile* file = XOK_LINUX_TRY(file_at(a[0]));
  switch (a.as_u32(1)) {
    case kF_DUPFD:
      return duplicate(a[0], a[2], CloseOnExec::No);
    case kF_DUPFD_CLOEXEC:
      return duplicate(a[0], a[2], CloseOnExec::Yes);
    case kF_GETFD:
      return static_cast<std::int64_t>(descriptor_word(a[0]) & 1);
    case kF_SETFD:
      descriptor_word(a[0]) = (descriptor_word(a[0]) & ~std::uint64_t{1}) | (a[2] & 1);
      return 0;
    case kF_GETFL:
      return file->flags;
    case kF_SETFL:
      file->flags = (file->flags & ~kSettable) | (a.as_u32(2) & kSettable);
      return 0;
    case kF_GETLK:
    case kF_SETLK:
    case kF_SETLKW:
    case kF_OFD_GETLK:
    case kF_OFD_SETLK:
    case kF_OFD_SETLKW:
      return record_lock(a.as_u32(1), a[2]);
    case kF_SETOWN:
      file->owner = a.as_int(2);
      return 0;
    case kF_GETOWN:
      return file->owner;
    case kF_GETPIPE_SZ:
      return file->kind == FileKind::Pipe ? 65536 : -kEBADF;
    case kF_SETPIPE_SZ:
      return file->kind != FileKind::Pipe ? -kEBADF : a[2] <= 65536 ? 65536 : -kEPERM;
    default:
      return -kEINVAL;
  }
}

std::int64_t call_flock(const Arguments& a) { return file_at(a[0]).has_value() ? 0 : -kEBADF; }

std::int64_t call_ioctl(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(file_at(a[0]));
  const std::uint64_t command = a.as_u32(1);
  switch (command) {
    case kFIOCLEX:
      descriptor_word(a[0]) |= 1;
      return 0;
    case kFIONCLEX:
      descriptor_word(a[0]) &= ~std::uint64_t{1};
      return 0;
    case kFIONBIO: {
      std::int32_t on = 0;
      if (!get(a[2], on)) return -kEFAULT;
      return set_flag(*file, kO_NONBLOCK, on != 0);
    }
    default:
      break;
  }
  if (file->kind == FileKind::Terminal) return result_of(terminal_control(command, a[2]));
  if (is_socket(*file)) return socket_control(*file, a.as_u32(1), a[2]);
  if (command == kFIONREAD) {
    std::int32_t available = 0;
    if (file->kind == FileKind::Pipe) {
      available = static_cast<std::int32_t>(file->pipe->used());
    } else if (file->kind == FileKind::Regular) {
      const FileSystemLock lock;
      available =
          static_cast<std::int32_t>(file_system().attributes(file->node).size - file->offset);
    } else {
      return -kENOTTY;
    }
    return put(a[2], available) ? 0 : -kEFAULT;
  }
  return -kENOTTY;
}

}  // namespace xok::exos::linux_abi
