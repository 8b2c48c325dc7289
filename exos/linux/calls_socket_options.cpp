// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on the options of sockets. Three kinds: those with a meaning here, on/off or
// of a form of their own; and those that change nothing, which are kept so that a program reads
// back what it has set.
#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "exos/linux/socket_calls.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/shared.hpp"

namespace xok::exos::linux_abi {
namespace {

struct SwitchOption {
  std::uint32_t level;
  std::uint32_t name;
  bool SocketOptions::* value;
};
constexpr SwitchOption kSwitches[] = {
    {kSOL_SOCKET, kSO_REUSEADDR, &SocketOptions::reuse_address},
    {kSOL_SOCKET, kSO_BROADCAST, &SocketOptions::broadcast},
    {kSOL_SOCKET, kSO_KEEPALIVE, &SocketOptions::keep_alive},
    {kSOL_TCP, kTCP_NODELAY, &SocketOptions::no_delay},
    {kSOL_IP, kIP_HDRINCL, &SocketOptions::include_header},
};

/// An option without effect: SocketOptions::kept has `value - start` at the table's index.
struct KeptOption {
  std::uint32_t level;
  std::uint32_t name;
  std::int32_t start;  ///< its value on a new socket
  std::int32_t least;
  std::int32_t most;
  bool on_off = false;  ///< any value but 0 reads as 1
};
constexpr std::int32_t kAny = INT32_MAX;
constexpr KeptOption kKept[] = {
    {kSOL_SOCKET, kSO_RCVBUF, 0, 0, kAny},
    {kSOL_SOCKET, kSO_SNDBUF, 0, 0, kAny},
    {kSOL_SOCKET, kSO_DONTROUTE, 0, INT32_MIN, kAny, true},
    {kSOL_SOCKET, kSO_OOBINLINE, 0, INT32_MIN, kAny, true},
    {kSOL_SOCKET, kSO_NO_CHECK, 0, INT32_MIN, kAny, true},
    {kSOL_SOCKET, kSO_PRIORITY, 0, 0, 6},
    {kSOL_SOCKET, kSO_REUSEPORT, 0, INT32_MIN, kAny, true},
    {kSOL_SOCKET, kSO_PASSCRED, 0, INT32_MIN, kAny, true},
    {kSOL_SOCKET, kSO_RCVLOWAT, 1, 0, kAny},
    {kSOL_SOCKET, kSO_TIMESTAMP_OLD, 0, INT32_MIN, kAny, true},
    {kSOL_IP, kIP_TOS, 0, 0, 255},
    {kSOL_IP, kIP_RECVOPTS, 0, INT32_MIN, kAny, true},
    {kSOL_IP, kIP_RETOPTS, 0, INT32_MIN, kAny, true},
    {kSOL_IP, kIP_PKTINFO, 0, INT32_MIN, kAny, true},
    {kSOL_IP, kIP_MTU_DISCOVER, 1, 0, 5},
    {kSOL_IP, kIP_RECVERR, 0, INT32_MIN, kAny, true},
    {kSOL_IP, kIP_RECVTTL, 0, INT32_MIN, kAny, true},
    {kSOL_IP, kIP_RECVTOS, 0, INT32_MIN, kAny, true},
    {kSOL_IP, kIP_FREEBIND, 0, INT32_MIN, kAny, true},
    {kSOL_IP, kIP_MULTICAST_TTL, 1, 0, 255},
    {kSOL_IP, kIP_MULTICAST_LOOP, 1, INT32_MIN, kAny, true},
    {kSOL_TCP, kTCP_CORK, 0, INT32_MIN, kAny, true},
    {kSOL_TCP, kTCP_KEEPIDLE, 7200, 1, 32767},
    {kSOL_TCP, kTCP_KEEPINTVL, 75, 1, 32767},
    {kSOL_TCP, kTCP_KEEPCNT, 9, 1, 127},
    {kSOL_TCP, kTCP_SYNCNT, 6, 1, 127},
    {kSOL_TCP, kTCP_LINGER2, 60, -1, kAny},
    {kSOL_TCP, kTCP_DEFER_ACCEPT, 0, 0, kAny},
    {kSOL_TCP, kTCP_WINDOW_CLAMP, 0, 0, kAny},
    {kSOL_TCP, kTCP_QUICKACK, 1, INT32_MIN, kAny, true},
    {kSOL_TCP, kTCP_USER_TIMEOUT, 0, 0, kAny},
};
static_assert(std::size(kKept) <= std::tuple_size_v<decltype(SocketOptions::kept)>);

/// Whether the socket's protocols include the level's.
bool has_level(const OpenFile& file, std::uint32_t level) {
  switch (level) {
    case kSOL_SOCKET:
      return true;
    case kSOL_IP:
      return !is_local(file);
    case kSOL_TCP:
      return !is_local(file) && socket_type(file) == SocketType::Stream;
    case kSOL_RAW:
      return socket_type(file) == SocketType::Raw;
    default:
      return false;
  }
}

const SwitchOption* switch_option(std::uint32_t level, std::uint32_t name) {
  const auto* found = std::find_if(std::begin(kSwitches), std::end(kSwitches), [&](const auto& o) {
    return o.level == level && o.name == name;
  });
  return found == std::end(kSwitches) ? nullptr : found;
}

const KeptOption* kept_option(std::uint32_t level, std::uint32_t name) {
  const auto* found = std::find_if(std::begin(kKept), std::end(kKept), [&](const auto& o) {
    return o.level == level && o.name == name;
  });
  return found == std::end(kKept) ? nullptr : found;
}

std::int32_t& kept_value(SocketOptions& options, const KeptOption& option) {
  return options.kept[static_cast<std::size_t>(&option - std::begin(kKept))];
}

bool is_buffer_size(const KeptOption& option) {
  return option.level == kSOL_SOCKET && (option.name == kSO_RCVBUF || option.name == kSO_SNDBUF);
}

/// Linux' defaults, of which it tells what it reckons with: twice what was asked for.
std::int32_t default_buffer_size(const OpenFile& file, std::uint32_t name) {
  if (is_local(file) || socket_type(file) != SocketType::Stream) return 212992;
  return name == kSO_RCVBUF ? 131072 : 16384;
}
std::int32_t buffer_size(std::int32_t asked, std::uint32_t name) {
  constexpr std::int32_t kMost = 212992;
  const std::int32_t least = name == kSO_RCVBUF ? 2304 : 4608;
  return std::max(2 * std::clamp(asked, 0, kMost), least);
}

std::int64_t set_kept(OpenFile& file, const KeptOption& option, std::int32_t value) {
  if (is_buffer_size(option)) {
    kept_value(socket_options(file), option) = buffer_size(value, option.name);
    return 0;
  }
  if (option.on_off) value = value != 0 ? 1 : 0;
  // Of these Linux takes -1 as "the default".
  const bool to_start =
      value == -1 && (option.name == kIP_MULTICAST_TTL && option.level == kSOL_IP);
  if (to_start) value = option.start;
  if (value < option.least || value > option.most) return -kEINVAL;
  if (option.level == kSOL_SOCKET && option.name == kSO_RCVLOWAT && value == 0) value = 1;
  kept_value(socket_options(file), option) = value - option.start;
  return 0;
}

std::int32_t get_kept(OpenFile& file, const KeptOption& option) {
  const std::int32_t kept = kept_value(socket_options(file), option);
  if (is_buffer_size(option)) return kept != 0 ? kept : default_buffer_size(file, option.name);
  return kept + option.start;
}

std::int64_t set_linger(OpenFile& file, std::uint64_t address, std::uint32_t length) {
  Linger linger{};
  if (length < sizeof linger) return -kEINVAL;
  if (!get(address, linger)) return -kEFAULT;
  SocketOptions& options = socket_options(file);
  options.linger = linger.l_onoff != 0;
  if (options.linger) options.linger_s = static_cast<std::uint32_t>(linger.l_linger);
  return 0;
}

std::int64_t set_timeout(std::uint64_t& timeout_ns, std::uint64_t address, std::uint32_t length) {
  Timeval time{};
  if (length < sizeof time) return -kEINVAL;
  if (!get(address, time)) return -kEFAULT;
  if (time.tv_usec < 0 || time.tv_usec >= 1'000'000) return -kEDOM;
  // A negative time is over at once.
  if (time.tv_sec < 0) {
    timeout_ns = 1;
    return 0;
  }
  constexpr std::uint64_t kLongest = UINT64_MAX / 2;
  std::uint64_t ns = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(time.tv_sec), kNanosecondsPerSecond, &ns) ||
      ns > kLongest)
    ns = 0;  // for ever
  else
    ns += static_cast<std::uint64_t>(time.tv_usec) * 1000;
  timeout_ns = ns;
  return 0;
}

