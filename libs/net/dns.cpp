// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/dns.hpp"

#include <algorithm>

#include "base/byte_order.hpp"

namespace xok::net {
namespace {

constexpr std::size_t kHeaderSize = 12;
constexpr std::uint16_t kRecursionDesired = 0x0100;
constexpr std::uint16_t kResponse = 0x8000;
constexpr std::uint16_t kTruncated = 0x0200;
constexpr std::uint16_t kCodeMask = 0x000F;
constexpr std::uint16_t kNameError = 3;
constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kClassInternet = 1;
constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxLabel = 63;

/// Where the name at `at` ends. Compression pointers end it; they are not followed.
Result<std::size_t> skip_name(std::span<const std::uint8_t> message, std::size_t at) {
  while (at < message.size()) {
    const std::size_t length = message[at];
    if (length == 0) return at + 1;
    if (length >= 0xC0) return at + 2;
    if (length > kMaxLabel) break;
    at += 1 + length;
  }
  return fail(Errc::BadFormat);
}

std::uint8_t lower(std::uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + 32) : byte;
}

/// Checks that the message answers the query; returns where its records start.
Result<std::size_t> match_question(std::span<const std::uint8_t> message,
                                   std::span<const std::uint8_t> query) {
  if (query.size() < kHeaderSize || message.size() < query.size()) return fail(Errc::BadFormat);
  const bool same_header =
      load_be<std::uint16_t>(message.data()) == load_be<std::uint16_t>(query.data()) &&
      load_be<std::uint16_t>(&message[4]) == 1;
  if (!same_header || (load_be<std::uint16_t>(&message[2]) & kResponse) == 0)
    return fail(Errc::BadFormat);
  for (std::size_t i = kHeaderSize; i < query.size(); ++i)
    if (lower(message[i]) != lower(query[i])) return fail(Errc::BadFormat);
  return query.size();
}

}  // namespace

Result<std::size_t> write_dns_query(std::span<std::uint8_t, kDnsMessageMax> out,
                                    std::uint16_t identifier, std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxName) return fail(Errc::BadArgument);
  std::uint8_t* const at = out.data();
  store_be(at, identifier);
  store_be(at + 2, kRecursionDesired);
  store_be(at + 4, std::uint64_t{1} << 48);  // one question, no records
  std::size_t used = kHeaderSize;
  while (true) {
    const auto end = std::find(name.begin(), name.end(), '.');
    const std::string_view label{name.begin(), end};
    if (label.empty() || label.size() > kMaxLabel) return fail(Errc::BadArgument);
    at[used] = static_cast<std::uint8_t>(label.size());
    std::copy(label.begin(), label.end(), at + used + 1);
    used += 1 + label.size();
    if (label.size() == name.size()) break;
    name.remove_prefix(label.size() + 1);
  }
  at[used] = 0;
  store_be(at + used + 1, kTypeA);
  store_be(at + used + 3, kClassInternet);
  return used + 5;
}

Result<DnsAnswer> parse_dns_answer(std::span<const std::uint8_t> message,
                                   std::span<const std::uint8_t> query,
                                   std::span<Ipv4Address> addresses) {
  std::size_t at = XOK_TRY(match_question(message, query));
  const auto flags = load_be<std::uint16_t>(&message[2]);
  if ((flags & kTruncated) != 0) return fail(Errc::TooBig);
  if ((flags & kCodeMask) == kNameError) return fail(Errc::NotFound);
  if ((flags & kCodeMask) != 0) return fail(Errc::Unreachable);
  DnsAnswer answer{.lifetime_s = ~std::uint32_t{0}};
  for (std::uint32_t left = load_be<std::uint16_t>(&message[6]); left != 0; --left) {
    at = XOK_TRY(skip_name(message, at));
    if (at > message.size() || message.size() - at < 10) return fail(Errc::BadFormat);
    const std::uint8_t* const record = &message[at];
    const std::size_t length = load_be<std::uint16_t>(record + 8);
    if (message.size() - at - 10 < length) return fail(Errc::BadFormat);
    at += 10 + length;
    if (load_be<std::uint16_t>(record) != kTypeA ||
        load_be<std::uint16_t>(record + 2) != kClassInternet || length != 4)
      continue;
    if (answer.count == addresses.size()) continue;
    addresses[answer.count++] = {load_be<std::uint32_t>(record + 10)};
    answer.lifetime_s = std::min(answer.lifetime_s, load_be<std::uint32_t>(record + 4));
  }
  if (answer.count == 0) return fail(Errc::NotFound);
  return answer;
}

}  // namespace xok::net
