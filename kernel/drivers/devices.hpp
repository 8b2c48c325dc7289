// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/exposed.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "kernel/drivers/platform.hpp"

/// All devices of the machine, under the numbers of SystemInfo's tables. The architecture's Machine
/// hands its device methods on to this, one to one, and its interrupts to the handlers that the
/// drivers registered with the Platform.
namespace xok::kernel::drivers {

class VirtioNet;
class VirtioBlk;
class VirtioConsole;
class VirtioRng;
class Transport;

/// What the drivers tell the kernel, from inside an interrupt handler or poll(). `context` is the
/// first argument of each.
struct Callbacks {
  void* context = nullptr;
  /// A frame arrived; `frame` is valid during the call only. -> Kernel::packet_received
  void (*packet_received)(void* context, std::uint32_t interface,
                          std::span<const std::byte> frame) = nullptr;
  /// A transfer ended. -> Kernel::disk_done
  void (*disk_done)(void* context, std::uint64_t tag, Result<> outcome) = nullptr;
  /// A console record that a predicate may watch has changed. -> Kernel::wake, at the end of the
  /// interrupt
  void (*input_arrived)(void* context) = nullptr;
};

/// A transfer that the device reported as failed, or that was under way when the device was taken
/// out of service.
inline constexpr Errc kDiskFailed = Errc::Unreachable;

/// Pages one disk transfer can have.
inline constexpr std::size_t kMaxDiskPages = 512;

class Devices {
 public:
  Devices() = default;
  Devices(const Devices&) = delete;
  Devices& operator=(const Devices&) = delete;

  /// Finds and starts every virtio device on PCI and in the platform's MMIO slots: network (records
  /// interfaces[1..]), block (disks[0..]), the first console (consoles[1..7], by port number) and
  /// the first entropy source. Fills their records and raises the three counts; records of other
  /// devices (loopback, serial line) stay as they are. A console's ports are known when this
  /// returns: it waits for the device's answers, at most 100 ms.
  ///
  /// platform   outlives this object
  /// info       the exposed record; `tsc_hz` is set already
  /// callbacks  may be called from now on
  /// Context    once, at boot, with interrupts off; interrupts that come up are taken later
  ///
  /// Call it after Kernel::initialize, or let that keep the records.
  void probe(Platform& platform, SystemInfo& info, const Callbacks& callbacks);

  /// Serves every device as if it had interrupted. Call it at each timer tick: it picks up what an
  /// interrupt handler left over to stay short, and devices without an interrupt.
  void poll();

  /// Waits until the consoles' output is with the host, at most `cycles`. For Machine::stop.
  void drain(std::uint64_t cycles);

  // -- As in kernel/core/machine.hpp. A number without a device: empty, 0, ignored, or NotFound.

  std::span<std::byte> transmit_buffer(std::uint32_t interface);
  void transmit(std::uint32_t interface, std::size_t n);
  std::span<std::byte> console_room(std::uint32_t port);
  void console_put(std::uint32_t port, std::size_t n);
  std::span<const std::byte> console_data(std::uint32_t port);
  void console_take(std::uint32_t port, std::size_t n);
  std::size_t entropy(std::span<std::byte> bytes);
  /// Starts a transfer of whole pages. A finished write is on stable storage: the write cache of
  /// the device is never enabled.
  /// Errors  NotFound     no such disk, or taken out of service
  ///         BadArgument  no pages, or blocks past the disk's end
  ///         TooBig       more than kMaxDiskPages
  ///         Denied       write to a read-only disk
  ///         WouldBlock   queue full: try again after a disk_done
  Result<> disk_start(std::uint32_t disk, bool write, std::uint64_t block,
                      std::span<const PageNumber> pages, std::uint64_t tag);

 private:
  void probe_pci();
  void probe_mmio();
  /// Gives the device to the driver for its type, or leaves it reset.
  void attach(Transport& transport);
  void attach_net(Transport& transport);
  void attach_blk(Transport& transport);
  void attach_console(Transport& transport);
  void attach_rng(Transport& transport);

  Platform* platform_ = nullptr;
  SystemInfo* info_ = nullptr;
  Callbacks callbacks_;
  std::array<VirtioNet*, kMaxInterfaces> nets_{};  ///< by interface number; 0 is the loopback
  std::array<VirtioBlk*, kMaxDisks> blks_{};
  VirtioConsole* console_ = nullptr;
  VirtioRng* rng_ = nullptr;
};

}  // namespace xok::kernel::drivers
