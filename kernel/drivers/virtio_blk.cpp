// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/virtio_blk.hpp"

#include <algorithm>
#include <cstring>

#include "base/checked.hpp"
#include "kernel/drivers/log.hpp"

namespace xok::kernel::drivers {
namespace {

constexpr std::uint64_t kFeatureSegmentMax = 1u << 2;
constexpr std::uint64_t kFeatureReadOnly = 1u << 5;
constexpr std::size_t kConfigCapacity = 0;
constexpr std::size_t kConfigSegmentMax = 12;
constexpr std::uint32_t kTypeRead = 0;
constexpr std::uint32_t kTypeWrite = 1;
constexpr std::uint8_t kStatusOk = 0;
constexpr std::uint8_t kStatusUnset = 0xff;
constexpr std::uint64_t kSectorsPerBlock = kPageSize / 512;
/// What the device reads ahead of the data.
constexpr std::uint32_t kRequestHeader = 16;

}  // namespace

Result<> VirtioBlk::start() {
  const std::uint64_t features = XOK_TRY(negotiate(
      transport_, kFeatureSegmentMax | kFeatureReadOnly | kFeatureIndirect | kFeatureEventIndex));
  transport_.connect_interrupt(on_interrupt, this);
  const Result<> queue = start_queue(features);
  if (!queue) {
    transport_.shut_off();
    return queue;
  }
  record_.blocks = config64(transport_, kConfigCapacity) / kSectorsPerBlock;
  record_.read_only = (features & kFeatureReadOnly) != 0 ? 1 : 0;
  record_.present = 1;
  working_ = true;
  set_ready(transport_);
  return {};
}

Result<> VirtioBlk::start_queue(std::uint64_t features) {
  XOK_TRY(queue_.start(platform_, transport_, 0, kRequests, features, VirtQueue::Indirect::Yes));
  if (queue_.max_segments() < 3) return fail(Errc::NotSupported);
  max_segments_ = std::min(queue_.max_segments() - 2, kSegments);
  if ((features & kFeatureSegmentMax) != 0) {
    const std::uint32_t limit = config32(transport_, kConfigSegmentMax);
    max_segments_ = std::clamp<std::size_t>(limit, 1, max_segments_);
  }
  request_memory_ = platform_.allocate_dma(page_ceil(sizeof(Request) * kRequests) / kPageSize);
  if (request_memory_.address == nullptr) return fail(Errc::NoMemory);
  requests_ = reinterpret_cast<Request*>(request_memory_.address);
  std::memset(request_memory_.address, 0, sizeof(Request) * kRequests);
  for (std::uint16_t i = 0; i < queue_.size(); i++) free_requests_[free_count_++] = i;
  queue_.interrupt_after(1);
  return {};
}

std::size_t VirtioBlk::gather(std::span<const PageNumber>& pages,
                              std::span<Segment> segments) const {
  std::size_t count = 0;
  while (!pages.empty()) {
    const std::uint64_t address = pages.front().value << kPageShift;
    const bool continues =
        count > 0 && segments[count - 1].physical + segments[count - 1].length == address;
    if (!continues && count == max_segments_) break;
    if (continues)
      segments[count - 1].length += kPageSize;
    else
      segments[count++] = {.physical = address, .length = kPageSize};
    pages = pages.subspan(1);
  }
  return count;
}

bool VirtioBlk::fits(std::span<const PageNumber> pages) const {
  std::array<Segment, kSegments> segments;
  std::size_t requests = 0;
  std::size_t descriptors = 0;
  while (!pages.empty()) {
    descriptors += gather(pages, segments) + 2;
    requests++;
  }
  // With indirect tables a request takes one entry, otherwise one per piece.
  const bool tables = queue_.max_segments() > queue_.size();
  return requests <= free_count_ && queue_.has_room(tables ? 1 : descriptors);
}

Result<> VirtioBlk::transfer(bool write, std::uint64_t block, std::span<const PageNumber> pages,
                             std::uint64_t tag) {
  if (!working_) return fail(Errc::NotFound);
  if (pages.size() > kMaxDiskPages) return fail(Errc::TooBig);
  if (pages.empty() || !range_fits(block, std::uint64_t{pages.size()}, record_.blocks))
    return fail(Errc::BadArgument);
  if (write && record_.read_only != 0) return fail(Errc::Denied);
  const auto entry = std::ranges::find(transfers_, 0, &Transfer::open);
  if (entry == transfers_.end() || !fits(pages)) return fail(Errc::WouldBlock);

  *entry = {.tag = tag, .open = 0, .write = write, .failed = false};
  const auto index = static_cast<std::uint16_t>(entry - transfers_.begin());
  std::array<Segment, kSegments + 2> segments;
  std::uint64_t sector = block * kSectorsPerBlock;
  while (!pages.empty()) {
    const std::size_t before = pages.size();
    const std::size_t count = gather(pages, std::span{segments}.subspan(1));
    submit(index, sector, segments, count);
    sector += (before - pages.size()) * kSectorsPerBlock;
  }
  queue_.kick();
  return {};
}

void VirtioBlk::submit(std::uint16_t transfer, std::uint64_t sector, std::span<Segment> segments,
                       std::size_t data_segments) {
  const std::uint16_t number = free_requests_[--free_count_];
  Request& request = requests_[number];
  const bool write = transfers_[transfer].write;
  request = {.type = write ? kTypeWrite : kTypeRead,
             .reserved = 0,
             .sector = sector,
             .status = kStatusUnset,
             .padding = {}};
  const std::uint64_t physical = request_memory_.physical + sizeof(Request) * number;
  segments[0] = {.physical = physical, .length = kRequestHeader};
  segments[data_segments + 1] = {.physical = physical + offsetof(Request, status), .length = 1};
  request_owner_[number] = transfer;
  transfers_[transfer].open++;
  // Cannot fail: `fits` has counted.
  (void)queue_.add(segments.first(data_segments + 2), write ? data_segments + 1 : 1, number);
}

void VirtioBlk::on_interrupt(void* self) {
  auto& blk = *static_cast<VirtioBlk*>(self);
  blk.transport_.acknowledge();
  blk.serve();
}

void VirtioBlk::serve() {
  if (!working_) return;
  VirtQueue::Done done;
  do {
    while (queue_.take(done)) finish(done);
    queue_.interrupt_after(1);
  } while (queue_.pending());
  if (queue_.broken()) give_up();
}

void VirtioBlk::finish(const VirtQueue::Done& done) {
  const auto number = static_cast<std::uint16_t>(done.token);
  const std::uint8_t status = __atomic_load_n(&requests_[number].status, __ATOMIC_ACQUIRE);
  free_requests_[free_count_++] = number;
  Transfer& transfer = transfers_[request_owner_[number]];
  if (status != kStatusOk) transfer.failed = true;
  if (--transfer.open == 0) end(transfer);
}

void VirtioBlk::end(Transfer& transfer) {
  callbacks_.disk_done(callbacks_.context, transfer.tag,
                       transfer.failed ? Result<>{fail(kDiskFailed)} : Result<>{});
}

void VirtioBlk::give_up() {
  working_ = false;
  record_.present = 0;
  // First the device loses the memory, then the core may unpin it.
  transport_.shut_off();
  (LogLine{} << "virtio-blk " << number_ << ": breach of the rules; device removed")
      .write(platform_);
  for (Transfer& transfer : transfers_) {
    if (transfer.open == 0) continue;
    transfer.open = 0;
    transfer.failed = true;
    end(transfer);
  }
}

}  // namespace xok::kernel::drivers
