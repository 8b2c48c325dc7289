// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// The codecs: checksum, Ethernet, ARP packets, IPv4, ICMP, UDP, TCP headers.

#include <gtest/gtest.h>

#include <random>

#include "libs/net/arp.hpp"
#include "libs/net/icmp.hpp"
#include "libs/net/net_test_support.hpp"
#include "libs/net/udp.hpp"

namespace xok::net {
namespace {

using testing::Frame;

constexpr FrameAddresses kAtoB{.local_mac = testing::kMacA,
                               .remote_mac = testing::kMacB,
                               .local = testing::kIpA,
                               .remote = testing::kIpB};

std::uint16_t slow_checksum(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8u : std::uint32_t{bytes[i]};
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

TEST(Checksum, IsRfc1071sExample) {
  constexpr std::uint8_t kBytes[] = {0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7};
  EXPECT_EQ(checksum_partial(kBytes), 0xDDF2);
  EXPECT_EQ(checksum_finish(0xDDF2), 0x220D);
}

TEST(Checksum, AgreesWithTheSlowOneAtEveryLengthAndPlace) {
  const auto bytes = testing::stream_bytes(200, 3);
  for (std::size_t at = 0; at < 9; ++at)
    for (std::size_t length = 0; length < 150; ++length) {
      const auto part = std::span{bytes}.subspan(at, length);
      ASSERT_EQ(checksum_partial(part), slow_checksum(part)) << at << " " << length;
    }
}

TEST(Checksum, CarriesAreNotLost) {
  const std::vector<std::uint8_t> ones(65535, 0xFF);
  EXPECT_EQ(checksum_partial(ones), slow_checksum(ones));
}

TEST(Checksum, PiecesCombineAtOddAndEvenPlaces) {
  const auto bytes = testing::stream_bytes(101, 9);
  for (std::size_t a = 0; a <= 101; ++a)
    for (std::size_t b = a; b <= 101; b += 7) {
      const std::span all{bytes};
      std::uint16_t sum = checksum_partial(all.first(a));
      sum = checksum_combine(sum, a, checksum_partial(all.subspan(a, b - a)));
      sum = checksum_combine(sum, b, checksum_partial(all.subspan(b)));
      ASSERT_EQ(sum, slow_checksum(bytes)) << a << " " << b;
    }
}

TEST(Ethernet, RoundTripsAndRefusesAShortFrame) {
  Frame frame(20);
  write_ethernet(std::span{frame}.first<kEthernetHeaderSize>(), testing::kMacA, testing::kMacB,
                 kEtherTypeArp);
  const EthernetView view = *parse_ethernet(frame);
  EXPECT_EQ(view.destination, testing::kMacA);
  EXPECT_EQ(view.source, testing::kMacB);
  EXPECT_EQ(view.type, kEtherTypeArp);
  EXPECT_EQ(view.payload.size(), 6u);
  EXPECT_EQ(parse_ethernet(std::span{frame}.first(13)).error(), Errc::BadFormat);
}

Frame ipv4_packet(std::size_t payload) {
  Frame packet(kIpv4HeaderSize + payload);
  write_ipv4(std::span{packet}.first<kIpv4HeaderSize>(),
             {.source = testing::kIpA,
              .destination = testing::kIpB,
              .protocol = 99,
              .payload_length = static_cast<std::uint16_t>(payload)});
  return packet;
}

void fix_checksum(Frame& packet, std::size_t header_length = kIpv4HeaderSize) {
  packet[10] = packet[11] = 0;
  const std::uint16_t sum =
      checksum_finish(checksum_partial(std::span{packet}.first(header_length)));
  packet[10] = static_cast<std::uint8_t>(sum >> 8);
  packet[11] = static_cast<std::uint8_t>(sum & 0xFF);
}

TEST(Ipv4, RoundTripsAndCutsLinkPadding) {
  Frame packet = ipv4_packet(5);
  packet.resize(46);
  const Ipv4View view = *parse_ipv4(packet);
  EXPECT_EQ(view.source, testing::kIpA);
  EXPECT_EQ(view.destination, testing::kIpB);
  EXPECT_EQ(view.protocol, 99);
  EXPECT_EQ(view.ttl, kDefaultTtl);
  EXPECT_EQ(view.payload.size(), 5u);
}

TEST(Ipv4, OptionsAreSkipped) {
  Frame packet = ipv4_packet(8);
  packet[0] = 0x46;
  fix_checksum(packet, 24);
  EXPECT_EQ(parse_ipv4(packet)->payload.size(), 4u);
}

TEST(Ipv4, BrokenHeadersAreBadFormat) {
  const auto broken = [](auto change) {
    Frame packet = ipv4_packet(10);
    change(packet);
    fix_checksum(packet);
    return parse_ipv4(packet).error();
  };
  const Frame whole = ipv4_packet(0);
  EXPECT_EQ(parse_ipv4(std::span{whole}.first(19)).error(), Errc::BadFormat);
  EXPECT_EQ(broken([](Frame& p) { p[0] = 0x65; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Frame& p) { p[0] = 0x44; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Frame& p) { p[0] = 0x4F; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Frame& p) { p[3] = 31; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Frame& p) { p[3] = 19; }), Errc::BadFormat);
  Frame wrong_sum = ipv4_packet(10);
  wrong_sum[8] ^= 1;
  EXPECT_EQ(parse_ipv4(wrong_sum).error(), Errc::BadFormat);
}

TEST(Ipv4, FragmentsAreNotSupported) {
  for (const unsigned field : {0x2000u, 0x0001u, 0x1FFFu}) {
    Frame packet = ipv4_packet(10);
    packet[6] = static_cast<std::uint8_t>(field >> 8);
    packet[7] = static_cast<std::uint8_t>(field & 0xFF);
    fix_checksum(packet);
    EXPECT_EQ(parse_ipv4(packet).error(), Errc::NotSupported);
  }
}

TEST(Ipv4, RoutesOnLinkOrToTheGateway) {
  Ipv4Interface interface{.address = Ipv4Address::of(10, 0, 2, 15),
                          .mask = Ipv4Address::of(255, 255, 255, 0),
                          .gateway = Ipv4Address::of(10, 0, 2, 2)};
  EXPECT_EQ(*next_hop(interface, Ipv4Address::of(10, 0, 2, 77)), Ipv4Address::of(10, 0, 2, 77));
  EXPECT_EQ(*next_hop(interface, Ipv4Address::of(10, 0, 3, 1)), interface.gateway);
  EXPECT_EQ(*next_hop(interface, kBroadcastIpv4), kBroadcastIpv4);
  interface.gateway = {};
  EXPECT_EQ(next_hop(interface, Ipv4Address::of(10, 0, 3, 1)).error(), Errc::Unreachable);
  EXPECT_TRUE(interface.accepts(Ipv4Address::of(10, 0, 2, 255)));
  EXPECT_FALSE(interface.accepts(Ipv4Address::of(10, 0, 2, 16)));
}

TEST(Udp, RoundTripsWithChecksum) {
  Frame frame(200);
  const auto payload = testing::stream_bytes(33);
  const std::size_t size = *write_udp_frame(frame, kAtoB, 1000, 53, payload);
  EXPECT_EQ(size, 42u + 33);
  frame.resize(size);
  const Ipv4View ip = *parse_ipv4(parse_ethernet(frame)->payload);
  const UdpView udp = *parse_udp(ip);
  EXPECT_EQ(udp.source_port, 1000);
  EXPECT_EQ(udp.destination_port, 53);
  EXPECT_TRUE(std::ranges::equal(udp.payload, payload));
  frame[60] ^= 1;
  EXPECT_EQ(parse_udp(ip).error(), Errc::BadFormat);
  frame[40] = frame[41] = 0;
  EXPECT_TRUE(parse_udp(ip).has_value()) << "no checksum";
  frame[39] = 7;
  EXPECT_EQ(parse_udp(ip).error(), Errc::BadFormat) << "length below the header's";
  frame[39] = 200;
  EXPECT_EQ(parse_udp(ip).error(), Errc::BadFormat) << "length above the packet's";
}

TEST(Udp, WritingChecksRoom) {
  Frame frame(50);
  const std::vector<std::uint8_t> big(65508);
  EXPECT_EQ(write_udp_frame(frame, kAtoB, 1, 2, std::span{big}.first(9)).error(), Errc::NoSpace);
  EXPECT_EQ(write_udp_frame(frame, kAtoB, 1, 2, big).error(), Errc::TooBig);
  EXPECT_EQ(parse_udp({.payload = std::span{big}.first(7)}).error(), Errc::BadFormat);
}

TEST(Icmp, EchoRoundTrips) {
  Frame frame(200);
  const auto payload = testing::stream_bytes(17);
  frame.resize(*write_echo_frame(frame, kAtoB, IcmpType::EchoRequest, 7, 8, payload));
  const Ipv4View ip = *parse_ipv4(parse_ethernet(frame)->payload);
  const IcmpView echo = *parse_icmp(ip);
  EXPECT_EQ(echo.type, IcmpType::EchoRequest);
  EXPECT_EQ(echo.identifier, 7);
  EXPECT_EQ(echo.sequence, 8);
  EXPECT_TRUE(std::ranges::equal(echo.payload, payload));
  EXPECT_EQ(parse_unreachable(echo).error(), Errc::BadArgument);
  frame[50] ^= 1;
  EXPECT_EQ(parse_icmp(ip).error(), Errc::BadFormat);
}

TEST(Icmp, WritingChecksRoom) {
  Frame frame(49);
  const std::vector<std::uint8_t> big(65508);
  const auto write = [&](std::size_t size) {
    return write_echo_frame(frame, kAtoB, IcmpType::EchoReply, 0, 0, std::span{big}.first(size))
        .error();
  };
  EXPECT_EQ(write(8), Errc::NoSpace);
  EXPECT_EQ(write(65508), Errc::TooBig);
  EXPECT_EQ(parse_icmp({.payload = std::span{big}.first(7)}).error(), Errc::BadFormat);
}

TEST(Icmp, UnreachableQuotesTheConnection) {
  std::array<std::uint8_t, kTcpFrameHeaderMax> sent{};
  write_tcp_frame(sent, testing::kFlowA, {.sequence = 12345, .flags = kTcpAck}, 0, 0,
                  TransmitChecksum::Full);
  const std::span quoted = std::span{sent}.subspan(14, 28);
  const IcmpView message{
      .type = IcmpType::Unreachable, .code = 4, .sequence = 1400, .payload = quoted};
  const IcmpUnreachable report = *parse_unreachable(message);
  EXPECT_EQ(report.next_hop_mtu, 1400);
  EXPECT_EQ(report.source, testing::kIpA);
  EXPECT_EQ(report.destination, testing::kIpB);
  EXPECT_EQ(report.protocol, kProtocolTcp);
  EXPECT_EQ(report.source_port, 4000);
  EXPECT_EQ(report.destination_port, 80);
  EXPECT_EQ(report.sequence, 12345u);
  EXPECT_EQ(report.reason(), Errc::Unreachable);
  EXPECT_EQ(IcmpUnreachable{.code = 3}.reason(), Errc::Refused);
  const IcmpView cut{.type = IcmpType::Unreachable, .payload = quoted.first(27)};
  EXPECT_EQ(parse_unreachable(cut).error(), Errc::BadFormat);
}

TEST(Icmp, AnUnreachableFrameTellsTheSenderWhatItHadSent) {
  Frame sent(80);
  sent.resize(*write_udp_frame(sent, kAtoB, 1000, 53, testing::stream_bytes(20)));
  const Ipv4View lost = *parse_ipv4(parse_ethernet(sent)->payload);
  std::array<std::uint8_t, kUnreachableFrameMax> frame{};
  const FrameAddresses back{.local_mac = kAtoB.remote_mac,
                            .remote_mac = kAtoB.local_mac,
                            .local = kAtoB.remote,
                            .remote = kAtoB.local};
  const std::size_t size = write_unreachable_frame(frame, back, kUnreachablePort, lost);
  EXPECT_EQ(size, 14u + 20 + 8 + 28);
  const Ipv4View ip = *parse_ipv4(parse_ethernet(std::span{frame}.first(size))->payload);
  EXPECT_EQ(ip.destination, kAtoB.local);
  const IcmpUnreachable report = *parse_unreachable(*parse_icmp(ip));
  EXPECT_EQ(report.reason(), Errc::Refused);
  EXPECT_EQ(report.source, kAtoB.local);
  EXPECT_EQ(report.source_port, 1000);
  EXPECT_EQ(report.destination_port, 53);
}

TEST(TcpHeader, RoundTripsWithOptions) {
  Frame frame(kTcpFrameHeaderMax);
  const std::size_t size =
      write_tcp_frame(std::span{frame}.first<kTcpFrameHeaderMax>(), testing::kFlowA,
                      {.sequence = 1,
                       .acknowledgement = 2,
                       .window = 3,
                       .flags = kTcpSyn | kTcpAck,
                       .window_scale = 20,
                       .mss = 1460},
                      0, 0, TransmitChecksum::Full);
  EXPECT_EQ(size, 62u);
  const TcpSegment segment = *testing::segment_in(frame);
  EXPECT_EQ(segment.source_port, 4000);
  EXPECT_EQ(segment.sequence, 1u);
  EXPECT_EQ(segment.acknowledgement, 2u);
  EXPECT_EQ(segment.window, 3);
  EXPECT_EQ(segment.mss, 1460);
  EXPECT_EQ(segment.window_scale, kMaxWindowScale) << "more than 14 counts as 14";
  frame[55] ^= 1;
  EXPECT_EQ(testing::segment_in(frame).error(), Errc::BadFormat) << "checksum";
}

TEST(TcpHeader, BrokenHeadersAreBadFormat) {
  Frame bytes(40);
  bytes[13] = kTcpSyn;
  const auto parse = [&](std::size_t size) {
    return parse_tcp({.payload = std::span{bytes}.first(size)}, ReceiveChecksum::Trusted);
  };
  bytes[12] = 0x50;
  EXPECT_EQ(parse(19).error(), Errc::BadFormat);
  EXPECT_TRUE(parse(20).has_value());
  bytes[12] = 0x40;
  EXPECT_EQ(parse(20).error(), Errc::BadFormat);
  bytes[12] = 0x60;
  EXPECT_EQ(parse(20).error(), Errc::BadFormat);
  bytes[20] = 2;
  bytes[21] = 5;
  EXPECT_EQ(parse(24).error(), Errc::BadFormat) << "option past the header";
  bytes[21] = 1;
  EXPECT_EQ(parse(24).error(), Errc::BadFormat) << "option shorter than itself";
  bytes[20] = bytes[21] = bytes[22] = 1;
  bytes[23] = 3;
  EXPECT_EQ(parse(24).error(), Errc::BadFormat) << "option without length";
  bytes[23] = 0;
  EXPECT_TRUE(parse(24).has_value());
}

TEST(ArpPacket, RoundTripsAndRefusesOtherKinds) {
  Frame frame(kArpFrameSize);
  const std::span<std::uint8_t, kArpFrameSize> out{frame};
  write_arp_frame(out, {.operation = ArpOperation::Reply,
                        .sender_mac = testing::kMacA,
                        .sender = testing::kIpA,
                        .target_mac = testing::kMacB,
                        .target = testing::kIpB});
  EXPECT_EQ(parse_ethernet(frame)->destination, testing::kMacB);
  const std::span payload = std::span{frame}.subspan(14);
  const ArpPacket packet = *parse_arp(payload);
  EXPECT_EQ(packet.operation, ArpOperation::Reply);
  EXPECT_EQ(packet.sender_mac, testing::kMacA);
  EXPECT_EQ(packet.target, testing::kIpB);
  EXPECT_EQ(parse_arp(payload.first(27)).error(), Errc::BadFormat);
  payload[7] = 3;
  EXPECT_EQ(parse_arp(payload).error(), Errc::NotSupported);
  payload[7] = 1;
  payload[1] = 6;
  EXPECT_EQ(parse_arp(payload).error(), Errc::NotSupported);
  payload[1] = 1;
  payload[8] = 0xFF;
  EXPECT_EQ(parse_arp(payload).error(), Errc::BadFormat) << "a group as sender";
}

}  // namespace
}  // namespace xok::net
