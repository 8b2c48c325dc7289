// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

namespace xok::exos::linux_abi {

/// An IPv4 address and port, both in network byte order.
struct SockaddrIn {
  std::uint16_t sin_family;  ///< kAF_INET
  std::uint16_t sin_port;
  std::uint32_t sin_addr;
  std::uint8_t padding[8];
};
static_assert(sizeof(SockaddrIn) == 16);

struct SockaddrUn {
  std::uint16_t sun_family;  ///< kAF_UNIX
  char sun_path[108];        ///< a path, or after a first 0 byte an abstract name
};
static_assert(sizeof(SockaddrUn) == 110);

/// The largest address any family has; callers' buffers are at most this long.
inline constexpr std::size_t kSockaddrStorageBytes = 128;

/// sendmsg(2), recvmsg(2): the kernel's structure.
struct Msghdr {
  std::uint64_t msg_name;
  std::uint32_t msg_namelen;
  std::uint32_t padding;
  std::uint64_t msg_iov;
  std::uint64_t msg_iovlen;
  std::uint64_t msg_control;
  std::uint64_t msg_controllen;
  std::uint32_t msg_flags;
  std::uint32_t padding_end;
};
static_assert(sizeof(Msghdr) == 56 && offsetof(Msghdr, msg_iov) == 16 &&
              offsetof(Msghdr, msg_flags) == 48);

struct Linger {
  std::int32_t l_onoff;
  std::int32_t l_linger;  ///< seconds
};
static_assert(sizeof(Linger) == 8);

}  // namespace xok::exos::linux_abi
