// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// The meaning of grafts, as plainly as it can be written, from RFC 9669 and the comments of
/// program.hpp and memory.hpp: bytes one by one, no tables, nothing of the real thing's code. Tests
/// and the fuzzer hold the engines against it. It runs programs that the import check accepted.
namespace xok::graft::reference {

using Word = std::uint64_t;
using Bytes = std::vector<std::uint8_t>;

struct Region {
  Word start = 0;
  Bytes bytes;
  bool readable = false;
  bool writable = false;
  Bytes marks;  // as long as `bytes` where reads are recorded, or empty
};

struct Machine {
  Bytes code;
  std::vector<Region> regions;  // inputs and output; the stack is added
  std::array<Word, 11> r{};
  Word steps = 0;
  /// May read and write through the machine; false: it refuses.
  std::map<Word, std::function<bool(Machine&)>> helpers;
  std::map<Word, Word> helper_steps;

  // An instruction's fields.
  Word count() const { return code.size() / 8; }
  unsigned opcode(Word at) const { return code[8 * at]; }
  unsigned to(Word at) const { return code[8 * at + 1] % 16; }
  unsigned from(Word at) const { return code[8 * at + 1] / 16; }
  std::int64_t offset(Word at) const {
    return static_cast<std::int16_t>(code[8 * at + 2] + 256 * code[8 * at + 3]);
  }
  std::int64_t immediate(Word at) const {
    Word value = 0;
    for (Word i = 0; i < 4; ++i) value += Word{code[8 * at + 4 + i]} << 8 * i;
    return value >= 0x80000000 ? static_cast<std::int64_t>(value) - 0x100000000
                               : static_cast<std::int64_t>(value);
  }
  bool is_wide_load(Word at) const { return opcode(at) == 0x18; }
  bool is_call(Word at) const { return opcode(at) == 0x85; }
  bool is_local_call(Word at) const { return is_call(at) && from(at) == 1; }
  bool is_exit(Word at) const { return opcode(at) == 0x95; }
  bool is_jump(Word at) const {
    return (opcode(at) % 8 == 5 || opcode(at) % 8 == 6) && !is_call(at) && !is_exit(at);
  }
  Word target(Word at) const {
    const bool by_immediate = is_call(at) || opcode(at) == 0x06;
    return at + 1 + static_cast<Word>(by_immediate ? immediate(at) : offset(at));
  }
  Word next(Word at) const { return at + (is_wide_load(at) ? 2 : 1); }

  template <class Function>
  void for_each(Function function) const {
    for (Word at = 0; at < count(); at = next(at)) function(at);
  }

  /// Where basic blocks begin: at the first instruction, at targets, after what may jump.
  std::set<Word> blocks() const {
    std::set<Word> out = {0};
    for_each([&](Word at) {
      if (is_jump(at) || is_exit(at)) out.insert(at + 1);
      if (is_jump(at) || is_local_call(at)) out.insert(target(at));
    });
    return out;
  }
  std::set<Word> functions() const {
    std::set<Word> out = {0};
    for_each([&](Word at) {
      if (is_local_call(at)) out.insert(target(at));
    });
    return out;
  }
  Word function_of(Word at) {
    if (starts_of_functions.empty()) starts_of_functions = functions();
    return *std::prev(starts_of_functions.upper_bound(at));
  }
  /// The longest chain of calls to a function.
  Word level_of(Word function) {
    if (const auto known = levels.find(function); known != levels.end()) return known->second;
    Word level = 0;
    for_each([&](Word at) {
      if (is_local_call(at) && target(at) == function)
        level = std::max(level, 1 + level_of(function_of(at)));
    });
    return levels[function] = level;
  }
  std::set<Word> starts_of_functions;  // both once they are asked for
  std::map<Word, Word> levels;

