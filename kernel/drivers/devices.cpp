// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/devices.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "kernel/drivers/log.hpp"
#include "kernel/drivers/pci.hpp"
#include "kernel/drivers/virtio_blk.hpp"
#include "kernel/drivers/virtio_console.hpp"
#include "kernel/drivers/virtio_mmio.hpp"
#include "kernel/drivers/virtio_net.hpp"
#include "kernel/drivers/virtio_pci.hpp"
#include "kernel/drivers/virtio_rng.hpp"

// Driver and transport objects live in pages from the platform, for good: the kernel holds memory
// only for devices that exist, and a device taken out of service keeps its object.

namespace xok::kernel::drivers {
namespace {

template <class T, class... Arguments>
T* create(Platform& platform, Arguments&&... arguments) {
  const DmaMemory memory = platform.allocate_dma(page_ceil(sizeof(T)) / kPageSize);
  if (memory.address == nullptr) return nullptr;
  return ::new (static_cast<void*>(memory.address)) T(std::forward<Arguments>(arguments)...);
}

std::uint64_t deadline_after_tenth(Platform& platform, const SystemInfo& info) {
  constexpr std::uint64_t kUnknownClock = 3'000'000'000;
  return platform.cycles() + (info.tsc_hz != 0 ? info.tsc_hz : kUnknownClock) / 10;
}

}  // namespace

void Devices::probe(Platform& platform, SystemInfo& info, const Callbacks& callbacks) {
  platform_ = &platform;
  info_ = &info;
  callbacks_ = callbacks;
  if (platform.has_pci()) probe_pci();
  probe_mmio();
  if (console_ != nullptr) console_->settle(deadline_after_tenth(platform, info));
}

void Devices::probe_pci() {
  struct Walk {
    Devices& devices;
    AddressRange window;
  } walk{*this, platform_->pci_window()};
  for_each_pci_function(
      *platform_,
      [](void* argument, PciFunction function) {
        auto& w = *static_cast<Walk*>(argument);
        Platform& platform = *w.devices.platform_;
        PciTransport probing;
        const Result<> opened = probing.open(platform, function, w.window);
        if (!opened) {
          if (opened.error() != Errc::NotFound)
            (LogLine{} << "pci " << function.address().bus << ":" << function.address().device
                       << ": virtio device not usable")
                .write(platform);
          return;
        }
        if (auto* transport = create<PciTransport>(platform, probing); transport != nullptr)
          w.devices.attach(*transport);
      },
      &walk);
}

void Devices::probe_mmio() {
  for (const MmioSlot& slot : platform_->mmio_slots()) {
    MmioTransport probing;
    if (!probing.open(*platform_, slot)) continue;
    if (auto* transport = create<MmioTransport>(*platform_, probing); transport != nullptr)
      attach(*transport);
  }
}

void Devices::attach(Transport& transport) {
  switch (transport.type()) {
    case DeviceType::Network:
      return attach_net(transport);
    case DeviceType::Block:
      return attach_blk(transport);
    case DeviceType::Console:
      return attach_console(transport);
    case DeviceType::Entropy:
      return attach_rng(transport);
    case DeviceType::None:
      break;
  }
}

void Devices::attach_net(Transport& transport) {
  // Number 0 is the loopback.
  const auto place = std::find(nets_.begin() + 1, nets_.end(), nullptr);
  if (place == nets_.end()) return;
  const auto number = static_cast<std::uint32_t>(place - nets_.begin());
  auto* net = create<VirtioNet>(*platform_, *platform_, transport, callbacks_, number,
                                info_->interfaces[number]);
  if (net == nullptr || !net->start()) return;
  *place = net;
  info_->interface_count = std::max(info_->interface_count, number + 1);
}

void Devices::attach_blk(Transport& transport) {
  const auto place = std::ranges::find(blks_, nullptr);
  if (place == blks_.end()) return;
  const auto number = static_cast<std::uint32_t>(place - blks_.begin());
  auto* blk = create<VirtioBlk>(*platform_, *platform_, transport, callbacks_, number,
                                info_->disks[number]);
  if (blk == nullptr || !blk->start()) return;
  *place = blk;
  info_->disk_count = std::max(info_->disk_count, number + 1);
}

void Devices::attach_console(Transport& transport) {
  if (console_ != nullptr) return;
  auto* console = create<VirtioConsole>(*platform_, *platform_, transport, callbacks_, *info_);
  if (console == nullptr || !console->start()) return;
  console_ = console;
}

void Devices::attach_rng(Transport& transport) {
  if (rng_ != nullptr) return;
  auto* rng = create<VirtioRng>(*platform_, *platform_, transport);
  if (rng == nullptr || !rng->start()) return;
  rng_ = rng;
}

void Devices::poll() {
  for (VirtioNet* net : nets_)
    if (net != nullptr) net->serve();
  for (VirtioBlk* blk : blks_)
    if (blk != nullptr) blk->serve();
  if (console_ != nullptr) console_->serve();
}

void Devices::drain(std::uint64_t cycles) {
  if (console_ == nullptr) return;
  const std::uint64_t start = platform_->cycles();
  while (console_->has_output() && platform_->cycles() - start < cycles) {
    console_->serve();
    platform_->relax();
  }
}

std::span<std::byte> Devices::transmit_buffer(std::uint32_t interface) {
  if (interface >= nets_.size() || nets_[interface] == nullptr) return {};
  return nets_[interface]->transmit_buffer();
}

void Devices::transmit(std::uint32_t interface, std::size_t n) {
  if (interface < nets_.size() && nets_[interface] != nullptr) nets_[interface]->transmit(n);
}

std::span<std::byte> Devices::console_room(std::uint32_t port) {
  ConsolePort* const p = console_ != nullptr ? console_->port(port) : nullptr;
  return p != nullptr ? p->room() : std::span<std::byte>{};
}

void Devices::console_put(std::uint32_t port, std::size_t n) {
  if (ConsolePort* const p = console_ != nullptr ? console_->port(port) : nullptr) p->put(n);
}

std::span<const std::byte> Devices::console_data(std::uint32_t port) {
  ConsolePort* const p = console_ != nullptr ? console_->port(port) : nullptr;
  return p != nullptr ? p->data() : std::span<const std::byte>{};
}

void Devices::console_take(std::uint32_t port, std::size_t n) {
  if (ConsolePort* const p = console_ != nullptr ? console_->port(port) : nullptr) p->take(n);
}

std::size_t Devices::entropy(std::span<std::byte> bytes) {
  return rng_ != nullptr ? rng_->take(bytes) : 0;
}

Result<> Devices::disk_start(std::uint32_t disk, bool write, std::uint64_t block,
                             std::span<const PageNumber> pages, std::uint64_t tag) {
  if (disk >= blks_.size() || blks_[disk] == nullptr) return fail(Errc::NotFound);
  return blks_[disk]->transfer(write, block, pages, tag);
}

}  // namespace xok::kernel::drivers
