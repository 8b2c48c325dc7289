// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/virt_queue.hpp"

#include <algorithm>
#include <cstring>

#include "base/units.hpp"

// Order of stores and loads, x86 and otherwise:
//   add()   descriptor and ring entry, then (release) the available index: pairs with the device
//   kick()  the index, then a full fence, then the device's flags or avail_event: either we see
//           that it sleeps, or it sees our index
//   take()  (acquire) the used index, then the element
//   interrupt_after(), then pending(): the same full fence the other way round

namespace xok::kernel::drivers {
namespace {

constexpr std::uint16_t kDescriptorNext = 1;
constexpr std::uint16_t kDescriptorWrite = 2;
constexpr std::uint16_t kDescriptorIndirect = 4;
constexpr std::uint16_t kAvailableNoInterrupt = 1;
constexpr std::uint16_t kUsedNoNotify = 1;
/// The legacy interface fixes where the used ring starts; the newer ones let us use the same place.
constexpr std::uint64_t kUsedAlignment = 4096;
constexpr std::size_t kUsedElements = 4;

std::uint16_t load16(const std::byte* at) {
  return __atomic_load_n(reinterpret_cast<const std::uint16_t*>(at), __ATOMIC_ACQUIRE);
}
void store16(std::uint16_t* at, std::uint16_t value) {
  __atomic_store_n(at, value, __ATOMIC_RELEASE);
}
void full_fence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

std::uint16_t as16(std::size_t value) { return static_cast<std::uint16_t>(value); }

/// Whether an index that went from `before` to `now` passed `event`.
bool passed(std::uint16_t event, std::uint16_t now, std::uint16_t before) {
  return as16(now - event - 1u) < as16(now - before + 0u);
}

std::uint16_t power_of_two_up_to(std::uint16_t limit) {
  std::uint16_t size = 1;
  while (size * 2u <= limit) size = as16(size * 2u);
  return size;
}

}  // namespace

Result<> VirtQueue::start(Platform& platform, Transport& transport, std::uint16_t index,
                          std::uint16_t size_wish, std::uint64_t features, Indirect indirect) {
  const std::uint16_t limit = std::min(transport.queue_limit(index), kMaxSize);
  if (limit == 0 || size_wish == 0) return fail(Errc::NotFound);
  size_ = power_of_two_up_to(std::min(limit, size_wish));

  const std::uint64_t available_at = sizeof(Descriptor) * size_;
  const std::uint64_t used_at =
      (available_at + 6 + 2u * size_ + kUsedAlignment - 1) & ~(kUsedAlignment - 1);
  const std::uint64_t ring_bytes = page_ceil(used_at + 6 + sizeof(UsedElement) * size_);
  // Shadow and tables on pages of their own: the device is given the rings' addresses only.
  const std::uint64_t shadow_bytes = page_ceil(sizeof(Shadow) * size_);
  const DmaMemory memory = platform.allocate_dma((ring_bytes + shadow_bytes) / kPageSize);
  if (memory.address == nullptr) return fail(Errc::NoMemory);

  if (indirect == Indirect::Yes && (features & kFeatureIndirect) != 0) {
    const DmaMemory tables = platform.allocate_dma(
        page_ceil(sizeof(Descriptor) * kIndirectSegments * size_) / kPageSize);
    if (tables.address == nullptr) return fail(Errc::NoMemory);
    tables_ = reinterpret_cast<Descriptor*>(tables.address);
    tables_physical_ = tables.physical;
  }

  descriptors_ = reinterpret_cast<Descriptor*>(memory.address);
  available_ = reinterpret_cast<std::uint16_t*>(memory.address + available_at);
  used_ = memory.address + used_at;
  shadow_ = reinterpret_cast<Shadow*>(memory.address + ring_bytes);
  std::memset(available_, 0, 6 + 2u * size_);
  std::memset(used_, 0, 6 + sizeof(UsedElement) * size_);
  for (std::uint16_t i = 0; i < size_; i++)
    shadow_[i] = {.token = 0, .writable = 0, .next = as16(i + 1u), .count = 0};
  free_count_ = size_;
  event_index_ = (features & kFeatureEventIndex) != 0;
  transport_ = &transport;
  index_ = index;

  const QueueAddresses at{.descriptors = memory.physical,
                          .available = memory.physical + available_at,
                          .used = memory.physical + used_at};
  if (!transport.start_queue(index, size_, at)) return fail(Errc::NotFound);
  return {};
}

std::size_t VirtQueue::max_segments() const {
  return tables_ != nullptr ? kIndirectSegments : size_;
}

bool VirtQueue::has_room(std::size_t segments) const {
  const std::size_t needed = tables_ != nullptr ? 1 : segments;
  return !broken_ && needed <= free_count_;
}

void VirtQueue::fill(Descriptor& descriptor, const Segment& segment, bool writable) const {
  descriptor.address = segment.physical;
  descriptor.length = segment.length;
  descriptor.flags = writable ? kDescriptorWrite : 0;
}

std::uint16_t VirtQueue::add_direct(std::span<const Segment> segments, std::size_t readable) {
  const std::uint16_t head = free_head_;
  for (std::size_t i = 0; i < segments.size(); i++) {
    Descriptor& descriptor = descriptors_[free_head_];
    fill(descriptor, segments[i], i >= readable);
    free_head_ = shadow_[free_head_].next;
    if (i + 1 == segments.size()) break;
    descriptor.flags |= kDescriptorNext;
    descriptor.next = free_head_;
  }
  shadow_[head].count = as16(segments.size());
  return head;
}

std::uint16_t VirtQueue::add_indirect(std::span<const Segment> segments, std::size_t readable) {
  const std::uint16_t head = free_head_;
  free_head_ = shadow_[head].next;
  Descriptor* const table = tables_ + kIndirectSegments * head;
  for (std::size_t i = 0; i < segments.size(); i++) {
    fill(table[i], segments[i], i >= readable);
    if (i + 1 == segments.size()) break;
    table[i].flags |= kDescriptorNext;
    table[i].next = as16(i + 1);
  }
  Descriptor& descriptor = descriptors_[head];
  descriptor.address = tables_physical_ + sizeof(Descriptor) * kIndirectSegments * head;
  descriptor.length = static_cast<std::uint32_t>(sizeof(Descriptor) * segments.size());
  descriptor.flags = kDescriptorIndirect;
  shadow_[head].count = 1;
  return head;
}

Result<> VirtQueue::add(std::span<const Segment> segments, std::size_t readable,
                        std::uint64_t token) {
  if (segments.empty() || segments.size() > max_segments()) return fail(Errc::BadArgument);
  if (!has_room(segments.size())) return fail(Errc::WouldBlock);
  const std::uint16_t head = tables_ != nullptr && segments.size() > 1
                                 ? add_indirect(segments, readable)
                                 : add_direct(segments, readable);
  Shadow& shadow = shadow_[head];
  shadow.token = token;
  shadow.writable = 0;
  for (const Segment& segment : segments.subspan(std::min(readable, segments.size())))
    shadow.writable += segment.length;
  free_count_ = as16(free_count_ - shadow.count + 0u);
  in_flight_++;

  available_[2 + (next_avail_ & (size_ - 1u))] = head;
  next_avail_++;
  store16(&available_[1], next_avail_);
  return {};
}

void VirtQueue::kick() {
  if (broken_ || next_avail_ == kicked_avail_) return;
  full_fence();
  bool wanted = false;
  if (event_index_) {
    const std::uint16_t event = load16(used_ + kUsedElements + sizeof(UsedElement) * size_);
    wanted = passed(event, next_avail_, kicked_avail_);
  } else {
    wanted = (load16(used_) & kUsedNoNotify) == 0;
  }
  kicked_avail_ = next_avail_;
  if (wanted) transport_->notify(index_);
}

std::uint16_t VirtQueue::device_index() const { return load16(used_ + 2); }

bool VirtQueue::pending() const { return !broken_ && size_ != 0 && device_index() != next_used_; }

bool VirtQueue::take(Done& done) {
  if (broken_ || size_ == 0) return false;
  const std::uint16_t ready = as16(device_index() - next_used_ + 0u);
  if (ready == 0) return false;
  if (ready > in_flight_) {
    broken_ = true;
    return false;
  }
  // The device may rewrite the element at any time: read it once, check the copy.
  UsedElement element;
  std::memcpy(&element, used_ + kUsedElements + sizeof(UsedElement) * (next_used_ & (size_ - 1u)),
              sizeof element);
  __asm__ volatile("" : "+r"(element.id), "+r"(element.length));
  if (element.id >= size_ || shadow_[element.id].count == 0 ||
      element.length > shadow_[element.id].writable) {
    broken_ = true;
    return false;
  }

  const auto head = as16(element.id);
  done = {.token = shadow_[head].token, .length = element.length};
  const std::uint16_t count = shadow_[head].count;
  shadow_[head].count = 0;
  std::uint16_t last = head;
  for (std::uint16_t i = 1; i < count; i++) last = shadow_[last].next;
  shadow_[last].next = free_head_;
  free_head_ = head;
  free_count_ = as16(free_count_ + count + 0u);
  in_flight_--;
  next_used_++;
  return true;
}

void VirtQueue::interrupt_after(std::uint16_t count) {
  if (size_ == 0) return;
  if (event_index_) {
    // With 0: the index farthest away. It comes by once in 32768 chains, which does no harm.
    const unsigned ahead = count == 0 ? 0x8000u : count - 1u;
    store16(&available_[2 + size_], as16(next_used_ + ahead));
  } else {
    store16(&available_[0], count == 0 ? kAvailableNoInterrupt : 0);
  }
  full_fence();
}

}  // namespace xok::kernel::drivers
