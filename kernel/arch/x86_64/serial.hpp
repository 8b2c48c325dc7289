// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "abi/exposed.hpp"

namespace xok::kernel::x86 {

/// The first serial line (16550 at port 0x3f8, 115200 baud): the kernel's log and console port 0.
/// Output is sent at once, 16 bytes per look at the line's state; input comes by interrupt.
class Serial {
 public:
  Serial() = default;
  Serial(const Serial&) = delete;
  Serial& operator=(const Serial&) = delete;

  /// Sets the line up, if there is one; without it output vanishes.
  void initialize();
  /// From here on the record of port 0 is kept up to date, and input interrupts are on.
  void attach(ConsolePortInfo& record);
  void send(std::string_view text);
  /// Waits until the last byte has left: a machine that is turned off keeps none of its FIFO.
  void drain();

  // -- Console port 0, as in kernel/core/machine.hpp.
  std::span<std::byte> room() { return output_; }
  void put(std::size_t n);
  std::span<const std::byte> data();
  void take(std::size_t n);

  /// The interrupt: moves what has arrived to the input ring; bytes past its room are lost.
  void interrupt();

 private:
  void update_record();

  bool present_ = false;
  ConsolePortInfo* record_ = nullptr;
  std::array<std::byte, 1024> output_{};
  std::array<std::byte, 4096> input_{};
  std::uint64_t received_ = 0;  ///< bytes ever; the position in `input_` is the remainder
  std::uint64_t taken_ = 0;
};

Serial& serial();

}  // namespace xok::kernel::x86
