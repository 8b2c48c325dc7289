// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The HTTP/1.0 and 1.1 side of a file server (Cheetah), as pure functions of bytes: no sockets, no
/// files, no clock. The life of a request:
///
///   RequestParser::feed(received bytes)   until it says Complete or Error
///   look request().path() up              (a directory's "/": also after append_index())
///   plan(request(), file or null)         which status, which bytes of which file
///   write_head(response, date, buffer)    then send head, response.text, the slice of the file
///   response.keep_alive                   reset() and feed the bytes that are left, or close
///
/// Source of all rules: RFC 9110 and RFC 9112 unless a comment says otherwise.
namespace xok::http {

/// The longest path after decoding, in bytes. Longer: 414.
inline constexpr std::size_t kMaxPath = 1024;
/// What a directory is answered with.
inline constexpr std::string_view kIndexName = "index.html";

/// Seconds since 1970-01-01 00:00:00 UTC.
using Seconds = std::int64_t;

enum class Method : std::uint8_t {
  Get,
  Head,
  Other,  ///< any other: `status` says 405 or 501
};

/// What the Range header asks for.
struct ByteRange {
  enum class Kind : std::uint8_t {
    None,    ///< no range, or one that must be ignored (several ranges, other units, bad syntax)
    FromTo,  ///< bytes first to last, both included
    From,    ///< bytes from first on
    Suffix,  ///< the last `last` bytes
  };
  Kind kind = Kind::None;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// One request, reduced to what a file server acts on. Other header fields are checked for syntax
/// and dropped, and so is the query.
struct Request {
  Method method = Method::Get;
  /// 200, or the status to refuse the request with (`plan` does).
  std::uint16_t status = 200;
  /// Whether the client speaks HTTP/1.1 or a later 1.x.
  bool is_http11 = false;
  /// Whether the client wants, and may have, another request on this connection.
  bool keep_alive = false;
  /// If-Range was sent: the range counts only if `if_range` is the file's exact time.
  bool has_if_range = false;
  /// If-None-Match was sent: If-Modified-Since does not count (we give no entity tags).
  bool has_if_none_match = false;
  ByteRange range;
  std::optional<Seconds> if_range;
  std::optional<Seconds> if_modified_since;

  /// Absolute, decoded and normal: begins with '/', has no empty, "." or ".." component, no NUL and
  /// no other control character. A '/' at the end is kept. Valid until the parser's reset.
  std::string_view path() const { return {path_bytes.data(), path_length}; }

  /// For a directory: makes "/d/" into "/d/index.html". The path must end in '/'.
  void append_index();

  std::size_t path_length = 0;
  std::array<char, kMaxPath + kIndexName.size()> path_bytes;  // not cleared between requests
};

}  // namespace xok::http
