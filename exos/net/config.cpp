// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/config.hpp"

#include <charconv>

namespace xok::exos {
namespace {

/// Cuts what comes before the first `mark` off `text`; all of it where there is none.
std::string_view take_until(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const bool found = at != std::string_view::npos;
  const std::string_view head{text.data(), found ? at : text.size()};
  text.remove_prefix(found ? at + 1 : text.size());
  return head;
}

std::optional<std::uint32_t> number_up_to(std::string_view text, std::uint32_t limit) {
  std::uint32_t value = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end || value > limit)
    return std::nullopt;
  return value;
}

}  // namespace

std::optional<net::Ipv4Address> parse_ipv4_address(std::string_view text) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; i++) {
    if (i < 3 && text.find('.') == std::string_view::npos) return std::nullopt;
    const auto byte = number_up_to(i < 3 ? take_until(text, '.') : text, 255);
    if (!byte.has_value()) return std::nullopt;
    value = value << 8 | *byte;
  }
  return net::Ipv4Address{value};
}

std::optional<NetworkChoice> parse_network(std::string_view text) {
  if (text == "dhcp") return NetworkChoice{};
  if (text == "none") return NetworkChoice{.kind = NetworkChoice::Kind::None};
  std::string_view host = take_until(text, ',');
  const auto address = parse_ipv4_address(take_until(host, '/'));
  const auto bits = number_up_to(host, 32);
  if (!address.has_value() || !bits.has_value()) return std::nullopt;
  NetworkChoice choice{.kind = NetworkChoice::Kind::Static};
  choice.interface.address = *address;
  choice.interface.mask.value = *bits == 0 ? 0 : ~std::uint32_t{0} << (32 - *bits);
  for (net::Ipv4Address* further : {&choice.interface.gateway, &choice.dns}) {
    const std::string_view part = take_until(text, ',');
    if (part.empty()) continue;
    const auto parsed = parse_ipv4_address(part);
    if (!parsed.has_value()) return std::nullopt;
    *further = *parsed;
  }
  if (!text.empty()) return std::nullopt;
  return choice;
}

}  // namespace xok::exos
