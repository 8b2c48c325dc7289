// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/virtio_pci.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace xok::kernel::drivers {
namespace {

constexpr std::uint16_t kVendor = 0x1af4;
constexpr std::uint16_t kFirstTransitional = 0x1000;
constexpr std::uint16_t kFirstModern = 0x1040;
constexpr std::uint16_t kLastModern = 0x107f;

// struct virtio_pci_cap
constexpr std::uint8_t kCapabilityType = 3;
constexpr std::uint8_t kCapabilityBar = 4;
constexpr std::uint8_t kCapabilityOffset = 8;
constexpr std::uint8_t kCapabilityLength = 12;
constexpr std::uint8_t kCapabilityMultiplier = 16;
constexpr std::uint8_t kTypeCommon = 1;
constexpr std::uint8_t kTypeNotify = 2;
constexpr std::uint8_t kTypeIsr = 3;
constexpr std::uint8_t kTypeDevice = 4;

// struct virtio_pci_common_cfg
constexpr std::size_t kDeviceFeatureSelect = 0;
constexpr std::size_t kDeviceFeature = 4;
constexpr std::size_t kDriverFeatureSelect = 8;
constexpr std::size_t kDriverFeature = 12;
constexpr std::size_t kConfigMsixVector = 16;
constexpr std::size_t kNumQueues = 18;
constexpr std::size_t kDeviceStatus = 20;
constexpr std::size_t kConfigGeneration = 21;
constexpr std::size_t kQueueSelect = 22;
constexpr std::size_t kQueueSize = 24;
constexpr std::size_t kQueueMsixVector = 26;
constexpr std::size_t kQueueEnable = 28;
constexpr std::size_t kQueueNotifyOff = 30;
constexpr std::size_t kQueueDescriptors = 32;
constexpr std::size_t kQueueDriver = 40;
constexpr std::size_t kQueueDevice = 48;
constexpr std::uint64_t kCommonLength = 56;

constexpr std::uint16_t kNoVector = 0xffff;
constexpr std::uint32_t kMsixEnable = 1u << 31;  // in the capability's first word
constexpr std::uint32_t kMsixFunctionMask = 1u << 30;
constexpr std::uint64_t kMsixEntry = 16;

/// More of a window than this is not mapped: no device has so many queues.
constexpr std::uint64_t kMaxWindow = 1u << 20;
constexpr int kResetPatience = 1'000'000;

}  // namespace

Result<> PciTransport::open(Platform& platform, PciFunction function, AddressRange& window) {
  platform_ = &platform;
  function_ = function;
  const std::uint16_t device = function.device();
  if (function.vendor() != kVendor || device < kFirstTransitional || device > kLastModern)
    return fail(Errc::NotFound);
  const std::uint32_t type = device >= kFirstModern ? device - std::uint32_t{kFirstModern}
                                                    : function.read16(kPciSubsystemId);
  type_ = static_cast<DeviceType>(type);

  XOK_TRY(find_registers(window));
  function_.set_command(kPciMemorySpace | kPciBusMaster, 0);
  return {};
}

Result<> PciTransport::find_registers(AddressRange& window) {
  unsigned steps = 0;
  for (std::uint8_t at = function_.next_capability(0, steps); at != 0;
       at = function_.next_capability(at, steps)) {
    const std::uint8_t id = function_.read8(at);
    if (id == kPciCapabilityMsix && msix_capability_ == 0) {
      msix_capability_ = at;
      const std::uint32_t table = function_.read32(static_cast<std::uint8_t>(at + 4));
      // Without a usable table there is still the line.
      if (auto mapped = map(table & 7, table & ~7u, kMsixEntry, window)) msix_table_ = *mapped;
    } else if (id == kPciCapabilityVendor) {
      XOK_TRY(open_capability(at, window));
    }
  }
  if (common_.length < kCommonLength || isr_.length < 1 || notify_.length < 2)
    return fail(Errc::BadFormat);
  return {};
}

Result<> PciTransport::open_capability(std::uint8_t capability, AddressRange& window) {
  // The longest form must lie in the configuration space.
  if (capability > 256 - kCapabilityMultiplier - 4) return {};
  const auto field = [&](std::uint8_t offset) {
    return static_cast<std::uint8_t>(capability + offset);
  };
  Registers* target = nullptr;
  switch (function_.read8(field(kCapabilityType))) {
    case kTypeCommon:
      target = &common_;
      break;
    case kTypeNotify:
      target = &notify_;
      break;
    case kTypeIsr:
      target = &isr_;
      break;
    case kTypeDevice:
      target = &config_;
      break;
    default:
      return {};
  }
  // The first of each type is the one to use; later ones are alternatives.
  if (target->at != nullptr) return {};
  if (target == &notify_) notify_multiplier_ = function_.read32(field(kCapabilityMultiplier));
  *target = XOK_TRY(map(function_.read8(field(kCapabilityBar)),
                        function_.read32(field(kCapabilityOffset)),
                        function_.read32(field(kCapabilityLength)), window));
  return {};
}

