// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/virtio_net.hpp"

#include <algorithm>
#include <cstring>

#include "base/units.hpp"
#include "kernel/drivers/log.hpp"

namespace xok::kernel::drivers {
namespace {
constexpr std::uint64_t kFeatureMac = 1u << 5;
constexpr std::uint16_t kReceiveQueue = 0;
constexpr std::uint16_t kTransmitQueue = 1;
/// struct virtio_net_hdr: two bytes more (num_buffers) since version 1.
constexpr std::size_t kHeaderSize = 12;
constexpr std::size_t kLegacyHeaderSize = 10;
constexpr std::uint32_t kMtu = 1500;
}  // namespace

Result<> VirtioNet::start() {
  const std::uint64_t features = XOK_TRY(negotiate(transport_, kFeatureMac | kFeatureEventIndex));
  header_size_ = transport_.legacy() ? kLegacyHeaderSize : kHeaderSize;
  transport_.connect_interrupt(on_interrupt, this);
  const Result<> queues = start_queues(features);
  if (!queues) {
    transport_.shut_off();
    return queues;
  }
  for (std::uint16_t i = 0; i < receive_queue_.size(); i++) post(i);
  for (std::uint16_t i = 0; i < transmit_queue_.size(); i++) free_[free_count_++] = i;

  read_mac(features);
  record_.guard = Capability::make({kInterfaceName, static_cast<std::uint8_t>(number_)});
  record_.mtu = kMtu;
  record_.loopback = 0;
  record_.present = 1;
  working_ = true;
  set_ready(transport_);
  receive_queue_.kick();
  return {};
}

Result<> VirtioNet::start_queues(std::uint64_t features) {
  XOK_TRY(receive_queue_.start(platform_, transport_, kReceiveQueue, kBuffers, features));
  XOK_TRY(transmit_queue_.start(platform_, transport_, kTransmitQueue, kBuffers, features));
  receive_queue_.interrupt_after(1);
  transmit_queue_.interrupt_after(0);
  receive_buffers_ =
      platform_.allocate_dma(page_ceil(kBufferSize * receive_queue_.size()) / kPageSize);
  transmit_buffers_ =
      platform_.allocate_dma(page_ceil(kBufferSize * transmit_queue_.size()) / kPageSize);
  if (receive_buffers_.address == nullptr || transmit_buffers_.address == nullptr)
    return fail(Errc::NoMemory);
  return {};
}

void VirtioNet::read_mac(std::uint64_t features) {
  // Without an address of the device's own: a locally administered one.
  record_.mac = {0x52, 0x58, 0x4f, 0x4b, 0x00, static_cast<std::uint8_t>(number_)};
  if ((features & kFeatureMac) == 0) return;
  for (std::size_t i = 0; i < record_.mac.size(); i++) record_.mac[i] = transport_.config8(i);
}

void VirtioNet::post(std::uint16_t buffer) {
  const Segment segment{.physical = receive_buffers_.physical + kBufferSize * buffer,
                        .length = kBufferSize};
  // Cannot fail: as many buffers as entries, and this one is with us.
  (void)receive_queue_.add({&segment, 1}, 0, buffer);
}

void VirtioNet::on_interrupt(void* self) {
  auto& net = *static_cast<VirtioNet*>(self);
  net.transport_.acknowledge();
  net.serve();
}

void VirtioNet::serve() {
  if (!working_) return;
  // A batch is reposted as a whole, so the device is told seldom, but never runs dry meanwhile.
  std::array<std::uint16_t, kRepostBatch> batch;
  std::uint16_t batched = 0;
  const auto repost = [&] {
    for (std::uint16_t i = 0; i < batched; i++) post(batch[i]);
    batched = 0;
    receive_queue_.kick();
  };
  VirtQueue::Done done;
  unsigned frames = 0;
  do {
    while (frames < kFramesPerInterrupt && receive_queue_.take(done)) {
      frames++;
      receive(done);
      batch[batched++] = static_cast<std::uint16_t>(done.token);
      if (batched == kRepostBatch) repost();
    }
    if (batched > 0) repost();
    receive_queue_.interrupt_after(1);
  } while (frames < kFramesPerInterrupt && receive_queue_.pending());
  if (receive_queue_.broken()) give_up("receive queue");
}

void VirtioNet::receive(const VirtQueue::Done& done) {
  const std::size_t length = done.length < header_size_ ? 0 : done.length - header_size_;
  if (length < kMinFrame || length > kMaxFrame) {
    record_.receive_dropped++;
    return;
  }
  const std::byte* const frame = receive_buffers_.address + kBufferSize * done.token + header_size_;
  callbacks_.packet_received(callbacks_.context, number_, {frame, length});
}

std::span<std::byte> VirtioNet::transmit_buffer() {
  if (!working_) return {};
  if (current_ == kNone) {
    if (free_count_ <= transmit_queue_.size() / 2) reclaim();
    if (!working_ || free_count_ == 0) return {};
    current_ = free_[--free_count_];
  }
  std::byte* const buffer = transmit_buffers_.address + kBufferSize * current_;
  std::memset(buffer, 0, header_size_);
  return {buffer + header_size_, kMaxFrame};
}

void VirtioNet::transmit(std::size_t n) {
  if (!working_ || current_ == kNone || n > kMaxFrame) return;
  const Segment segment{.physical = transmit_buffers_.physical + kBufferSize * current_,
                        .length = static_cast<std::uint32_t>(header_size_ + n)};
  // Cannot fail: as many buffers as entries.
  (void)transmit_queue_.add({&segment, 1}, 1, current_);
  current_ = kNone;
  transmit_queue_.kick();
}

void VirtioNet::reclaim() {
  VirtQueue::Done done;
  while (transmit_queue_.take(done)) free_[free_count_++] = static_cast<std::uint16_t>(done.token);
  transmit_queue_.interrupt_after(0);
  if (transmit_queue_.broken()) give_up("transmit queue");
}

void VirtioNet::give_up(const char* reason) {
  working_ = false;
  record_.present = 0;
  transport_.shut_off();
  (LogLine{} << "virtio-net " << number_ << ": breach of the rules in the " << reason
             << "; device removed")
      .write(platform_);
}

}  // namespace xok::kernel::drivers
