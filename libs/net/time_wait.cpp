// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/time_wait.hpp"

#include <array>

#include "libs/net/power_of_two.hpp"
#include "libs/net/tcp_hash.hpp"

namespace xok::net {

static_assert(sizeof(TimeWaitTable::Entry) == 40);

Result<> TimeWaitTable::attach(std::span<Entry> memory, const SecretKey& key) {
  const bool usable = is_power_of_two(memory.size()) && memory.size() >= kProbes &&
                      memory.size() <= std::size_t{1} << 30;
  if (!memory.empty() && !usable) return fail(Errc::BadArgument);
  for (Entry& entry : memory) entry = {};
  entries_ = memory.empty() ? nullptr : memory.data();
  mask_ = static_cast<std::uint32_t>(memory.size() - 1);
  key_ = key;
  return {};
}

void TimeWaitTable::add(std::uint64_t now_ns, std::uint64_t time_wait_ns,
                        const TcpConnection& connection) {
  if (entries_ == nullptr) return;
  const TcpFlow& flow = connection.flow();
  const std::uint32_t start = home(flow.remote, flow.remote_port, flow.local_port);
  Entry* best = &entries_[start];
  for (std::uint32_t i = 0; i < kProbes && best->expires_ns > now_ns; ++i) {
    Entry& entry = entries_[(start + i) & mask_];
    if (entry.expires_ns < best->expires_ns) best = &entry;
  }
  *best = {.expires_ns = now_ns + time_wait_ns,
           .flow = flow,
           .send_next = connection.wire_send_next(),
           .receive_next = connection.wire_receive_next()};
}

TimeWaitTable::Lookup TimeWaitTable::on_segment(const TcpContext& ctx, const TcpSegment& segment) {
  Entry* const entry = find(ctx.now_ns, segment);
  if (entry == nullptr) return {};
  if (segment.has(kTcpRst)) return {.verdict = Verdict::Consumed};  // RFC 1337
  const auto ahead = static_cast<std::int32_t>(segment.sequence - entry->receive_next);
  if (segment.has(kTcpSyn) && !segment.has(kTcpAck) && ahead > 0) {
    entry->expires_ns = 0;
    return {.verdict = Verdict::Reopen, .send_next = entry->send_next};
  }
  // Pure acknowledgements are expected (of our FIN, say) and get no answer.
  if (segment.payload.empty() && !segment.has(kTcpSyn | kTcpFin))
    return {.verdict = Verdict::Consumed};
  if (segment.has(kTcpFin)) entry->expires_ns = ctx.now_ns + ctx.config.time_wait_ns;
  std::array<std::uint8_t, kTcpFrameHeaderMax> frame;
  const std::size_t size = write_tcp_frame(
      frame, entry->flow,
      {.sequence = entry->send_next, .acknowledgement = entry->receive_next, .flags = kTcpAck}, 0,
      0, ctx.config.transmit_checksum);
  ctx.sink({.header = std::span{frame}.first(size), .payload = {}});
  return {.verdict = Verdict::Consumed};
}

std::uint32_t TimeWaitTable::home(Ipv4Address remote, std::uint16_t remote_port,
                                  std::uint16_t local_port) const {
  return tcp_hash(key_, remote, remote_port, local_port) & mask_;
}

TimeWaitTable::Entry* TimeWaitTable::find(std::uint64_t now_ns, const TcpSegment& segment) {
  if (entries_ == nullptr) return nullptr;
  const std::uint32_t start = home(segment.source, segment.source_port, segment.destination_port);
  for (std::uint32_t i = 0; i < kProbes; ++i) {
    Entry& entry = entries_[(start + i) & mask_];
    if (entry.expires_ns > now_ns && same_flow(entry.flow, segment)) return &entry;
  }
  return nullptr;
}

}  // namespace xok::net
