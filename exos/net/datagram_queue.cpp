// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/datagram_queue.hpp"

#include <cstring>

namespace xok::exos {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

}  // namespace

void DatagramQueue::attach(std::span<std::byte> memory) {
  data_ = memory.data();
  capacity_ = static_cast<std::uint32_t>(memory.size());
  head_ = tail_ = count_ = 0;
}

/// Where a record of `size` bytes can go, or kNone. One byte always stays free between tail and
/// head, so that equal ones mean empty.
std::uint32_t DatagramQueue::place_for(std::uint32_t size) const {
  if (count_ == 0) return size <= capacity_ ? 0 : kNone;
  if (tail_ > head_) {
    if (size <= capacity_ - tail_) return tail_;
    return size < head_ ? 0 : kNone;
  }
  return size < head_ - tail_ ? tail_ : kNone;
}

DatagramQueue::Record DatagramQueue::record_at(std::uint32_t at) const {
  Record record;
  std::memcpy(&record, data_ + at, sizeof record);
  return record;
}

bool DatagramQueue::push(net::Ipv4Address source, std::uint16_t port,
                         std::span<const std::uint8_t> first,
                         std::span<const std::uint8_t> second) {
  const std::size_t length = first.size() + second.size();
  if (length > capacity_) return false;
  const std::uint32_t at = place_for(size_of(length));
  if (at == kNone) return false;
  if (count_ == 0) {
    head_ = 0;
  } else if (at != tail_ && capacity_ - tail_ >= sizeof(Record)) {
    const Record skip{.length = kSkip, .source = 0, .port = 0, .reserved = 0};
    std::memcpy(data_ + tail_, &skip, sizeof skip);
  }
  const Record record{.length = static_cast<std::uint32_t>(length),
                      .source = source.value,
                      .port = port,
                      .reserved = 0};
  std::byte* to = data_ + at;
  std::memcpy(to, &record, sizeof record);
  to += sizeof record;
  if (!first.empty()) std::memcpy(to, first.data(), first.size());
  if (!second.empty()) std::memcpy(to + first.size(), second.data(), second.size());
  tail_ = at + size_of(length);
  count_++;
  return true;
}

std::optional<DatagramQueue::Entry> DatagramQueue::front() const {
  if (count_ == 0) return std::nullopt;
  const Record record = record_at(head_);
  return Entry{.source = {record.source},
               .port = static_cast<std::uint16_t>(record.port),
               .bytes = {data_ + head_ + sizeof record, record.length}};
}

void DatagramQueue::pop() {
  if (count_ == 0) return;
  head_ += size_of(record_at(head_).length);
  if (--count_ == 0) {
    head_ = tail_ = 0;
    return;
  }
  if (capacity_ - head_ < sizeof(Record) || record_at(head_).length == kSkip) head_ = 0;
}

}  // namespace xok::exos
