// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on open files: data.
#include <algorithm>
#include <array>

#include "exos/fd/operations.hpp"
#include "exos/fd/pipe_files.hpp"
#include "exos/linux/socket_calls.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/signals.hpp"

namespace xok::exos::linux_abi {
namespace {

constexpr std::size_t kMaxTransfer = 0x7ffff000;

Outcome<OpenFile*> to_read(std::uint64_t fd) {
  OpenFile* file = XOK_TRY(file_at(fd));
  if (!readable_mode(*file)) return std::unexpected{Errc::BadCapability};
  return file;
}

Outcome<OpenFile*> to_write(std::uint64_t fd) {
  OpenFile* file = XOK_TRY(file_at(fd));
  if (!writable_mode(*file)) return std::unexpected{Errc::BadCapability};
  return file;
}

std::int64_t read_result(OpenFile& file, const Outcome<std::size_t>& outcome) {
  return is_socket(file) ? receive_result(file, outcome) : result_of(outcome);
}

/// The result of a write; a pipe or connection without a reader also raises SIGPIPE.
std::int64_t write_result(OpenFile& file, const Outcome<std::size_t>& outcome) {
  if (is_socket(file)) return send_result(file, outcome);
  if (!outcome.has_value() && outcome.error() == Error{Errc::Closed})
    send_signal(*process().proc, kSigPipe, origin_of_self());
  return result_of(outcome);
}

/// ESPIPE where an offset makes no sense.
std::int64_t offset_result(const Outcome<std::size_t>& outcome) {
  if (!outcome.has_value() && outcome.error() == Error{Errc::NotSupported}) return -kESPIPE;
  return result_of(outcome);
}

enum class Direction : std::uint8_t { Read, Write };

std::int64_t socket_vector(OpenFile& file, const Arguments& a, Direction direction) {
  const UserBuffers buffers = UserBuffers::vector(a[1], a[2]);
  if (direction == Direction::Write) return send_buffers(file, buffers, nullptr, 0);
  ReceivedFrom from;
  return receive_buffers(file, buffers, 0, from);
}

/// readv and its kin: one transfer after the other, stopping at the first short one.
std::int64_t transfer_vector(const Arguments& a, Direction direction, bool at_offset) {
  const std::uint64_t count = a[2];
  if (count > kIOV_MAX) return -kEINVAL;
  OpenFile* file = XOK_LINUX_TRY(direction == Direction::Read ? to_read(a[0]) : to_write(a[0]));
  // What a vector holds is one message.
  if (is_socket(*file) && !at_offset) return socket_vector(*file, a, direction);
  std::uint64_t offset = a[3];
  if (at_offset && a.as_i64(3) < 0) return -kEINVAL;
  std::size_t total = 0;
  for (std::uint64_t i = 0; i < count; i++) {
    Iovec piece{};
    if (!get(a[1] + i * sizeof piece, piece)) return -kEFAULT;
    if (piece.iov_len == 0) continue;
    const std::size_t length = std::min<std::uint64_t>(piece.iov_len, kMaxTransfer - total);
    Outcome<std::size_t> n{0};
    if (direction == Direction::Read) {
      const auto to = user_output(piece.iov_base, length);
      if (!to.has_value()) return total != 0 ? static_cast<std::int64_t>(total) : -kEFAULT;
      n = at_offset ? read_file_at(*file, offset, *to) : read_file(*file, *to);
    } else {
      const auto from = user_input(piece.iov_base, length);
      if (!from.has_value()) return total != 0 ? static_cast<std::int64_t>(total) : -kEFAULT;
      n = at_offset ? write_file_at(*file, offset, *from) : write_file(*file, *from);
    }
    if (!n.has_value()) {
      if (total != 0) break;
      if (at_offset) return offset_result(n);
      return direction == Direction::Read ? read_result(*file, n) : write_result(*file, n);
    }
    total += *n;
    offset += *n;
    if (*n < length) break;
    // More would block: a read returns what it has.
    if (direction == Direction::Read && file->kind != FileKind::Regular &&
        (poll_file(*file) & kPollIn) == 0)
      break;
  }
  return static_cast<std::int64_t>(total);
}

std::int64_t seek(OpenFile& file, std::int64_t offset, std::uint32_t whence) {
  if (file.kind == FileKind::Null || file.kind == FileKind::Zero) return 0;
  if (file.kind != FileKind::Regular) return -kESPIPE;
  const FileSystemLock lock;
  Vfs fs = file_system();
  std::int64_t base = 0;
  switch (whence) {
    case kSEEK_SET:
      break;
    case kSEEK_CUR:
      base = static_cast<std::int64_t>(file.offset);
      break;
    case kSEEK_END:
      base = static_cast<std::int64_t>(fs.attributes(file.node).size);
      break;
    case kSEEK_DATA:
    case kSEEK_HOLE: {
      if (offset < 0) return -kENXIO;
      const auto from = static_cast<std::uint64_t>(offset);
      file.offset = XOK_LINUX_TRY(whence == kSEEK_DATA ? fs.seek_data(file.node, from)
                                                       : fs.seek_hole(file.node, from));
      return static_cast<std::int64_t>(file.offset);
    }
    default:
      return -kEINVAL;
  }
  std::int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target)) return -kEOVERFLOW;
  if (target < 0) return -kEINVAL;
  file.offset = static_cast<std::uint64_t>(target);
  return target;
}

