// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Bytes are cut into lines, lines are read one by one. Everything that can go wrong is decided
// either when a line is whole or by a count of bytes, so that a request has one result however it
// is cut into pieces.
#include "libs/http/request_parser.hpp"

#include <algorithm>

#include "base/byte_order.hpp"
#include "base/check.hpp"
#include "libs/http/characters.hpp"
#include "libs/http/fields.hpp"
#include "libs/http/target.hpp"

namespace xok::http {
namespace {

constexpr std::size_t kMaxBlankBytes = 8;
constexpr std::string_view kRefusedMethods[] = {"POST",    "PUT",   "DELETE", "CONNECT",
                                                "OPTIONS", "TRACE", "PATCH"};

/// The first byte below ' ' from `from` on, or size. Eight bytes at a time.
std::size_t find_control(const char* bytes, std::size_t from, std::size_t size) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  for (; size - from >= 8; from += 8) {
    const auto word = load<std::uint64_t>(bytes + from);
    // The lowest bit set is exact; a borrow can only spoil those above it.
    const std::uint64_t below = (word - kOnes * ' ') & ~word & (kOnes * 0x80);
    if (below != 0) return from + static_cast<unsigned>(__builtin_ctzll(below)) / 8;
  }
  while (from < size && static_cast<unsigned char>(bytes[from]) >= ' ') ++from;
  return from;
}

/// Get, Head, or the status that another method is answered with.
unsigned take_method(std::string_view name, Request& request) {
  request.method = Method::Get;
  if (name == "GET") return 200;
  request.method = Method::Head;
  if (name == "HEAD") return 200;
  request.method = Method::Other;
  for (const std::string_view known : kRefusedMethods)
    if (name == known) return 405;
  return !name.empty() && all_are(name, kToken) ? 501 : 400;
}

/// 200 for HTTP/1.x, else the status to refuse with. `version` has 8 characters.
unsigned take_version(std::string_view version, Request& request) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (prefix(version, 5) != "HTTP/" || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7]))
    return 400;
  request.is_http11 = version[7] != '0';
  return version[5] == '1' ? 200 : 505;
}

}  // namespace

void Request::append_index() {
  XOK_CHECK(path_length > 0 && path_length <= kMaxPath && path_bytes[path_length - 1] == '/',
            path_length);
  __builtin_memcpy(path_bytes.data() + path_length, kIndexName.data(), kIndexName.size());
  path_length += kIndexName.size();
}

/// Where the present line's LF is, or bytes.size(). Notes other control characters on the way.
inline std::size_t RequestParser::find_line_end(std::span<const char> bytes) {
  std::size_t i = 0;
  for (;; ++i) {
    i = find_control(bytes.data(), i, bytes.size());
    if (i == bytes.size() || bytes[i] == '\n') return i;
    if (bytes[i] == '\r' && return_at_ == kNone) {
      return_at_ = carried_ + i;
      if (i + 1 < bytes.size() && bytes[i + 1] == '\n') return i + 1;
    } else if (bytes[i] != '\t') {
      bad_control_ = true;
    }
  }
}

RequestParser::Progress RequestParser::feed(std::span<const char> bytes) {
  std::size_t consumed = 0;
  while (phase_ == Phase::RequestLine || phase_ == Phase::Headers) {
    const auto rest = bytes.subspan(consumed);
    const std::size_t end = find_line_end(rest);
    const std::size_t length = carried_ + end;
    if (too_long(length)) break;
    if (end == rest.size()) {
      std::copy_n(rest.data(), end, line_.data() + carried_);
      carried_ = length;
      return {State::NeedMore, bytes.size()};
    }
    std::string_view line{rest.data(), end};
    if (carried_ != 0) {
      std::copy_n(rest.data(), end, line_.data() + carried_);
      line = {line_.data(), length};
    }
    consumed += end + 1;
    head_bytes_ += length + 1;
    carried_ = 0;
    if (return_at_ != kNone) {
      if (return_at_ + 1 != length) bad_control_ = true;
      line.remove_suffix(1);
      return_at_ = kNone;
    }
    take_line(line);
  }
  if (phase_ == Phase::Body) {
    const std::uint64_t skipped = std::min<std::uint64_t>(body_left_, bytes.size() - consumed);
    consumed += skipped;
    body_left_ -= skipped;
    if (body_left_ == 0) phase_ = Phase::Done;
  }
  return {state(), consumed};
}

