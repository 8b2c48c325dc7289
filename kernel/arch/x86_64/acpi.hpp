// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/arch/x86_64/boot_info.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"

/// What the firmware's ACPI tables say: processors, interrupt controllers, the way to power off,
/// and the virtio-mmio devices of machines without PCI. Nothing is interpreted but static tables;
/// of the byte code only two constant shapes are looked for. Source: ACPI specification 6.5,
/// chapters 5 and 19.
namespace xok::kernel::x86 {

/// A virtio-mmio device the byte code declares ("LNRO0005").
struct AcpiMmioDevice {
  std::uint64_t physical;
  std::uint64_t length;
  std::uint32_t gsi;
};

class Acpi {
 public:
  Acpi() = default;
  Acpi(const Acpi&) = delete;
  Acpi& operator=(const Acpi&) = delete;

  /// Reads the tables and sets up the I/O APICs they name. False: no valid tables; then one I/O
  /// APIC is assumed where it has always been.
  bool initialize(const BootInfo& boot);

  /// The line of an old ISA interrupt number and how it signals.
  struct IsaLine {
    std::uint32_t gsi;
    Trigger trigger;
  };
  [[nodiscard]] IsaLine isa_line(unsigned irq) const { return isa_[irq & 15]; }

  [[nodiscard]] std::span<const AcpiMmioDevice> mmio_devices() const {
    return {devices_.data(), device_count_};
  }

  /// APIC numbers of the processors that can be used, in the tables' order.
  [[nodiscard]] std::span<const std::uint32_t> processors() const {
    return {processors_.data(), processor_count_};
  }

  /// Asks for the machine to be switched off (state S5), which may take a moment. False: the tables
  /// do not say how.
  [[nodiscard]] bool power_off() const;

 private:
  void read_root(std::span<const std::byte> root);
  void read_table(std::uint64_t physical);
  void read_madt(std::span<const std::byte> table);
  void read_processor(std::span<const std::byte> entry);
  void read_override(std::span<const std::byte> entry);
  void read_fadt(std::span<const std::byte> table);
  void read_sleep_type(std::span<const std::byte> code);
  void read_mmio_devices(std::span<const std::byte> code);

  std::array<IsaLine, 16> isa_{};
  std::array<AcpiMmioDevice, 32> devices_{};
  std::size_t device_count_ = 0;
  std::array<std::uint32_t, 64> processors_{};
  std::size_t processor_count_ = 0;
  std::size_t io_apics_ = 0;
  bool has_sleep_type_ = false;
  std::uint8_t sleep_type_ = 0;
  std::uint16_t pm1a_control_ = 0;
  std::uint16_t pm1b_control_ = 0;
  volatile std::byte* sleep_control_ = nullptr;  ///< hardware-reduced machines
};

Acpi& acpi();

}  // namespace xok::kernel::x86
