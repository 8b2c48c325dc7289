// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "base/result.hpp"

/// Code made at run time for x86-64: a function call appends one instruction to a buffer.
///
///   std::byte buffer[64];
///   Assembler a{buffer};
///   Label again;
///   a.mov_immediate(Reg::Rax, 0);
///   a.bind(again);                                  // rax += rdi; while (--rdi != 0)
///   a.add(Size::B8, Reg::Rax, Reg::Rdi);
///   a.sub(Size::B8, Reg::Rdi, 1);
///   a.jump_if(Cond::NotEqual, again);
///   a.ret();
///   const Result<std::size_t> length = a.finish();
///
/// One pass, and nothing is allocated. A jump to a label that is not bound yet is patched when it
/// is. The code may be run anywhere: it names its own places by distance only. Making the buffer
/// executable, and not writable then, is the caller's part. The intended users are the kernel's
/// compilers of grafts and packet filters and the compiler of 'C.
///
/// Source  the idea is VCODE's (Engler, PLDI 1996). differs: the instructions are the machine's own
///         and not those of an ideal one, since there is one machine; registers are the caller's to
///         assign.
namespace xok::vcode {

/// Registers by their numbers in the machine's encoding.
enum class Reg : std::uint8_t {
  Rax,
  Rcx,
  Rdx,
  Rbx,
  Rsp,
  Rbp,
  Rsi,
  Rdi,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15,
};

/// Bytes of an operand, as the logarithm. Arithmetic takes B4 and B8; a B4 result clears the upper
/// half of its register.
enum class Size : std::uint8_t { B1, B2, B4, B8 };

/// Conditions by their numbers in the encoding. Below and Above are unsigned, Less and Greater
/// signed; each is followed by its opposite.
enum class Cond : std::uint8_t {
  Overflow,
  NotOverflow,
  Below,
  AboveEqual,
  Equal,
  NotEqual,
  BelowEqual,
  Above,
  Negative,
  NotNegative,
  Parity,
  NotParity,
  Less,
  GreaterEqual,
  LessEqual,
  Greater,
};

constexpr Cond opposite(Cond cond) {
  return static_cast<Cond>(static_cast<std::uint8_t>(cond) ^ 1u);
}

/// Two-operand operations by their numbers in the encoding.
enum class Op : std::uint8_t { Add, Or, Adc, Sbb, And, Sub, Xor, Cmp };

/// Shifts and rotations by their numbers in the encoding.
enum class Shift : std::uint8_t { Rol = 0, Ror = 1, Shl = 4, Shr = 5, Sar = 7 };

/// A memory operand: base + index * scale + displacement.
struct Mem {
  Reg base{};
  std::int32_t displacement = 0;
  Reg index = Reg::Rsp;    ///< Rsp: none, as in the encoding
  std::uint8_t scale = 1;  ///< 1, 2, 4 or 8
};

constexpr Mem at(Reg base, std::int32_t displacement = 0) { return {base, displacement}; }
constexpr Mem at(Reg base, Reg index, std::uint8_t scale = 1, std::int32_t displacement = 0) {
  return {base, displacement, index, scale};
}

/// A place in the code. Made before or after the jumps to it; belongs to one Assembler.
class Label {
 public:
  bool bound() const { return place_ >= 0; }
  /// Whether something jumped to it that waits for it to be bound.
  bool awaited() const { return last_use_ >= 0; }

 private:
  friend class Assembler;
  std::int32_t place_ = -1;
  std::int32_t last_use_ = -1;  // the last field to patch; each field names the one before
};

/// Appends instructions to a buffer.
///
/// Errors are kept and told by `finish`; meanwhile calls are harmless. Every instruction wants 16
/// bytes of room before it is appended, though most take 3 to 7.
class Assembler {
 public:
  static constexpr std::size_t kRoom = 16;
  /// The most bytes of a buffer that are used.
  static constexpr std::size_t kMaxCode = std::size_t{1} << 30;

  explicit Assembler(std::span<std::byte> buffer);
  Assembler(const Assembler&) = delete;
  Assembler& operator=(const Assembler&) = delete;

  /// The length of the code.
  /// Errors  NoSpace      the buffer was too small; what it holds is of no use
  ///         BadArgument  a label that is jumped to was not bound
  Result<std::size_t> finish() const;

  /// Bytes so far.
  std::size_t size() const { return static_cast<std::size_t>(at_ - start_); }
  /// Instructions so far.
  std::size_t instructions() const { return instructions_; }

  // Moves. `Size` is that of the memory operand; a load clears the rest of the register.

