// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "exos/linux/call.hpp"
#include "exos/net/socket.hpp"

/// What the calls on sockets share: addresses in Linux' form, and transfers from and to the
/// program's vectors.
namespace xok::exos::linux_abi {

/// An error that has no name outside Linux (ENOTSOCK, EAFNOSUPPORT, ...): the negative errno.
struct Failure {
  std::int64_t number;
};
inline std::int64_t error_number(Failure failure) { return failure.number; }
template <class T = void>
using Answer = std::expected<T, Failure>;
constexpr std::unexpected<Failure> refuse(int number) { return std::unexpected{Failure{-number}}; }

/// The value of a socket operation, or return socket_error of it.
#define XOK_SOCKET_TRY(expr)                                               \
  __extension__({                                                          \
    auto socket_result_ = (expr);                                          \
    if (!socket_result_.has_value()) [[unlikely]]                          \
      return ::xok::exos::linux_abi::socket_error(socket_result_.error()); \
    *std::move(socket_result_);                                            \
  })

/// An address as programs write it: the family, then what the family says. Length 0: there is none.
struct SocketAddress {
  std::uint32_t length = 0;
  alignas(8) std::array<std::byte, kSockaddrStorageBytes> bytes{};

  [[nodiscard]] std::uint32_t family() const {
    std::uint16_t value = kAF_UNSPEC;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
};

/// An address argument. Errors  EINVAL (negative, longer than any), EFAULT
Answer<SocketAddress> read_address(std::uint64_t address, std::int32_t length);
/// Writes as much as fits the program's buffer, and the address' whole length. Returns 0, -EFAULT
/// or -EINVAL.
std::int64_t write_address(const SocketAddress& from, std::uint64_t address,
                           std::uint64_t length_at);

SocketAddress to_address(const Endpoint& endpoint);
/// Errors  EINVAL (too short), EAFNOSUPPORT
Answer<Endpoint> to_endpoint(const SocketAddress& address);

/// Errors  EBADF, ENOTSOCK
Answer<OpenFile*> socket_at(std::uint64_t fd);
inline bool is_socket(const OpenFile& file) { return file.kind == FileKind::Socket; }

/// Buffers of the program: one, or those of a vector, which is read when it is used.
class UserBuffers {
 public:
  UserBuffers(std::uint64_t address, std::uint64_t length)
      : one_{.iov_base = address, .iov_len = length}, count_{1} {}
  static UserBuffers vector(std::uint64_t address, std::uint64_t count) {
    UserBuffers buffers{0, 0};
    buffers.vector_ = address;
    buffers.count_ = count;
    return buffers;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Errors  EFAULT
  [[nodiscard]] Answer<Iovec> piece(std::uint64_t index) const;
  /// Bytes of all, brought down to what one call transfers. Errors  EFAULT, EINVAL (negative)
  [[nodiscard]] Answer<std::size_t> total() const;

 private:
  Iovec one_;
  std::uint64_t vector_ = 0;  ///< 0: `one_`
  std::uint64_t count_;
};

/// Sends the buffers as one message, or on a stream as so many bytes; raises SIGPIPE unless
/// MSG_NOSIGNAL. `to`: nullptr or length 0 is the connected peer. Returns the bytes or -errno.
std::int64_t send_buffers(OpenFile& file, const UserBuffers& from, const SocketAddress* to,
                          std::uint32_t flags);

/// What comes with received bytes.
struct ReceivedFrom {
  SocketAddress peer;       ///< length 0 where Linux tells none: streams
  std::uint32_t flags = 0;  ///< msg_flags
};
/// Receives one message, or what there is on a stream. Returns the bytes (with MSG_TRUNC the whole
/// message's) or -errno.
std::int64_t receive_buffers(OpenFile& file, const UserBuffers& to, std::uint32_t flags,
                             ReceivedFrom& from);

/// The results of single transfers on a socket. A send that nobody can receive raises SIGPIPE,
/// unless `flags` has MSG_NOSIGNAL.
std::int64_t send_result(OpenFile& file, const Outcome<std::size_t>& outcome,
                         std::uint32_t flags = 0);
std::int64_t receive_result(OpenFile& file, const Outcome<std::size_t>& outcome);

/// ioctl on a socket: the data waiting, and the network interfaces (SIOC...).
std::int64_t socket_control(OpenFile& file, std::uint32_t command, std::uint64_t argument);
/// The SIOC... commands on interfaces; -ENOTTY for all others.
std::int64_t interface_control(std::uint32_t command, std::uint64_t argument);

}  // namespace xok::exos::linux_abi
