// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "libs/http/date.hpp"
#include "libs/http/request.hpp"

namespace xok::http {

/// What the server found under a path.
struct FileInfo {
  enum class Kind : std::uint8_t { Regular, Directory };
  Kind kind = Kind::Regular;
  std::uint64_t size = 0;  ///< bytes
  Seconds modified = 0;
  /// Media type, if the server knows it already; empty: found by the path's suffix.
  std::string_view content_type = {};
};

/// The answer to one request. To send, in this order: the head (`write_head`), `text`, then
/// `body_length` bytes of the file from `body_offset` on. At most one of the last two is not empty,
/// and neither is there for HEAD. Views point into the request and into constants.
struct Response {
  std::uint16_t status = 200;
  bool keep_alive = false;  ///< else close after sending
  bool is_http11 = true;    ///< of the client
  std::uint64_t body_offset = 0;
  std::uint64_t body_length = 0;
  std::string_view text = {};

  // For write_head.
  std::uint64_t content_length = 0;
  std::string_view content_type = {};
  std::string_view location = {};  ///< 301: the path to add a '/' to
  std::uint64_t file_size = 0;     ///< 206 and 416
  std::optional<Seconds> last_modified = {};
};

/// Decides how to answer.
///
/// request  as the parser left it, Complete or Error
/// file     what `request.path()` names, or null if nothing (that the server may give out); for a
///          directory whose path ends in '/', its index file if there is one, looked up after
///          `request.append_index()`
///
/// 200  the file                       304  not changed since If-Modified-Since
/// 206  the range of it asked for      403  a directory without index
/// 301  a directory, without its '/'   404  no file, or a regular file with a '/' after its name
/// 416  no byte of the file is in the range; otherwise what the parser set
///
/// Cost about 300 instructions, most of them for the content type.
/// Several ranges, ranges with HEAD, and ranges of an empty file are answered with the whole file.
Response plan(const Request& request, const FileInfo* file);

/// An answer that no file is needed for, and that ends the connection: 408 when a request stalls
/// (RequestParser::idle says whether one has begun), 503 when there are too many, 500.
/// A status that we have no text for becomes 500.
Response error_response(unsigned status);

/// A buffer of this size holds the head of every answer whose FileInfo::content_type is empty or
/// at most 128 bytes long.
inline constexpr std::size_t kMaxResponseHead = 4096;

struct Head {
  std::size_t size;         ///< bytes written
  std::size_t date_offset;  ///< where the date's kDateSize bytes are: a cached head is brought up
                            ///< to date by writing there
};

/// Writes status line and header fields, up to and with the empty line.
///
/// date     now, from `format_date`
/// out      receives the head
/// Errors   BadArgument  `date` has not kDateSize bytes
///          NoSpace      `out` is smaller than 512 bytes, plus the content type, plus three times
///                       the location
/// Cost     430 instructions for a file. Budget: 500
Result<Head> write_head(const Response& response, std::string_view date, std::span<char> out);

/// What belongs to a status.
struct StatusText {
  unsigned status;
  std::string_view line;  ///< "HTTP/1.1 404 Not Found\r\n" and what follows, up to the date
  std::string_view page;  ///< explains it to a person; empty for 200, 206 and 304
};

/// The texts of a status; those of 500 for one that we do not use.
const StatusText& status_text(unsigned status);

}  // namespace xok::http