std::size_t record_length(std::size_t name) {
  return (offsetof(Dirent64, d_name) + name + 1 + 7) & ~std::size_t{7};
}

}  // namespace

std::int64_t call_read(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(to_read(a[0]));
  if (file->kind == FileKind::Pipe) {
    const std::size_t length = std::min<std::uint64_t>(a[2], kMaxTransfer);
    if (length != 0 && !is_program_range(a[1], length)) return -kEFAULT;
    return result_of(read_pipe(*file, {reinterpret_cast<std::byte*>(a[1]), length}));
  }
  const auto to = XOK_LINUX_TRY(user_output(a[1], std::min<std::uint64_t>(a[2], kMaxTransfer)));
  return read_result(*file, read_file(*file, to));
}

std::int64_t call_write(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(to_write(a[0]));
  if (file->kind == FileKind::Pipe) {
    const std::size_t length = std::min<std::uint64_t>(a[2], kMaxTransfer);
    if (length != 0 && !is_program_range(a[1], length)) return -kEFAULT;
    return write_result(*file,
                        write_pipe(*file, {reinterpret_cast<const std::byte*>(a[1]), length}));
  }
  const auto from = XOK_LINUX_TRY(user_input(a[1], std::min<std::uint64_t>(a[2], kMaxTransfer)));
  return write_result(*file, write_file(*file, from));
}

std::int64_t call_pread64(const Arguments& a) {
  if (a.as_i64(3) < 0) return -kEINVAL;
  OpenFile* file = XOK_LINUX_TRY(to_read(a[0]));
  const auto to = XOK_LINUX_TRY(user_output(a[1], std::min<std::uint64_t>(a[2], kMaxTransfer)));
  return offset_result(read_file_at(*file, a[3], to));
}

std::int64_t call_pwrite64(const Arguments& a) {
  if (a.as_i64(3) < 0) return -kEINVAL;
  OpenFile* file = XOK_LINUX_TRY(to_write(a[0]));
  const auto from = XOK_LINUX_TRY(user_input(a[1], std::min<std::uint64_t>(a[2], kMaxTransfer)));
  return offset_result(write_file_at(*file, a[3], from));
}

std::int64_t call_readv(const Arguments& a) { return transfer_vector(a, Direction::Read, false); }
std::int64_t call_writev(const Arguments& a) { return transfer_vector(a, Direction::Write, false); }
std::int64_t call_preadv(const Arguments& a) { return transfer_vector(a, Direction::Read, true); }
std::int64_t call_pwritev(const Arguments& a) { return transfer_vector(a, Direction::Write, true); }

std::int64_t call_lseek(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(file_at(a[0]));
  return seek(*file, a.as_i64(1), a.as_u32(2));
}

