// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "kernel/arch/x86_64/acpi.hpp"
#include "kernel/arch/x86_64/boot_info.hpp"
#include "kernel/arch/x86_64/memory_map.hpp"
#include "kernel/drivers/platform.hpp"

namespace xok::kernel::x86 {

/// The PC as the drivers see it.
class X86Platform final : public drivers::Platform {
 public:
  /// boot  the command line, for virtio-mmio slots
  /// free  early memory, for DMA; used until `seal`
  void initialize(const BootInfo& boot, MemoryMap& free);
  void seal() { free_ = nullptr; }

  volatile std::byte* map_mmio(std::uint64_t physical, std::size_t length) override;
  drivers::DmaMemory allocate_dma(std::size_t pages) override;
  std::uint32_t in32(std::uint16_t port) override;
  void out32(std::uint16_t port, std::uint32_t value) override;
  bool has_pci() override;
  drivers::AddressRange pci_window() override { return {}; }
  std::span<const drivers::MmioSlot> mmio_slots() override;
  std::optional<drivers::MsiMessage> allocate_msi(drivers::InterruptHandler handler,
                                                  void* argument) override;
  bool register_line(std::uint32_t gsi, drivers::LineMode mode, drivers::InterruptHandler handler,
                     void* argument) override;
  std::uint64_t cycles() override;
  void relax() override;
  void log(const char* line, std::size_t length) override;

 private:
  MemoryMap* free_ = nullptr;
  std::array<drivers::MmioSlot, 40> slots_{};
  std::size_t slot_count_ = 0;
};

}  // namespace xok::kernel::x86
