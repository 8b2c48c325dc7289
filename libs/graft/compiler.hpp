// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "libs/graft/memory.hpp"
#include "libs/graft/program.hpp"
#include "libs/vcode/assembler.hpp"

namespace xok::graft {

struct CompileOptions {
  /// Recorded: the code writes read maps, whenever it runs; Ignored: never.
  Reads reads = Reads::Ignored;
  /// What the arguments will look like. Where one is an address, accesses through it are tried in
  /// its region first. A wrong guess costs some 20 instructions an access, and changes no result.
  Arguments likely_arguments = {Memory::input_address(0), 0, Memory::kOutputAddress};
};

/// What the compiler notes of each instruction.
struct CompileNote {
  vcode::Label start;      ///< where its code is, for jumps
  vcode::Label elsewhere;  ///< its access when the region guessed first is another one
  vcode::Label after;
};

/// Bytes of code that are always enough for a program of so many instructions.
constexpr std::size_t code_room(std::size_t instructions) { return 1024 + 128 * instructions; }

/// Makes x86-64 code of a program, in one pass. The code depends on its place not at all, but on
/// the program's helpers.
///
/// buffer   where the code goes; `code_room` bytes are enough
/// notes    one for each slot of the program; of no use afterwards
/// Returns  the length of the code
/// Errors   NoSpace      `buffer` is too small; what it holds must not be run
///          BadArgument  too few notes
/// Cost     some 100 cycles for an instruction
Result<std::size_t> compile(const Program& program, std::span<std::byte> buffer,
                            std::span<CompileNote> notes, const CompileOptions& options = {});

/// Code that the caller has made executable. Results, steps, read maps and output are those of the
/// interpreter, also when a run stops.
class CompiledProgram {
 public:
  /// program, reads  those that were compiled; `program` must outlive this
  /// code            what `compile` wrote, or a copy of it, in executable memory
  CompiledProgram(const Program& program, Reads reads, const std::byte* code)
      : program_{&program}, reads_{reads}, code_{code} {}

  /// As `graft::run`. Needs about 1 KB of stack, and what the helpers need.
  Outcome run(Memory& memory, const Arguments& arguments, std::uint64_t& steps) const;

 private:
  const Program* program_;
  Reads reads_;
  const std::byte* code_;
};

}  // namespace xok::graft
