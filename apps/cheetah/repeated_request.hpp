// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_order.hpp"
#include "libs/http/request.hpp"

namespace xok::cheetah {

/// The bytes of the request that a parser holds. When a client sends the same bytes again (it
/// polls, it reloads, it measures), what they mean is known: the parser's 1300 instructions are
/// saved. Sound because the parser is a function of the bytes alone.
///
/// Context  one thread at a time; zero bytes remember nothing
/// Cost     5 instructions for each eight bytes, up to the first that differs
/// Source   own
class RepeatedRequest {
 public:
  static constexpr std::size_t kMaxBytes = 248;

  /// Keeps the bytes that `request` was parsed from, unless they are too many.
  void remember(std::span<const char> bytes, const http::Request& request) {
    if (bytes.size() > kMaxBytes || bytes.size() < sizeof(std::uint64_t)) return;
    size_ = static_cast<std::uint16_t>(bytes.size());
    path_length_ = static_cast<std::uint16_t>(request.path_length);
    __builtin_memcpy(bytes_.data(), bytes.data(), bytes.size());
  }
  void forget() { size_ = 0; }

  /// How long the request is if `received` begins with the same one; else 0.
  std::size_t match(std::span<const char> received) const {
    if (size_ == 0 || received.size() < size_) return 0;
    // Whole words, the last of which ends where the request does.
    const std::size_t last = size_ - sizeof(std::uint64_t);
    for (std::size_t at = 0; at < last; at += sizeof(std::uint64_t))
      if (!same_word(received, at)) return 0;
    return same_word(received, last) ? size_ : 0;
  }

  /// Of the request as it was parsed: answering it may have appended "index.html".
  std::size_t path_length() const { return path_length_; }

 private:
  bool same_word(std::span<const char> received, std::size_t at) const {
    return load<std::uint64_t>(&received[at]) == load<std::uint64_t>(&bytes_[at]);
  }

  std::uint16_t size_ = 0;
  std::uint16_t path_length_ = 0;
  std::array<char, kMaxBytes> bytes_;  // not cleared
};

}  // namespace xok::cheetah