  void mov(Size size, Reg to, Reg from);  ///< B4 or B8
  /// The shortest of three forms: 5, 7 or 10 bytes; the flags stay as they are.
  void mov_immediate(Reg to, std::uint64_t value);
  void load(Size size, Reg to, Mem from);
  /// B1, B2 or B4, extended with its sign to 64 bits.
  void load_signed(Size size, Reg to, Mem from);
  void store(Size size, Mem to, Reg from);
  void store_immediate(Size size, Mem to, std::int32_t value);  ///< B8: with its sign extended
  void lea(Reg to, Mem from);
  void lea(Reg to, Label& place);  ///< the run-time address of a place in the code
  void zero_extend(Size from_size, Reg to, Reg from);  ///< B1, B2 or B4, to 64 bits
  /// B1 or B2 to B4, or B1, B2 or B4 to B8.
  void sign_extend(Size to_size, Size from_size, Reg to, Reg from);
  void push(Reg reg);
  void pop(Reg reg);

  // Arithmetic. `Size` is B4 or B8, immediates are extended with their sign.

  void alu(Op op, Size size, Reg to, Reg from);
  void alu(Op op, Size size, Reg to, std::int32_t value);
  void alu(Op op, Size size, Reg to, Mem from);
  void alu(Op op, Size size, Mem to, Reg from);
  void alu(Op op, Size size, Mem to, std::int32_t value);
  template <class To, class From>
  void add(Size size, To to, From from) {
    alu(Op::Add, size, to, from);
  }
  template <class To, class From>
  void sub(Size size, To to, From from) {
    alu(Op::Sub, size, to, from);
  }
  template <class A, class B>
  void compare(Size size, A a, B b) {
    alu(Op::Cmp, size, a, b);
  }
  void test(Size size, Reg a, Reg b);
  void test(Size size, Reg a, std::int32_t value);
  void shift(Shift op, Size size, Reg reg, std::uint8_t count);  ///< below 32 or 64
  void shift_by_cl(Shift op, Size size, Reg reg);
  void negate(Size size, Reg reg);
  void complement(Size size, Reg reg);
  void multiply(Size size, Reg to, Reg from);
  void multiply(Size size, Reg to, Reg from, std::int32_t value);
  /// rdx:rax = rax * reg, unsigned; the 64-bit upper half is what compilers divide constants by.
  void multiply_wide(Size size, Reg reg);
  /// rax = rdx:rax / reg, rdx = the rest. Faults for 0, and when the result does not fit.
  void divide_unsigned(Size size, Reg reg);
  void divide_signed(Size size, Reg reg);
  void extend_rax_to_rdx(Size size);  ///< rdx = the sign of rax, 0 or -1
  /// B2 (of the low half, the rest stays; changes flags), B4 or B8.
  void swap_bytes(Size size, Reg reg);
  void set_if(Cond cond, Reg reg);  ///< the low byte becomes 0 or 1, the rest stays
  void move_if(Cond cond, Size size, Reg to, Reg from);

  // Control.

  void bind(Label& label);                ///< once
  void jump(Label& label);                ///< 2 bytes when the label is bound and near, else 5
  void jump_if(Cond cond, Label& label);  ///< 2 or 6 bytes
  void call(Label& label);
  void jump(Reg target);
  void jump(Mem target);
  void call(Reg target);
  void call(Mem target);
  void ret();
  void trap();  ///< an invalid opcode: what must not be reached

  /// Saves registers, and makes room for `frame_bytes` (0 to 2^20) at rsp and up. In a function
  /// that was called as the System V ABI says, rsp is a multiple of 16 afterwards.
  void prologue(std::span<const Reg> saved, std::int32_t frame_bytes);
  /// Undoes `prologue` with the same arguments, and returns.
  void epilogue(std::span<const Reg> saved, std::int32_t frame_bytes);
  void prologue(std::initializer_list<Reg> saved, std::int32_t frame_bytes) {
    prologue(std::span{saved.begin(), saved.size()}, frame_bytes);
  }
  void epilogue(std::initializer_list<Reg> saved, std::int32_t frame_bytes) {
    epilogue(std::span{saved.begin(), saved.size()}, frame_bytes);
  }

 private:
  /// One or two bytes (0x0f and another), and what the operand's size adds.
  struct Opcode {
    std::uint8_t byte;
    bool after_0f = false;
  };
  /// The bits of the REX prefix that the size gives, and whether it is needed without any.
  struct Form {
    bool wide = false;        // 64 bits
    bool prefix_66 = false;   // 16 bits
    bool byte_field = false;  // the field of ModRM names a byte register
    bool byte_rm = false;     // so does the other operand
  };
  static Form form_of(Size size);

  bool has_room();
  void put(Opcode op, Form form, unsigned field, Reg rm);
  void put(Opcode op, Form form, unsigned field, const Mem& mem);
  void put_immediate(std::int32_t value, std::size_t bytes);
  void put_distance(Label& label);
  void branch(Label& label, std::uint8_t short_opcode, Opcode op);

  std::byte* start_;
  std::byte* at_;
  std::byte* end_;
  std::size_t instructions_ = 0;
  std::size_t open_uses_ = 0;  // fields that wait for their label
  bool full_ = false;
};

}  // namespace xok::vcode
