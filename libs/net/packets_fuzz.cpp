// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// Any frames, well-formed or not, into a host with a listener and an established connection, with
// timers and an owner that sends and reads. Property: whatever comes,
//   - no acknowledgement that we send names a byte that has not come in order,
//   - the window that we offer never reaches past the ring,
//   - only bytes that the peer sent at that place are delivered (the peer's byte n is n's pattern
//     when the fuzzer uses "good payload"),
//   - `acknowledged()` never passes what was announced, and never goes back,
//   - every frame that we send parses, with right checksums,
//   - timers come to rest: `on_timer` at its own deadline always moves the deadline.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "libs/net/arp.hpp"
#include "libs/net/dhcp_message.hpp"
#include "libs/net/dns.hpp"
#include "libs/net/icmp.hpp"
#include "libs/net/tcp_demux.hpp"

namespace xok::net {
namespace {

constexpr Ipv4Address kSelf = Ipv4Address::of(10, 0, 0, 1);
constexpr Ipv4Address kPeer = Ipv4Address::of(10, 0, 0, 2);
constexpr MacAddress kMac{{2, 0, 0, 0, 0, 1}};
constexpr std::uint32_t kPeerIss = 5000;
constexpr std::size_t kRing = 2048;

void require(bool condition) {
  if (!condition) std::abort();
}

std::uint8_t pattern(std::uint64_t offset) {
  return static_cast<std::uint8_t>(offset * 31 + (offset >> 8));
}

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t value = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint32_t half() { return static_cast<std::uint32_t>(byte()) << 8 | byte(); }
  std::span<const std::uint8_t> take(std::size_t count) {
    const auto out = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(out.size());
    return out;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

class Host {
 public:
  Host() {
    require(demux_
                .attach({.table = table_,
                         .listeners = listeners_,
                         .timers = timers_,
                         .time_waits = time_waits_},
                        {.k0 = 1, .k1 = 2})
                .has_value());
    require(demux_.listen({.port = 80, .backlog = 2}).has_value());
    stream_.assign(20000, 0x5A);
    const TcpFlow flow{.local_mac = kMac,
                       .remote_mac = {},
                       .local = kSelf,
                       .remote = kPeer,
                       .local_port = 1000,
                       .remote_port = 2000};
    with([&](const TcpContext& ctx) {
      require(demux_.connect(ctx, main_, flow, ring_).has_value());
    });
    TcpSegment answer = from_peer();
    answer.flags = kTcpSyn | kTcpAck;
    answer.sequence = kPeerIss;
    deliver(answer);
    require(main_.state() == TcpState::Established);
  }

  void run(Input input) {
    while (!input.empty()) {
      step(input);
      check();
    }
  }

 private:
  template <class Action>
  void with(Action action) {
    auto source = [this](const TcpConnection& connection, std::uint64_t offset,
                         std::uint32_t length, std::span<PayloadPiece> out) -> std::size_t {
      require(&connection == &main_ && offset >= main_.acknowledged());
      require(offset + length <= announced_);
      const std::uint32_t first = length / 3;
      out[0] = {.data = &stream_[offset], .length = first};
      out[1] = {.data = &stream_[offset + first], .length = length - first};
      return 2;
    };
    auto sink = [this](const OutPacket& packet) { check_sent(packet); };
    action(TcpContext{.now_ns = now_, .config = config_, .source = source, .sink = sink});
  }

  TcpSegment from_peer() const {
    return {.source = kPeer,
            .destination = kSelf,
            .source_port = 2000,
            .destination_port = 1000,
            .acknowledgement = main_.wire_send_next(),
            .window = 3000,
            .flags = kTcpAck};
  }

  void deliver(const TcpSegment& segment) {
    const auto acceptor = [this](const TcpListener&, const TcpFlow&) -> TcpResources {
      for (Spare& spare : spares_)
        if (spare.connection.state() == TcpState::Closed)
          return {.connection = &spare.connection, .receive_memory = spare.ring};
      return {};
    };
    with([&](const TcpContext& ctx) { demux_.on_segment(ctx, segment, kMac, {}, acceptor); });
  }

  void step(Input& input) {
    switch (input.byte() % 6) {
      case 0:
        return raw_frame(input.take(input.byte()));
      case 1:
        return near_segment(input);
      case 2:
        return advance(input);
      case 3:
        announced_ = std::min<std::uint64_t>(announced_ + input.half() % 4000, stream_.size());
        return with([&](const TcpContext& ctx) {
          if (!main_.send_available(ctx, announced_)) announced_ = last_announced_;
          last_announced_ = announced_;
          demux_.changed(ctx, main_);
        });
      case 4:
        return read(input.half());
      default:
        return with([&](const TcpContext& ctx) {
          const std::uint8_t what = input.byte();
          if (what == 1) (void)main_.close(ctx);
          if (what == 2) main_.detach(ctx);
          if (what == 3) main_.on_path_mtu(ctx, main_.wire_send_next() - 1, 300);
          demux_.changed(ctx, main_);
        });
    }
  }

  /// A segment near the connection's numbers, so that deep states are reached.
  void near_segment(Input& input) {
    TcpSegment segment = from_peer();
    const auto shift = static_cast<std::int8_t>(input.byte());
    const std::uint32_t offset = static_cast<std::uint32_t>(shift) * (1 + input.byte() % 64);
    segment.sequence = main_.wire_receive_next() + offset;
    segment.acknowledgement -= input.half() % 5000 - (input.byte() % 8 == 0 ? 2500 : 0);
    segment.flags = input.byte() % 4 == 0 ? input.byte() : kTcpAck;
    segment.window = static_cast<std::uint16_t>(input.half());
    if (input.byte() % 8 == 0) segment.destination_port = 80;
    payload_.resize(input.half() % 1500);
    const std::uint32_t start = segment.sequence - kPeerIss - 1;
    for (std::size_t i = 0; i < payload_.size(); ++i)
      payload_[i] = pattern(start + static_cast<std::uint32_t>(i));
    segment.payload = payload_;
    deliver(segment);
  }

  void raw_frame(std::span<const std::uint8_t> frame) {
    std::array<Ipv4Address, 2> addresses{};
    (void)parse_dhcp(frame);
    (void)parse_dns_answer(frame, frame.first(frame.size() / 2), addresses);
    if (const auto packet = parse_arp(frame)) (void)arp_.on_packet(now_, *packet, kSelf, kMac);
    const Result<EthernetView> ethernet = parse_ethernet(frame);
    if (!ethernet) return;
    const Ipv4View forged{.source = kPeer, .destination = kSelf, .payload = ethernet->payload};
    (void)parse_udp(forged);
    if (const auto icmp = parse_icmp(forged)) (void)parse_unreachable(*icmp);
    (void)parse_unreachable({.type = IcmpType::Unreachable, .payload = ethernet->payload});
    const Result<Ipv4View> ip = parse_ipv4(ethernet->payload);
    if (const auto segment = parse_tcp(ip ? *ip : forged, ReceiveChecksum::Trusted))
      if (segment->payload.empty()) deliver(*segment);
  }

  void advance(Input& input) {
    now_ += input.half() * kMillisecond;
    for (int i = 0; demux_.next_deadline() <= now_; ++i) {
      require(i < 1000);
      with([&](const TcpContext& ctx) { demux_.on_timer(ctx, [](TcpConnection&, TcpEvents) {}); });
    }
  }

  void read(std::uint32_t most) {
    const ReceiveBuffer::Readable data = main_.readable();
    for (const auto part : {data.first, data.second})
      for (const std::uint8_t byte : part) {
        if (most == 0) break;
        require(byte == pattern(static_cast<std::uint32_t>(read_)));
        ++read_;
        --most;
      }
    const auto count = static_cast<std::uint32_t>(read_ - main_.receive_buffer().read_offset());
    with([&](const TcpContext& ctx) {
      require(main_.consume(ctx, count).has_value());
      demux_.changed(ctx, main_);
    });
  }

  void check_sent(const OutPacket& packet) {
    frame_.assign(packet.header.begin(), packet.header.end());
    for (const PayloadPiece& piece : packet.payload)
      frame_.insert(frame_.end(), piece.data, piece.data + piece.length);
    const Result<EthernetView> ethernet = parse_ethernet(frame_);
    require(ethernet.has_value());
    const Result<Ipv4View> ip = parse_ipv4(ethernet->payload);
    require(ip.has_value());
    const Result<TcpSegment> segment = parse_tcp(*ip, ReceiveChecksum::Verify);
    require(segment.has_value());
    const bool ours = segment->source_port == 1000 && segment->destination_port == 2000;
    if (!ours || main_.state() < TcpState::Established || segment->has(kTcpSyn | kTcpRst)) return;
    const std::uint32_t acked = segment->acknowledgement;
    require(acked == main_.wire_receive_next());
    const ReceiveBuffer& buffer = main_.receive_buffer();
    require(buffer.next_offset() + segment->window <= buffer.read_offset() + kRing);
  }

  void check() {
    require(main_.acknowledged() >= last_acknowledged_ && main_.acknowledged() <= announced_);
    last_acknowledged_ = main_.acknowledged();
    const ReceiveBuffer& buffer = main_.receive_buffer();
    require(buffer.readable_bytes() <= kRing && buffer.read_offset() == read_);
    require(demux_.connection_count() <= 4);
  }

  struct Spare {
    TcpConnection connection;
    std::array<std::uint8_t, 256> ring{};
  };
  std::array<TcpConnection*, 8> table_{};
  std::array<TcpListener, 1> listeners_{};
  std::array<DeadlineHeap::Slot, 8> timers_{};
  std::array<TimeWaitTable::Entry, 8> time_waits_{};
  TcpDemux demux_;
  ArpCache arp_;
  TcpConfig config_;
  TcpConnection main_;
  std::array<std::uint8_t, kRing> ring_{};
  std::array<Spare, 3> spares_{};
  std::vector<std::uint8_t> stream_;
  std::vector<std::uint8_t> payload_;
  std::vector<std::uint8_t> frame_;
  std::uint64_t now_ = kSecond;
  std::uint64_t announced_ = 0;
  std::uint64_t last_announced_ = 0;
  std::uint64_t last_acknowledged_ = 0;
  std::uint64_t read_ = 0;
};

}  // namespace
}  // namespace xok::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  xok::net::Host host;
  host.run(xok::net::Input{{data, size}});
  return 0;
}
