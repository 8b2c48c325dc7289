// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/dpf/program.hpp"

#include "base/checked.hpp"

namespace xok::dpf {
namespace {

constexpr unsigned kMaxLeftShift = 15;

constexpr std::uint64_t field_bits(unsigned width) { return ~0ull >> (64 - 8 * width); }

/// Moves bits of b's field to where the same packet bits stand in a's field; both count from one
/// base. Bits outside a's 64 go away, bits outside a's field are for the caller to mask.
std::uint64_t seen_from(const Atom& a, const Atom& b, std::uint64_t bits_of_b) {
  const int bytes = (a.offset + a.width) - (b.offset + b.width);
  if (bytes >= 8 || bytes <= -8) return 0;
  return bytes >= 0 ? bits_of_b << (8 * bytes) : bits_of_b >> (-8 * bytes);
}

bool contradict(const Atom& a, const Atom& b) {
  const auto both = a.mask & seen_from(a, b, b.mask);
  return ((a.value ^ seen_from(a, b, b.value)) & both) != 0;
}

Result<> check_atom(const Atom& atom) {
  if (atom.reserved0 != 0 || atom.reserved1 != 0) return fail(Errc::BadFormat);
  if (atom.op == Op::Skip) {
    const bool plain = atom.width == 0 && atom.left_shift == 0 && atom.mask == 0 && atom.value == 0;
    return plain ? Result<>{} : fail(Errc::BadFormat);
  }
  if (atom.op != Op::Eq && atom.op != Op::Shift) return fail(Errc::BadFormat);
  if (atom.width != 1 && atom.width != 2 && atom.width != 4 && atom.width != 8)
    return fail(Errc::BadFormat);
  if (atom.mask == 0 || (atom.mask & ~field_bits(atom.width)) != 0) return fail(Errc::BadFormat);
  if (atom.op == Op::Eq) {
    const bool fits = atom.left_shift == 0 && (atom.value & ~atom.mask) == 0;
    return fits ? Result<>{} : fail(Errc::BadFormat);
  }
  const bool near = atom.value == 0 && atom.left_shift <= kMaxLeftShift &&
                    atom.mask <= (kMaxOffset >> atom.left_shift);
  return near ? Result<>{} : fail(Errc::BadFormat);
}

/// The atoms from `first` up to the next Shift: those that count from the same base.
std::span<const Atom> same_base(std::span<const Atom> atoms, std::size_t first) {
  std::size_t end = first;
  while (end < atoms.size() && atoms[end].op == Op::Eq) ++end;
  return atoms.subspan(first, end - first);
}

unsigned count_bits(std::uint64_t bits) {  // std::popcount would want libgcc in the kernel
  unsigned count = 0;
  for (; bits != 0; bits &= bits - 1) ++count;
  return count;
}

}  // namespace

Result<Program> Program::from(std::span<const Atom> atoms) {
  if (atoms.size() > kMaxAtoms) return fail(Errc::TooBig);
  if (atoms.empty() || atoms.back().op != Op::Eq) return fail(Errc::BadFormat);
  Result<Program> out{Program{}};
  std::size_t skipped = 0;
  std::size_t group = 0;  // where the atoms of the present base begin
  for (Atom atom : atoms) {
    XOK_TRY(check_atom(atom));
    const std::size_t offset = skipped + atom.offset;
    if (offset > kMaxOffset) return fail(Errc::BadFormat);
    if (atom.op == Op::Skip) {
      skipped = offset;
      continue;
    }
    atom.offset = static_cast<std::uint16_t>(offset);
    for (std::size_t i = group; atom.op == Op::Eq && i < out->count_; ++i)
      if (contradict(atom, out->atoms_[i])) return fail(Errc::BadFormat);
    out->append(atom);
    if (atom.op == Op::Shift) group = out->count_;
  }
  return out;
}

unsigned Program::specificity() const {
  unsigned total = 0;
  for (std::size_t first = 0; first < count_;) {
    const auto group = same_base(atoms(), first);
    for (std::size_t i = 0; i < group.size(); ++i) {
      auto fresh = group[i].mask;
      for (const Atom& earlier : group.first(i))
        fresh &= ~seen_from(group[i], earlier, earlier.mask);
      total += count_bits(fresh);
    }
    first += group.size() + 1;  // past the Shift
  }
  return total;
}

bool Program::matches(std::span<const std::byte> packet) const {
  std::uint64_t base = 0;  // at most 64 * kMaxOffset: cannot overflow
  for (const Atom& atom : atoms()) {
    const auto position = base + atom.offset;
    if (!range_fits<std::uint64_t>(position, atom.width, packet.size())) return false;
    const auto bits = load_field(packet, position, atom.width) & atom.mask;
    if (atom.op == Op::Shift) {
      base += bits << atom.left_shift;
    } else if (bits != atom.value) {
      return false;
    }
  }
  return true;
}

bool overlaps(const Program& a, const Program& b) {
  for (std::size_t first_a = 0, first_b = 0;;) {
    const auto group_a = same_base(a.atoms(), first_a);
    const auto group_b = same_base(b.atoms(), first_b);
    for (const Atom& atom : group_a)
      for (const Atom& other : group_b)
        if (contradict(atom, other)) return false;
    first_a += group_a.size();
    first_b += group_b.size();
    if (first_a == a.atoms().size() || first_b == b.atoms().size()) return true;
    if (a.atoms()[first_a++] != b.atoms()[first_b++]) return true;  // different Shifts
  }
}

}  // namespace xok::dpf
