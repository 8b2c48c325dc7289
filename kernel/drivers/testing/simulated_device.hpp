// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/drivers/transport.hpp"
#include "kernel/drivers/virt_queue.hpp"

/// The other side of the drivers, for host tests: memory, queues as a device sees them, and virtio
/// devices that behave or do not.
namespace xok::kernel::drivers::testing {

/// DMA memory. Each allocation is a heap block of its own, so ASan sees a step over its end.
/// "Physical" addresses are numbers that mean nothing to the host.
class SimulatedMemory {
 public:
  DmaMemory allocate(std::size_t pages) {
    if (pages_left < pages) return {};
    pages_left -= pages;
    Block block{.physical = next_, .length = pages * kPage, .bytes = nullptr};
    block.bytes.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, block.length)));
    std::memset(block.bytes.get(), 0xa5, block.length);
    next_ += block.length + kPage;
    blocks_.push_back(std::move(block));
    return {blocks_.back().bytes.get(), blocks_.back().physical};
  }
  /// The bytes at a physical range, or nullptr when not all of it was allocated.
  std::byte* at(std::uint64_t physical, std::size_t length) {
    for (Block& block : blocks_)
      if (physical >= block.physical && length <= block.length &&
          physical - block.physical <= block.length - length)
        return block.bytes.get() + (physical - block.physical);
    return nullptr;
  }

  std::size_t pages_left = 1u << 20;

 private:
  static constexpr std::size_t kPage = 4096;
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  struct Block {
    std::uint64_t physical;
    std::size_t length;
    std::unique_ptr<std::byte, Free> bytes;
  };
  std::deque<Block> blocks_;
  std::uint64_t next_ = 0x100000;
};

/// One piece of a chain, as the device finds it.
struct Piece {
  std::byte* bytes;
  std::uint32_t length;
  bool writable;
};
struct Chain {
  std::uint16_t head;
  std::vector<Piece> pieces;
};

/// A queue from the device's side. Source: virtio 1.2, section 2.7.
class DeviceQueue {
 public:
  void start(SimulatedMemory& memory, std::uint16_t size, const QueueAddresses& at, bool events) {
    memory_ = &memory;
    size_ = size;
    events_ = events;
    descriptors_ = memory.at(at.descriptors, 16u * size);
    available_ = memory.at(at.available, 6 + 2u * size);
    used_ = memory.at(at.used, 6 + 8u * size);
    taken_ = 0;
    pushed_ = 0;
  }
  [[nodiscard]] bool started() const { return used_ != nullptr; }
  [[nodiscard]] std::uint16_t size() const { return size_; }
  [[nodiscard]] std::uint16_t waiting() const {
    return started() ? static_cast<std::uint16_t>(load16(available_ + 2) - taken_) : 0;
  }

  std::optional<Chain> pop() {
    if (waiting() == 0) return std::nullopt;
    const std::uint16_t head = load16(available_ + 4 + 2 * (taken_ % size_));
    taken_++;
    if (events_) store16(used_ + 4 + 8 * size_, taken_);
    Chain chain{.head = head, .pieces = {}};
    walk(chain, descriptors_, size_, head);
    return chain;
  }
  /// Reports a chain as done. True: the driver wants an interrupt.
  bool push(std::uint32_t id, std::uint32_t length) {
    write_element(pushed_, id, length);
    const std::uint16_t before = pushed_++;
    set_index(pushed_);
    if (!events_) return (load16(available_) & 1) == 0;
    const std::uint16_t event = load16(available_ + 4 + 2 * size_);
    return event == before;
  }
  void write_element(std::uint16_t position, std::uint32_t id, std::uint32_t length) {
    std::memcpy(used_ + 4 + 8 * (position % size_), &id, 4);
    std::memcpy(used_ + 8 + 8 * (position % size_), &length, 4);
  }
  void set_index(std::uint16_t index) { store16(used_ + 2, index); }
  void set_no_notify(bool on) { store16(used_, on ? 1 : 0); }
  [[nodiscard]] std::uint16_t pushed() const { return pushed_; }

 private:
  static std::uint16_t load16(const std::byte* p) {
    std::uint16_t v = 0;
    std::memcpy(&v, p, 2);
    return v;
  }
  static void store16(std::byte* p, std::uint16_t v) { std::memcpy(p, &v, 2); }
  void walk(Chain& chain, const std::byte* table, unsigned entries, unsigned index) {
    for (unsigned steps = 0; steps < 1024 && index < entries; steps++) {
      std::uint64_t address = 0;
      std::uint32_t length = 0;
      std::memcpy(&address, table + 16 * index, 8);
      std::memcpy(&length, table + 16 * index + 8, 4);
      const std::uint16_t flags = load16(table + 16 * index + 12);
      if ((flags & 4) != 0) return walk(chain, memory_->at(address, length), length / 16, 0);
      chain.pieces.push_back({memory_->at(address, length), length, (flags & 2) != 0});
      if ((flags & 1) == 0) return;
      index = load16(table + 16 * index + 14);
    }
  }

