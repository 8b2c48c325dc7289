// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "abi/exposed.hpp"
#include "apps/xtop/canvas.hpp"

namespace xok::xtop {

/// Where the kernel's tables are seen. The kernel goes on changing them while they are read.
struct Window {
  const SystemInfo* info;
  const Env* envs;              ///< kMaxEnvironments
  const Slice* slices;          ///< kMaxProcessors rows of kSlicesPerProcessor
  const FilterRecord* filters;  ///< kMaxFilters
  const PageInfo* pages;        ///< SystemInfo::page_count
};

/// The machine as its exposed tables show it: pages by state and by owner, accounts, slice vectors,
/// environments, packet filters. Shares of time are those since the last time it was drawn; the
/// first time, since the machine was started.
class Picture {
 public:
  /// now       cycle counter
  /// own_table  top-level page table of whoever draws, to be told apart; 0: nobody
  /// Cost      one look at each entry of every table: about 15 instructions a page of memory
  void draw(const Window& window, std::uint64_t now, std::uint64_t own_table, Canvas& canvas);

 private:
  void draw_machine(const Window& window, Canvas& canvas);
  static void draw_pages(const Window& window, Canvas& canvas);
  static void draw_accounts(const Window& window, Canvas& canvas);
  void draw_slices(const Window& window, Canvas& canvas);
  void draw_environments(const Window& window, std::uint64_t own_table, Canvas& canvas);
  static void draw_filters(const Window& window, Canvas& canvas);

  struct Seen {
    EnvId id;
    std::uint64_t run_cycles;
  };
  std::array<Seen, kMaxEnvironments> seen_{};
  std::array<char, kMaxEnvironments> letters_{};  ///< an environment's sign in the slice vectors
  std::uint64_t seen_idle_ = 0;
  std::uint64_t seen_at_ = 0;  ///< cycle counter; 0: never
  std::uint64_t elapsed_ = 1;  ///< cycles since then
};

}  // namespace xok::xtop