std::int64_t call_sendfile(const Arguments& a) {
  OpenFile* out = XOK_LINUX_TRY(to_write(a[0]));
  OpenFile* in = XOK_LINUX_TRY(to_read(a[1]));
  if (in->kind != FileKind::Regular) return -kEINVAL;
  std::int64_t offset = static_cast<std::int64_t>(in->offset);
  if (a[2] != 0 && !get(a[2], offset)) return -kEFAULT;
  if (offset < 0) return -kEINVAL;
  std::array<std::byte, kPageSize> buffer;
  std::uint64_t left = std::min<std::uint64_t>(a[3], kMaxTransfer);
  std::size_t total = 0;
  while (left != 0) {
    const std::size_t want = std::min<std::uint64_t>(left, buffer.size());
    const auto got =
        read_file_at(*in, static_cast<std::uint64_t>(offset), std::span{buffer}.first(want));
    if (!got.has_value() && total == 0) return result_of(got);
    if (!got.has_value() || *got == 0) break;
    const auto put_bytes = write_file(*out, std::span{buffer}.first(*got));
    if (!put_bytes.has_value() && total == 0) return write_result(*out, put_bytes);
    if (!put_bytes.has_value()) break;
    total += *put_bytes;
    left -= *put_bytes;
    offset += static_cast<std::int64_t>(*put_bytes);
    if (*put_bytes < *got) break;
  }
  if (a[2] != 0) {
    if (!put(a[2], offset)) return -kEFAULT;
  } else {
    in->offset = static_cast<std::uint64_t>(offset);
  }
  return static_cast<std::int64_t>(total);
}

std::int64_t call_fsync(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(file_at(a[0]));
  return file->kind == FileKind::Regular ? 0 : -kEINVAL;
}
std::int64_t call_fdatasync(const Arguments& a) { return call_fsync(a); }
std::int64_t call_sync(const Arguments& /*a*/) { return 0; }
std::int64_t call_syncfs(const Arguments& a) { return file_at(a[0]).has_value() ? 0 : -kEBADF; }

std::int64_t call_ftruncate(const Arguments& a) {
  if (a.as_i64(1) < 0) return -kEINVAL;
  OpenFile* file = XOK_LINUX_TRY(file_at(a[0]));
  if (!writable_mode(*file) || file->kind != FileKind::Regular) return -kEINVAL;
  const FileSystemLock lock;
  return result_of(file_system().resize(credentials(), file->node, a[1]));
}

std::int64_t call_fallocate(const Arguments& a) {
  constexpr std::uint32_t kKeepSize = 1;
  constexpr std::uint32_t kPunchHole = 2;
  if (a.as_i64(2) < 0 || a.as_i64(3) <= 0) return -kEINVAL;
  OpenFile* file = XOK_LINUX_TRY(to_write(a[0]));
  if (file->kind != FileKind::Regular) return -kENODEV;
  const FileSystemLock lock;
  switch (a.as_u32(1)) {
    case 0:
      return result_of(file_system().preallocate(file->node, a[2], a[3], SizeChange::Extend));
    case kKeepSize:
      return result_of(file_system().preallocate(file->node, a[2], a[3], SizeChange::Keep));
    case kKeepSize | kPunchHole:
      return result_of(file_system().punch_hole(file->node, a[2], a[3]));
    default:
      return -kEOPNOTSUPP;
  }
}

std::int64_t call_fadvise64(const Arguments& a) { return file_at(a[0]).has_value() ? 0 : -kEBADF; }

std::int64_t call_getdents64(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(file_at(a[0]));
  if (file->kind != FileKind::Regular) return -kENOTDIR;
  const auto to = XOK_LINUX_TRY(user_output(a[1], std::min<std::uint64_t>(a[2], 1u << 20)));
  std::array<char, kNAME_MAX + 1> buffer;
  std::size_t used = 0;
  const FileSystemLock lock;
  Vfs fs = file_system();
  for (;;) {
    const auto item = XOK_LINUX_TRY(fs.next_entry(file->node, file->offset, buffer));
    if (!item.has_value()) break;
    const std::size_t length = record_length(item->name.size());
    if (used + length > to.size()) {
      if (used == 0) return -kEINVAL;
      break;
    }
    std::byte* at = to.data() + used;
    const Dirent64 head{.d_ino = item->number,
                        .d_off = static_cast<std::int64_t>(item->next_cursor),
                        .d_reclen = static_cast<std::uint16_t>(length),
                        .d_type = static_cast<std::uint8_t>(item->type),
                        .d_name = {}};
    std::memset(at, 0, length);
    std::memcpy(at, &head, offsetof(Dirent64, d_name));
    std::memcpy(at + offsetof(Dirent64, d_name), item->name.data(), item->name.size());
    used += length;
    file->offset = item->next_cursor;
  }
  return static_cast<std::int64_t>(used);
}

}  // namespace xok::exos::linux_abi
