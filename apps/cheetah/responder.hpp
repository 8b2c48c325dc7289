// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "apps/cheetah/answer_queue.hpp"
#include "apps/cheetah/file_store.hpp"
#include "apps/cheetah/head_cache.hpp"
#include "libs/http/response.hpp"

namespace xok::cheetah {

/// Turns a request into an answer in a connection's queue: looks the file up, decides, writes the
/// head. Knows nothing of connections and packets.
///
/// Context  one thread at a time; zero bytes are an object without store: `attach` first
/// Source   own; all rules of HTTP are libs/http's
class Responder {
 public:
  /// files  outlives this
  /// heads  memory for finished heads: a power of two of entries, or none
  void attach(FileStore& files, std::span<HeadCache::Entry> heads);

  /// Tells what time it is, for the Date header.
  void set_time(http::Seconds now) { date_.set(now); }

  enum class Outcome : std::uint8_t {
    KeepAlive,  ///< answered; another request may follow
    Close,      ///< answered; the connection ends after that
    NoRoom,     ///< not answered: ask again when the client has acknowledged something
  };

  /// Answers a request that the parser calls Complete or Error.
  ///
  /// request  may be changed (index.html appended), unless the outcome is NoRoom
  /// Cost     a file whose head is known: 300 instructions, plus the store's `find`. Budget: 400.
  ///          Else about 1200
  Outcome respond(http::Request& request, AnswerQueue& queue);

  /// Adds an answer that no request asked for, with `Connection: close`: 408.
  ///
  /// Returns  false: there is no room
  bool refuse(unsigned status, AnswerQueue& queue);

 private:
  FoundFile find(http::Request& request);
  Outcome respond_with(const http::Request& request, const FoundFile& file, AnswerQueue& queue);
  bool push_known(const http::Request& request, const FoundFile& file, AnswerQueue& queue);
  bool push(const http::Response& response, const FoundFile* to_cache, const FileSlice& slice,
            AnswerQueue& queue);

  FileStore* files_ = nullptr;
  HeadCache heads_;
  DateText date_;
};

}  // namespace xok::cheetah
