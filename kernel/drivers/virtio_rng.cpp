// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/virtio_rng.hpp"

#include <algorithm>
#include <cstring>

#include "kernel/drivers/log.hpp"

namespace xok::kernel::drivers {

Result<> VirtioRng::start() {
  const std::uint64_t features = XOK_TRY(negotiate(transport_, kFeatureEventIndex));
  const Result<> queue = start_queue(features);
  if (!queue) {
    transport_.shut_off();
    return queue;
  }
  working_ = true;
  set_ready(transport_);
  ask();
  return {};
}

Result<> VirtioRng::start_queue(std::uint64_t features) {
  XOK_TRY(queue_.start(platform_, transport_, 0, 2, features));
  queue_.interrupt_after(0);
  pool_ = platform_.allocate_dma(1);
  if (pool_.address == nullptr) return fail(Errc::NoMemory);
  return {};
}

void VirtioRng::ask() {
  const Segment segment{.physical = pool_.physical, .length = kPoolSize};
  // Cannot fail: nothing else is in the queue.
  (void)queue_.add({&segment, 1}, 0, 0);
  queue_.kick();
}

std::size_t VirtioRng::take(std::span<std::byte> bytes) {
  if (!working_) return 0;
  if (next_ == ready_) {
    VirtQueue::Done done;
    if (!queue_.take(done)) {
      if (queue_.broken()) give_up();
      return 0;
    }
    next_ = 0;
    ready_ = done.length;
    queue_.interrupt_after(0);
  }
  const std::size_t n = std::min<std::size_t>(bytes.size(), ready_ - next_);
  std::memcpy(bytes.data(), pool_.address + next_, n);
  std::memset(pool_.address + next_, 0, n);
  next_ += static_cast<std::uint32_t>(n);
  if (next_ == ready_) {
    next_ = ready_ = 0;
    ask();
  }
  return n;
}

void VirtioRng::give_up() {
  working_ = false;
  transport_.shut_off();
  (LogLine{} << "virtio-rng: breach of the rules; device removed").write(platform_);
}

}  // namespace xok::kernel::drivers
