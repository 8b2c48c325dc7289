// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "apps/cheetah/answer_queue.hpp"
#include "apps/cheetah/repeated_request.hpp"
#include "libs/http/request_parser.hpp"
#include "libs/net/tcp_connection.hpp"

namespace xok::cheetah {

/// How long a client may take. Nanoseconds.
struct Patience {
  /// From a request's first byte, or a new connection, to the request's end: 408.
  std::uint64_t request_ns = 20 * net::kSecond;
  /// Without a request on a connection that has had one: closed.
  std::uint64_t idle_ns = 30 * net::kSecond;
  /// Without acknowledging anything while there is something to send: reset.
  std::uint64_t write_ns = 30 * net::kSecond;
  /// To close its side after we have closed ours. Until then input is read and dropped, since a
  /// reset could destroy an answer that the client has not read yet.
  std::uint64_t linger_ns = 10 * net::kSecond;
  /// Input dropped at most in that time: then reset.
  std::uint64_t linger_bytes = 8 << 20;
  /// A connection that has made no progress for this long may be given up for a new one: one that
  /// waits for its client, and one that is being sent to (a lost segment takes time).
  std::uint64_t spared_ns = 250 * net::kMillisecond;
  std::uint64_t spared_write_ns = 2 * net::kSecond;
};

/// What a connection waits for.
enum class Waiting : std::uint8_t {
  Handshake,  ///< the client's acknowledgement of our SYN
  Request,    ///< the rest of a request, or a new connection's first
  Idle,       ///< the next request
  Write,      ///< the client's acknowledgement of what we sent
  Linger,     ///< the client's end, after ours
};

/// One client: the TCP control block, the request being read, the answers being sent. 23 KB, of
/// which a client that sends short requests touches 3.
///
/// Plain state with a few rules; what moves it is `Server`. After a request was read completely
/// `request_ready` holds until it has been answered; after the last answer `closing`.
///
/// Context  one thread at a time; zero bytes are an unused connection
struct Connection {
  static constexpr std::size_t kReceiveBytes = 8192;

  /// The connection is a new client's. `tcp` has been opened.
  void start(std::uint64_t now_ns);

  /// Feeds the parser what has been received. True: `request_ready`.
  ///
  /// Cost  230 instructions, plus the parser's; 300 for a request that is the last one again
  bool read_request(const net::TcpContext& ctx);
  /// The request has been answered; `last`: no other is to be.
  void finish_request(bool last);
  /// Drops what has been received.
  void discard(const net::TcpContext& ctx);
  /// Hands new answers to TCP, and the end of the stream with the last one.
  void announce(const net::TcpContext& ctx);

  Waiting waiting() const;
  /// Whether a new client may have its place.
  bool may_be_evicted(std::uint64_t now_ns, const Patience& patience) const;
  /// When patience with what it waits for ends.
  std::uint64_t deadline(const Patience& patience) const;

  net::TcpConnection tcp;
  std::uint64_t progress_ns = 0;       ///< when the client last did something useful
  std::uint64_t request_began_ns = 0;  ///< 0: no byte of a next request has come
  std::uint64_t announced = 0;         ///< end of the stream as TCP knows it
  std::uint64_t discarded = 0;
  std::uint32_t next_free = 0;  ///< Server's free list: 1 + index; 0: the last
  bool in_use = false;
  bool request_ready = false;
  bool closing = false;   ///< no further request will be answered
  bool finished = false;  ///< TCP has been told so
  bool had_request = false;
  bool parsed = false;  ///< the parser holds a whole request, new or answered
  AnswerQueue answers;
  http::RequestParser parser;
  RepeatedRequest repeated;  ///< the request in the parser
  std::array<std::uint8_t, kReceiveBytes> receive_ring;

 private:
  /// Feeds what there is; returns how much of it is consumed.
  std::size_t feed(const net::ReceiveBuffer::Readable& received);
};

}  // namespace xok::cheetah