Timeval timeval_of(std::uint64_t ns) {
  return {.tv_sec = static_cast<std::int64_t>(ns / kNanosecondsPerSecond),
          .tv_usec = static_cast<std::int64_t>(ns % kNanosecondsPerSecond / 1000)};
}

/// The interfaces there are may be named; the one an address belongs to is used all the same.
std::int64_t bind_to_device(std::uint64_t address, std::uint32_t length) {
  std::array<char, kIFNAMSIZ> name{};
  const std::size_t n = std::min<std::size_t>(length, name.size() - 1);
  if (n != 0 && !copy_in(name.data(), address, n)) return -kEFAULT;
  const std::string_view text{name.data()};
  return text.empty() || text == "eth0" || text == "lo" ? 0 : -kENODEV;
}

/// A number argument; at the level of IP a byte will do.
Answer<std::int32_t> number_at(std::uint32_t level, std::uint64_t address, std::uint32_t length) {
  std::int32_t value = 0;
  if (length >= sizeof value) {
    if (!get(address, value)) return refuse(kEFAULT);
    return value;
  }
  std::uint8_t byte = 0;
  if (level != kSOL_IP || length == 0) return refuse(kEINVAL);
  if (!get(address, byte)) return refuse(kEFAULT);
  return byte;
}

std::int64_t set_ttl(OpenFile& file, std::int32_t value) {
  if (value != -1 && (value < 1 || value > 255)) return -kEINVAL;
  socket_options(file).ttl = value == -1 ? 64 : static_cast<std::uint8_t>(value);
  return 0;
}

