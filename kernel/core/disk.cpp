// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/disk.hpp"

#include "base/check.hpp"

namespace xok::kernel {

std::uint64_t* Disks::word(const PinnedWord& at) {
  return reinterpret_cast<std::uint64_t*>(pages_.bytes(at.page) + at.offset);
}

bool Disks::pin_all(const Transfer& t) {
  for (std::uint32_t i = 0; i < t.count + 2; i++) {
    const std::uint64_t page = i < t.count    ? t.page[i]
                               : i == t.count ? t.pending.page
                                              : t.status.page;
    if (pages_.pin(page)) continue;
    while (i-- > 0) pages_.unpin(i < t.count ? t.page[i] : t.pending.page);
    return false;
  }
  return true;
}

void Disks::unpin_all(const Transfer& t) {
  for (std::uint32_t i = 0; i < t.count; i++) pages_.unpin(t.page[i]);
  pages_.unpin(t.pending.page);
  pages_.unpin(t.status.page);
}

Result<> Disks::start(const DiskRequest& request, std::span<const PageNumber> pages,
                      PinnedWord pending, PinnedWord status) {
  std::uint64_t tag = 0;
  while (tag < kMaxTransfers && transfers_[tag].busy) tag++;
  if (tag == kMaxTransfers) return fail(Errc::NoSpace);
  Transfer& t = transfers_[tag];
  t.disk = request.disk;
  t.write = request.write != 0;
  t.count = static_cast<std::uint32_t>(pages.size());
  t.pending = pending;
  t.status = status;
  for (std::uint32_t i = 0; i < t.count; i++)
    t.page[i] = static_cast<std::uint32_t>(pages[i].value);
  if (!pin_all(t)) return fail(Errc::NoSpace);
  t.busy = true;
  const auto started = machine_.disk_start(request.disk, t.write, request.block, pages, tag);
  if (!started.has_value()) {
    t.busy = false;
    unpin_all(t);
  }
  return started;
}

void Disks::done(std::uint64_t tag, Result<> outcome) {
  XOK_CHECK(tag < kMaxTransfers && transfers_[tag].busy, tag);
  Transfer& t = transfers_[tag];
  DiskInfo& counters = system_->disks[t.disk];
  if (!outcome.has_value()) {
    counters.errors++;
  } else if (t.write) {
    counters.writes++;
  } else {
    counters.reads++;
  }
  const std::uint64_t code =
      outcome.has_value() ? 0 : ~std::uint64_t{0} - static_cast<std::uint64_t>(outcome.error()) + 1;
  __atomic_store_n(word(t.status), code, __ATOMIC_RELAXED);
  // release: whoever sees the count fall sees the data and the status
  __atomic_fetch_sub(word(t.pending), 1, __ATOMIC_RELEASE);
  t.busy = false;
  unpin_all(t);
}

}  // namespace xok::kernel
