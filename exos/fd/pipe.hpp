// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/env.hpp"
#include "base/units.hpp"

namespace xok::exos {

/// A pipe's bytes in shared memory: up to 64 KiB in pages that come when they are needed and go
/// when the pipe is empty (but for the first). Pure, so that it is tested on the host; the caller
/// holds the lock and bumps nothing: the event words are bumped here.
struct Pipe {
  static constexpr std::size_t kPages = 16;
  static constexpr std::size_t kCapacity = kPages * kPageSize;
  static constexpr std::size_t kAtomic = kPageSize;  ///< PIPE_BUF

  std::uint64_t read_event = 0;   ///< counts reasons for readers to look again
  std::uint64_t write_event = 0;  ///< counts reasons for writers to look again
  std::uint32_t readers = 0;
  std::uint32_t writers = 0;
  std::uint32_t references = 0;  ///< open files that point here
  std::uint32_t fifo = 0;
  EnvId waiting_reader = 0;  ///< who went to sleep last until there is something to read
  EnvId waiting_writer = 0;  ///< the same, until there is room
  std::uint64_t head = 0;    ///< bytes ever written
  std::uint64_t tail = 0;    ///< bytes ever read
  std::uint64_t writers_ever = 0;
  std::uint64_t readers_ever = 0;
  std::array<std::byte*, kPages> pages{};

  [[nodiscard]] std::size_t used() const { return head - tail; }
  [[nodiscard]] std::size_t room() const { return kCapacity - used(); }

  /// The next contiguous bytes to read; empty when there are none.
  [[nodiscard]] std::span<const std::byte> data() const;
  /// Copies what there is from `skip` bytes behind the first, without taking it. Returns how much.
  std::size_t peek(std::size_t skip, std::span<std::byte> to) const;
  /// Takes n bytes that data() or peek() gave.
  void take(std::size_t n);
  /// Where the next bytes go (contiguous). `page` supplies a missing page: returns nullptr on none.
  template <class NewPage>
  std::span<std::byte> space(NewPage page) {
    if (room() == 0) return {};
    const std::size_t at = head % kCapacity;
    std::byte*& slot = pages[at / kPageSize];
    if (slot == nullptr) slot = page();
    if (slot == nullptr) return {};
    const std::size_t within = at % kPageSize;
    std::size_t n = kPageSize - within;
    if (n > room()) n = room();
    return {slot + within, n};
  }
  /// Adds n bytes that were put where space() said.
  void put(std::size_t n);
};

}  // namespace xok::exos