std::int64_t set_number(OpenFile& file, std::uint32_t level, std::uint32_t name,
                        std::int32_t value) {
  if (level == kSOL_IP && name == kIP_TTL) return set_ttl(file, value);
  // Which ICMP messages come in: all of them do, as programs must expect.
  if (level == kSOL_RAW) return name == 1 ? 0 : -kENOPROTOOPT;
  if (level == kSOL_IP && name == kIP_HDRINCL && socket_type(file) != SocketType::Raw)
    return -kENOPROTOOPT;
  if (const SwitchOption* option = switch_option(level, name)) {
    socket_options(file).*(option->value) = value != 0;
    return 0;
  }
  if (level == kSOL_SOCKET && name == kSO_RCVBUFFORCE) name = kSO_RCVBUF;
  if (level == kSOL_SOCKET && name == kSO_SNDBUFFORCE) name = kSO_SNDBUF;
  if (const KeptOption* option = kept_option(level, name)) return set_kept(file, *option, value);
  return level == kSOL_SOCKET && name == kSO_BSDCOMPAT ? 0 : -kENOPROTOOPT;
}

/// Writes an option's value, as much as the program has room for, and how much that is.
std::int64_t give(const void* value, std::size_t size, std::uint64_t address,
                  std::uint64_t length_at) {
  std::int32_t room = 0;
  if (!get(length_at, room)) return -kEFAULT;
  if (room < 0) return -kEINVAL;
  const auto n =
      static_cast<std::uint32_t>(std::min<std::size_t>(static_cast<std::size_t>(room), size));
  if (n != 0 && !copy_out(address, value, n)) return -kEFAULT;
  return put(length_at, n) ? 0 : -kEFAULT;
}
template <class T>
std::int64_t give(const T& value, std::uint64_t address, std::uint64_t length_at) {
  return give(&value, sizeof value, address, length_at);
}

std::int32_t linux_type(const OpenFile& file) {
  switch (socket_type(file)) {
    case SocketType::Stream:
      return kSOCK_STREAM;
    case SocketType::Datagram:
      return kSOCK_DGRAM;
    case SocketType::Raw:
      break;
  }
  return kSOCK_RAW;
}

std::int32_t linux_protocol(const OpenFile& file) {
  if (is_local(file)) return 0;
  switch (socket_type(file)) {
    case SocketType::Stream:
      return kIPPROTO_TCP;
    case SocketType::Datagram:
      return kIPPROTO_UDP;
    case SocketType::Raw:
      break;
  }
  return protocol_of(file);
}

