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

/// sendmmsg(2), recvmmsg(2).
struct Mmsghdr {
  Msghdr msg_hdr;
  std::uint32_t msg_len;  ///< bytes transferred
  std::uint32_t padding;
};
static_assert(sizeof(Mmsghdr) == 64);

/// The head of each piece of control data in a message.
struct Cmsghdr {
  std::uint64_t cmsg_len;
  std::int32_t cmsg_level;
  std::int32_t cmsg_type;
};
static_assert(sizeof(Cmsghdr) == 16);
inline constexpr std::int32_t kSCM_RIGHTS = 1;

/// SO_PEERCRED.
struct Ucred {
  std::int32_t pid;
  std::uint32_t uid;
  std::uint32_t gid;
};
static_assert(sizeof(Ucred) == 12);

/// ioctl(2) on a network interface: its name and, as the command says, an address, a number or a
/// name.
inline constexpr std::size_t kIFNAMSIZ = 16;
struct HardwareAddress {
  std::uint16_t sa_family;  ///< kARPHRD_...
  std::uint8_t sa_data[14];
};
struct Ifreq {
  char ifr_name[kIFNAMSIZ];
  union {
    SockaddrIn ifr_addr;  ///< also dstaddr, broadaddr, netmask
    HardwareAddress ifr_hwaddr;
    std::int16_t ifr_flags;
    std::int32_t ifr_number;  ///< ifindex, metric, mtu, qlen
    std::uint8_t bytes[24];
  };
};
static_assert(sizeof(Ifreq) == 40);

/// SIOCGIFCONF.
struct Ifconf {
  std::int32_t ifc_len;  ///< bytes
  std::int32_t padding;
  std::uint64_t ifc_req;
};
static_assert(sizeof(Ifconf) == 16);

inline constexpr std::uint16_t kARPHRD_ETHER = 1;
inline constexpr std::uint16_t kARPHRD_LOOPBACK = 772;
inline constexpr std::int16_t kIFF_UP = 0x1;
inline constexpr std::int16_t kIFF_BROADCAST = 0x2;
inline constexpr std::int16_t kIFF_LOOPBACK = 0x8;
inline constexpr std::int16_t kIFF_RUNNING = 0x40;
inline constexpr std::int16_t kIFF_MULTICAST = 0x1000;

struct Linger {
  std::int32_t l_onoff;
  std::int32_t l_linger;  ///< seconds
};
static_assert(sizeof(Linger) == 8);

}  // namespace xok::exos::linux_abi
