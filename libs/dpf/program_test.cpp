// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/dpf/program.hpp"

#include <gtest/gtest.h>

#include <random>

#include "libs/dpf/builders.hpp"
#include "libs/dpf/reference.hpp"

namespace xok::dpf {
namespace {

using reference::Atoms;
using reference::Packet;

Packet bytes(std::initializer_list<int> values) {
  Packet out;
  for (const int v : values) out.push_back(static_cast<std::byte>(v));
  return out;
}

Errc error_of(const Atoms& atoms) {
  const auto program = Program::from(atoms);
  return program ? Errc{} : program.error();
}

TEST(DpfProgram, RefusesWhatItsCommentRefuses) {
  const Atom good = eq16(12, 0x0800);
  EXPECT_EQ(error_of({good}), Errc{});
  EXPECT_EQ(error_of(Atoms(kMaxAtoms, good)), Errc{});
  EXPECT_EQ(error_of(Atoms(kMaxAtoms + 1, good)), Errc::TooBig);
  EXPECT_EQ(error_of({}), Errc::BadFormat);

  const auto broken = [&](auto change) {
    Atom atom = good;
    change(atom);
    return error_of({atom, good});
  };
  EXPECT_EQ(broken([](Atom& a) { a.op = Op{0}; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Atom& a) { a.op = Op{4}; }), Errc::BadFormat);
  for (const int width : {0, 3, 5, 6, 7, 9, 16, 255})
    EXPECT_EQ(broken([&](Atom& a) { a.width = static_cast<std::uint8_t>(width); }),
              Errc::BadFormat);
  EXPECT_EQ(broken([](Atom& a) { a.mask = 0, a.value = 0; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Atom& a) { a.mask = 0x1ffff; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Atom& a) { a.mask = 0xf000; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Atom& a) { a.left_shift = 1; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Atom& a) { a.reserved0 = 1; }), Errc::BadFormat);
  EXPECT_EQ(broken([](Atom& a) { a.reserved1 = 1; }), Errc::BadFormat);
}

TEST(DpfProgram, RefusesBadShiftsAndSkips) {
  const Atom end = eq8(0, 1);
  EXPECT_EQ(error_of({shift8(14, 0x0f, 2), end}), Errc{});
  EXPECT_EQ(error_of({end, shift8(14, 0x0f, 2)}), Errc::BadFormat) << "a last Shift";
  EXPECT_EQ(error_of({end, skip(1)}), Errc::BadFormat) << "a last Skip";
  EXPECT_EQ(error_of({shift8(14, 0xff, 8), end}), Errc{});
  EXPECT_EQ(error_of({shift8(14, 0xff, 9), end}), Errc::BadFormat) << "too far";
  EXPECT_EQ(error_of({shift8(14, 1, 16), end}), Errc::BadFormat);
  EXPECT_EQ(error_of({shift8(14, 1, 64), end}), Errc::BadFormat);
  Atom valued = shift8(14, 0x0f, 2);
  valued.value = 1;
  EXPECT_EQ(error_of({valued, end}), Errc::BadFormat);
  Atom masked = skip(4);
  masked.mask = 1;
  EXPECT_EQ(error_of({masked, end}), Errc::BadFormat);
  EXPECT_EQ(error_of({skip(65535), end}), Errc{});
  EXPECT_EQ(error_of({skip(65535), eq8(1, 1)}), Errc::BadFormat);
  EXPECT_EQ(error_of({skip(65535), skip(1), end}), Errc::BadFormat);
}

TEST(DpfProgram, RefusesWhatCanNeverMatch) {
  EXPECT_EQ(error_of({eq8(3, 1), eq8(3, 2)}), Errc::BadFormat);
  EXPECT_EQ(error_of({eq16(2, 0x0102), eq8(3, 3)}), Errc::BadFormat);
  EXPECT_EQ(error_of({eq16(2, 0x0102), eq8(3, 2)}), Errc{});
  EXPECT_EQ(error_of({skip(2), eq16(0, 0x0102), eq32(0, 0x01030000)}), Errc::BadFormat);
  EXPECT_EQ(error_of({eq8(3, 1), shift8(0, 1, 0), eq8(3, 2)}), Errc{}) << "perhaps another byte";
}

TEST(DpfProgram, EveryFieldMustLieWhollyInThePacket) {
  const auto program = *Program::from(std::array{eq32(2, 0x01020304)});
  const auto packet = bytes({9, 9, 1, 2, 3, 4});
  EXPECT_TRUE(program.matches(packet));
  for (std::size_t length = 0; length < packet.size(); ++length)
    EXPECT_FALSE(program.matches(std::span{packet}.first(length)));
}

TEST(DpfProgram, ShiftMovesTheBaseByTheMaskedField) {
  const auto program = *Program::from(std::array{shift8(0, 0x0f, 2), skip(1), eq8(0, 7)});
  EXPECT_TRUE(program.matches(bytes({0x41, 0, 0, 0, 0, 7})));
  EXPECT_FALSE(program.matches(bytes({0x42, 0, 0, 0, 0, 7})));
  EXPECT_TRUE(program.matches(bytes({0xf0, 7})));
}

TEST(DpfProgram, CountsEachBitOnce) {
  const auto count = [](const Atoms& atoms) { return Program::from(atoms)->specificity(); };
  EXPECT_EQ(count({eq16(0, 1)}), 16u);
  EXPECT_EQ(count({eq8(0, 0), eq8(1, 1)}), 16u);
  EXPECT_EQ(count({eq16(0, 1), eq8(1, 1), eq32(0, 0x10000, 0xffffff00)}), 24u);
  EXPECT_EQ(count({eq8(0, 1), shift8(0, 1, 0), eq8(0, 1)}), 16u);
  EXPECT_EQ(Program::from(ipv4_to(1))->specificity(), 48u);
  EXPECT_EQ(Program::from(tcp_port(1, 2))->specificity(), 85u);
  EXPECT_EQ(Program::from(tcp_flow(1, 2, 3, 4))->specificity(), 133u);
}

TEST(DpfProgram, BuildersOfDifferentKindsDoNotOverlap) {
  const auto arp_program = *Program::from(arp());
  const auto ip = *Program::from(ipv4_to(1));
  const auto web = *Program::from(tcp_port(1, 80));
  const auto name = *Program::from(udp_port(1, 80));
  const auto echo = *Program::from(icmp_echo(1));
  EXPECT_FALSE(overlaps(arp_program, ip));
  EXPECT_FALSE(overlaps(web, name));
  EXPECT_FALSE(overlaps(web, echo));
  EXPECT_FALSE(overlaps(echo, *Program::from(icmp_reply(1, 5))));
  EXPECT_FALSE(overlaps(web, *Program::from(tcp_port(1, 81))));
  EXPECT_FALSE(overlaps(web, *Program::from(tcp_port(2, 80))));
  EXPECT_FALSE(overlaps(web, *Program::from(tcp_flow(1, 81, 9, 80))));
  EXPECT_TRUE(overlaps(web, *Program::from(tcp_flow(1, 80, 9, 80))));
  EXPECT_TRUE(overlaps(web, ip));
}

TEST(DpfProgram, DifferentShiftsAreAssumedToOverlap) {
  const auto a = *Program::from(std::array{shift8(0, 0x0f, 2), eq8(0, 1)});
  const auto b = *Program::from(std::array{shift8(0, 0x0f, 1), eq8(0, 2)});
  const auto c = *Program::from(std::array{shift8(0, 0x0f, 2), eq8(0, 2)});
  EXPECT_TRUE(overlaps(a, b));
  EXPECT_FALSE(overlaps(a, c));
}

/// Programs over four packet bytes, looking only at the low bit or two of each.
Atoms random_atoms(std::mt19937& random, bool with_shifts) {
  Atoms out;
  for (auto left = 1 + random() % 4; left > 0; --left) {
    const auto width = static_cast<std::uint8_t>(1u << random() % 3);
    const auto offset = static_cast<std::uint16_t>(random() % (5u - width));
    std::uint64_t mask = 0;
    while (mask == 0) mask = random() & 0x03030303 & (~0ull >> (64 - 8 * width));
    if (with_shifts && left > 1 && random() % 3 == 0) {
      out.push_back(shift8(offset, static_cast<std::uint8_t>(1 + random() % 2), 0));
    } else if (left > 1 && random() % 6 == 0) {
      out.push_back(skip(static_cast<std::uint16_t>(random() % 2)));
    } else {
      out.push_back({Op::Eq, width, 0, 0, offset, 0, mask, random() & mask});
    }
  }
  return out;
}

bool brute_force_overlap(const Atoms& a, const Atoms& b, std::size_t length) {
  Packet packet(length);
  for (unsigned n = 0; n < 1u << 2 * length; ++n) {
    for (std::size_t i = 0; i < length; ++i) packet[i] = static_cast<std::byte>(n >> 2 * i & 3);
    if (reference::matches(a, packet) && reference::matches(b, packet)) return true;
  }
  return false;
}

TEST(DpfProgram, OverlapIsExactForConstantOffsets) {
  std::mt19937 random{19980901};
  int together = 0;
  for (int round = 0; round < 3000;) {
    const auto a = random_atoms(random, false);
    const auto b = random_atoms(random, false);
    const auto pa = Program::from(a);
    const auto pb = Program::from(b);
    if (!pa || !pb) continue;
    ++round;
    EXPECT_EQ(pa->specificity(), reference::specificity(a));
    const bool expected = brute_force_overlap(a, b, 7);  // 4 bytes and up to 3 Skips of 1
    ASSERT_EQ(overlaps(*pa, *pb), expected) << "round " << round;
    EXPECT_EQ(overlaps(*pb, *pa), expected);
    together += expected ? 1 : 0;
  }
  EXPECT_GT(together, 300);
  EXPECT_LT(together, 2700);
}

TEST(DpfProgram, OverlapWithShiftsNeverMissesACommonPacket) {
  std::mt19937 random{19980902};
  for (int round = 0; round < 2000;) {
    const auto a = random_atoms(random, true);
    const auto b = random_atoms(random, true);
    const auto pa = Program::from(a);
    const auto pb = Program::from(b);
    if (!pa || !pb) continue;
    ++round;
    ASSERT_TRUE(overlaps(*pa, *pb) || !brute_force_overlap(a, b, 7)) << "round " << round;
  }
}

}  // namespace
}  // namespace xok::dpf
