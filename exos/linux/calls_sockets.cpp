// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls that make, name and connect sockets.
#include <algorithm>
#include <optional>

#include "base/byte_order.hpp"
#include "exos/fd/descriptors.hpp"
#include "exos/linux/socket_calls.hpp"
#include "exos/net/config.hpp"
#include "exos/proc/file_system.hpp"

namespace xok::exos::linux_abi {
namespace {

constexpr std::uint32_t kTypeMask = 0xf;
constexpr std::uint32_t kLastType = 10;       ///< SOCK_PACKET
constexpr std::uint32_t kLastProtocol = 262;  ///< IPPROTO_MPTCP

std::uint32_t file_flags(std::uint32_t flags) { return kO_RDWR | (flags & kSOCK_NONBLOCK); }
CloseOnExec close_on_exec(std::uint32_t flags) {
  return (flags & kSOCK_CLOEXEC) != 0 ? CloseOnExec::Yes : CloseOnExec::No;
}
bool only_known_flags(std::uint32_t flags) {
  return (flags & ~(kSOCK_CLOEXEC | kSOCK_NONBLOCK)) == 0;
}

void drop(OpenFile& file) {
  const FileSystemLock lock;
  release_open_file(file);
}

std::int64_t install(OpenFile& file, std::uint32_t flags) {
  const auto fd = install_descriptor(file, close_on_exec(flags));
  if (fd.has_value()) return *fd;
  drop(file);
  return -kEMFILE;
}

struct Kind {
  SocketType type;
  std::uint8_t protocol;  ///< Raw only
};

/// What an Internet socket of a type and protocol is.
Answer<Kind> internet_kind(std::uint32_t type, std::uint32_t protocol) {
  if (protocol > kLastProtocol) return refuse(kEINVAL);
  switch (type) {
    case kSOCK_STREAM:
      if (protocol != kIPPROTO_IP && protocol != kIPPROTO_TCP) return refuse(kEPROTONOSUPPORT);
      return Kind{SocketType::Stream, 0};
    case kSOCK_DGRAM:
      // The ICMP sockets of unprivileged pings: Linux' default, too, is that nobody may.
      if (protocol == kIPPROTO_ICMP) return refuse(kEACCES);
      if (protocol != kIPPROTO_IP && protocol != kIPPROTO_UDP) return refuse(kEPROTONOSUPPORT);
      return Kind{SocketType::Datagram, 0};
    case kSOCK_RAW:
      if (protocol == kIPPROTO_IP) return refuse(kEPROTONOSUPPORT);
      if (process().proc->euid != 0) return refuse(kEPERM);
      if (protocol > kIPPROTO_RAW) return refuse(kEPROTONOSUPPORT);
      return Kind{SocketType::Raw, static_cast<std::uint8_t>(protocol)};
    default:
      return refuse(kESOCKTNOSUPPORT);
  }
}

Answer<OpenFile*> make_internet(std::uint32_t type, std::uint32_t protocol, std::uint32_t flags) {
  const Kind kind = XOK_TRY(internet_kind(type, protocol));
  const auto made = make_socket(kind.type, kind.protocol, file_flags(flags));
  if (made.has_value()) {
    // A sender of whole packets writes their headers.
    if (kind.type == SocketType::Raw && kind.protocol == kIPPROTO_RAW)
      options_of(**made).include_header = true;
    return *made;
  }
  if (made.error() == Error{Errc::NoSpace}) return refuse(kENFILE);
  return std::unexpected{Failure{socket_error(made.error())}};
}

/// The address to connect with; as on Linux "any" means this machine.
Endpoint reachable(Endpoint peer) {
  if (peer.address.is_zero()) peer.address = kLocalhost;
  return peer;
}

std::int64_t connect_internet(OpenFile& file, const SocketAddress& to) {
  if (to.length < sizeof(std::uint16_t)) return -kEINVAL;
  std::optional<Endpoint> peer;
  if (to.family() != kAF_UNSPEC)
    peer = reachable(XOK_LINUX_TRY(to_endpoint(to)));
  else if (type_of(file) == SocketType::Stream)
    return -kEOPNOTSUPP;
  const auto connected = connect_socket(file, peer);
  if (connected.has_value()) return 0;
  if (connected.error() == Error{Errc::NotSupported}) return -kEISCONN;  // a listener
  if (connected.error() == Error{Errc::NoSpace}) return -kEADDRNOTAVAIL;
  if (connected.error() == Error{Errc::Interrupted} && options_of(file).send_timeout_ns != 0)
    return -kEINTR;
  return socket_error(connected.error());
}

/// The type of a local socket. Errors  EPROTONOSUPPORT, ESOCKTNOSUPPORT
Answer<SocketType> local_type(std::uint32_t type, std::uint32_t protocol) {
  if (protocol != 0 && protocol != kAF_UNIX) return refuse(kEPROTONOSUPPORT);
  switch (type) {
    case kSOCK_STREAM:
      return SocketType::Stream;
    case kSOCK_DGRAM:
    case kSOCK_RAW:
      return SocketType::Datagram;
    default:
      return refuse(kESOCKTNOSUPPORT);
  }
}

std::int64_t connect_local(OpenFile& file, const SocketAddress& to) {
  std::optional<UnixName> name;
  if (to.length >= sizeof(std::uint16_t) && to.family() != kAF_UNSPEC) {
    name = XOK_LINUX_TRY(to_unix_name(to));
    if (name->length == 0) return -kEINVAL;
  }
  const auto connected = connect_unix(file, name.has_value() ? &*name : nullptr);
  if (!connected.has_value()) return send_result(file, std::unexpected{connected.error()});
  return 0;
}

std::int64_t bind_local(OpenFile& file, const SocketAddress& address) {
  const UnixName name = XOK_LINUX_TRY(to_unix_name(address));
  XOK_SOCKET_TRY(bind_unix(file, name));
  return 0;
}

UnixName local_peer_name(const OpenFile& file) { return file.unix_socket->peer->name; }

struct Connection {
  OpenFile* file;
  SocketAddress peer;
};
Outcome<Connection> accept_from(OpenFile& listener, std::uint32_t flags) {
  if (is_local(listener)) {
    OpenFile* const file = XOK_TRY(accept_unix(listener, flags));
    return Connection{file, to_address(local_peer_name(*file))};
  }
  const Accepted accepted = XOK_TRY(accept_socket(listener, flags));
  return Connection{accepted.file, to_address(accepted.peer)};
}

std::int64_t accept_with(const Arguments& a, std::uint32_t flags) {
  if (!only_known_flags(flags)) return -kEINVAL;
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  const auto accepted = accept_from(*file, file_flags(flags));
  if (!accepted.has_value()) return receive_result(*file, std::unexpected{accepted.error()});
  if (a[1] != 0) {
    const std::int64_t written = write_address(accepted->peer, a[1], a[2]);
    if (written < 0) {
      drop(*accepted->file);
      return written;
    }
  }
  return install(*accepted->file, flags);
}

/// Descriptors for both ends, stored for the program; or neither.
std::int64_t install_pair(const UnixPair& pair, std::uint32_t flags, std::uint64_t out) {
  const std::int64_t first = install(*pair.first, flags);
  if (first < 0) {
    drop(*pair.second);
    return first;
  }
  const std::int64_t second = install(*pair.second, flags);
  const std::int32_t fds[2] = {static_cast<std::int32_t>(first), static_cast<std::int32_t>(second)};
  if (second >= 0 && put(out, fds)) return 0;
  (void)close_descriptor(static_cast<std::uint64_t>(first));
  if (second < 0) return second;
  (void)close_descriptor(static_cast<std::uint64_t>(second));
  return -kEFAULT;
}

}  // namespace

Answer<SocketAddress> read_address(std::uint64_t address, std::int32_t length) {
  SocketAddress out;
  if (length < 0 || static_cast<std::size_t>(length) > out.bytes.size()) return refuse(kEINVAL);
  out.length = static_cast<std::uint32_t>(length);
  if (length != 0 && !copy_in(out.bytes.data(), address, out.length)) return refuse(kEFAULT);
  return out;
}

std::int64_t write_address(const SocketAddress& from, std::uint64_t address,
                           std::uint64_t length_at) {
  std::int32_t room = 0;
  if (!get(length_at, room)) return -kEFAULT;
  if (room < 0) return -kEINVAL;
  const std::uint32_t n = std::min(static_cast<std::uint32_t>(room), from.length);
  if (n != 0 && !copy_out(address, from.bytes.data(), n)) return -kEFAULT;
  return put(length_at, from.length) ? 0 : -kEFAULT;
}

SocketAddress to_address(const Endpoint& endpoint) {
  const SockaddrIn in{.sin_family = kAF_INET,
                      .sin_port = big_endian(endpoint.port),
                      .sin_addr = big_endian(endpoint.address.value),
                      .padding = {}};
  SocketAddress out;
  out.length = sizeof in;
  std::memcpy(out.bytes.data(), &in, sizeof in);
  return out;
}

Answer<Endpoint> to_endpoint(const SocketAddress& address) {
  SockaddrIn in{};
  if (address.length < sizeof in) return refuse(kEINVAL);
  std::memcpy(&in, address.bytes.data(), sizeof in);
  if (in.sin_family != kAF_INET) return refuse(kEAFNOSUPPORT);
  return Endpoint{.address = {big_endian(in.sin_addr)}, .port = big_endian(in.sin_port)};
}

SocketAddress to_address(const UnixName& name) {
  SockaddrUn un{};
  un.sun_family = kAF_UNIX;
  std::memcpy(un.sun_path, name.bytes.data(), name.length);
  SocketAddress out;
  // A path ends with a 0 byte, if there is room for it.
  const std::size_t end = name.length != 0 && !name.is_abstract() ? 1 : 0;
  out.length = static_cast<std::uint32_t>(offsetof(SockaddrUn, sun_path) + name.length + end);
  std::memcpy(out.bytes.data(), &un, sizeof un);
  return out;
}

Answer<UnixName> to_unix_name(const SocketAddress& address) {
  constexpr std::size_t kPath = offsetof(SockaddrUn, sun_path);
  if (address.length < kPath || address.length > sizeof(SockaddrUn) || address.family() != kAF_UNIX)
    return refuse(kEINVAL);
  UnixName name;
  name.length = static_cast<std::uint8_t>(address.length - kPath);
  std::memcpy(name.bytes.data(), address.bytes.data() + kPath, name.length);
  if (!name.is_abstract())
    name.length = static_cast<std::uint8_t>(strnlen(name.bytes.data(), name.length));
  return name;
}

Answer<OpenFile*> socket_at(std::uint64_t fd) {
  OpenFile* file = open_file(fd);
  if (file == nullptr) return refuse(kEBADF);
  if (!is_socket(*file)) return refuse(kENOTSOCK);
  return file;
}

std::int64_t call_socket(const Arguments& a) {
  const std::uint32_t type = a.as_u32(1) & kTypeMask;
  const std::uint32_t flags = a.as_u32(1) & ~kTypeMask;
  if (!only_known_flags(flags)) return -kEINVAL;
  if (a.as_u32(0) != kAF_INET && a.as_u32(0) != kAF_UNIX) return -kEAFNOSUPPORT;
  if (type > kLastType) return -kEINVAL;
  if (a.as_u32(0) == kAF_UNIX) {
    const SocketType local = XOK_LINUX_TRY(local_type(type, a.as_u32(2)));
    return install(*XOK_SOCKET_TRY(make_unix_socket(local, file_flags(flags))), flags);
  }
  return install(*XOK_LINUX_TRY(make_internet(type, a.as_u32(2), flags)), flags);
}

std::int64_t call_socketpair(const Arguments& a) {
  const std::uint32_t type = a.as_u32(1) & kTypeMask;
  const std::uint32_t flags = a.as_u32(1) & ~kTypeMask;
  if (!only_known_flags(flags)) return -kEINVAL;
  if (a.as_u32(0) == kAF_INET) return -kEOPNOTSUPP;
  if (a.as_u32(0) != kAF_UNIX) return -kEAFNOSUPPORT;
  if (type > kLastType) return -kEINVAL;
  const SocketType local = XOK_LINUX_TRY(local_type(type, a.as_u32(2)));
  return install_pair(XOK_SOCKET_TRY(make_unix_pair(local, file_flags(flags))), flags, a[3]);
}

std::int64_t call_bind(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  const SocketAddress address = XOK_LINUX_TRY(read_address(a[1], a.as_int(2)));
  if (is_local(*file)) return bind_local(*file, address);
  const Endpoint local = XOK_LINUX_TRY(to_endpoint(address));
  XOK_SOCKET_TRY(bind_socket(*file, local));
  return 0;
}

std::int64_t call_connect(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  const SocketAddress address = XOK_LINUX_TRY(read_address(a[1], a.as_int(2)));
  return is_local(*file) ? connect_local(*file, address) : connect_internet(*file, address);
}

std::int64_t call_listen(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  XOK_SOCKET_TRY(is_local(*file) ? listen_unix(*file, a.as_int(1))
                                 : listen_socket(*file, a.as_int(1)));
  return 0;
}

std::int64_t call_accept(const Arguments& a) { return accept_with(a, 0); }
std::int64_t call_accept4(const Arguments& a) { return accept_with(a, a.as_u32(3)); }

std::int64_t call_getsockname(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  const SocketAddress name =
      is_local(*file) ? to_address(file->unix_socket->name) : to_address(local_of(*file));
  return write_address(name, a[1], a[2]);
}

std::int64_t call_getpeername(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  if (is_local(*file)) {
    if (file->unix_socket->peer == nullptr) return -kENOTCONN;
    return write_address(to_address(local_peer_name(*file)), a[1], a[2]);
  }
  const auto peer = peer_of(*file);
  if (!peer.has_value()) return -kENOTCONN;
  return write_address(to_address(*peer), a[1], a[2]);
}

std::int64_t call_shutdown(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  if (a.as_u32(1) > kSHUT_RDWR) return -kEINVAL;
  const auto how = static_cast<Shutdown>(a.as_u32(1));
  if (is_local(*file))
    shutdown_unix(*file, how);
  else
    XOK_SOCKET_TRY(shutdown_socket(*file, how));
  return 0;
}

}  // namespace xok::exos::linux_abi
