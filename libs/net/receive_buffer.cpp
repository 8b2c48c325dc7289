// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/receive_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "libs/net/power_of_two.hpp"

namespace xok::net {

Result<> ReceiveBuffer::attach(std::span<std::uint8_t> memory) {
  if (!is_power_of_two(memory.size()) || memory.size() > std::size_t{1} << 30)
    return fail(Errc::BadArgument);
  *this = {};
  data_ = memory.data();
  capacity_ = static_cast<std::uint32_t>(memory.size());
  return {};
}

void ReceiveBuffer::append(std::span<const std::uint8_t> bytes) {
  copy_in(next_, bytes);
  next_ += bytes.size();
}

std::uint32_t ReceiveBuffer::store(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  if (offset < next_) {
    const std::uint64_t old = std::min<std::uint64_t>(next_ - offset, bytes.size());
    bytes = bytes.subspan(old);
    offset += old;
  }
  const std::uint64_t limit = read_ + capacity_;
  if (bytes.empty() || offset >= limit || offset < next_) return 0;
  bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), limit - offset));

  if (offset != next_) {
    const auto start = static_cast<std::uint32_t>(offset - next_);
    if (insert_interval(start, start + static_cast<std::uint32_t>(bytes.size())))
      copy_in(offset, bytes);
    return 0;
  }
  const std::uint64_t before = next_;
  copy_in(offset, bytes);
  next_ += bytes.size();
  absorb_intervals();
  return static_cast<std::uint32_t>(next_ - before);
}

ReceiveBuffer::Readable ReceiveBuffer::readable() const {
  if (next_ == read_) return {};
  const auto at = static_cast<std::uint32_t>(read_) & (capacity_ - 1);
  const std::uint32_t count = readable_bytes();
  const std::uint32_t first = std::min(count, capacity_ - at);
  return {.first = {data_ + at, first}, .second = {data_, count - first}};
}

Result<> ReceiveBuffer::consume(std::uint32_t count) {
  if (count > readable_bytes()) return fail(Errc::BadArgument);
  read_ += count;
  return {};
}

void ReceiveBuffer::copy_in(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  const auto at = static_cast<std::uint32_t>(offset) & (capacity_ - 1);
  const std::size_t first = std::min<std::size_t>(bytes.size(), capacity_ - at);
  std::memcpy(data_ + at, bytes.data(), first);
  if (first != bytes.size()) std::memcpy(data_, bytes.data() + first, bytes.size() - first);
}

/// Adds [start, end), both counted from `next_`, and joins what touches it. False: no room.
bool ReceiveBuffer::insert_interval(std::uint32_t start, std::uint32_t end) {
  std::uint32_t from = 0;
  while (from < interval_count_ && past_next(intervals_[from].end) < start) ++from;
  std::uint32_t to = from;
  while (to < interval_count_ && past_next(intervals_[to].start) <= end) {
    start = std::min(start, past_next(intervals_[to].start));
    end = std::max(end, past_next(intervals_[to].end));
    ++to;
  }
  const auto begin = intervals_.begin();
  if (from == to) {
    if (interval_count_ == kMaxIntervals) return false;
    std::move_backward(begin + from, begin + interval_count_, begin + interval_count_ + 1);
    ++interval_count_;
  } else {
    std::move(begin + to, begin + interval_count_, begin + from + 1);
    interval_count_ -= to - from - 1;
  }
  const auto base = static_cast<std::uint32_t>(next_);
  intervals_[from] = {.start = base + start, .end = base + end};
  return true;
}

/// Moves `next_` over the intervals that it has reached.
void ReceiveBuffer::absorb_intervals() {
  std::uint32_t reached = 0;
  while (reached < interval_count_ &&
         static_cast<std::int32_t>(past_next(intervals_[reached].start)) <= 0) {
    const auto gained = static_cast<std::int32_t>(past_next(intervals_[reached].end));
    if (gained > 0) next_ += static_cast<std::uint32_t>(gained);
    ++reached;
  }
  if (reached == 0) return;
  const auto begin = intervals_.begin();
  std::move(begin + reached, begin + interval_count_, begin);
  interval_count_ -= reached;
}

}  // namespace xok::net
