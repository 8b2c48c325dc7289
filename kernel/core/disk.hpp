// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "abi/exposed.hpp"
#include "abi/syscalls.hpp"
#include "base/result.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/pages.hpp"

/// Raw disk transfers: the kernel pins the memory, starts the device, and when it is done writes
/// the outcome into words of the caller's memory. Whoever may transfer at all may reach the whole
/// disk; sharing a disk is XN's affair.
namespace xok::kernel {

inline constexpr std::size_t kMaxTransfers = 64;       ///< under way, all environments
inline constexpr std::size_t kMaxTransferPages = 128;  ///< of one request

/// A word of user memory in a pinned page.
struct PinnedWord {
  std::uint64_t page;
  std::uint64_t offset;
};

class Disks {
 public:
  Disks(Machine& machine, Pages& pages) : machine_{machine}, pages_{pages} {}
  Disks(const Disks&) = delete;
  Disks& operator=(const Disks&) = delete;
  void initialize(const ExposedTables& tables) { system_ = tables.info; }

  /// Starts a transfer that has been checked; pins the pages and both words until it ends, also if
  /// the environment dies before.
  /// Errors  NoSpace     kMaxTransfers are under way, or a page has too many pins
  ///         WouldBlock  the device's queue is full
  Result<> start(const DiskRequest& request, std::span<const PageNumber> pages, PinnedWord pending,
                 PinnedWord status);
  /// The device ended the transfer with this tag.
  void done(std::uint64_t tag, Result<> outcome);
  /// Calls `visit(page)` for every pin held, for the invariant sweep.
  template <class Visit>
  void visit_pins(const Visit& visit) const {
    for (const Transfer& t : transfers_) {
      if (!t.busy) continue;
      for (std::uint32_t i = 0; i < t.count; i++) visit(t.page[i]);
      visit(t.pending.page);
      visit(t.status.page);
    }
  }

 private:
  struct Transfer {
    bool busy = false;
    std::uint32_t disk = 0;
    bool write = false;
    std::uint32_t count = 0;
    PinnedWord pending{};
    PinnedWord status{};
    std::array<std::uint32_t, kMaxTransferPages> page{};
  };

  bool pin_all(const Transfer& transfer);
  void unpin_all(const Transfer& transfer);
  std::uint64_t* word(const PinnedWord& at);

  Machine& machine_;
  Pages& pages_;
  SystemInfo* system_ = nullptr;
  std::array<Transfer, kMaxTransfers> transfers_{};
};

}  // namespace xok::kernel
