// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "apps/cheetah/checksum_cache.hpp"
#include "apps/cheetah/file_store.hpp"
#include "libs/net/send_buffer.hpp"

namespace xok::cheetah {

/// A slice of an open file.
struct FileSlice {
  std::uint32_t handle = 0;  ///< the queue releases it
  std::uint64_t version = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< 0: there is no file, and no handle
};

/// The answers of one connection that the client has not acknowledged yet, as a byte stream: for
/// each its text (head, explanation), then its slice of a file. The text lies in a ring here, the
/// file's bytes where the file store has them; there is no other copy.
///
///      released                                             end()
///   ------|-- text 1 --|--- file 1 ---|-- text 2 --|-- text 3 --|
///
/// Offsets count the bytes of the stream from 0, as TcpConnection does.
///
/// Context  one thread at a time; zero bytes are an unusable queue: `start` first
/// Source   own
class AnswerQueue {
 public:
  static constexpr std::size_t kMaxAnswers = 8;
  static constexpr std::size_t kTextBytes = 4096;

  /// Begins a connection's stream. Nothing may be left of another's: see `clear`.
  void start();

  /// Whether an answer with that much text can be added. An empty queue has room for any.
  bool has_room(std::size_t text_bytes) const {
    return count_ < kMaxAnswers && text_bytes <= text_.free_bytes();
  }

  /// Adds an answer; there must be room for its texts. Takes the slice's handle over.
  void push(std::string_view head, std::string_view page, const FileSlice& slice);

  /// Where the bytes are pushed so far end.
  std::uint64_t end() const { return end_; }
  bool empty() const { return count_ == 0; }

  /// What TcpSource asks for. Sums of bytes that are sent for the first time come from `sums`;
  /// those of bytes sent again are computed anew and corrected there.
  ///
  /// Returns  the pieces written to `out`
  /// Cost     310 instructions for a head and a run of a file whose sum is known, plus the store's
  std::size_t gather(FileStore& files, ChecksumCache& sums, std::uint64_t offset,
                     std::uint32_t length, std::span<net::PayloadPiece> out);

  /// Whether `gather` has met a file that is shorter than announced: the stream cannot go on.
  bool is_broken() const { return broken_; }

  /// Forgets the answers before `offset`.
  void release(FileStore& files, std::uint64_t offset);
  /// Forgets all.
  void clear(FileStore& files) { release(files, end_); }

 private:
  struct Answer {
    std::uint64_t begin;
    std::uint64_t text_begin;  ///< offset in the text ring
    std::uint64_t text_length;
    FileSlice slice;

    std::uint64_t slice_begin() const { return begin + text_length; }
    std::uint64_t end() const { return slice_begin() + slice.length; }
  };

  const Answer& at(std::size_t i) const { return answers_[(first_ + i) % kMaxAnswers]; }
  std::size_t gather_slice(FileStore& files, ChecksumCache& sums, const Answer& answer,
                           std::uint64_t offset, std::uint32_t length,
                           std::span<net::PayloadPiece> out);
  void add_sum(ChecksumCache& sums, const ChecksumCache::Key& key, std::uint64_t offset,
               net::PayloadPiece& piece) const;

  std::uint64_t end_ = 0;
  std::uint64_t gathered_end_ = 0;  ///< bytes before this have been sent once
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
  bool broken_ = false;
  net::SendBuffer text_;
  std::array<Answer, kMaxAnswers> answers_{};
  std::array<std::uint8_t, kTextBytes> text_bytes_;  // not cleared between connections
};

}  // namespace xok::cheetah