/// Who is at the other end; of the Internet nobody knows.
Ucred peer_credentials(const OpenFile& file) {
  const UnixOwner peer = is_local(file) ? file.unix_socket->peer_owner : UnixOwner{};
  return {.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
}

std::int32_t take_errno(OpenFile& file) {
  if (is_local(file)) {
    const FileSystemLock lock;
    const auto error = static_cast<Errc>(std::exchange(file.unix_socket->pending_error, 0));
    return error == Errc{} ? 0 : static_cast<std::int32_t>(-socket_error(error));
  }
  const auto error = take_error(file);
  return error.has_value() ? static_cast<std::int32_t>(-socket_error(*error)) : 0;
}

Answer<std::int32_t> socket_level_number(OpenFile& file, std::uint32_t name) {
  switch (name) {
    case kSO_TYPE:
      return linux_type(file);
    case kSO_DOMAIN:
      return static_cast<std::int32_t>(is_local(file) ? kAF_UNIX : kAF_INET);
    case kSO_PROTOCOL:
      return linux_protocol(file);
    case kSO_ERROR:
      return take_errno(file);
    case kSO_ACCEPTCONN:
      return listens(file) ? 1 : 0;
    case kSO_SNDLOWAT:
      return 1;
    case kSO_BSDCOMPAT:
    case kSO_DEBUG:
      return 0;
    default:
      return refuse(kENOPROTOOPT);
  }
}

/// Bytes of a packet to the peer, or of the largest segment.
Answer<std::int32_t> path_number(const OpenFile& file, std::uint32_t level, std::uint32_t name) {
  constexpr std::int32_t kHeaders = 40;
  const bool connected = peer_of(file).has_value();
  const auto mtu = static_cast<std::int32_t>(system_info().interfaces[1].mtu);
  if (level == kSOL_IP && name == kIP_MTU)
    return connected ? Answer<std::int32_t>{mtu} : refuse(kENOTCONN);
  if (level == kSOL_TCP && name == kTCP_MAXSEG) return connected ? mtu - kHeaders : 536;
  return refuse(kENOPROTOOPT);
}

Answer<std::int32_t> number_of(OpenFile& file, std::uint32_t level, std::uint32_t name) {
  if (const SwitchOption* option = switch_option(level, name))
    return socket_options(file).*(option->value) ? 1 : 0;
  if (const KeptOption* option = kept_option(level, name)) return get_kept(file, *option);
  if (level == kSOL_IP && name == kIP_TTL) return socket_options(file).ttl;
  if (level == kSOL_SOCKET) return socket_level_number(file, name);
  return path_number(file, level, name);
}

}  // namespace

std::int64_t call_setsockopt(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  const std::uint32_t level = a.as_u32(1);
  const std::uint32_t name = a.as_u32(2);
  const std::uint32_t length = a.as_u32(4);
  if (a.as_int(4) < 0) return -kEINVAL;
  if (!has_level(*file, level)) return is_local(*file) ? -kEOPNOTSUPP : -kENOPROTOOPT;
  if (level == kSOL_SOCKET && name == kSO_BINDTODEVICE) return bind_to_device(a[3], length);
  const std::int32_t value = XOK_LINUX_TRY(number_at(level, a[3], length));
  if (level != kSOL_SOCKET) return set_number(*file, level, name, value);
  switch (name) {
    case kSO_LINGER:
      return set_linger(*file, a[3], length);
    case kSO_RCVTIMEO_OLD:
    case kSO_RCVTIMEO_NEW:
      return set_timeout(socket_options(*file).receive_timeout_ns, a[3], length);
    case kSO_SNDTIMEO_OLD:
    case kSO_SNDTIMEO_NEW:
      return set_timeout(socket_options(*file).send_timeout_ns, a[3], length);
    default:
      return set_number(*file, level, name, value);
  }
}

std::int64_t call_getsockopt(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(socket_at(a[0]));
  const std::uint32_t level = a.as_u32(1);
  const std::uint32_t name = a.as_u32(2);
  if (!has_level(*file, level)) return -kEOPNOTSUPP;
  const SocketOptions& options = socket_options(*file);
  if (level == kSOL_SOCKET) {
    switch (name) {
      case kSO_LINGER:
        return give(Linger{.l_onoff = options.linger ? 1 : 0,
                           .l_linger = static_cast<std::int32_t>(options.linger_s)},
                    a[3], a[4]);
      case kSO_RCVTIMEO_OLD:
      case kSO_RCVTIMEO_NEW:
        return give(timeval_of(options.receive_timeout_ns), a[3], a[4]);
      case kSO_SNDTIMEO_OLD:
      case kSO_SNDTIMEO_NEW:
        return give(timeval_of(options.send_timeout_ns), a[3], a[4]);
      case kSO_BINDTODEVICE:
        return give(nullptr, 0, a[3], a[4]);
      case kSO_PEERCRED:
        return give(peer_credentials(*file), a[3], a[4]);
      default:
        break;
    }
  }
  const std::int32_t value = XOK_LINUX_TRY(number_of(*file, level, name));
  return give(value, a[3], a[4]);
}

}  // namespace xok::exos::linux_abi
