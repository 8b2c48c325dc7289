// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "abi/capability.hpp"
#include "abi/xn.hpp"
#include "base/result.hpp"
#include "libs/graft/compiler.hpp"
#include "libs/graft/interpreter.hpp"
#include "libs/graft/memory.hpp"
#include "libs/graft/program.hpp"
#include "libs/xn/format.hpp"
#include "libs/xn/owned.hpp"

/// Types (the thesis' templates) and how their functions are run.
///
/// **Read sets.** At import each function is run over a structure full of zeros, its reads traced.
/// The bytes from the first to the last one read are its *window*; a type can also declare those of
/// its partitions. From then on a run gets its window and nothing else: a function that reads more
/// is stopped (WrongReads). So what it computes depends on its window alone, and a change outside
/// the window cannot change it. This is what lets XN check only the partitions that a change
/// touches.
///
/// The windows of the partitions of one `owns` are disjoint, and each window lies in one sector.
/// The latter holds off a lie that a torn block would make true: of a window the disk has the old
/// bytes or the new ones, never some of both, so `owns` of what is found after a crash is a set
/// that was checked.
///
/// Source  thesis 4.2, 4.3. differs: the thesis traces each run; and its windows may be any bytes
namespace xok::xn {

/// Bytes [first, end) of a structure.
struct Window {
  std::uint16_t first = 0;
  std::uint16_t end = 0;

  constexpr bool empty() const { return first == end; }
  constexpr bool meets(std::size_t offset, std::size_t length) const {
    return offset < end && first < offset + length;
  }
};

/// Instructions of one run.
inline constexpr std::uint64_t kFunctionSteps = 8192;
inline constexpr std::uint64_t kAclSteps = 16384;

/// A type that is ready for use.
struct Type {
  std::array<char, kXnNameSize> name{};
  Capability owner{};
  XnTypeKind kind = XnTypeKind::None;
  bool known = false;  ///< there is such a type, maybe only reserved
  std::uint8_t partitions = 0;
  std::uint8_t members = 0;
  std::uint8_t max_owned = 0;
  std::array<XnTypeId, kXnMaxMembers> member{};
  XnWindows windows{};
  std::array<std::optional<graft::Program>, kXnFunctions> functions{};
  /// The same as machine code, where there is a CodeSpace. Refers to `functions`: not to be copied.
  std::array<std::optional<graft::CompiledProgram>, kXnFunctions> compiled{};
  std::array<Window, kXnMaxPartitions> owns_window{};
  Window count_window{}, size_window{}, select_window{};

  const graft::Program* function(XnFunction which) const {
    const auto& f = functions[static_cast<std::size_t>(which)];
    return f ? &*f : nullptr;
  }
  bool has(XnFunction which) const { return function(which) != nullptr; }
};

/// Runs functions. One run at a time. About 14 KB.
class Runner {
 public:
  /// What partition `p` of the structure owns. Extents of no block are left out; the others may be
  /// of any blocks, also of such as no disk has.
  ///
  /// bytes   the structure, kBlockSize bytes; only those of the windows are looked at
  /// Errors  WrongReads   it reads outside its window (or its stack)
  ///         GraftFailed  it used up its steps, wrote outside, or said more extents than
  ///         `max_owned`
  Result<> owns(const Type& type, std::size_t p, const std::byte* bytes, Owned& out);
  /// Errors: WrongReads, GraftFailed
  Result<std::uint64_t> reference_count(const Type& type, const std::byte* bytes);
  /// Bytes in use; kBlockSize for a type without `size`.
  /// Errors: WrongReads; GraftFailed, also for a result of 0 or above kBlockSize
  Result<std::size_t> size(const Type& type, const std::byte* bytes);
  /// The member of a union that the bytes are; 0: none yet.
  /// Errors: WrongReads; GraftFailed, also for a result of neither -1 nor a member's index
  Result<XnTypeId> select(const Type& type, const std::byte* bytes);
  /// Asks `acl`. Errors: Denied; WrongReads; GraftFailed
  Result<> allowed(const Type& type, const std::byte* bytes, const XnAclRequest& request,
                   std::span<const std::byte> data, std::span<const Capability> credentials);

  /// Finds the windows of a type whose other fields are set, and checks what must hold of the
  /// structure full of zeros.
  ///
  /// Errors  BadArgument  a declared window does not lie in the structure
  ///         WrongReads   a window is not in one sector, or windows of partitions overlap
  ///         WrongOwns    a partition of zeros owns something
  ///         GraftFailed  a function fails on zeros; `select` of zeros names a member
  Result<> trace(Type& type);

 private:
  Result<std::uint64_t> call(const Type& type, XnFunction which, const Window& window,
                             const std::byte* bytes, std::uint64_t partition);
  graft::Outcome run(const Type& type, XnFunction which, const graft::Arguments& arguments,
                     std::uint64_t steps);
  Result<Window> trace_one(const graft::Program& program, std::uint64_t partition);
  Result<> find_windows(Type& type);

  graft::Memory memory_;
  std::array<XnExtent, kXnMaxOwned> output_{};
  std::array<std::byte, kBlockSize> read_map_{};
};

/// The program checks of an import: helpers are none. `slots` gives the room, from the front.
/// Errors: those of graft::Program::from; NoSpace when `slots` is too small
Result<graft::Program> load_program(std::span<const std::byte> code,
                                    std::span<graft::Program::Slot>& slots);

/// Whether a kind has what it must have, and nothing that it must not have: docs/formats/xn.md.
/// Errors: BadArgument
Result<> check_shape(const Type& type);

}  // namespace xok::xn
