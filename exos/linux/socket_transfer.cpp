// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Bytes between a socket and the program's vectors. A stream takes the pieces one after the other;
// a message is one piece, so that those of a vector are first gathered (or last scattered).
#include <algorithm>
#include <array>
#include <optional>

#include "exos/arena.hpp"
#include "exos/linux/socket_calls.hpp"
#include "exos/proc/signals.hpp"

namespace xok::exos::linux_abi {
namespace {

constexpr std::size_t kMaxTransfer = 0x7ffff000;
constexpr std::size_t kMaxMessage = 0xffff;  ///< of UDP and IPv4; longer ones are refused unseen

/// Memory for one message in one piece: on the stack or, for more than a page, shared pages.
class Scratch {
 public:
  explicit Scratch(std::size_t size) : size_{size} {
    if (size > small_.size())
      pages_ = static_cast<std::byte*>(arena().allocate_pages(page_count()));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (pages_ != nullptr) arena().free_pages(pages_, page_count());
  }

  /// Errors  ENOMEM
  [[nodiscard]] Answer<std::span<std::byte>> bytes() {
    if (size_ <= small_.size()) return std::span{small_}.first(size_);
    if (pages_ == nullptr) return refuse(kENOMEM);
    return std::span{pages_, size_};
  }

 private:
  [[nodiscard]] std::size_t page_count() const { return (size_ + kPageSize - 1) / kPageSize; }

