// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

// For tests only: a host with one TCP connection whose stream lies in a vector, and helpers to take
// frames apart. Uses the host's library freely.

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <vector>

#include "libs/net/checksum.hpp"
#include "libs/net/tcp_connection.hpp"

namespace xok::net::testing {

using Frame = std::vector<std::uint8_t>;

inline constexpr MacAddress kMacA{{2, 0, 0, 0, 0, 0xA}};
inline constexpr MacAddress kMacB{{2, 0, 0, 0, 0, 0xB}};
inline constexpr Ipv4Address kIpA = Ipv4Address::of(10, 0, 0, 1);
inline constexpr Ipv4Address kIpB = Ipv4Address::of(10, 0, 0, 2);
inline constexpr TcpFlow kFlowA{.local_mac = kMacA,
                                .remote_mac = kMacB,
                                .local = kIpA,
                                .remote = kIpB,
                                .local_port = 4000,
                                .remote_port = 80};
inline constexpr TcpFlow kFlowB{.local_mac = kMacB,
                                .remote_mac = kMacA,
                                .local = kIpB,
                                .remote = kIpA,
                                .local_port = 80,
                                .remote_port = 4000};

inline Frame flatten(const OutPacket& packet) {
  Frame frame(packet.header.begin(), packet.header.end());
  for (const PayloadPiece& piece : packet.payload)
    frame.insert(frame.end(), piece.data, piece.data + piece.length);
  return frame;
}

/// The TCP segment in a frame, or nothing if any layer rejects it. Borrows the frame.
inline Result<TcpSegment> segment_in(std::span<const std::uint8_t> frame) {
  const EthernetView ethernet = XOK_TRY(parse_ethernet(frame));
  const Ipv4View ip = XOK_TRY(parse_ipv4(ethernet.payload));
  if (ip.protocol != kProtocolTcp) return fail(Errc::NotSupported);
  return parse_tcp(ip, ReceiveChecksum::Verify);
}

/// The byte at `offset` of the stream that everybody sends in tests.
inline std::uint8_t stream_byte(std::uint64_t offset, std::uint32_t salt) {
  return static_cast<std::uint8_t>((offset * 2654435761u + salt) >> 13 ^ offset);
}

inline std::vector<std::uint8_t> stream_bytes(std::size_t count, std::uint32_t salt = 0) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = stream_byte(i, salt);
  return bytes;
}

/// One connection with its stream, ring and the frames that it has sent.
class TestHost {
 public:
  explicit TestHost(std::size_t ring_bytes = 64 * 1024) : ring(ring_bytes) {}

  /// Runs `action(ctx)` at time `now`, with this host's source and sink.
  template <class Action>
  auto with(std::uint64_t now, Action action) {
    auto source = [this](const TcpConnection& from, std::uint64_t offset, std::uint32_t length,
                         std::span<PayloadPiece> out) {
      EXPECT_EQ(&from, &connection);
      EXPECT_GE(offset, connection.acknowledged());
      return pieces_of(offset, length, out);
    };
    auto sink = [this](const OutPacket& packet) { sent.push_back(flatten(packet)); };
    const TcpContext ctx{.now_ns = now, .config = config, .source = source, .sink = sink};
    return action(ctx);
  }

  TcpEvents deliver(std::uint64_t now, const TcpSegment& segment) {
    return with(now, [&](const TcpContext& ctx) { return connection.on_segment(ctx, segment); });
  }
  TcpEvents timer(std::uint64_t now) {
    return with(now, [&](const TcpContext& ctx) { return connection.on_timer(ctx); });
  }
  Result<> send(std::uint64_t now, std::uint64_t total, Finish finish = Finish::No) {
    if (stream.size() < total) stream = stream_bytes(total, salt);
    return with(
        now, [&](const TcpContext& ctx) { return connection.send_available(ctx, total, finish); });
  }
  Result<> close(std::uint64_t now) {
    return with(now, [&](const TcpContext& ctx) { return connection.close(ctx); });
  }
  /// Reads up to `most` bytes.
  std::vector<std::uint8_t> read(std::uint64_t now, std::size_t most = ~std::size_t{0}) {
    const ReceiveBuffer::Readable data = connection.readable();
    std::vector<std::uint8_t> bytes(data.first.begin(), data.first.end());
    bytes.insert(bytes.end(), data.second.begin(), data.second.end());
    if (bytes.size() > most) bytes.resize(most);
    const auto count = static_cast<std::uint32_t>(bytes.size());
    const Result<> consumed =
        with(now, [&](const TcpContext& ctx) { return connection.consume(ctx, count); });
    EXPECT_TRUE(consumed.has_value());
    return bytes;
  }
  /// Takes the frames sent since the last call.
  std::vector<Frame> take() { return std::exchange(sent, {}); }

  TcpConfig config;
  TcpConnection connection;
  std::vector<std::uint8_t> ring;
  std::vector<std::uint8_t> stream;
  std::vector<Frame> sent;
  std::uint32_t salt = 0;
  std::uint32_t piece_bytes = 0;  ///< 0: one piece; else pieces of at most this, with checksums

 private:
  std::size_t pieces_of(std::uint64_t offset, std::uint32_t length, std::span<PayloadPiece> out) {
    std::size_t count = 0;
    while (length != 0 && count < out.size()) {
      const std::uint32_t now = piece_bytes == 0 ? length : std::min(length, piece_bytes);
      const std::uint8_t* const data = stream.data() + offset;
      EXPECT_LE(offset + now, stream.size());
      const bool summed = piece_bytes != 0 && count % 2 == 0;
      out[count++] = {.data = data,
                      .length = now,
                      .checksum = summed ? checksum_partial({data, now}) : std::uint16_t{0xBAD},
                      .has_checksum = summed};
      offset += now;
      length -= now;
    }
    return count;
  }
};

}  // namespace xok::net::testing
