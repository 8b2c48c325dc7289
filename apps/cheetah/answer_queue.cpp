// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "apps/cheetah/answer_queue.hpp"

#include <algorithm>

#include "libs/net/checksum.hpp"

namespace xok::cheetah {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::uint32_t total(std::span<const net::PayloadPiece> pieces) {
  std::uint32_t sum = 0;
  for (const net::PayloadPiece& piece : pieces) sum += piece.length;
  return sum;
}

}  // namespace

void AnswerQueue::start() {
  (void)text_.attach(text_bytes_);  // the size is a power of two
  end_ = 0;
  gathered_end_ = 0;
  first_ = 0;
  count_ = 0;
  broken_ = false;
}

void AnswerQueue::push(std::string_view head, std::string_view page, const FileSlice& slice) {
  Answer& answer = answers_[(first_ + count_++) % kMaxAnswers];
  answer = {.begin = end_,
            .text_begin = text_.written(),
            .text_length = head.size() + page.size(),
            .slice = slice};
  text_.write(bytes_of(head));
  if (!page.empty()) text_.write(bytes_of(page));
  end_ = answer.end();
}

std::size_t AnswerQueue::gather(FileStore& files, ChecksumCache& sums, std::uint64_t offset,
                                std::uint32_t length, std::span<net::PayloadPiece> out) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < count_ && length != 0 && used < out.size() && !broken_; ++i) {
    const Answer& answer = at(i);
    if (offset >= answer.end()) continue;
    if (offset < answer.slice_begin()) {
      const auto n = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(length, answer.slice_begin() - offset));
      const std::size_t got =
          text_.gather(answer.text_begin + (offset - answer.begin), n, out.subspan(used));
      if (got == 0) break;  // two pieces are needed and there is one left
      used += got;
      offset += n;
      length -= n;
    }
    if (length == 0 || offset == answer.end() || used == out.size()) continue;
    const auto n =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(length, answer.end() - offset));
    const std::size_t got = gather_slice(files, sums, answer, offset, n, out.subspan(used));
    const std::uint32_t had = total(out.subspan(used, got));
    used += got;
    offset += had;
    length -= had;
    if (had < n) break;
  }
  gathered_end_ = std::max(gathered_end_, offset);
  return used;
}

std::size_t AnswerQueue::gather_slice(FileStore& files, ChecksumCache& sums, const Answer& answer,
                                      std::uint64_t offset, std::uint32_t length,
                                      std::span<net::PayloadPiece> out) {
  std::uint64_t in_file = answer.slice.offset + (offset - answer.slice_begin());
  const std::size_t got = files.pieces(answer.slice.handle, in_file, length, out);
  std::uint32_t had = 0;
  for (net::PayloadPiece& piece : out.first(got)) {
    add_sum(sums, {.version = answer.slice.version, .offset = in_file, .length = piece.length},
            offset + had, piece);
    in_file += piece.length;
    had += piece.length;
  }
  if (had < length && got < out.size()) broken_ = true;
  return got;
}

/// Sums a run of file bytes, which the stream has at `offset`.
void AnswerQueue::add_sum(ChecksumCache& sums, const ChecksumCache::Key& key, std::uint64_t offset,
                          net::PayloadPiece& piece) const {
  piece.has_checksum = true;
  const std::uint16_t* const known = offset >= gathered_end_ ? sums.find(key) : nullptr;
  if (known != nullptr) {
    piece.checksum = *known;
    return;
  }
  piece.checksum = net::checksum_partial({piece.data, piece.length});
  sums.put(key, piece.checksum);
}

void AnswerQueue::release(FileStore& files, std::uint64_t offset) {
  while (count_ != 0 && at(0).end() <= offset) {
    const Answer& answer = at(0);
    if (answer.slice.length != 0) files.release(answer.slice.handle);
    (void)text_.release(answer.text_begin + answer.text_length);
    first_ = (first_ + 1) % kMaxAnswers;
    --count_;
  }
}

}  // namespace xok::cheetah