  SimulatedMemory* memory_ = nullptr;
  std::uint16_t size_ = 0;
  bool events_ = false;
  std::byte* descriptors_ = nullptr;
  std::byte* available_ = nullptr;
  std::byte* used_ = nullptr;
  std::uint16_t taken_ = 0;
  std::uint16_t pushed_ = 0;
};

/// A device without a bus: it is its own Transport. `on_notify` says what it does.
class SimulatedDevice final : public Transport {
 public:
  SimulatedDevice(SimulatedMemory& memory, DeviceType type, std::uint64_t features)
      : memory_{memory}, type_{type}, offered{features} {}

  [[nodiscard]] DeviceType type() const override { return type_; }
  [[nodiscard]] bool legacy() const override { return is_legacy; }
  std::uint8_t status() override { return status_; }
  void set_status(std::uint8_t status) override {
    status_ = status;
    if (refuses_features) status_ = static_cast<std::uint8_t>(status_ & ~kStatusFeaturesOk);
  }
  bool reset() override {
    status_ = 0;
    resets++;
    for (DeviceQueue& queue : queues) queue = DeviceQueue{};
    return true;
  }
  void shut_off() override {
    reset();
    off = true;
  }
  std::uint64_t device_features() override { return offered; }
  void set_driver_features(std::uint64_t features) override { agreed = features; }
  std::uint16_t queue_limit(std::uint16_t queue) override {
    return queue < queue_count ? limit : std::uint16_t{0};
  }
  bool start_queue(std::uint16_t queue, std::uint16_t size, const QueueAddresses& at) override {
    queues.at(queue).start(memory_, size, at, (agreed & kFeatureEventIndex) != 0);
    return queues.at(queue).started();
  }
  void notify(std::uint16_t queue) override {
    notifications++;
    if (on_notify && !off) on_notify(queue);
  }
  std::uint8_t config8(std::size_t offset) override {
    return offset < config.size() ? config[offset] : std::uint8_t{0};
  }
  std::uint32_t config_generation() override { return generation_steps ? ++generation_ : 0; }
  void connect_interrupt(InterruptHandler handler, void* argument) override {
    handler_ = handler;
    argument_ = argument;
  }
  void acknowledge() override { acknowledged++; }

  void interrupt() {
    interrupts++;
    if (handler_ != nullptr) handler_(argument_);
  }
  template <class T>
  void set_config(std::size_t offset, T value) {
    if (config.size() < offset + sizeof value) config.resize(offset + sizeof value);
    std::memcpy(config.data() + offset, &value, sizeof value);
  }

 private:
  SimulatedMemory& memory_;
  DeviceType type_;
  std::uint8_t status_ = 0;
  std::uint32_t generation_ = 0;
  InterruptHandler handler_ = nullptr;
  void* argument_ = nullptr;

 public:
  std::uint64_t offered;
  std::uint64_t agreed = 0;
  bool is_legacy = false;
  bool refuses_features = false;
  bool generation_steps = false;
  bool off = false;
  std::uint16_t queue_count = 20;
  std::uint16_t limit = 256;
  int resets = 0;
  int notifications = 0;
  int interrupts = 0;
  int acknowledged = 0;
  std::array<DeviceQueue, 20> queues;
  std::vector<std::uint8_t> config;
  std::function<void(std::uint16_t)> on_notify;
};

/// A Platform of memory only; bus and registers come with SimulatedBus.
class SimulatedPlatform : public Platform {
 public:
  volatile std::byte* map_mmio(std::uint64_t, std::size_t) override { return nullptr; }
  DmaMemory allocate_dma(std::size_t pages) override { return memory.allocate(pages); }
  std::uint32_t in32(std::uint16_t) override { return ~0u; }
  void out32(std::uint16_t, std::uint32_t) override {}
  bool has_pci() override { return false; }
  AddressRange pci_window() override { return {}; }
  std::span<const MmioSlot> mmio_slots() override { return {}; }
  std::optional<MsiMessage> allocate_msi(InterruptHandler, void*) override { return std::nullopt; }
  bool register_line(std::uint32_t, LineMode, InterruptHandler, void*) override { return false; }
  std::uint64_t cycles() override { return now += 1000; }
  void relax() override {
    if (on_relax) on_relax();
  }
  void log(const char* line, std::size_t length) override { lines.emplace_back(line, length); }

  SimulatedMemory memory;
  std::uint64_t now = 0;
  std::vector<std::string> lines;
  std::function<void()> on_relax;
};

}  // namespace xok::kernel::drivers::testing