  std::size_t size_;
  std::byte* pages_ = nullptr;
  std::array<std::byte, kPageSize> small_;
};

Wait wait_of(std::uint32_t flags) { return (flags & kMSG_DONTWAIT) != 0 ? Wait::No : Wait::Yes; }

bool is_stream(const OpenFile& file) { return type_of(file) == SocketType::Stream; }

Answer<std::span<const std::byte>> input(const Iovec& piece) {
  const auto memory = user_input(piece.iov_base, piece.iov_len);
  if (!memory.has_value()) return refuse(kEFAULT);
  return *memory;
}
Answer<std::span<std::byte>> output(const Iovec& piece) {
  const auto memory = user_output(piece.iov_base, piece.iov_len);
  if (!memory.has_value()) return refuse(kEFAULT);
  return *memory;
}

/// Whom a message goes to. A stream's peer is the one it is connected with, whatever is said.
Answer<std::optional<Endpoint>> destination(const OpenFile& file, const SocketAddress* to) {
  if (to == nullptr || to->length == 0 || is_stream(file)) return std::nullopt;
  if (to->length < sizeof(SockaddrIn)) return refuse(kEINVAL);
  SocketAddress address = *to;
  if (address.family() == kAF_UNSPEC) {
    const auto family = static_cast<std::uint16_t>(kAF_INET);
    std::memcpy(address.bytes.data(), &family, sizeof family);
  }
  Endpoint peer = XOK_TRY(to_endpoint(address));
  if (type_of(file) == SocketType::Datagram && peer.port == 0) return refuse(kEINVAL);
  return peer;
}

Outcome<std::size_t> send_piece(OpenFile& file, std::span<const std::byte> bytes,
                                const std::optional<Endpoint>& to, Wait wait) {
  return send_socket(file, bytes, to, wait);
}

std::int64_t send_stream(OpenFile& file, const UserBuffers& from, std::uint32_t flags) {
  std::size_t done = 0;
  for (std::uint64_t i = 0; i < from.count() && done < kMaxTransfer; i++) {
    const auto piece = from.piece(i);
    const auto bytes = piece.has_value() ? input(*piece) : std::unexpected{piece.error()};
    if (!bytes.has_value())
      return done != 0 ? static_cast<std::int64_t>(done) : bytes.error().number;
    if (bytes->empty() && from.count() != 1) continue;
    const auto sent = send_piece(file, *bytes, std::nullopt, wait_of(flags));
    if (!sent.has_value() && done == 0) return send_result(file, sent, flags);
    if (!sent.has_value()) break;
    done += *sent;
    if (*sent < bytes->size()) break;
  }
  return static_cast<std::int64_t>(done);
}

/// The pieces of a vector after another in `to`, as far as it reaches.
Answer<> gather(const UserBuffers& from, std::span<std::byte> to) {
  for (std::uint64_t i = 0; i < from.count() && !to.empty(); i++) {
    Iovec piece = XOK_TRY(from.piece(i));
    piece.iov_len = std::min<std::uint64_t>(piece.iov_len, to.size());
    const auto bytes = XOK_TRY(input(piece));
    std::copy(bytes.begin(), bytes.end(), to.begin());
    to = to.subspan(bytes.size());
  }
  return {};
}

Answer<> scatter(std::span<const std::byte> from, const UserBuffers& to) {
  for (std::uint64_t i = 0; i < to.count() && !from.empty(); i++) {
    Iovec piece = XOK_TRY(to.piece(i));
    piece.iov_len = std::min<std::uint64_t>(piece.iov_len, from.size());
    const auto bytes = XOK_TRY(output(piece));
    std::copy_n(from.begin(), bytes.size(), bytes.begin());
    from = from.subspan(bytes.size());
  }
  return {};
}

std::int64_t send_message(OpenFile& file, const UserBuffers& from, const SocketAddress* to,
                          std::uint32_t flags) {
  const std::size_t total = XOK_LINUX_TRY(from.total());
  if (total > kMaxMessage) return -kEMSGSIZE;
  const auto peer = XOK_LINUX_TRY(destination(file, to));
  if (from.count() == 1) {
    const Iovec piece = XOK_LINUX_TRY(from.piece(0));
    const auto bytes = XOK_LINUX_TRY(input(piece));
    return send_result(file, send_piece(file, bytes, peer, wait_of(flags)), flags);
  }
  Scratch scratch{total};
  const auto bytes = XOK_LINUX_TRY(scratch.bytes());
  XOK_LINUX_TRY(gather(from, bytes));
  return send_result(file, send_piece(file, bytes, peer, wait_of(flags)), flags);
}

struct Piece {
  std::size_t bytes;
  std::size_t length;
};
Outcome<Piece> receive_piece(OpenFile& file, std::span<std::byte> to, std::uint32_t flags,
                             Wait wait, SocketAddress& peer) {
  const Peek peek = (flags & kMSG_PEEK) != 0 ? Peek::Yes : Peek::No;
  const Received received = XOK_TRY(receive_socket(file, to, peek, wait));
  if (!is_stream(file)) peer = to_address(received.peer);
  return Piece{.bytes = received.bytes, .length = received.length};
}

/// The first bytes are waited for; then what is there is taken, or with MSG_WAITALL all of it.
std::int64_t receive_stream(OpenFile& file, const UserBuffers& to, std::uint32_t flags,
                            SocketAddress& peer) {
  const bool peek = (flags & kMSG_PEEK) != 0;
  const bool all = (flags & kMSG_WAITALL) != 0 && !peek;
  std::size_t done = 0;
  for (std::uint64_t i = 0; i < to.count() && done < kMaxTransfer; i++) {
    const auto piece = to.piece(i);
    const auto memory = piece.has_value() ? output(*piece) : std::unexpected{piece.error()};
    if (!memory.has_value())
      return done != 0 ? static_cast<std::int64_t>(done) : memory.error().number;
    std::span<std::byte> left = *memory;
    while (!left.empty()) {
      const Wait wait = done == 0 || all ? wait_of(flags) : Wait::No;
      const auto got = receive_piece(file, left, flags, wait, peer);
      if (!got.has_value() && done != 0) return static_cast<std::int64_t>(done);
      if (!got.has_value()) return receive_result(file, std::unexpected{got.error()});
      done += got->bytes;
      left = left.subspan(got->bytes);
      if (got->bytes == 0 || peek || (!all && !left.empty()))
        return static_cast<std::int64_t>(done);
    }
  }
  return static_cast<std::int64_t>(done);
}

std::int64_t message_result(const Outcome<Piece>& got, OpenFile& file, std::uint32_t flags,
                            ReceivedFrom& from) {
  if (!got.has_value()) return receive_result(file, std::unexpected{got.error()});
  if (got->length > got->bytes) from.flags |= kMSG_TRUNC;
  return static_cast<std::int64_t>((flags & kMSG_TRUNC) != 0 ? got->length : got->bytes);
}

std::int64_t receive_message(OpenFile& file, const UserBuffers& to, std::uint32_t flags,
                             ReceivedFrom& from) {
  if (to.count() == 1) {
    const Iovec piece = XOK_LINUX_TRY(to.piece(0));
    const auto bytes = XOK_LINUX_TRY(output(piece));
    const auto got = receive_piece(file, bytes, flags, wait_of(flags), from.peer);
    return message_result(got, file, flags, from);
  }
  Scratch scratch{std::min(XOK_LINUX_TRY(to.total()), kMaxMessage)};
  const auto bytes = XOK_LINUX_TRY(scratch.bytes());
  const auto got = receive_piece(file, bytes, flags, wait_of(flags), from.peer);
  if (got.has_value()) XOK_LINUX_TRY(scatter(bytes.first(got->bytes), to));
  return message_result(got, file, flags, from);
}

/// A call that a timeout limits is not begun again after a signal.
std::int64_t failed_transfer(Error error, std::uint64_t timeout_ns) {
  if (error == Error{Errc::Interrupted} && timeout_ns != 0) return -kEINTR;
  return socket_error(error);
}

}  // namespace

Answer<Iovec> UserBuffers::piece(std::uint64_t index) const {
  if (vector_ == 0) {
    return Iovec{.iov_base = one_.iov_base,
                 .iov_len = std::min<std::uint64_t>(one_.iov_len, kMaxTransfer)};
  }
  Iovec out{};
  if (!get(vector_ + index * sizeof out, out)) return refuse(kEFAULT);
  if (static_cast<std::int64_t>(out.iov_len) < 0) return refuse(kEINVAL);
  out.iov_len = std::min<std::uint64_t>(out.iov_len, kMaxTransfer);
  return out;
}

Answer<std::size_t> UserBuffers::total() const {
  std::size_t sum = 0;
  for (std::uint64_t i = 0; i < count_; i++) sum += XOK_TRY(piece(i)).iov_len;
  return std::min(sum, kMaxTransfer);
}

std::int64_t send_result(OpenFile& file, const Outcome<std::size_t>& outcome, std::uint32_t flags) {
  if (outcome.has_value()) return static_cast<std::int64_t>(*outcome);
  const Error error = outcome.error();
  const bool lonely = error == Error{Errc::NotConnected};
  if (lonely && !is_stream(file)) return -kEDESTADDRREQ;
  if (error == Error{Errc::Closed} || lonely) {
    if ((flags & kMSG_NOSIGNAL) == 0) send_signal(*process().proc, kSigPipe, origin_of_self());
    return -kEPIPE;
  }
  return failed_transfer(error, options_of(file).send_timeout_ns);
}

std::int64_t receive_result(OpenFile& file, const Outcome<std::size_t>& outcome) {
  if (outcome.has_value()) return static_cast<std::int64_t>(*outcome);
  return failed_transfer(outcome.error(), options_of(file).receive_timeout_ns);
}

std::int64_t send_buffers(OpenFile& file, const UserBuffers& from, const SocketAddress* to,
                          std::uint32_t flags) {
  if ((flags & kMSG_OOB) != 0) return -kEOPNOTSUPP;
  return is_stream(file) ? send_stream(file, from, flags) : send_message(file, from, to, flags);
}

std::int64_t receive_buffers(OpenFile& file, const UserBuffers& to, std::uint32_t flags,
                             ReceivedFrom& from) {
  if ((flags & kMSG_ERRQUEUE) != 0) return -kEAGAIN;
  if (is_stream(file)) {
    if ((flags & kMSG_OOB) != 0) return -kEINVAL;
    return receive_stream(file, to, flags, from.peer);
  }
  if ((flags & kMSG_OOB) != 0) return -kEOPNOTSUPP;
  return receive_message(file, to, flags, from);
}

}  // namespace xok::exos::linux_abi
