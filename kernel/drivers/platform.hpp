// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

/// What the drivers need from the machine. kernel/arch/x86_64 has the real one; the host tests have
/// one with a simulated bus and devices behind it. Nothing in kernel/drivers touches hardware but
/// through this.
///
/// Context: the drivers are not reentrant and hold no locks. The architecture calls them - and runs
/// interrupt handlers - with interrupts off and, on several processors, under the one kernel lock.
namespace xok::kernel::drivers {

/// Memory that a device may read and write: physically contiguous, page-aligned.
struct DmaMemory {
  std::byte* address = nullptr;  ///< where the kernel sees it; nullptr: none left
  std::uint64_t physical = 0;    ///< where the device sees it
};

/// What to put into an MSI-X table entry so that a handler runs.
struct MsiMessage {
  std::uint64_t address;
  std::uint32_t data;
};

/// How an interrupt line of the I/O APIC signals.
enum class LineMode : std::uint8_t {
  LevelLow,  ///< PCI INTx: shared, asserted until every device on it is served
  EdgeHigh,  ///< ISA and virtio-mmio lines
};

/// Where a virtio-mmio device may be. Empty slots are recognised and skipped.
struct MmioSlot {
  std::uint64_t physical = 0;
  std::uint64_t length = 0;  ///< bytes, at least 0x200
  std::uint32_t gsi = 0;     ///< its interrupt line
};

/// A range of physical addresses.
struct AddressRange {
  std::uint64_t base = 0;
  std::uint64_t length = 0;
};

using InterruptHandler = void (*)(void* argument);

class Platform {
 public:
  Platform() = default;
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  // -- Memory. Used while probing only, never afterwards.

  /// Maps device registers uncached. `physical` need not be page-aligned; the result has the same
  /// offset in its page. nullptr when it cannot be mapped, or when some of it is RAM: `physical` is
  /// what a device says, and a bad device may say anything.
  virtual volatile std::byte* map_mmio(std::uint64_t physical, std::size_t length) = 0;
  /// `pages` contiguous pages for good; contents unspecified.
  virtual DmaMemory allocate_dma(std::size_t pages) = 0;

  // -- Buses

  /// Port input and output, 32 bits: the PCI configuration ports 0xcf8 and 0xcfc.
  virtual std::uint32_t in32(std::uint16_t port) = 0;
  virtual void out32(std::uint16_t port, std::uint32_t value) = 0;
  /// Whether there is a PCI bus behind those ports (no: microvm without PCI).
  virtual bool has_pci() = 0;
  /// Physical addresses for PCI memory BARs that the firmware left unassigned. Length 0: none; such
  /// devices are then skipped.
  virtual AddressRange pci_window() = 0;
  /// Candidate virtio-mmio devices; see parse_mmio_slots in virtio_mmio.hpp for the command line's.
  virtual std::span<const MmioSlot> mmio_slots() = 0;

  // -- Registers in memory from map_mmio. The plain ones do; the host tests put devices here.

  virtual std::uint8_t read8(const volatile std::byte* at) {
    return *reinterpret_cast<const volatile std::uint8_t*>(at);
  }
  virtual std::uint16_t read16(const volatile std::byte* at) {
    return *reinterpret_cast<const volatile std::uint16_t*>(at);
  }
  virtual std::uint32_t read32(const volatile std::byte* at) {
    return *reinterpret_cast<const volatile std::uint32_t*>(at);
  }
  virtual void write8(volatile std::byte* at, std::uint8_t value) {
    *reinterpret_cast<volatile std::uint8_t*>(at) = value;
  }
  virtual void write16(volatile std::byte* at, std::uint16_t value) {
    *reinterpret_cast<volatile std::uint16_t*>(at) = value;
  }
  virtual void write32(volatile std::byte* at, std::uint32_t value) {
    *reinterpret_cast<volatile std::uint32_t*>(at) = value;
  }

  // -- Interrupts. The architecture acknowledges its controller; the handler serves the device.

  /// A vector of its own for `handler`. Nothing when there is none left: the driver then uses the
  /// line.
  virtual std::optional<MsiMessage> allocate_msi(InterruptHandler handler, void* argument) = 0;
  /// Runs `handler` at each interrupt of the line, together with the line's other handlers. For PCI
  /// `gsi` is the function's Interrupt Line register. False: no such line; the device is then
  /// served by Devices::poll only.
  virtual bool register_line(std::uint32_t gsi, LineMode mode, InterruptHandler handler,
                             void* argument) = 0;

  // -- The rest

  /// The cycle counter.
  virtual std::uint64_t cycles() = 0;
  /// Called inside busy loops (the `pause` instruction).
  virtual void relax() = 0;
  /// One line of the kernel's log, without the newline.
  virtual void log(const char* line, std::size_t length) = 0;

 protected:
  ~Platform() = default;
};

}  // namespace xok::kernel::drivers
