// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "libs/http/request.hpp"

namespace xok::http {

/// The longest request line or header line, in bytes without the line end. Longer: 414, 431.
inline constexpr std::size_t kMaxLine = 8192;
/// The longest request line and headers together. Longer: 431.
inline constexpr std::size_t kMaxHead = 16384;
/// The most header fields. More: 431.
inline constexpr unsigned kMaxHeaders = 100;
/// The longest request body that is skipped. Longer: 413.
inline constexpr std::uint64_t kMaxBody = 65536;

/// What header fields say about the request as a whole. Part of the parser's inside.
struct Framing {
  bool has_host = false;
  bool has_length = false;
  bool has_transfer_encoding = false;
  bool has_expect = false;
  bool has_range = false;
  bool wants_close = false;
  bool wants_keep_alive = false;
  std::uint64_t length = 0;
};

/// Reads requests from a byte stream that arrives in pieces of any size. The result does not depend
/// on where the pieces end. A line that lies within one piece is read where it is; only a line
/// that is cut in two is copied. About 10 KB; most of it untouched while lines arrive whole.
///
/// What is refused at once, with State::Error and request().status:
///   400  bad syntax anywhere; a control character; a header line continued on the next (obs-fold);
///        no Host in HTTP/1.1, or two; lengths that contradict each other; more than 4 blank lines
///        before the request; HTTP/0.9
///   413  Content-Length above kMaxBody          414  request line above kMaxLine, path above
///   kMaxPath 417  Expect, with a body still to come      431  header block, line, or count too big
///   501  Transfer-Encoding                      505  a major version other than 1
/// What is refused but leaves the connection usable, with State::Complete:
///   405  POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH     501  methods we do not know
/// A bare LF ends a line too. A body is skipped.
///
/// Cost  `GET /index.html HTTP/1.1` with 4 header lines (106 bytes) in one piece: 1650
/// instructions,
///       about 250 for each header line. Budget: 2000.
class RequestParser {
 public:
  enum class State : std::uint8_t {
    NeedMore,  ///< all bytes are consumed, the request is not at its end
    Complete,  ///< a request is there; bytes not consumed belong to the next one
    Error,     ///< answer request().status and close: the stream's further meaning is lost
  };

  struct Progress {
    State state;
    std::size_t consumed;  ///< of the bytes given
  };

  RequestParser() = default;
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// Takes the next bytes of the stream. After Complete or Error it takes no more until `reset`.
  Progress feed(std::span<const char> bytes);

  /// Begins the next request of the connection (or of another one).
  void reset();

  /// Whether no byte of a request has come: a connection that times out now can be closed without
  /// an answer; otherwise it gets `error_response(408)`.
  bool idle() const { return head_bytes_ == 0 && carried_ == 0; }

  const Request& request() const { return request_; }
  Request& request() { return request_; }

 private:
  enum class Phase : std::uint8_t { RequestLine, Headers, Body, Done, Failed };

  std::size_t find_line_end(std::span<const char> bytes);
  bool too_long(std::size_t line_length);
  void take_line(std::string_view line);
  void take_request_line(std::string_view line);
  void take_header(std::string_view line);
  void end_of_headers();
  void fail_with(unsigned status);
  State state() const;

  static constexpr std::size_t kNone = ~std::size_t{0};

  Phase phase_ = Phase::RequestLine;
  bool bad_control_ = false;       // the present line holds a control character
  std::size_t return_at_ = kNone;  // where the present line's first CR is
  std::size_t carried_ = 0;        // bytes of the present line in line_
  std::size_t head_bytes_ = 0;     // in complete lines
  unsigned header_count_ = 0;
  std::uint64_t body_left_ = 0;
  Framing framing_;
  Request request_;
  std::array<char, kMaxLine> line_;
};

}  // namespace xok::http
