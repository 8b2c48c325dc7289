// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "base/result.hpp"
#include "libs/graft/program.hpp"

namespace xok::graft {

/// Why a run ended without a result.
enum class Stop : std::uint8_t {
  OutOfSteps = 1,  ///< the next basic block costs more steps than are left
  BadRead,         ///< a load that does not lie wholly in one input, or in the stack
  BadWrite,        ///< a store that does not lie wholly in the output, or in the stack
  HelperFailed,    ///< a helper called `Memory::refuse`
};

/// What a run gives: r0 at the exit, or why there is none.
using Outcome = std::expected<std::uint64_t, Stop>;

/// r1 to r5 at the start.
using Arguments = std::array<std::uint64_t, 5>;

/// Whether a run notes which bytes of its inputs it read (see `Memory::set_input`).
enum class Reads : bool { Ignored, Recorded };

/// The memory of a graft, and nothing else is memory to it: inputs that it reads, one output that
/// it writes, and its stack. One run at a time; prepare it once and run as often as you like.
///
/// Addresses are the graft's own: each region begins at a constant, so no real address is ever seen
/// by a graft, and results do not depend on where things lie. Pass regions as arguments:
///
///   memory.set_input(0, metadata);
///   memory.set_output(extents);
///   steps = 10'000;
///   auto count = run(program, memory, {Memory::input_address(0), metadata.size(),
///                                      Memory::kOutputAddress}, steps);
///
/// The output is write-only: what it held before cannot influence a run. After a run that stopped,
/// what it holds is not defined.
///
/// About 4.5 KB, most of it the stack, which is cleared by the run as far as the program can reach:
/// a static object, not a local one, where stacks are small. No member allocates or locks.
class Memory {
 public:
  static constexpr std::size_t kMaxInputs = 4;
  /// The most bytes of a region.
  static constexpr std::size_t kMaxRegion = std::size_t{1} << 28;

  static constexpr std::uint64_t kOutputAddress = 0x1000'0000;
  static constexpr std::uint64_t kStackAddress = 0x2000'0000;
  static constexpr std::uint64_t input_address(std::size_t i) {
    return 0x3000'0000 + i * kMaxRegion;
  }

  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Lets runs read `bytes` at `input_address(i)`; they must stay there, and may change between
  /// runs. An empty span takes the input away.
  ///
  /// i         below kMaxInputs
  /// bytes     at most kMaxRegion
  /// read_map  one byte for each of `bytes`, or empty. A run with Reads::Recorded stores 1 into the
  ///           map's bytes for each byte that it, or a helper for it, reads; it clears none. After
  ///           a run that stopped, the map holds what was read until then
  /// Errors    BadArgument  an argument is not as said here; nothing has changed
  Result<> set_input(std::size_t i, std::span<const std::byte> bytes,
                     std::span<std::byte> read_map = {});

  /// Lets runs write `bytes` (at most kMaxRegion, else BadArgument) at kOutputAddress.
  Result<> set_output(std::span<std::byte> bytes);

  // For helpers, in a run.

  /// What the graft can read at `address`: bytes of one input or of its stack. Noted as read.
  /// Errors  Fault  the range does not lie in one region; the helper may then `refuse`
  Result<std::span<const std::byte>> readable(std::uint64_t address, std::uint64_t length);
  /// What the graft can write at `address`: bytes of the output or of its stack. Errors: as above.
  Result<std::span<std::byte>> writable(std::uint64_t address, std::uint64_t length);
  /// Ends the run with HelperFailed when the helper returns.
  void refuse() { stop_ = static_cast<std::uint64_t>(Stop::HelperFailed); }
  /// Whatever the embedder wants its helpers to have. They change nothing else of this object.
  void set_context(void* context) { context_ = context; }
  void* context() const { return context_; }

 private:
  friend class Interpreter;
  friend struct MemoryLayout;  // compiler.cpp: what compiled code knows of this
  friend class CompiledProgram;

  /// A region; `fits[n]` is the number of offsets at which 2^n bytes lie inside.
  struct Region {
    std::byte* base = nullptr;
    std::byte* read_map = nullptr;
    std::array<std::uint64_t, 4> fits{};

    void set(std::byte* start, std::size_t size, std::byte* map);
    std::uint64_t size() const { return fits[0]; }
  };
  enum : std::size_t { kOutput, kStack, kInput0, kRegionCount = kInput0 + kMaxInputs };

  static constexpr std::uint64_t region_address(std::size_t region) {
    return (region + 1) * kMaxRegion;
  }

  void begin(const Program& program, Reads reads);
  /// The region that `address` belongs to, by its value alone; kRegionCount when there is none.
  static constexpr std::size_t region_of(std::uint64_t address) {
    const std::uint64_t number = address / kMaxRegion - 1;  // 0 becomes a large number
    return number < kRegionCount ? number : std::size_t{kRegionCount};
  }

  // Compiled code reads and writes what follows, by offset.
  std::array<Region, kRegionCount> regions_{};
  std::uint64_t steps_ = 0;
  std::uint64_t stop_ = 0;  // a Stop, or 0
  std::uint64_t saved_stack_ = 0;
  void* context_ = nullptr;
  bool recording_ = false;
  alignas(16) std::array<std::byte, kMaxStack> stack_;  // NOLINT: cleared by begin
};

}  // namespace xok::graft
