// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/exposed.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/requests.hpp"

namespace xok::kernel {

/// Who may have cached which translation, and getting rid of it.
///
/// Hardware keeps translations of the address space that is loaded and forgets them when another
/// one is: so only the processors that have a space loaded need to hear of a change in it, or all
/// when the change is in a shared table. This processor forgets at once; the others are
/// interrupted once, by `settle`, with up to Requests::kMaxAddresses addresses (beyond: with all).
/// It runs before the kernel lets go of its lock, and before any free page is taken (Pages): until
/// then whoever still uses an old translation reaches only memory that nobody else has.
class Translations {
 public:
  explicit Translations(Machine& machine) : machine_{machine} {}
  Translations(const Translations&) = delete;
  Translations& operator=(const Translations&) = delete;

  /// Processor `number` takes part from now on, with `table` loaded: the one without user memory,
  /// that all idle in.
  void add_processor(std::uint32_t number, std::uint64_t table);
  /// Which processor runs the kernel now.
  void enter(std::uint32_t number) { here_ = number; }

  /// Loads an address space on this processor, if it has another one. `shown`: another one whose
  /// tables hang in it too (0: none).
  void load(std::uint64_t table, std::uint64_t shown = 0) {
    shown_[here_] = shown;
    if (loaded_[here_] == table) return;
    loaded_[here_] = table;
    machine_.load_address_space(PageNumber{table});
  }
  /// Processor `number` has loaded it by itself (Machine::seize).
  void note_loaded(std::uint32_t number, std::uint64_t table) {
    loaded_[number] = table;
    shown_[number] = 0;
  }
  [[nodiscard]] std::uint64_t loaded(std::uint32_t number) const { return loaded_[number]; }
  [[nodiscard]] bool alone() const { return processors_ < 2; }

  /// An entry for `va` in the space `top`, perhaps in a table that other spaces share, has changed.
  void forget(std::uint64_t va, std::uint64_t top, bool shared) {
    machine_.flush(va);
    if (!alone()) forget_elsewhere(va, top, shared);
  }
  /// The same for all user addresses.
  void forget_all(std::uint64_t top, bool shared) {
    machine_.flush_all();
    if (alone()) return;
    forget_elsewhere(0, top, shared);
    if (waiting_ != 0) count_ = addresses_.size() + 1;
  }
  /// Returns when no processor can use anything forgotten.
  void settle() {
    if (waiting_ != 0) [[unlikely]]
      interrupt_others();
  }
  [[nodiscard]] bool settled() const { return waiting_ == 0; }

 private:
  void forget_elsewhere(std::uint64_t va, std::uint64_t top, bool shared);
  void interrupt_others();

  Machine& machine_;
  std::uint32_t here_ = 0;
  std::uint32_t processors_ = 0;
  std::uint64_t idle_table_ = 0;
  std::array<std::uint64_t, kMaxProcessors> loaded_{};
  std::array<std::uint64_t, kMaxProcessors> shown_{};
  ProcessorSet waiting_ = 0;
  std::size_t count_ = 0;  // of addresses; more than fit: all
  std::array<std::uint64_t, Requests::kMaxAddresses> addresses_{};
};

}  // namespace xok::kernel
