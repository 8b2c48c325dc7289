// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_device.hpp"

#include <algorithm>
#include <array>

#include "base/checked.hpp"

namespace xok::kernel::calls {
namespace {

Result<std::uint32_t> check_port(const Call& call, CapSlot cap, Count port) {
  if (port.value >= kMaxConsolePorts || call.core.tables.info->consoles[port.value].present == 0)
    return fail(Errc::NotFound);
  const Capability guard = Capability::make({kConsoleName, static_cast<std::uint8_t>(port.value)});
  XOK_TRY(call.check(cap, guard, Permission::Write));
  return static_cast<std::uint32_t>(port.value);
}

CallResult moved(std::uint64_t n, std::uint64_t total, bool fault) {
  if (total > 0 || n == 0) return static_cast<std::int64_t>(total);
  return fail(fault ? Errc::Fault : Errc::WouldBlock);
}

/// The physical page of a user address, if it is mapped so that the caller may do this.
Result<std::uint64_t> page_of(const Call& call, std::uint64_t va, bool writable) {
  if (va >= kUserTop) return fail(Errc::Fault);
  const std::uint64_t entry = call.core.page_tables.lookup(call.env().table_page, va);
  if ((entry & kPtePresent) == 0) return fail(Errc::Fault);
  if (writable && (entry & kPteWritable) == 0) return fail(Errc::Fault);
  return entry_page(entry);
}

Result<PinnedWord> word_at(const Call& call, std::uint64_t va) {
  if (va % 8 != 0) return fail(Errc::BadArgument);
  const std::uint64_t page = XOK_TRY(page_of(call, va, true));
  return PinnedWord{page, va & kPageMask};
}

}  // namespace

CallResult console_write(Call& call, CapSlot cap, Count port, UserAddr bytes, Count n) {
  const std::uint32_t number = XOK_TRY(check_port(call, cap, port));
  const std::uint64_t wanted = std::min(n.value, kMaxConsoleBytes);
  std::uint64_t total = 0;
  while (total < wanted) {
    const std::span<std::byte> room = call.core.machine.console_room(number);
    const std::uint64_t part = std::min<std::uint64_t>(room.size(), wanted - total);
    if (part == 0) break;
    if (!call.from_user(room.data(), UserAddr{bytes.value + total}, part))
      return moved(wanted, total, true);
    call.core.machine.console_put(number, part);
    total += part;
  }
  return moved(wanted, total, false);
}

CallResult console_read(Call& call, CapSlot cap, Count port, UserAddr bytes, Count n) {
  const std::uint32_t number = XOK_TRY(check_port(call, cap, port));
  const std::uint64_t wanted = std::min(n.value, kMaxConsoleBytes);
  std::uint64_t total = 0;
  while (total < wanted) {
    const std::span<const std::byte> data = call.core.machine.console_data(number);
    const std::uint64_t part = std::min<std::uint64_t>(data.size(), wanted - total);
    if (part == 0) break;
    if (!call.to_user(UserAddr{bytes.value + total}, data.data(), part))
      return moved(wanted, total, true);
    call.core.machine.console_take(number, part);
    total += part;
  }
  return moved(wanted, total, false);
}

CallResult entropy_read(Call& call, UserAddr bytes, Count n) {
  std::array<std::byte, kMaxEntropyBytes> buffer;
  const std::uint64_t wanted = std::min(n.value, kMaxEntropyBytes);
  const std::uint64_t got = call.core.machine.entropy(std::span{buffer}.first(wanted));
  if (got > 0 && !call.to_user(bytes, buffer.data(), got)) return fail(Errc::Fault);
  return moved(wanted, got, false);
}

CallResult disk_transfer(Call& call, CapSlot cap, UserAddr request) {
  DiskRequest r;
  if (!call.from_user(&r, request, sizeof r)) return fail(Errc::Fault);
  const auto& disks = call.core.tables.info->disks;
  if (r.disk >= kMaxDisks || disks[r.disk].present == 0) return fail(Errc::NotFound);
  if (r.write > 1) return fail(Errc::BadArgument);
  const bool write = r.write == 1;
  const Capability guard = Capability::make({kDiskName, static_cast<std::uint8_t>(r.disk)});
  XOK_TRY(call.check(cap, guard, write ? Permission::Write : Permission::None));
  if (write && disks[r.disk].read_only != 0) return fail(Errc::Denied);
  if (r.count > kMaxTransferPages) return fail(Errc::TooBig);
  if (r.count == 0 || !range_fits(r.block, r.count, disks[r.disk].blocks) ||
      r.memory % kPageSize != 0)
    return fail(Errc::BadArgument);
  const PinnedWord pending = XOK_TRY(word_at(call, r.pending));
  const PinnedWord status = XOK_TRY(word_at(call, r.status));
  std::array<PageNumber, kMaxTransferPages> pages;
  for (std::uint64_t i = 0; i < r.count; i++)
    pages[i] = PageNumber{XOK_TRY(page_of(call, r.memory + i * kPageSize, !write))};
  XOK_TRY(call.core.disks.start(r, std::span{pages}.first(r.count), pending, status));
  return 0;
}

}  // namespace xok::kernel::calls
