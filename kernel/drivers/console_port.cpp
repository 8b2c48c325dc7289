// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/console_port.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace xok::kernel::drivers {

Result<> ConsolePort::start(Platform& platform, Transport& transport, std::uint16_t receive_queue,
                            std::uint64_t features, ConsolePortInfo& record) {
  const auto transmit_queue = static_cast<std::uint16_t>(receive_queue + 1);
  XOK_TRY(receive_.start(platform, transport, receive_queue, kReceiveBuffers, features));
  XOK_TRY(transmit_.start(platform, transport, transmit_queue, kChunks, features));
  receive_memory_ = platform.allocate_dma(kReceiveSize * receive_.size() / kPageSize);
  transmit_memory_ = platform.allocate_dma(kTransmitSize / kPageSize);
  if (receive_memory_.address == nullptr || transmit_memory_.address == nullptr)
    return fail(Errc::NoMemory);
  receive_.interrupt_after(1);
  record_ = &record;
  return {};
}

void ConsolePort::attach() {
  record_->present = 1;
  record_->input_ended = 0;
  close_pending_ = false;
  if (posted_) return;
  posted_ = true;
  for (std::uint16_t i = 0; i < receive_.size(); i++) post(i);
  receive_.kick();
}

void ConsolePort::detach() {
  set_host_open(false);
  record_->present = 0;
}

void ConsolePort::abandon() {
  detach();
  record_->available = 0;
  record_->queued = 0;
  record_->input_ended = 1;
}

void ConsolePort::set_host_open(bool open) {
  if ((record_->host_open != 0) == open) return;
  // What came before a close must not be taken for what came after it.
  serve();
  record_->host_open = open ? 1 : 0;
  if (open) record_->input_ended = 0;
  close_pending_ = !open;
  record_->received++;
  end_input_if_drained();
}

void ConsolePort::end_input_if_drained() {
  if (!close_pending_ || record_->available != 0) return;
  close_pending_ = false;
  record_->input_ended = 1;
}

bool ConsolePort::serve() {
  if (!started()) return false;
  bool changed = false;
  do {
    if (collect_input()) changed = true;
    if (collect_output()) changed = true;
    receive_.interrupt_after(1);
    transmit_.interrupt_after(std::max<std::uint16_t>(1, transmit_.in_flight()));
  } while (filled_count_ < receive_.size() && receive_.pending());
  // Output that finished meanwhile: the interrupt may have been missed.
  if (collect_output()) changed = true;
  return changed;
}

void ConsolePort::post(std::uint16_t buffer) {
  const Segment segment{.physical = receive_memory_.physical + kReceiveSize * buffer,
                        .length = kReceiveSize};
  // Cannot fail: as many buffers as entries, and this one is with us.
  (void)receive_.add({&segment, 1}, 0, buffer);
}

bool ConsolePort::collect_input() {
  bool changed = false;
  std::array<std::uint16_t, kReceiveBuffers> empty;
  std::uint16_t empty_count = 0;
  VirtQueue::Done done;
  // Ends: no buffer goes back to the device inside the loop.
  while (receive_.take(done)) {
    const auto buffer = static_cast<std::uint16_t>(done.token);
    if (done.length == 0) {
      empty[empty_count++] = buffer;
      continue;
    }
    filled_[(first_filled_ + filled_count_++) % kReceiveBuffers] = {
        .buffer = buffer, .next = 0, .length = done.length};
    record_->available += done.length;
    record_->received += done.length;
    changed = true;
  }
  for (std::uint16_t i = 0; i < empty_count; i++) post(empty[i]);
  if (empty_count > 0) receive_.kick();
  return changed;
}

std::span<const std::byte> ConsolePort::data() const {
  if (filled_count_ == 0) return {};
  const Filled& front = filled_[first_filled_];
  return {receive_memory_.address + kReceiveSize * front.buffer + front.next,
          front.length - front.next};
}

void ConsolePort::take(std::size_t n) {
  if (filled_count_ == 0) return;
  Filled& front = filled_[first_filled_];
  n = std::min<std::size_t>(n, front.length - front.next);
  front.next += static_cast<std::uint32_t>(n);
  record_->available -= n;
  if (front.next == front.length) {
    post(front.buffer);
    reposted_++;
    first_filled_ = static_cast<std::uint16_t>((first_filled_ + 1) % kReceiveBuffers);
    filled_count_--;
  }
  // A kick is dear: some buffers at a time, and never none while the reader has nothing left.
  if (reposted_ >= receive_.size() / 4 || (filled_count_ == 0 && reposted_ > 0)) {
    reposted_ = 0;
    receive_.kick();
  }
  end_input_if_drained();
}

std::span<std::byte> ConsolePort::room() {
  if (!started() || broken() || record_->present == 0) return {};
  if (occupied_ > kTransmitSize / 2 || !transmit_.has_room(1)) collect_output();
  const auto current = [&]() -> std::size_t {
    if (!transmit_.has_room(1) || chunk_count_ == kChunks) return 0;
    return std::min(kTransmitSize - occupied_, kTransmitSize - write_at_);
  };
  if (current() == 0) {
    // Somebody will wait for `sent` to change: sooner than when all is taken.
    transmit_.interrupt_after(std::max<std::uint16_t>(1, transmit_.in_flight() / 2));
    collect_output();
  }
  return {transmit_memory_.address + write_at_, current()};
}

void ConsolePort::put(std::size_t n) {
  if (!started() || n == 0 || n > kTransmitSize - occupied_ || n > kTransmitSize - write_at_)
    return;
  if (chunk_count_ == kChunks) return;
  const auto number = static_cast<std::uint16_t>((first_chunk_ + chunk_count_) % kChunks);
  const Segment segment{.physical = transmit_memory_.physical + write_at_,
                        .length = static_cast<std::uint32_t>(n)};
  if (!transmit_.add({&segment, 1}, 1, number)) return;
  chunks_[number] = {.length = segment.length, .done = false};
  chunk_count_++;
  write_at_ = (write_at_ + n) % kTransmitSize;
  occupied_ += n;
  record_->queued += n;
  // One interrupt when all is taken; a stream of puts moves it ahead of itself.
  transmit_.interrupt_after(transmit_.in_flight());
  transmit_.kick();
}

bool ConsolePort::collect_output() {
  bool changed = false;
  VirtQueue::Done done;
  while (transmit_.take(done)) {
    Chunk& chunk = chunks_[done.token];
    chunk.done = true;
    record_->sent += chunk.length;
    record_->queued -= chunk.length;
    changed = true;
  }
  for (; chunk_count_ > 0 && chunks_[first_chunk_].done; chunk_count_--) {
    occupied_ -= chunks_[first_chunk_].length;
    first_chunk_ = static_cast<std::uint16_t>((first_chunk_ + 1) % kChunks);
  }
  return changed;
}

}  // namespace xok::kernel::drivers
