// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/send_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "libs/net/power_of_two.hpp"

namespace xok::net {

Result<> SendBuffer::attach(std::span<std::uint8_t> memory) {
  if (!is_power_of_two(memory.size()) || memory.size() > std::size_t{1} << 30)
    return fail(Errc::BadArgument);
  *this = {};
  data_ = memory.data();
  capacity_ = static_cast<std::uint32_t>(memory.size());
  return {};
}

std::size_t SendBuffer::write(std::span<const std::uint8_t> bytes) {
  const std::size_t count = std::min<std::size_t>(bytes.size(), free_bytes());
  if (count == 0) return 0;
  const auto at = static_cast<std::uint32_t>(tail_) & (capacity_ - 1);
  const std::size_t first = std::min<std::size_t>(count, capacity_ - at);
  std::memcpy(data_ + at, bytes.data(), first);
  if (first != count) std::memcpy(data_, bytes.data() + first, count - first);
  tail_ += count;
  return count;
}

std::size_t SendBuffer::gather(std::uint64_t offset, std::uint32_t length,
                               std::span<PayloadPiece> out) const {
  if (length == 0 || offset < head_ || offset > tail_ || length > tail_ - offset) return 0;
  const auto at = static_cast<std::uint32_t>(offset) & (capacity_ - 1);
  const std::uint32_t first = std::min(length, capacity_ - at);
  const std::size_t count = first == length ? 1 : 2;
  if (out.size() < count) return 0;
  out[0] = {.data = data_ + at, .length = first};
  if (count == 2) out[1] = {.data = data_, .length = length - first};
  return count;
}

Result<> SendBuffer::release(std::uint64_t offset) {
  if (offset > tail_) return fail(Errc::BadArgument);
  head_ = std::max(head_, offset);
  return {};
}

}  // namespace xok::net