void RequestParser::reset() {
  phase_ = Phase::RequestLine;
  bad_control_ = false;
  return_at_ = kNone;
  carried_ = 0;
  head_bytes_ = 0;
  header_count_ = 0;
  body_left_ = 0;
  framing_ = {};
  request_.method = Method::Get;
  request_.status = 200;
  request_.is_http11 = request_.keep_alive = false;
  request_.has_if_range = request_.has_if_none_match = false;
  request_.range = {};
  request_.if_range.reset();
  request_.if_modified_since.reset();
  request_.path_length = 0;
}

bool RequestParser::too_long(std::size_t line_length) {
  if (phase_ == Phase::RequestLine) {
    if (line_length <= kMaxLine) return false;
    fail_with(414);
    return true;
  }
  if (line_length <= kMaxLine && head_bytes_ + line_length <= kMaxHead) return false;
  fail_with(431);
  return true;
}

void RequestParser::take_line(std::string_view line) {
  if (bad_control_) return fail_with(400);
  if (phase_ == Phase::Headers) return line.empty() ? end_of_headers() : take_header(line);
  if (!line.empty()) return take_request_line(line);
  if (head_bytes_ > kMaxBlankBytes) fail_with(400);
}

void RequestParser::take_request_line(std::string_view line) {
  constexpr std::size_t kVersion = 8;  // "HTTP/1.1"
  const std::size_t first = index_of(line, ' ');
  if (line.size() < first + 1 + 1 + 1 + kVersion) return fail_with(400);
  const std::size_t last = line.size() - kVersion - 1;
  const unsigned version = take_version(after(line, last + 1), request_);
  if (line[last] != ' ' || version == 400) return fail_with(400);
  if (version != 200) return fail_with(version);
  const unsigned status = take_method(prefix(line, first), request_);
  if (status == 400) return fail_with(400);
  request_.status = static_cast<std::uint16_t>(status);
  phase_ = Phase::Headers;
  if (status != 200) return;  // other methods have other forms of targets
  const auto target = after(prefix(line, last), first + 1);
  const auto length = path_of_target(target, std::span{request_.path_bytes}.first(kMaxPath));
  if (!length) return fail_with(length.error() == Errc::TooBig ? 414 : 400);
  request_.path_length = *length;
}

void RequestParser::take_header(std::string_view line) {
  if (++header_count_ > kMaxHeaders) return fail_with(431);
  std::size_t colon = 0;  // a line that begins with a space (obs-fold) has no name: 400
  while (colon < line.size() && is(line[colon], kToken)) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':') return fail_with(400);
  const unsigned status =
      take_field(prefix(line, colon), trim(after(line, colon + 1)), request_, framing_);
  if (status != 0) fail_with(status);
}

void RequestParser::end_of_headers() {
  if (request_.is_http11 && !framing_.has_host) return fail_with(400);
  if (framing_.has_transfer_encoding) return fail_with(framing_.has_length ? 400 : 501);
  if (framing_.length > kMaxBody) return fail_with(413);
  if (framing_.has_expect && framing_.length > 0) return fail_with(417);
  request_.keep_alive = !framing_.wants_close && (request_.is_http11 || framing_.wants_keep_alive);
  body_left_ = framing_.length;
  phase_ = body_left_ == 0 ? Phase::Done : Phase::Body;
}

void RequestParser::fail_with(unsigned status) {
  phase_ = Phase::Failed;
  request_.status = static_cast<std::uint16_t>(status);
  request_.keep_alive = false;
}

RequestParser::State RequestParser::state() const {
  if (phase_ == Phase::Failed) return State::Error;
  return phase_ == Phase::Done ? State::Complete : State::NeedMore;
}

}  // namespace xok::http
