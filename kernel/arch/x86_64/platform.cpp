// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/platform.hpp"

#include "base/units.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/log.hpp"
#include "kernel/arch/x86_64/paging.hpp"
#include "kernel/arch/x86_64/registers.hpp"
#include "kernel/drivers/virtio_mmio.hpp"

namespace xok::kernel::x86 {

void X86Platform::initialize(const BootInfo& boot, MemoryMap& free) {
  free_ = &free;
  slot_count_ = drivers::parse_mmio_slots(boot.command_line(), slots_);
  for (const AcpiMmioDevice& device : acpi().mmio_devices())
    if (slot_count_ < slots_.size())
      slots_[slot_count_++] = {device.physical, device.length, device.gsi};
}

volatile std::byte* X86Platform::map_mmio(std::uint64_t physical, std::size_t length) {
  return paging().map_physical(physical, length, Caching::Uncached);
}

drivers::DmaMemory X86Platform::allocate_dma(std::size_t pages) {
  if (free_ == nullptr) return {};
  // Below 4 GiB: a legacy virtio-mmio queue is named by a 32-bit page number, others do not care.
  constexpr std::uint64_t kLimit = std::uint64_t{4} << 30;
  const auto physical = free_->allocate(pages, kPageSize, kLimit);
  return physical ? drivers::DmaMemory{direct(*physical), *physical} : drivers::DmaMemory{};
}

std::uint32_t X86Platform::in32(std::uint16_t port) { return x86::in32(port); }

void X86Platform::out32(std::uint16_t port, std::uint32_t value) { x86::out32(port, value); }

bool X86Platform::has_pci() {
  constexpr std::uint16_t kConfigAddress = 0xcf8;
  constexpr std::uint32_t kEnable = 1u << 31;
  x86::out32(kConfigAddress, kEnable);
  return x86::in32(kConfigAddress) == kEnable;
}

std::span<const drivers::MmioSlot> X86Platform::mmio_slots() {
  return {slots_.data(), slot_count_};
}

std::optional<drivers::MsiMessage> X86Platform::allocate_msi(drivers::InterruptHandler handler,
                                                             void* argument) {
  constexpr std::uint64_t kMessageBase = 0xfee00000;
  const auto vector = allocate_vector(handler, argument);
  if (!vector) return std::nullopt;
  return drivers::MsiMessage{kMessageBase | std::uint64_t{apic_id()} << 12, *vector};
}

bool X86Platform::register_line(std::uint32_t gsi, drivers::LineMode mode,
                                drivers::InterruptHandler handler, void* argument) {
  constexpr std::uint32_t kIsaLines = 16;
  if (mode == drivers::LineMode::EdgeHigh)
    return x86::register_line(gsi, Trigger::EdgeHigh, handler, argument);
  if (gsi >= kIsaLines) return x86::register_line(gsi, Trigger::LevelLow, handler, argument);
  // A PCI line that the firmware has led to an ISA number: signals as the overrides say.
  const Acpi::IsaLine line = acpi().isa_line(gsi);
  const bool high = line.trigger == Trigger::LevelHigh;
  return x86::register_line(line.gsi, high ? Trigger::LevelHigh : Trigger::LevelLow, handler,
                            argument);
}

std::uint64_t X86Platform::cycles() { return read_tsc(); }

void X86Platform::relax() { x86::relax(); }

void X86Platform::log(const char* line, std::size_t length) { x86::log({line, length}); }

}  // namespace xok::kernel::x86
