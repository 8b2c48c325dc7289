// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/dhcp_message.hpp"

#include <algorithm>

#include "base/byte_order.hpp"
#include "libs/net/ethernet.hpp"

namespace xok::net {
namespace {

// Offsets in the fixed part (RFC 2131 figure 1).
constexpr std::size_t kTransactionAt = 4;
constexpr std::size_t kSecondsAt = 8;
constexpr std::size_t kFlagsAt = 10;
constexpr std::size_t kCurrentAt = 12;
constexpr std::size_t kOfferedAt = 16;
constexpr std::size_t kHardwareAt = 28;
constexpr std::size_t kCookieAt = 236;
constexpr std::size_t kOptionsAt = 240;

constexpr std::uint8_t kBootRequest = 1;
constexpr std::uint8_t kBootReply = 2;
constexpr std::uint16_t kEthernetSixBytes = 1 << 8 | 6;
constexpr std::uint16_t kBroadcastFlag = 0x8000;
constexpr std::uint32_t kMagicCookie = 0x63825363;

// RFC 2132.
constexpr std::uint8_t kPad = 0;
constexpr std::uint8_t kSubnetMask = 1;
constexpr std::uint8_t kRouter = 3;
constexpr std::uint8_t kDnsServer = 6;
constexpr std::uint8_t kRequestedAddress = 50;
constexpr std::uint8_t kLeaseTime = 51;
constexpr std::uint8_t kMessageType = 53;
constexpr std::uint8_t kServerIdentifier = 54;
constexpr std::uint8_t kParameterList = 55;
constexpr std::uint8_t kRenewalTime = 58;
constexpr std::uint8_t kRebindingTime = 59;
constexpr std::uint8_t kEnd = 255;

/// Stores a four-byte option (or a list's first entry) in the field it belongs to.
void take_number(DhcpReply& reply, std::uint8_t code, std::uint32_t value) {
  switch (code) {
    case kSubnetMask:
      reply.mask.value = value;
      break;
    case kRouter:
      reply.router.value = value;
      break;
    case kDnsServer:
      reply.dns.value = value;
      break;
    case kServerIdentifier:
      reply.server.value = value;
      break;
    case kLeaseTime:
      reply.lease_s = value;
      break;
    case kRenewalTime:
      reply.renewal_s = value;
      break;
    case kRebindingTime:
      reply.rebinding_s = value;
      break;
    default:
      break;
  }
}

}  // namespace

Result<DhcpReply> parse_dhcp(std::span<const std::uint8_t> payload) {
  if (payload.size() < kOptionsAt) return fail(Errc::BadFormat);
  const std::uint8_t* const at = payload.data();
  if (at[0] != kBootReply || load_be<std::uint16_t>(at + 1) != kEthernetSixBytes ||
      load_be<std::uint32_t>(at + kCookieAt) != kMagicCookie)
    return fail(Errc::BadFormat);
  DhcpReply reply{.transaction = load_be<std::uint32_t>(at + kTransactionAt),
                  .client = load_mac(at + kHardwareAt),
                  .offered = {load_be<std::uint32_t>(at + kOfferedAt)}};
  std::uint8_t type = 0;
  std::span<const std::uint8_t> options = payload.subspan(kOptionsAt);
  while (!options.empty() && options[0] != kEnd) {
    if (options[0] == kPad) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options.size() - 2 < options[1]) return fail(Errc::BadFormat);
    const std::uint8_t code = options[0];
    const std::size_t length = options[1];
    if (code == kMessageType && length == 1) type = options[2];
    if (length >= 4) take_number(reply, code, load_be<std::uint32_t>(&options[2]));
    options = options.subspan(2 + length);
  }
  if (type < static_cast<std::uint8_t>(DhcpType::Discover) ||
      type > static_cast<std::uint8_t>(DhcpType::Release))
    return fail(Errc::BadFormat);
  reply.type = static_cast<DhcpType>(type);
  return reply;
}

void write_dhcp(std::span<std::uint8_t, kDhcpMessageMax> out, const DhcpRequest& request) {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  std::uint8_t* const at = out.data();
  at[0] = kBootRequest;
  store_be(at + 1, kEthernetSixBytes);
  store_be(at + kTransactionAt, request.transaction);
  store_be(at + kSecondsAt, request.elapsed_s);
  if (request.current.is_zero()) store_be(at + kFlagsAt, kBroadcastFlag);
  store_be(at + kCurrentAt, request.current.value);
  store_mac(at + kHardwareAt, request.client);
  store_be(at + kCookieAt, kMagicCookie);

  std::uint8_t* option = at + kOptionsAt;
  *option++ = kMessageType;
  *option++ = 1;
  *option++ = static_cast<std::uint8_t>(request.type);
  const auto put_address = [&option](std::uint8_t code, Ipv4Address address) {
    if (address.is_zero()) return;
    *option++ = code;
    *option++ = 4;
    store_be(option, address.value);
    option += 4;
  };
  put_address(kRequestedAddress, request.requested);
  put_address(kServerIdentifier, request.server);
  constexpr std::uint8_t kWanted[] = {kSubnetMask,       kRouter,      kDnsServer,    kLeaseTime,
                                      kServerIdentifier, kRenewalTime, kRebindingTime};
  *option++ = kParameterList;
  *option++ = sizeof kWanted;
  option = std::copy(std::begin(kWanted), std::end(kWanted), option);
  *option = kEnd;
}

}  // namespace xok::net
