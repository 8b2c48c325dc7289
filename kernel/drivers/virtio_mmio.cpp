// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/virtio_mmio.hpp"

#include "base/checked.hpp"
#include "base/units.hpp"

namespace xok::kernel::drivers {
namespace {

constexpr std::uint32_t kMagic = 0x74726976;  // "virt"

constexpr std::size_t kMagicValue = 0x00;
constexpr std::size_t kVersion = 0x04;
constexpr std::size_t kDeviceId = 0x08;
constexpr std::size_t kDeviceFeatures = 0x10;
constexpr std::size_t kDeviceFeaturesSelect = 0x14;
constexpr std::size_t kDriverFeatures = 0x20;
constexpr std::size_t kDriverFeaturesSelect = 0x24;
constexpr std::size_t kLegacyPageSize = 0x28;
constexpr std::size_t kQueueSelect = 0x30;
constexpr std::size_t kQueueSizeMax = 0x34;
constexpr std::size_t kQueueSize = 0x38;
constexpr std::size_t kLegacyQueueAlign = 0x3c;
constexpr std::size_t kLegacyQueuePage = 0x40;
constexpr std::size_t kQueueReady = 0x44;
constexpr std::size_t kQueueNotify = 0x50;
constexpr std::size_t kInterruptStatus = 0x60;
constexpr std::size_t kInterruptAcknowledge = 0x64;
constexpr std::size_t kStatus = 0x70;
constexpr std::size_t kQueueDescriptors = 0x80;
constexpr std::size_t kQueueDriver = 0x90;
constexpr std::size_t kQueueDevice = 0xa0;
constexpr std::size_t kGeneration = 0xfc;
constexpr std::size_t kConfig = 0x100;

constexpr std::uint64_t kMinLength = 0x200;
constexpr std::uint64_t kMaxLength = kPageSize;
constexpr int kResetPatience = 1'000'000;

}  // namespace

Result<> MmioTransport::open(Platform& platform, const MmioSlot& slot) {
  if (slot.length < kMinLength || !checked_add(slot.physical, slot.length))
    return fail(Errc::NotFound);
  platform_ = &platform;
  slot_ = slot;
  if (slot_.length > kMaxLength) slot_.length = kMaxLength;
  registers_ = platform.map_mmio(slot_.physical, slot_.length);
  if (registers_ == nullptr) return fail(Errc::NoMemory);
  if (read(kMagicValue) != kMagic) return fail(Errc::NotFound);
  const std::uint32_t version = read(kVersion);
  if (version != 1 && version != 2) return fail(Errc::NotSupported);
  legacy_ = version == 1;
  type_ = static_cast<DeviceType>(read(kDeviceId));
  if (type_ == DeviceType::None) return fail(Errc::NotFound);
  return {};
}

std::uint8_t MmioTransport::status() { return static_cast<std::uint8_t>(read(kStatus)); }

void MmioTransport::set_status(std::uint8_t status) { write(kStatus, status); }

bool MmioTransport::reset() {
  set_status(0);
  for (int i = 0; i < kResetPatience; i++) {
    if (status() == 0) {
      if (legacy_) write(kLegacyPageSize, kPageSize);
      return true;
    }
    platform_->relax();
  }
  return false;
}

void MmioTransport::shut_off() { (void)reset(); }

std::uint64_t MmioTransport::device_features() {
  write(kDeviceFeaturesSelect, 0);
  std::uint64_t features = read(kDeviceFeatures);
  if (legacy_) return features;
  write(kDeviceFeaturesSelect, 1);
  return features | std::uint64_t{read(kDeviceFeatures)} << 32;
}

void MmioTransport::set_driver_features(std::uint64_t features) {
  write(kDriverFeaturesSelect, 0);
  write(kDriverFeatures, static_cast<std::uint32_t>(features));
  if (legacy_) return;
  write(kDriverFeaturesSelect, 1);
  write(kDriverFeatures, static_cast<std::uint32_t>(features >> 32));
}

std::uint16_t MmioTransport::queue_limit(std::uint16_t queue) {
  write(kQueueSelect, queue);
  const std::uint32_t limit = read(kQueueSizeMax);
  return limit > 0x8000 ? 0 : static_cast<std::uint16_t>(limit);
}

bool MmioTransport::start_queue(std::uint16_t queue, std::uint16_t size, const QueueAddresses& at) {
  write(kQueueSelect, queue);
  write(kQueueSize, size);
  if (legacy_) {
    // The three parts follow from the first: VirtQueue lays them out so.
    const std::uint64_t page = at.descriptors / kPageSize;
    if (page > UINT32_MAX) return false;
    write(kLegacyQueueAlign, kPageSize);
    write(kLegacyQueuePage, static_cast<std::uint32_t>(page));
    return read(kLegacyQueuePage) == page;
  }
  write_address(kQueueDescriptors, at.descriptors);
  write_address(kQueueDriver, at.available);
  write_address(kQueueDevice, at.used);
  write(kQueueReady, 1);
  return read(kQueueReady) == 1;
}

void MmioTransport::notify(std::uint16_t queue) { write(kQueueNotify, queue); }

std::uint8_t MmioTransport::config8(std::size_t offset) {
  if (offset >= slot_.length - kConfig) return 0;
  return platform_->read8(registers_ + kConfig + offset);
}

std::uint32_t MmioTransport::config_generation() { return legacy_ ? 0 : read(kGeneration); }

void MmioTransport::connect_interrupt(InterruptHandler handler, void* argument) {
  (void)platform_->register_line(slot_.gsi, LineMode::EdgeHigh, handler, argument);
}

void MmioTransport::acknowledge() {
  const std::uint32_t pending = read(kInterruptStatus);
  if (pending != 0) write(kInterruptAcknowledge, pending);
}

void MmioTransport::write_address(std::size_t offset, std::uint64_t value) {
  write(offset, static_cast<std::uint32_t>(value));
  write(offset + 4, static_cast<std::uint32_t>(value >> 32));
}

namespace {

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take(std::string_view& text, std::string_view prefix) {
  std::string_view rest = text;
  for (const char c : prefix)
    if (!take(rest, c)) return false;
  text = rest;
  return true;
}

/// Takes a decimal or 0x-hexadecimal number off the front of `text`. False: none, or too large.
bool take_number(std::string_view& text, std::uint64_t& value) {
  const unsigned base = take(text, "0x") ? 16 : 10;
  value = 0;
  std::size_t digits = 0;
  for (; !text.empty(); text.remove_prefix(1), digits++) {
    const char c = text.front();
    unsigned digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<unsigned>(c - '0');
    else if (base == 16 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
      digit = static_cast<unsigned>((c | 0x20) - 'a') + 10;
    else
      break;
    const auto scaled = checked_mul<std::uint64_t>(value, base);
    if (!scaled || !checked_add<std::uint64_t>(*scaled, digit)) return false;
    value = *scaled + digit;
  }
  return digits > 0;
}

/// SIZE[K|M]@BASE:IRQ[:ID]
bool parse_slot(std::string_view text, MmioSlot& slot) {
  std::uint64_t irq = 0;
  if (!take_number(text, slot.length)) return false;
  if (slot.length > kMaxLength * 1024) return false;
  if (take(text, 'K') || take(text, 'k'))
    slot.length *= 1024;
  else if (take(text, 'M') || take(text, 'm'))
    slot.length *= 1024 * 1024;
  if (!take(text, '@') || !take_number(text, slot.physical)) return false;
  if (!take(text, ':') || !take_number(text, irq) || irq > 0xffff) return false;
  slot.gsi = static_cast<std::uint32_t>(irq);
  return text.empty() || text.front() == ':';
}

}  // namespace

std::size_t parse_mmio_slots(std::string_view command_line, std::span<MmioSlot> slots) {
  constexpr std::string_view kKey = "virtio_mmio.device=";
  std::size_t count = 0;
  while (!command_line.empty() && count < slots.size()) {
    std::size_t end = 0;
    while (end < command_line.size() && command_line[end] != ' ') end++;
    std::string_view word{command_line.data(), end};
    command_line.remove_prefix(end < command_line.size() ? end + 1 : end);
    MmioSlot slot;
    if (take(word, kKey) && parse_slot(word, slot)) slots[count++] = slot;
  }
  return count;
}

}  // namespace xok::kernel::drivers
