// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Encodings are those of the Intel manual, volume 2. An instruction is
//
//   [66] [REX] opcode ModRM [SIB] [displacement] [immediate]
//
// where REX carries the fourth bits of the registers and the 64-bit size. Without a REX, the byte
// registers 4 to 7 are the high halves ah to bh, which we never mean.
#include "libs/vcode/assembler.hpp"

namespace xok::vcode {
namespace {

constexpr unsigned number(Reg reg) { return static_cast<unsigned>(reg); }
constexpr unsigned low3(unsigned reg) { return reg & 7; }
constexpr std::byte byte(unsigned value) { return static_cast<std::byte>(value); }
constexpr bool fits8(std::int32_t value) { return value >= -128 && value <= 127; }

constexpr unsigned modrm(unsigned mode, unsigned field, unsigned rm) {
  return mode << 6 | low3(field) << 3 | low3(rm);
}

template <class T>
std::byte* append(std::byte* at, T value) {
  __builtin_memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

constexpr unsigned kNoIndex = 4;      // in SIB
constexpr unsigned kSibFollows = 4;   // in ModRM
constexpr unsigned kNoBaseForm = 5;   // rbp and r13 cannot go without a displacement
constexpr unsigned kRipRelative = 5;  // in ModRM with mode 0

constexpr unsigned scale_bits(std::uint8_t scale) {
  return scale == 8 ? 3 : scale / 2u;  // 1, 2, 4, 8 -> 0, 1, 2, 3
}

/// ModRM, SIB and displacement.
std::byte* put_mem(std::byte* at, unsigned field, const Mem& mem) {
  const unsigned base = number(mem.base);
  const unsigned index = number(mem.index);
  const bool sib = index != kNoIndex || low3(base) == kSibFollows;
  const unsigned mode = mem.displacement == 0 && low3(base) != kNoBaseForm ? 0
                        : fits8(mem.displacement)                          ? 1
                                                                           : 2;
  *at++ = byte(modrm(mode, field, sib ? kSibFollows : base));
  if (sib) *at++ = byte(modrm(scale_bits(mem.scale), index, base));
  if (mode == 1) *at++ = byte(static_cast<std::uint8_t>(mem.displacement));
  if (mode == 2) at = append(at, mem.displacement);
  return at;
}

/// frame_bytes and what aligns rsp, which is 8 beside a multiple of 16 after a call.
constexpr std::int32_t frame_room(std::size_t saved, std::int32_t frame_bytes) {
  const auto pushed = static_cast<std::int32_t>(8 + 8 * saved);
  return (pushed + frame_bytes + 15) / 16 * 16 - pushed;
}

}  // namespace

Assembler::Assembler(std::span<std::byte> buffer)
    : start_{buffer.data()},
      at_{start_},
      end_{start_ + (buffer.size() < kMaxCode ? buffer.size() : kMaxCode)} {}

Result<std::size_t> Assembler::finish() const {
  if (full_) return fail(Errc::NoSpace);
  if (open_uses_ != 0) return fail(Errc::BadArgument);
  return size();
}

bool Assembler::has_room() {
  if (static_cast<std::size_t>(end_ - at_) < kRoom) [[unlikely]] {
    full_ = true;
    return false;
  }
  ++instructions_;
  return true;
}

Assembler::Form Assembler::form_of(Size size) {
  const bool one = size == Size::B1;
  return {
      .wide = size == Size::B8, .prefix_66 = size == Size::B2, .byte_field = one, .byte_rm = one};
}

void Assembler::put(Opcode op, Form form, unsigned field, Reg rm) {
  std::byte* at = at_;
  const unsigned reg = number(rm);
  if (form.prefix_66) *at++ = byte(0x66);
  const unsigned rex = (form.wide ? 8u : 0u) | field >> 3 << 2 | reg >> 3;
  if (rex != 0 || (form.byte_field && field > 3) || (form.byte_rm && reg > 3))
    *at++ = byte(0x40 | rex);
  if (op.after_0f) *at++ = byte(0x0f);
  *at++ = byte(op.byte);
  *at++ = byte(modrm(3, field, reg));
  at_ = at;
}

void Assembler::put(Opcode op, Form form, unsigned field, const Mem& mem) {
  std::byte* at = at_;
  if (form.prefix_66) *at++ = byte(0x66);
  const unsigned rex =
      (form.wide ? 8u : 0u) | field >> 3 << 2 | number(mem.index) >> 3 << 1 | number(mem.base) >> 3;
  if (rex != 0 || (form.byte_field && field > 3)) *at++ = byte(0x40 | rex);
  if (op.after_0f) *at++ = byte(0x0f);
  *at++ = byte(op.byte);
  at_ = put_mem(at, field, mem);
}

void Assembler::put_immediate(std::int32_t value, std::size_t bytes) {
  __builtin_memcpy(at_, &value, bytes);  // little-endian: the low bytes come first
  at_ += bytes;
}

// Moves.

void Assembler::mov(Size size, Reg to, Reg from) {
  if (has_room()) put({0x89}, form_of(size), number(from), to);
}

void Assembler::mov_immediate(Reg to, std::uint64_t value) {
  if (!has_room()) return;
  std::byte* at = at_;
  const unsigned reg = number(to);
  const auto low = static_cast<std::uint32_t>(value);
  if (value == low) {
    if (reg > 7) *at++ = byte(0x41);
    *at++ = byte(0xb8 | low3(reg));
    at_ = append(at, low);
  } else if (value == static_cast<std::uint64_t>(static_cast<std::int32_t>(low))) {
    put({0xc7}, {.wide = true}, 0, to);
    put_immediate(static_cast<std::int32_t>(low), 4);
  } else {
    *at++ = byte(0x48 | reg >> 3);
    *at++ = byte(0xb8 | low3(reg));
    at_ = append(at, value);
  }
}

void Assembler::load(Size size, Reg to, Mem from) {
  if (!has_room()) return;
  switch (size) {
    case Size::B1:
      return put({0xb6, true}, {}, number(to), from);
    case Size::B2:
      return put({0xb7, true}, {}, number(to), from);
    case Size::B4:
      return put({0x8b}, {}, number(to), from);
    case Size::B8:
      return put({0x8b}, {.wide = true}, number(to), from);
  }
}

void Assembler::load_signed(Size size, Reg to, Mem from) {
  if (!has_room()) return;
  switch (size) {
    case Size::B1:
      return put({0xbe, true}, {.wide = true}, number(to), from);
    case Size::B2:
      return put({0xbf, true}, {.wide = true}, number(to), from);
    case Size::B4:
      return put({0x63}, {.wide = true}, number(to), from);
    case Size::B8:
      return put({0x8b}, {.wide = true}, number(to), from);
  }
}

void Assembler::store(Size size, Mem to, Reg from) {
  if (!has_room()) return;
  const bool one = size == Size::B1;
  put({static_cast<std::uint8_t>(one ? 0x88 : 0x89)}, form_of(size), number(from), to);
}

void Assembler::store_immediate(Size size, Mem to, std::int32_t value) {
  if (!has_room()) return;
  const bool one = size == Size::B1;
  put({static_cast<std::uint8_t>(one ? 0xc6 : 0xc7)}, form_of(size), 0, to);
  put_immediate(value, one ? 1 : size == Size::B2 ? 2 : 4);
}

void Assembler::lea(Reg to, Mem from) {
  if (has_room()) put({0x8d}, {.wide = true}, number(to), from);
}

void Assembler::lea(Reg to, Label& place) {
  if (!has_room()) return;
  const unsigned reg = number(to);
  *at_++ = byte(0x48 | reg >> 3 << 2);
  *at_++ = byte(0x8d);
  *at_++ = byte(modrm(0, reg, kRipRelative));
  put_distance(place);
}

void Assembler::zero_extend(Size from_size, Reg to, Reg from) {
  if (from_size == Size::B4) return mov(Size::B4, to, from);
  if (!has_room()) return;
  const bool one = from_size == Size::B1;
  put({static_cast<std::uint8_t>(one ? 0xb6 : 0xb7), true}, {.byte_rm = one}, number(to), from);
}

void Assembler::sign_extend(Size to_size, Size from_size, Reg to, Reg from) {
  if (!has_room()) return;
  const bool wide = to_size == Size::B8;
  const bool one = from_size == Size::B1;
  if (from_size == Size::B4) return put({0x63}, {.wide = wide}, number(to), from);
  put({static_cast<std::uint8_t>(one ? 0xbe : 0xbf), true}, {.wide = wide, .byte_rm = one},
      number(to), from);
}

void Assembler::push(Reg reg) {
  if (!has_room()) return;
  if (number(reg) > 7) *at_++ = byte(0x41);
  *at_++ = byte(0x50 | low3(number(reg)));
}

void Assembler::pop(Reg reg) {
  if (!has_room()) return;
  if (number(reg) > 7) *at_++ = byte(0x41);
  *at_++ = byte(0x58 | low3(number(reg)));
}

// Arithmetic.

void Assembler::alu(Op op, Size size, Reg to, Reg from) {
  if (!has_room()) return;
  put({static_cast<std::uint8_t>(static_cast<unsigned>(op) << 3 | 1)}, form_of(size), number(from),
      to);
}

void Assembler::alu(Op op, Size size, Reg to, std::int32_t value) {
  if (!has_room()) return;
  const bool short_form = fits8(value);
  put({static_cast<std::uint8_t>(short_form ? 0x83 : 0x81)}, form_of(size),
      static_cast<unsigned>(op), to);
  put_immediate(value, short_form ? 1 : 4);
}

void Assembler::alu(Op op, Size size, Reg to, Mem from) {
  if (!has_room()) return;
  put({static_cast<std::uint8_t>(static_cast<unsigned>(op) << 3 | 3)}, form_of(size), number(to),
      from);
}

void Assembler::alu(Op op, Size size, Mem to, Reg from) {
  if (!has_room()) return;
  put({static_cast<std::uint8_t>(static_cast<unsigned>(op) << 3 | 1)}, form_of(size), number(from),
      to);
}

void Assembler::alu(Op op, Size size, Mem to, std::int32_t value) {
  if (!has_room()) return;
  const bool short_form = fits8(value);
  put({static_cast<std::uint8_t>(short_form ? 0x83 : 0x81)}, form_of(size),
      static_cast<unsigned>(op), to);
  put_immediate(value, short_form ? 1 : 4);
}

void Assembler::test(Size size, Reg a, Reg b) {
  if (has_room()) put({0x85}, form_of(size), number(b), a);
}

void Assembler::test(Size size, Reg a, std::int32_t value) {
  if (!has_room()) return;
  put({0xf7}, form_of(size), 0, a);
  put_immediate(value, 4);
}

void Assembler::shift(Shift op, Size size, Reg reg, std::uint8_t count) {
  if (!has_room()) return;
  put({0xc1}, form_of(size), static_cast<unsigned>(op), reg);
  put_immediate(count, 1);
}

void Assembler::shift_by_cl(Shift op, Size size, Reg reg) {
  if (has_room()) put({0xd3}, form_of(size), static_cast<unsigned>(op), reg);
}

void Assembler::complement(Size size, Reg reg) {
  if (has_room()) put({0xf7}, form_of(size), 2, reg);
}

void Assembler::negate(Size size, Reg reg) {
  if (has_room()) put({0xf7}, form_of(size), 3, reg);
}

void Assembler::multiply(Size size, Reg to, Reg from) {
  if (has_room()) put({0xaf, true}, form_of(size), number(to), from);
}

void Assembler::multiply(Size size, Reg to, Reg from, std::int32_t value) {
  if (!has_room()) return;
  const bool short_form = fits8(value);
  put({static_cast<std::uint8_t>(short_form ? 0x6b : 0x69)}, form_of(size), number(to), from);
  put_immediate(value, short_form ? 1 : 4);
}

void Assembler::multiply_wide(Size size, Reg reg) {
  if (has_room()) put({0xf7}, form_of(size), 4, reg);
}

void Assembler::divide_unsigned(Size size, Reg reg) {
  if (has_room()) put({0xf7}, form_of(size), 6, reg);
}

void Assembler::divide_signed(Size size, Reg reg) {
  if (has_room()) put({0xf7}, form_of(size), 7, reg);
}

void Assembler::extend_rax_to_rdx(Size size) {
  if (!has_room()) return;
  if (size == Size::B8) *at_++ = byte(0x48);
  *at_++ = byte(0x99);
}

void Assembler::swap_bytes(Size size, Reg reg) {
  if (!has_room()) return;
  if (size == Size::B2) {  // rotated by 8; bswap of 16 bits is not defined
    put({0xc1}, form_of(size), static_cast<unsigned>(Shift::Rol), reg);
    return put_immediate(8, 1);
  }
  const unsigned rex = (size == Size::B8 ? 8u : 0u) | number(reg) >> 3;
  if (rex != 0) *at_++ = byte(0x40 | rex);
  *at_++ = byte(0x0f);
  *at_++ = byte(0xc8 | low3(number(reg)));
}

void Assembler::set_if(Cond cond, Reg reg) {
  if (!has_room()) return;
  put({static_cast<std::uint8_t>(0x90 | static_cast<unsigned>(cond)), true}, {.byte_rm = true}, 0,
      reg);
}

void Assembler::move_if(Cond cond, Size size, Reg to, Reg from) {
  if (!has_room()) return;
  put({static_cast<std::uint8_t>(0x40 | static_cast<unsigned>(cond)), true}, form_of(size),
      number(to), from);
}

// Control. The field of a jump to a label that is not bound yet holds the position of the field
// before it in the same list, -1 for the first.

void Assembler::put_distance(Label& label) {
  const auto field = static_cast<std::int32_t>(size());
  if (label.bound()) {
    at_ = append(at_, label.place_ - (field + 4));
    return;
  }
  at_ = append(at_, label.last_use_);
  label.last_use_ = field;
  ++open_uses_;
}

void Assembler::bind(Label& label) {
  label.place_ = static_cast<std::int32_t>(size());
  for (std::int32_t field = label.last_use_; field >= 0; --open_uses_) {
    std::int32_t next = 0;
    __builtin_memcpy(&next, start_ + field, sizeof next);
    append(start_ + field, label.place_ - (field + 4));
    field = next;
  }
  label.last_use_ = -1;
}

void Assembler::branch(Label& label, std::uint8_t short_opcode, Opcode op) {
  if (!has_room()) return;
  const std::int32_t distance = label.place_ - (static_cast<std::int32_t>(size()) + 2);
  if (label.bound() && fits8(distance)) {
    *at_++ = byte(short_opcode);
    *at_++ = byte(static_cast<std::uint8_t>(distance));
    return;
  }
  if (op.after_0f) *at_++ = byte(0x0f);
  *at_++ = byte(op.byte);
  put_distance(label);
}

void Assembler::jump(Label& label) { branch(label, 0xeb, {0xe9}); }

void Assembler::jump_if(Cond cond, Label& label) {
  const unsigned code = static_cast<unsigned>(cond);
  branch(label, static_cast<std::uint8_t>(0x70 | code),
         {static_cast<std::uint8_t>(0x80 | code), true});
}

void Assembler::call(Label& label) {
  if (!has_room()) return;
  *at_++ = byte(0xe8);
  put_distance(label);
}

void Assembler::jump(Reg target) {
  if (has_room()) put({0xff}, {}, 4, target);
}

void Assembler::jump(Mem target) {
  if (has_room()) put({0xff}, {}, 4, target);
}

void Assembler::call(Reg target) {
  if (has_room()) put({0xff}, {}, 2, target);
}

void Assembler::call(Mem target) {
  if (has_room()) put({0xff}, {}, 2, target);
}

void Assembler::ret() {
  if (has_room()) *at_++ = byte(0xc3);
}

void Assembler::trap() {
  if (!has_room()) return;
  *at_++ = byte(0x0f);
  *at_++ = byte(0x0b);
}

void Assembler::prologue(std::span<const Reg> saved, std::int32_t frame_bytes) {
  for (const Reg reg : saved) push(reg);
  const std::int32_t room = frame_room(saved.size(), frame_bytes);
  if (room != 0) sub(Size::B8, Reg::Rsp, room);
}

void Assembler::epilogue(std::span<const Reg> saved, std::int32_t frame_bytes) {
  const std::int32_t room = frame_room(saved.size(), frame_bytes);
  if (room != 0) add(Size::B8, Reg::Rsp, room);
  for (std::size_t i = saved.size(); i-- > 0;) pop(saved[i]);
  ret();
}

}  // namespace xok::vcode
