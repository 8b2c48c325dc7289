// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_order.hpp"
#include "base/result.hpp"

/// Dynamic packet filters: who gets a packet is decided by small declarative programs that
/// applications give to the kernel, which merges them (`filter_table.hpp`) and refuses theft.
/// Because a program is a list of comparisons and not code, the kernel can see what it claims.
namespace xok::dpf {

/// The most atoms one program may have.
inline constexpr std::size_t kMaxAtoms = 64;
/// The greatest sum of an atom's offset and the Skips before it, and the farthest one Shift goes.
inline constexpr std::size_t kMaxOffset = 65535;

/// What an atom does. A program begins with its base at the packet's first byte.
enum class Op : std::uint8_t {
  Eq = 1,     ///< the field at base + offset, masked, must be `value`
  Shift = 2,  ///< base += (the field at base + offset, masked) << left_shift
  Skip = 3,   ///< base += offset
};

/// One step of a filter program, as it lies in user memory (host byte order). Every bit pattern can
/// arrive here; `Program::from` says which are accepted.
///
/// A field is `width` bytes of the packet, read as a big-endian number. A packet that ends before
/// the field does is not matched, whatever the field would have been compared with.
struct Atom {
  Op op{};
  std::uint8_t width{};       ///< bytes of the field: 1, 2, 4 or 8; 0 for Skip
  std::uint8_t left_shift{};  ///< Shift only: 0 to 15
  std::uint8_t reserved0{};   ///< 0
  std::uint16_t offset{};     ///< bytes from the base
  std::uint16_t reserved1{};  ///< 0
  std::uint64_t mask{};       ///< bits that count; not 0, none outside the field; 0 for Skip
  std::uint64_t value{};      ///< Eq only: no bit outside the mask; else 0

  bool operator==(const Atom&) const = default;
};
static_assert(sizeof(Atom) == 24 && alignof(Atom) == 8);
static_assert(offsetof(Atom, offset) == 4 && offsetof(Atom, mask) == 8 &&
              offsetof(Atom, value) == 16);

/// A program that has been checked, with its Skips folded into the offsets that follow: only Eq and
/// Shift atoms are left, in the order they were given. 1.5 KB; keep it off small stacks.
class Program {
 public:
  /// Checks untrusted atoms. This is the only way to a non-empty Program.
  ///
  /// Errors   TooBig     more than kMaxAtoms atoms
  ///          BadFormat  an unknown op, a bad width, a mask or value outside its range, a reserved
  ///                     byte that is not 0, an offset (with the Skips before it) above kMaxOffset,
  ///                     a Shift that could go farther than kMaxOffset, a last atom that is not an
  ///                     Eq, no atom at all, or two Eq atoms that contradict each other
  /// Context  any; takes no lock, allocates nothing. Cost O(atoms squared)
  /// Source   DPF-1 of the original's `sys/dpf/dpf-ir.c`; differs: fields are whole, big-endian and
  ///          up to 64 bits wide; programs that constrain nothing or match nothing are refused
  static Result<Program> from(std::span<const Atom> atoms);

  std::span<const Atom> atoms() const { return std::span{atoms_}.first(count_); }

  /// The number of different packet bits the program compares, 1 to 4096: the "length" in "the
  /// longest match wins". It does not depend on how the bits are divided among atoms.
  unsigned specificity() const;

  /// Whether the packet satisfies every atom. The kernel's send filters use this directly.
  /// Cost at most 64 bounds-checked loads.
  bool matches(std::span<const std::byte> packet) const;

 private:
  friend class FilterTable;  // rebuilds programs from its trie
  Program() = default;
  void append(const Atom& atom) { atoms_[count_++] = atom; }

  std::array<Atom, kMaxAtoms> atoms_{};
  std::size_t count_ = 0;
};

/// Whether some packet could satisfy both programs.
///
/// Exact for programs without Shift: false exactly when both demand a different value of one bit.
/// Positions after a Shift are compared only if both programs made the same Shifts to get there;
/// where that cannot be known the answer is true. So false is always certain.
/// Cost at most 64 * 64 comparisons. Source own.
bool overlaps(const Program& a, const Program& b);

/// Reads the field of `width` bytes (1 to 8) at `position`, all of which the caller knows to lie in
/// the packet, as a big-endian number.
inline std::uint64_t load_field(std::span<const std::byte> packet, std::uint64_t position,
                                unsigned width) {
  const std::byte* field = packet.data() + position;
  if (packet.size() - position >= 8) [[likely]]
    return load_be<std::uint64_t>(field) >> (64 - 8 * width);
  std::uint64_t out = 0;
  for (unsigned i = 0; i < width; ++i) out = out << 8 | std::to_integer<std::uint64_t>(field[i]);
  return out;
}

}  // namespace xok::dpf
