// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/fields.hpp"

#include "libs/http/characters.hpp"
#include "libs/http/date.hpp"

namespace xok::http {
namespace {

constexpr std::uint64_t kHuge = ~std::uint64_t{0};

/// Digits only; a number too big for 64 bits becomes the biggest.
std::optional<std::uint64_t> parse_number(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  std::uint64_t out = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (__builtin_mul_overflow(out, 10u, &out) || __builtin_add_overflow(out, digit, &out))
      out = kHuge;  // stays: 10 * kHuge overflows again
  }
  return out;
}

unsigned take_host(std::string_view value, Framing& framing) {
  if (framing.has_host || !all_are(value, kHost)) return 400;
  framing.has_host = true;
  return 0;
}

unsigned take_length(std::string_view value, Framing& framing) {
  const auto length = parse_number(value);
  if (!length || (framing.has_length && framing.length != *length)) return 400;
  framing.has_length = true;
  framing.length = *length;
  return 0;
}

void take_connection(std::string_view value, Framing& framing) {
  while (!value.empty()) {
    const std::size_t comma = index_of(value, ',');
    const auto option = trim(prefix(value, comma));
    if (equal_ignoring_case(option, "close")) framing.wants_close = true;
    if (equal_ignoring_case(option, "keep-alive")) framing.wants_keep_alive = true;
    value.remove_prefix(comma < value.size() ? comma + 1 : comma);
  }
}

void take_range(std::string_view value, Request& request, Framing& framing) {
  request.range = framing.has_range ? ByteRange{} : parse_range(value);  // two: ignore both
  framing.has_range = true;
}

}  // namespace

unsigned take_field(std::string_view name, std::string_view value, Request& request,
                    Framing& framing) {
  switch (name.size()) {  // most fields are told apart by this alone
    case 4:
      if (equal_ignoring_case(name, "host")) return take_host(value, framing);
      break;
    case 5:
      if (equal_ignoring_case(name, "range")) take_range(value, request, framing);
      break;
    case 6:
      if (equal_ignoring_case(name, "expect")) framing.has_expect = true;
      break;
    case 8:
      if (equal_ignoring_case(name, "if-range")) {
        request.has_if_range = true;
        request.if_range = parse_date(value);
      }
      break;
    case 10:
      if (equal_ignoring_case(name, "connection")) take_connection(value, framing);
      break;
    case 13:
      if (equal_ignoring_case(name, "if-none-match")) request.has_if_none_match = true;
      break;
    case 14:
      if (equal_ignoring_case(name, "content-length")) return take_length(value, framing);
      break;
    case 17:
      if (equal_ignoring_case(name, "if-modified-since"))
        request.if_modified_since = parse_date(value);
      if (equal_ignoring_case(name, "transfer-encoding")) framing.has_transfer_encoding = true;
      break;
    default:
      break;
  }
  return 0;
}

ByteRange parse_range(std::string_view value) {
  constexpr std::size_t kUnit = 6;
  if (!equal_ignoring_case(prefix(value, kUnit), "bytes=")) return {};
  value.remove_prefix(kUnit);
  const std::size_t dash = index_of(value, '-');
  if (dash == value.size()) return {};
  const auto before_dash = prefix(value, dash);
  const auto after_dash = after(value, dash + 1);
  const auto first = parse_number(before_dash);
  const auto last = parse_number(after_dash);
  if (before_dash.empty() && last) return {ByteRange::Kind::Suffix, 0, *last};
  if (first && after_dash.empty()) return {ByteRange::Kind::From, *first, 0};
  if (first && last && *first <= *last) return {ByteRange::Kind::FromTo, *first, *last};
  return {};
}

}  // namespace xok::http
