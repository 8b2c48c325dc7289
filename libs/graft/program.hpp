// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "libs/graft/instruction.hpp"

/// Grafts: small programs that an application gives to somebody who does not trust it, such as a
/// file system's `owns` function to the kernel. They are written in C or C++ (`abi/graft.h`) and
/// compiled to eBPF (RFC 9669).
///
///   Program   (here)             bytes, checked once at import
///   Memory    (memory.hpp)       what a run may read and write; nothing else exists for a graft
///   run       (interpreter.hpp)  runs a Program with a budget of steps
///   compile   (compiler.hpp)     makes x86-64 code of a Program, with the same results
///
/// What a graft can do. It reads its inputs, writes its output, uses its own stack, calls the
/// helpers its embedder declared, and ends: by `exit`, by an access outside, by a helper's refusal
/// or by using up its steps. All registers but the arguments and the whole stack are 0 at the
/// start, addresses are the graft's own (memory.hpp), and the output cannot be read. So, when its
/// helpers are functions of their arguments, its result is a function of its inputs and arguments.
///
/// Everything here allocates nothing, takes no lock and can be used in any context.
namespace xok::graft {

class Memory;

/// The most 8-byte instructions of one program.
inline constexpr std::size_t kMaxInstructions = 8192;
/// Bytes of stack of a function, which r10 points to the end of.
inline constexpr std::size_t kFrameSize = 512;
/// Functions that can be active at once, the first one included.
inline constexpr std::size_t kMaxDepth = 8;
inline constexpr std::size_t kMaxStack = kFrameSize * kMaxDepth;
/// The most helpers that one embedder declares.
inline constexpr std::size_t kMaxHelpers = 64;

/// A function of the embedder that programs may call.
///
/// It gets r1 to r5 and the memory of the run, through which it reads what the graft can read, and
/// gives r0. `Memory::refuse` in it ends the run with HelperFailed. Afterwards r1 to r5 are 0.
/// It must end, and depend on nothing but its arguments where the embedder wants determinism.
struct Helper {
  using Function = std::uint64_t (*)(std::uint64_t r1, std::uint64_t r2, std::uint64_t r3,
                                     std::uint64_t r4, std::uint64_t r5, Memory& memory);
  std::uint32_t id;     ///< what the program's call instruction names
  std::uint32_t steps;  ///< what a call costs, beside the step of the instruction; up to 65535
  Function function;
};

/// Why a program was refused, for a person: the instruction's index and a sentence.
struct Refusal {
  std::size_t instruction = 0;
  const char* reason = "";
};

/// A program that has been checked. Immutable: many can run it at once.
class Program {
 public:
  /// An instruction as the engines want it. The embedder provides the room.
  struct Slot {
    Instruction instruction{};
    std::uint32_t block_steps = 0;  ///< where a basic block begins: its cost; else 0
    std::uint8_t level = 0;         ///< nesting of its function: the frame that r10 points to
    std::uint8_t helper = 0;        ///< a call of a helper: index in `helpers()`
    bool function_start = false;
    bool second_half = false;  ///< of an lddw
  };

  /// Checks untrusted instructions. This is the only way to a Program.
  ///
  /// code     a copy is made, so it may change afterwards
  /// helpers  what may be called; at most kMaxHelpers, ids differ; must outlive the Program
  /// storage  becomes the Program's; at least one Slot for each 8 bytes of `code`; must outlive it
  /// refusal  filled in when the program is refused, unless it is nullptr
  /// Errors   BadFormat     no instruction, a part of one, an unknown opcode, a register above r10,
  ///                        a write to r10, a field that is not used and not 0, a jump out of the
  ///                        function or into an lddw, a function that does not end in an exit or
  ///                        an unconditional jump
  ///          NotSupported  atomics, the packet instructions, lddw with a source field (maps,
  ///                        variables), calls by BTF id
  ///          TooBig        more than kMaxInstructions; functions that call each other more than
  ///                        kMaxDepth deep, or themselves
  ///          NotFound      a call of a helper that is not declared
  ///          Denied        a load or store by r10 outside the frame below it
  ///          BadArgument   `storage` is too small, or `helpers` not as said above
  /// Cost     O(instructions * kMaxDepth)
  /// Source   RFC 9669. differs: fields must be 0 where the RFC says that they are not used.
  ///          r10 of each function is a constant: its frame lies beside those of all that may have
  ///          called it, so recursion is refused (Linux: a chain of frames, found at run time)
  static Result<Program> from(std::span<const std::byte> code, std::span<const Helper> helpers,
                              std::span<Slot> storage, Refusal* refusal = nullptr);

  std::span<const Slot> slots() const { return slots_; }
  std::span<const Helper> helpers() const { return helpers_; }

  /// Bytes of the frames of all its functions together, the first function's lowest.
  std::size_t stack_size() const { return levels_ * kFrameSize; }
  /// The lowest byte it can reach; from there up, the stack must be 0 at the start.
  std::size_t first_stack_byte() const { return first_stack_byte_; }
  /// Whether any instruction names r`r`, or may hand it to a helper.
  bool uses_register(unsigned r) const { return (registers_ >> r & 1) != 0; }
  /// Whether r10 is ever copied. If not, only the loads and stores that name r10 reach the stack.
  bool stack_escapes() const { return stack_escapes_; }

 private:
  friend class Importer;
  Program() = default;

  std::span<const Slot> slots_;
  std::span<const Helper> helpers_;
  std::size_t levels_ = 1;
  std::size_t first_stack_byte_ = 0;
  bool stack_escapes_ = false;
  std::uint16_t registers_ = 0;  // a bit for each
};

}  // namespace xok::graft