Result<PciTransport::Registers> PciTransport::map(unsigned bar, std::uint64_t offset,
                                                  std::uint64_t length, AddressRange& window) {
  const AddressRange range = XOK_TRY(function_.bar(bar, window));
  if (length == 0 || !range_fits(offset, length, range.length)) return fail(Errc::BadFormat);
  const std::uint64_t mapped = std::min(length, kMaxWindow);
  volatile std::byte* const at = platform_->map_mmio(range.base + offset, mapped);
  if (at == nullptr) return fail(Errc::NoMemory);
  return Registers{.at = at, .length = mapped};
}

std::uint8_t PciTransport::status() { return platform_->read8(common_.at + kDeviceStatus); }

void PciTransport::set_status(std::uint8_t status) {
  platform_->write8(common_.at + kDeviceStatus, status);
}

bool PciTransport::reset() {
  set_status(0);
  for (int i = 0; i < kResetPatience; i++) {
    if (status() == 0) return true;
    platform_->relax();
  }
  return false;
}

void PciTransport::shut_off() {
  (void)reset();
  // Without bus mastering it can neither do DMA nor send a message interrupt.
  function_.set_command(kPciLineDisable, kPciBusMaster);
}

std::uint64_t PciTransport::device_features() {
  std::uint64_t features = 0;
  for (std::uint32_t half = 0; half < 2; half++) {
    platform_->write32(common_.at + kDeviceFeatureSelect, half);
    features |= std::uint64_t{platform_->read32(common_.at + kDeviceFeature)} << (32 * half);
  }
  return features;
}

void PciTransport::set_driver_features(std::uint64_t features) {
  for (std::uint32_t half = 0; half < 2; half++) {
    platform_->write32(common_.at + kDriverFeatureSelect, half);
    platform_->write32(common_.at + kDriverFeature,
                       static_cast<std::uint32_t>(features >> (32 * half)));
  }
}

std::uint16_t PciTransport::queue_limit(std::uint16_t queue) {
  if (queue >= kMaxQueues || queue >= platform_->read16(common_.at + kNumQueues)) return 0;
  platform_->write16(common_.at + kQueueSelect, queue);
  return platform_->read16(common_.at + kQueueSize);
}

bool PciTransport::start_queue(std::uint16_t queue, std::uint16_t size, const QueueAddresses& at) {
  if (queue >= kMaxQueues) return false;
  platform_->write16(common_.at + kQueueSelect, queue);
  const std::uint64_t doorbell =
      std::uint64_t{platform_->read16(common_.at + kQueueNotifyOff)} * notify_multiplier_;
  if (!range_fits(doorbell, std::uint64_t{2}, notify_.length)) return false;
  doorbells_[queue] = notify_.at + doorbell;

  platform_->write16(common_.at + kQueueSize, size);
  write64(kQueueDescriptors, at.descriptors);
  write64(kQueueDriver, at.available);
  write64(kQueueDevice, at.used);
  if (uses_msix_) {
    platform_->write16(common_.at + kQueueMsixVector, 0);
    if (platform_->read16(common_.at + kQueueMsixVector) != 0) return false;
  }
  platform_->write16(common_.at + kQueueEnable, 1);
  return true;
}

void PciTransport::notify(std::uint16_t queue) { platform_->write16(doorbells_[queue], queue); }

std::uint8_t PciTransport::config8(std::size_t offset) {
  return offset < config_.length ? platform_->read8(config_.at + offset) : 0;
}

std::uint32_t PciTransport::config_generation() {
  return platform_->read8(common_.at + kConfigGeneration);
}

void PciTransport::connect_interrupt(InterruptHandler handler, void* argument) {
  uses_msix_ = connect_msix(handler, argument);
  if (uses_msix_) return;
  const std::uint8_t line = function_.read8(kPciInterruptLine);
  if (line == 0 || line == 0xff) return;
  (void)platform_->register_line(line, LineMode::LevelLow, handler, argument);
}

bool PciTransport::connect_msix(InterruptHandler handler, void* argument) {
  if (msix_table_.at == nullptr) return false;
  const auto message = platform_->allocate_msi(handler, argument);
  if (!message) return false;
  volatile std::byte* const entry = msix_table_.at;
  platform_->write32(entry, static_cast<std::uint32_t>(message->address));
  platform_->write32(entry + 4, static_cast<std::uint32_t>(message->address >> 32));
  platform_->write32(entry + 8, message->data);
  platform_->write32(entry + 12, 0);
  const std::uint32_t control = function_.read32(msix_capability_);
  function_.write32(msix_capability_, (control & ~kMsixFunctionMask) | kMsixEnable);
  function_.set_command(kPciLineDisable, 0);
  platform_->write16(common_.at + kConfigMsixVector, kNoVector);
  return true;
}

void PciTransport::acknowledge() {
  if (!uses_msix_) (void)platform_->read8(isr_.at);
}

void PciTransport::write64(std::size_t offset, std::uint64_t value) {
  platform_->write32(common_.at + offset, static_cast<std::uint32_t>(value));
  platform_->write32(common_.at + offset + 4, static_cast<std::uint32_t>(value >> 32));
}

}  // namespace xok::kernel::drivers
