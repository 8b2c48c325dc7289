// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/tcp_header.hpp"

#include <algorithm>

#include "base/byte_order.hpp"
#include "libs/net/checksum.hpp"

namespace xok::net {
namespace {

constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionMss = 2;
constexpr std::uint8_t kOptionWindowScale = 3;

Result<> parse_options(std::span<const std::uint8_t> options, TcpSegment& segment) {
  std::size_t at = 0;
  while (at < options.size() && options[at] != kOptionEnd) {
    if (options[at] == kOptionNop) {
      ++at;
      continue;
    }
    if (options.size() - at < 2) return fail(Errc::BadFormat);
    const std::size_t length = options[at + 1];
    if (length < 2 || length > options.size() - at) return fail(Errc::BadFormat);
    if (options[at] == kOptionMss && length == 4)
      segment.mss = load_be<std::uint16_t>(&options[at + 2]);
    if (options[at] == kOptionWindowScale && length == 3)
      segment.window_scale = std::min(options[at + 2], kMaxWindowScale);
    at += length;
  }
  return {};
}

std::size_t write_options(std::uint8_t* out, const TcpFields& fields) {
  std::size_t length = 0;
  if (fields.mss != 0) {
    out[0] = kOptionMss;
    out[1] = 4;
    store_be(out + 2, fields.mss);
    length = 4;
  }
  if (fields.window_scale != kNoWindowScale) {
    out[length] = kOptionNop;
    out[length + 1] = kOptionWindowScale;
    out[length + 2] = 3;
    out[length + 3] = fields.window_scale;
    length += 4;
  }
  return length;
}

}  // namespace

Result<TcpSegment> parse_tcp(const Ipv4View& ip, ReceiveChecksum checksum) {
  const std::span<const std::uint8_t> bytes = ip.payload;
  if (bytes.size() < kTcpHeaderSize) return fail(Errc::BadFormat);
  const std::uint8_t* const at = bytes.data();
  const std::size_t header_length = std::size_t{at[12]} / 16 * 4;
  if (header_length < kTcpHeaderSize || header_length > bytes.size()) return fail(Errc::BadFormat);
  if (checksum == ReceiveChecksum::Verify) {
    const std::uint16_t pseudo =
        pseudo_header_sum(ip.source, ip.destination, kProtocolTcp, bytes.size());
    if (checksum_add(pseudo, checksum_partial(bytes)) != 0xFFFF) return fail(Errc::BadFormat);
  }
  TcpSegment segment{.source = ip.source,
                     .destination = ip.destination,
                     .source_port = load_be<std::uint16_t>(at),
                     .destination_port = load_be<std::uint16_t>(at + 2),
                     .sequence = load_be<std::uint32_t>(at + 4),
                     .acknowledgement = load_be<std::uint32_t>(at + 8),
                     .window = load_be<std::uint16_t>(at + 14),
                     .flags = at[13],
                     .payload = bytes.subspan(header_length)};
  if (segment.has(kTcpSyn) && header_length > kTcpHeaderSize)
    XOK_TRY(parse_options(bytes.subspan(kTcpHeaderSize, header_length - kTcpHeaderSize), segment));
  return segment;
}

TcpFlow flow_to_answer(const TcpSegment& segment, const MacAddress& local_mac,
                       const MacAddress& remote_mac) {
  return {.local_mac = local_mac,
          .remote_mac = remote_mac,
          .local = segment.destination,
          .remote = segment.source,
          .local_port = segment.destination_port,
          .remote_port = segment.source_port};
}

std::size_t write_tcp_frame(std::span<std::uint8_t, kTcpFrameHeaderMax> out, const TcpFlow& flow,
                            const TcpFields& fields, std::size_t payload_length,
                            std::uint16_t payload_sum, TransmitChecksum checksum) {
  constexpr std::size_t kTcpAt = kEthernetHeaderSize + kIpv4HeaderSize;
  std::uint8_t* const at = out.data() + kTcpAt;
  const std::size_t options = write_options(at + kTcpHeaderSize, fields);
  const std::size_t tcp_length = kTcpHeaderSize + options + payload_length;
  write_ethernet(out.first<kEthernetHeaderSize>(), flow.remote_mac, flow.local_mac, kEtherTypeIpv4);
  write_ipv4(out.subspan<kEthernetHeaderSize, kIpv4HeaderSize>(),
             {.source = flow.local,
              .destination = flow.remote,
              .protocol = kProtocolTcp,
              .payload_length = static_cast<std::uint16_t>(tcp_length)});
  const auto offset = static_cast<std::uint32_t>((kTcpHeaderSize + options) / 4);
  const std::uint32_t ports = std::uint32_t{flow.local_port} << 16 | flow.remote_port;
  const std::uint32_t flags_window =
      offset << 28 | std::uint32_t{fields.flags} << 16 | fields.window;
  store_be(at, ports);
  store_be(at + 4, fields.sequence);
  store_be(at + 8, fields.acknowledgement);
  store_be(at + 12, flags_window);

  // 32-bit words may be summed as they are: 2^16 is 1 in this arithmetic.
  std::uint64_t sum =
      std::uint64_t{flow.local.value} + flow.remote.value + kProtocolTcp + tcp_length;
  std::uint16_t check = 0;
  if (checksum == TransmitChecksum::PseudoHeaderOnly) {
    check = checksum_fold(sum);
  } else {
    sum += std::uint64_t{ports} + fields.sequence + fields.acknowledgement + flags_window +
           payload_sum;
    if (options != 0) sum += checksum_partial({at + kTcpHeaderSize, options});
    check = checksum_finish(checksum_fold(sum));
  }
  store_be(at + 16, std::uint32_t{check} << 16);  // and no urgent pointer
  return kTcpAt + kTcpHeaderSize + options;
}

}  // namespace xok::net
