// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls that send and receive on sockets.
#include <algorithm>

#include "exos/linux/socket_calls.hpp"
#include "exos/rt/self.hpp"

namespace xok::exos::linux_abi {
namespace {

constexpr std::uint64_t kMaxMessages = 1024;  ///< of one sendmmsg or recvmmsg

/// Where the parts of a message are. Errors  EFAULT, EMSGSIZE (too many pieces), EINVAL
Answer<Msghdr> message_at(std::uint64_t address) {
  Msghdr message{};
  if (!get(address, message)) return refuse(kEFAULT);
  if (message.msg_iovlen > kIOV_MAX) return refuse(kEMSGSIZE);
  if (static_cast<std::int32_t>(message.msg_namelen) < 0) return refuse(kEINVAL);
  return message;
}

std::int64_t send_at(OpenFile& file, std::uint64_t address, std::uint32_t flags) {
  const Msghdr message = XOK_LINUX_TRY(message_at(address));
  SocketAddress to;
  if (message.msg_name != 0) {
    const auto length = std::min<std::uint32_t>(message.msg_namelen, kSockaddrStorageBytes);
    to = XOK_LINUX_TRY(read_address(message.msg_name, static_cast<std::int32_t>(length)));
  }
  return send_buffers(file, UserBuffers::vector(message.msg_iov, message.msg_iovlen), &to, flags);
}

std::int64_t receive_at(OpenFile& file, std::uint64_t address, std::uint32_t flags) {
  const Msghdr message = XOK_LINUX_TRY(message_at(address));
  ReceivedFrom from;
  const std::int64_t received =
      receive_buffers(file, UserBuffers::vector(message.msg_iov, message.msg_iovlen), flags, from);
  if (received < 0) return received;
  if (message.msg_name != 0) {
    const std::int64_t written =
        write_address(from.peer, message.msg_name, address + offsetof(Msghdr, msg_namelen));
    if (written < 0) return written;
  }
  // No control data is ever produced.
  if (!put(address + offsetof(Msghdr, msg_flags), from.flags) ||
      !put(address + offsetof(Msghdr, msg_controllen), std::uint64_t{0}))
    return -kEFAULT;
  return received;
}

/// Does `one` for each message until one fails; an error is returned only by the first.
template <class One>
std::int64_t for_each_message(std::uint64_t address, std::uint64_t count, One one) {
  std::int64_t done = 0;
  for (std::uint64_t i = 0; i < std::min(count, kMaxMessages); i++) {
    const std::uint64_t at = address + i * sizeof(Mmsghdr);
    std::int64_t bytes = one(at);
    if (bytes >= 0 && !put(at + offsetof(Mmsghdr, msg_len), static_cast<std::uint32_t>(bytes)))
      bytes = -kEFAULT;
    if (bytes < 0) return done != 0 ? done : bytes;
    done++;
  }
  return done;
}

}  // namespace

std::int64_t call_sendto(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  SocketAddress to;
  if (a[4] != 0) to = XOK_LINUX_TRY(read_address(a[4], a.as_int(5)));
  return send_buffers(*file, UserBuffers{a[1], a[2]}, &to, a.as_u32(3));
}

std::int64_t call_recvfrom(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  ReceivedFrom from;
  const std::int64_t received = receive_buffers(*file, UserBuffers{a[1], a[2]}, a.as_u32(3), from);
  if (received < 0 || a[4] == 0) return received;
  const std::int64_t written = write_address(from.peer, a[4], a[5]);
  return written < 0 ? written : received;
}

std::int64_t call_sendmsg(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  return send_at(*file, a[1], a.as_u32(2));
}

std::int64_t call_recvmsg(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  return receive_at(*file, a[1], a.as_u32(2));
}

std::int64_t call_sendmmsg(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  return for_each_message(a[1], a.as_u32(2), [&](std::uint64_t message) {
    return send_at(*file, message, a.as_u32(3));
  });
}

/// As on Linux the time limit is looked at after each message: it ends no wait.
std::int64_t call_recvmmsg(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  std::uint64_t deadline = rt::kNoDeadline;
  if (a[4] != 0) {
    Timespec time{};
    if (!get(a[4], time)) return -kEFAULT;
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= 1'000'000'000) return -kEINVAL;
    deadline = rt::monotonic_ns() + to_ns(time);
  }
  std::uint32_t flags = a.as_u32(3);
  bool late = false;
  return for_each_message(a[1], a.as_u32(2), [&](std::uint64_t message) -> std::int64_t {
    if (late) return -kEAGAIN;
    const std::int64_t received = receive_at(*file, message, flags & ~kMSG_WAITFORONE);
    if ((flags & kMSG_WAITFORONE) != 0) flags |= kMSG_DONTWAIT;
    late = deadline != rt::kNoDeadline && rt::monotonic_ns() >= deadline;
    return received;
  });
}

}  // namespace xok::exos::linux_abi