  bool stack_escapes() const {
    bool out = false;
    for_each([&](Word at) {
      const unsigned kind = opcode(at) % 8;
      const bool arithmetic = (kind == 4 || kind == 7) && (opcode(at) & 8) != 0;
      const bool swap = opcode(at) / 16 == 13;
      if (((arithmetic && !swap) || kind == 3) && from(at) == 10) out = true;
    });
    return out;
  }
  Word block_cost(Word start, const std::set<Word>& starts) const {
    Word cost = 0;
    for (Word at = start; at < count(); at = next(at)) {
      if (at != start && starts.contains(at)) break;
      cost += 1;
      if (is_call(at) && !is_local_call(at))
        cost += helper_steps.at(static_cast<Word>(immediate(at)) & 0xffffffff);
    }
    return cost;
  }

  // Memory.
  Region* region(Word address, Word length, bool Region::* allowed) {
    for (Region& each : regions) {
      const Word place = address - each.start;
      if (address >= each.start && each.*allowed && place <= each.bytes.size() &&
          length <= each.bytes.size() - place)
        return &each;
    }
    return nullptr;
  }
  std::optional<Bytes> read(Word address, Word length) {
    Region* const found = region(address, length, &Region::readable);
    if (found == nullptr) return std::nullopt;
    Bytes out;
    for (Word i = 0; i < length; ++i) {
      out.push_back(found->bytes[address - found->start + i]);
      if (!found->marks.empty()) found->marks[address - found->start + i] = 1;
    }
    return out;
  }
  bool write(Word address, const Bytes& bytes) {
    Region* const found = region(address, bytes.size(), &Region::writable);
    if (found == nullptr) return false;
    std::copy(bytes.begin(), bytes.end(),
              found->bytes.begin() + static_cast<std::ptrdiff_t>(address - found->start));
    return true;
  }

  // Numbers of `bits` bits.
  static Word cut(Word value, unsigned bits) {
    return bits == 64 ? value : value & ((Word{1} << bits) - 1);
  }
  static std::int64_t as_signed(Word value, unsigned bits) {
    const bool negative = (value >> (bits - 1) & 1) != 0;
    return static_cast<std::int64_t>(negative ? value | ~cut(~Word{0}, bits) : cut(value, bits));
  }
  static Word reversed(Word value, unsigned bytes) {
    Word out = 0;
    for (unsigned i = 0; i < bytes; ++i) out = out << 8 | (value >> 8 * i & 0xff);
    return out;
  }

  static Word quotient(Word a, Word b, bool is_signed, unsigned bits) {
    if (b == 0) return 0;
    if (!is_signed) return a / b;
    const std::int64_t sa = as_signed(a, bits);
    const std::int64_t sb = as_signed(b, bits);
    return sb == -1 ? 0 - a : static_cast<Word>(sa / sb);
  }

  Word arithmetic(Word at) const {
    const unsigned kind = opcode(at) / 16;
    const unsigned bits = opcode(at) % 8 == 7 ? 64 : 32;
    const bool by_register = (opcode(at) & 8) != 0;
    if (kind == 13) {
      const auto width = static_cast<unsigned>(immediate(at));
      const Word low = cut(r[to(at)], width);
      return bits == 64 || by_register ? reversed(low, width / 8) : low;
    }
    const Word a = cut(r[to(at)], bits);
    const Word b = cut(by_register ? r[from(at)] : static_cast<Word>(immediate(at)), bits);
    const auto variant = static_cast<unsigned>(offset(at));
    const auto result = [&]() -> Word {
      switch (kind) {
        case 0:
          return a + b;
        case 1:
          return a - b;
        case 2:
          return a * b;
        case 3:
          return quotient(a, b, variant == 1, bits);
        case 4:
          return a | b;
        case 5:
          return a & b;
        case 6:
          return a << b % bits;
        case 7:
          return a >> b % bits;
        case 8:
          return 0 - a;
        case 9:
          return b == 0 ? a : a - b * quotient(a, b, variant == 1, bits);
        case 10:
          return a ^ b;
        case 11:
          return variant == 0 ? b : static_cast<Word>(as_signed(cut(b, variant), variant));
        default:
          return static_cast<Word>(as_signed(a, bits) >> b % bits);
      }
    };
    return cut(result(), bits);
  }

  bool condition(Word at) const {
    const unsigned bits = opcode(at) % 8 == 5 ? 64 : 32;
    const bool by_register = (opcode(at) & 8) != 0;
    const Word a = cut(r[to(at)], bits);
    const Word b = cut(by_register ? r[from(at)] : static_cast<Word>(immediate(at)), bits);
    const std::int64_t sa = as_signed(a, bits);
    const std::int64_t sb = as_signed(b, bits);
    const bool answers[] = {true,     a == b, a > b, a >= b, (a & b) != 0, a != b,  sa > sb,
                            sa >= sb, false,  false, a < b,  a <= b,       sa < sb, sa <= sb};
    return answers[opcode(at) / 16];
  }

  /// r0, or why the run stopped: "out of steps", "bad read", "bad write", "helper failed".
  struct Result {
    std::string stop;
    Word value = 0;
  };
  Result run() {
    struct Caller {
      Word at;
      std::array<Word, 4> kept;
    };
    Word deepest = 0;
    for (const Word function : functions()) deepest = std::max(deepest, level_of(function));
    Region stack{0x20000000, Bytes(512 * (deepest + 1)), true, true, {}};
    const bool escapes = stack_escapes();
    const auto starts = blocks();
    std::vector<Caller> callers;
    Word at = 0;
    const auto enter = [&] { r[10] = stack.start + 512 * (level_of(function_of(at)) + 1); };
    const auto with_stack = [&](bool visible, auto action) {
      if (visible) regions.push_back(stack);
      const bool done = action();
      if (visible) {
        stack = regions.back();
        regions.pop_back();
      }
      return done;
    };
    enter();
    for (;;) {
      if (starts.contains(at)) {
        const Word cost = block_cost(at, starts);
        if (cost > steps) {
          steps = 0;
          return {"out of steps"};
        }
        steps -= cost;
      }
      const unsigned kind = opcode(at) % 8;
      const unsigned widths[] = {4, 2, 1, 8};
      const unsigned width = widths[opcode(at) / 8 % 4];
      if (is_exit(at)) {
        if (callers.empty()) return {"", r[0]};
        at = callers.back().at;
        std::copy_n(callers.back().kept.begin(), 4, r.begin() + 6);
        callers.pop_back();
        enter();
        continue;
      }
      if (is_local_call(at)) {
        callers.push_back({at + 1, {r[6], r[7], r[8], r[9]}});
        at = target(at);
        enter();
        continue;
      }
      if (is_call(at)) {
        const auto& helper = helpers.at(static_cast<Word>(immediate(at)) & 0xffffffff);
        if (!with_stack(escapes, [&] { return helper(*this); })) return {"helper failed"};
        std::fill_n(r.begin() + 1, 5, 0);
      } else if (is_jump(at)) {
        if (condition(at)) {
          at = target(at);
          continue;
        }
      } else if (is_wide_load(at)) {
        r[to(at)] = cut(static_cast<Word>(immediate(at)), 32) | static_cast<Word>(immediate(at + 1))
                                                                    << 32;
      } else if (kind == 1) {
        std::optional<Bytes> bytes;
        with_stack(escapes || from(at) == 10, [&] {
          bytes = read(r[from(at)] + static_cast<Word>(offset(at)), width);
          return true;
        });
        if (!bytes) return {"bad read"};
        Word value = 0;
        for (unsigned i = 0; i < width; ++i) value |= Word{(*bytes)[i]} << 8 * i;
        const bool extend = opcode(at) / 32 == 4;
        r[to(at)] = extend ? static_cast<Word>(as_signed(value, 8 * width)) : value;
      } else if (kind == 2 || kind == 3) {
        const Word value = kind == 2 ? static_cast<Word>(immediate(at)) : r[from(at)];
        Bytes bytes;
        for (unsigned i = 0; i < width; ++i)
          bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i & 0xff));
        if (!with_stack(escapes || to(at) == 10,
                        [&] { return write(r[to(at)] + static_cast<Word>(offset(at)), bytes); }))
          return {"bad write"};
      } else {
        r[to(at)] = arithmetic(at);
      }
      at = next(at);
    }
  }
};

}  // namespace xok::graft::reference
