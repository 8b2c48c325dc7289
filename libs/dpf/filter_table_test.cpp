// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/dpf/filter_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "libs/dpf/builders.hpp"
#include "libs/dpf/reference.hpp"

namespace xok::dpf {
namespace {

using reference::Atoms;
using reference::Packet;

constexpr std::uint32_t kMe = 0x0a000002;
constexpr std::uint32_t kPeer = 0x0a000009;
constexpr auto kNever = [](FilterId) { return false; };
constexpr auto kAlways = [](FilterId) { return true; };

Program program(std::span<const Atom> atoms) { return *Program::from(atoms); }

struct FrameOptions {
  std::uint8_t header_words = 5;
  std::uint16_t fragment = 0;
};

Packet ip_frame(std::uint8_t protocol, std::uint32_t source, std::uint32_t destination,
                std::initializer_list<int> payload, FrameOptions options = {}) {
  Packet out(14u + 4u * options.header_words);
  const auto put = [&](std::size_t at, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i)
      out[at + i] = static_cast<std::byte>(value >> 8 * (width - 1 - i));
  };
  put(12, 0x0800, 2);
  put(14, 0x40u | options.header_words, 1);
  put(20, options.fragment, 2);
  put(23, protocol, 1);
  put(26, source, 4);
  put(30, destination, 4);
  for (const int value : payload) out.push_back(static_cast<std::byte>(value));
  return out;
}

Packet tcp_frame(int source_port, int port, FrameOptions options = {}) {
  return ip_frame(6, kPeer, kMe,
                  {source_port >> 8, source_port & 255, port >> 8, port & 255, 0, 0, 0, 0},
                  options);
}

class DpfTable : public testing::Test {
 protected:
  FilterId add(std::span<const Atom> atoms, std::uint64_t owner = 0) {
    const auto id = table.insert(program(atoms), owner, kAlways);
    EXPECT_TRUE(id.has_value());
    return id.value_or(FilterId{});
  }

  std::unique_ptr<FilterTable> owned = std::make_unique<FilterTable>();
  FilterTable& table = *owned;
};

TEST_F(DpfTable, AnEmptyTableOwnsNothing) {
  EXPECT_FALSE(table.classify({}).has_value());
  EXPECT_FALSE(table.classify(tcp_frame(1, 80)).has_value());
  EXPECT_EQ(table.remove(FilterId{0}).error(), Errc::NotFound);
  EXPECT_EQ(table.remove(FilterId{65535}).error(), Errc::NotFound);
  EXPECT_EQ(table.owner(FilterId{0}).error(), Errc::NotFound);
  EXPECT_EQ(table.program(FilterId{256}).error(), Errc::NotFound);
}

TEST_F(DpfTable, TheMostSpecificFilterWinsWhateverTheOrderOfInsertion) {
  const std::array kinds{Atoms(1, arp()[0]), Atoms{ipv4_to(kMe)[0], ipv4_to(kMe)[1]},
                         [] {
                           const auto a = tcp_port(kMe, 80);
                           return Atoms(a.begin(), a.end());
                         }(),
                         [] {
                           const auto a = tcp_flow(kMe, 80, kPeer, 4000);
                           return Atoms(a.begin(), a.end());
                         }()};
  std::array order{0, 1, 2, 3};
  do {
    FilterTable& t = *(owned = std::make_unique<FilterTable>());
    std::array<FilterId, 4> ids;
    for (const int kind : order)
      ids[static_cast<std::size_t>(kind)] =
          *t.insert(program(kinds[static_cast<std::size_t>(kind)]), 7, kAlways);
    EXPECT_EQ(t.classify(tcp_frame(4000, 80)), ids[3]);
    EXPECT_EQ(t.classify(tcp_frame(4000, 80, {.header_words = 15})), ids[3]);
    EXPECT_EQ(t.classify(tcp_frame(4001, 80)), ids[2]);
    EXPECT_EQ(t.classify(tcp_frame(4001, 80, {.fragment = 0x2000})), ids[2]) << "first fragment";
    EXPECT_EQ(t.classify(tcp_frame(4001, 80, {.fragment = 1})), ids[1]) << "a later fragment";
    EXPECT_EQ(t.classify(tcp_frame(4000, 81)), ids[1]);
    EXPECT_EQ(t.classify(ip_frame(17, kPeer, kMe, {})), ids[1]);
    EXPECT_FALSE(t.classify(ip_frame(17, kPeer, kMe + 1, {})).has_value());
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(DpfTable, BuildersMatchWhatTheyName) {
  const auto echo = add(icmp_echo(kMe));
  const auto reply = add(icmp_reply(kMe, 0x1234));
  const auto name = add(udp_port(kMe, 53));
  const auto talk = add(udp_flow(kMe, 53, kPeer, 5353));
  const auto who = add(arp_to(kMe, 1));
  EXPECT_EQ(table.classify(ip_frame(1, kPeer, kMe, {8, 0, 0, 0, 0, 0})), echo);
  EXPECT_EQ(table.classify(ip_frame(1, kPeer, kMe, {0, 0, 0, 0, 0x12, 0x34})), reply);
  EXPECT_FALSE(table.classify(ip_frame(1, kPeer, kMe, {0, 0, 0, 0, 0x12, 0x35})).has_value());
  EXPECT_EQ(table.classify(ip_frame(17, kPeer, kMe, {1, 1, 0, 53})), name);
  EXPECT_EQ(table.classify(ip_frame(17, kPeer, kMe, {5353 >> 8, 5353 & 255, 0, 53})), talk);
  Packet frame(42);
  frame[12] = std::byte{8}, frame[13] = std::byte{6}, frame[21] = std::byte{1};
  frame[38] = std::byte{10}, frame[41] = std::byte{2};
  EXPECT_EQ(table.classify(frame), who);
}

TEST_F(DpfTable, AnEqualFilterIsRefusedEvenToTheOwner) {
  add(tcp_port(kMe, 80));
  EXPECT_EQ(table.insert(program(tcp_port(kMe, 80)), 1, kAlways).error(), Errc::Overlap);
  const auto given = tcp_port(kMe, 80);
  Atoms other(given.begin(), given.end());
  std::swap(other[0], other[2]);
  EXPECT_EQ(table.insert(program(other), 1, kAlways).error(), Errc::Overlap);
}

TEST_F(DpfTable, AnAmbiguousFilterIsRefused) {
  add(std::array{eq8(0, 1)});
  EXPECT_EQ(table.insert(program(std::array{eq8(1, 1)}), 1, kAlways).error(), Errc::Overlap);
}

TEST_F(DpfTable, ALongerFilterNeedsTheRightOverThoseItTakesFrom) {
  const auto all = add(ipv4_to(kMe));
  add(ipv4_to(kPeer));
  const std::size_t nodes = table.nodes_in_use();
  EXPECT_EQ(table.insert(program(tcp_port(kMe, 80)), 1, kNever).error(), Errc::Overlap);
  EXPECT_EQ(table.nodes_in_use(), nodes);
  std::vector<FilterId> asked;
  const auto note = [&](FilterId id) { return asked.push_back(id), true; };
  EXPECT_TRUE(table.insert(program(tcp_port(kMe, 80)), 1, note).has_value());
  EXPECT_EQ(asked, std::vector{all});
}

TEST_F(DpfTable, AShorterFilterTakesNothingAndNeedsNoRight) {
  const auto web = add(tcp_port(kMe, 80));
  const auto all = table.insert(program(ipv4_to(kMe)), 1, kNever);
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(table.classify(tcp_frame(1, 80)), web);
  EXPECT_EQ(table.classify(tcp_frame(1, 81)), *all);
}

TEST_F(DpfTable, RemovalGivesPacketsBackAndIdsAreUsedAgain) {
  const auto all = add(ipv4_to(kMe), 11);
  const auto web = add(tcp_port(kMe, 80), 12);
  EXPECT_EQ(*table.owner(web), 12u);
  EXPECT_EQ(table.classify(tcp_frame(1, 80)), web);
  EXPECT_TRUE(table.remove(web).has_value());
  EXPECT_EQ(table.classify(tcp_frame(1, 80)), all);
  EXPECT_EQ(table.remove(web).error(), Errc::NotFound);
  EXPECT_EQ(add(tcp_port(kMe, 81)), web);
  EXPECT_TRUE(table.remove(all).has_value());
  EXPECT_TRUE(table.remove(web).has_value());
  EXPECT_EQ(table.nodes_in_use(), 0u);
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(DpfTable, GivesBackTheProgramWithSkipsFolded) {
  const auto id = add(std::array{skip(4), eq8(1, 3), shift8(0, 0x0f, 2), skip(1), eq8(0, 9)});
  const auto found = *table.program(id);
  const std::array expected{eq8(5, 3), shift8(4, 0x0f, 2), eq8(5, 9)};
  EXPECT_TRUE(std::ranges::equal(found.atoms(), expected));
}

TEST_F(DpfTable, CommonBeginningsAreShared) {
  add(tcp_flow(kMe, 80, kPeer, 1));
  const std::size_t first = table.nodes_in_use();
  add(tcp_flow(kMe, 80, kPeer, 2));
  EXPECT_EQ(table.nodes_in_use(), first + 1);
}

TEST_F(DpfTable, HoldsItsFullNumberOfFiltersAndNoMore) {
  for (int i = 0; i < 256; ++i) add(tcp_flow(kMe, 80, kPeer, static_cast<std::uint16_t>(7 * i)));
  const auto more = program(tcp_flow(kMe, 80, kPeer, 9999));
  EXPECT_EQ(table.insert(more, 1, kAlways).error(), Errc::NoSpace);
  for (std::uint16_t i = 0; i < 256; ++i)
    EXPECT_EQ(table.classify(tcp_frame(7 * i, 80)), FilterId{i});
  for (std::uint16_t i = 0; i < 256; ++i)
    EXPECT_TRUE(table.remove(FilterId{static_cast<std::uint16_t>(i * 77 % 256)}).has_value());
  EXPECT_EQ(table.nodes_in_use(), 0u);
}

/// 64 atoms that share nothing with those of another `key`, and are disjoint from them.
Atoms wide(std::uint16_t key) {
  Atoms out{eq16(0, key)};
  for (std::uint16_t i = 1; i < kMaxAtoms; ++i) out.push_back(eq16(i * 2, key));
  return out;
}

TEST_F(DpfTable, RunsOutOfNodesWithoutLosingAny) {
  std::vector<FilterId> ids;
  for (std::uint16_t key = 0;; ++key) {
    const std::size_t before = table.nodes_in_use();
    const auto id = table.insert(program(wide(key)), key, kNever);
    if (!id) {
      EXPECT_EQ(id.error(), Errc::NoSpace);
      EXPECT_EQ(table.nodes_in_use(), before);
      break;
    }
    ids.push_back(*id);
  }
  EXPECT_EQ(ids.size(), kMaxNodes / kMaxAtoms);
  EXPECT_TRUE(table.remove(ids.front()).has_value());
  EXPECT_TRUE(table.insert(program(wide(999)), 0, kNever).has_value());
  for (const FilterId id : ids) EXPECT_TRUE(table.remove(id).has_value());
  EXPECT_EQ(table.nodes_in_use(), 0u);
}

Atoms random_atoms(std::mt19937& random) {
  Atoms out;
  for (auto left = 1 + random() % 4; left > 0; --left) {
    const auto offset = static_cast<std::uint16_t>(random() % 4);
    const auto value = static_cast<std::uint8_t>(random() % 3);
    if (left > 1 && random() % 5 == 0) {
      out.push_back(shift8(offset, 0x03, static_cast<std::uint8_t>(random() % 2)));
    } else if (left > 1 && random() % 8 == 0) {
      out.push_back(skip(1));
    } else if (random() % 3 == 0) {
      out.push_back(eq16(offset, static_cast<std::uint16_t>(value << 8 | int{random() % 2 == 0})));
    } else {
      const std::uint8_t mask = random() % 3 == 0 ? 0x01 : 0xff;
      out.push_back(eq8(offset, value & mask, mask));
    }
  }
  return out;
}

/// Random tables: every packet goes where the reference sends it, a new filter takes packets only
/// from filters that it was allowed to steal from, and removing all leaves nothing behind.
TEST_F(DpfTable, AgreesWithBruteForceOnRandomSets) {
  constexpr unsigned kSeed = 20260101;
  std::mt19937 random{kSeed};
  int inserted = 0;
  int stolen = 0;
  for (int round = 0; round < 10000; ++round) {
    reference::Table model;
    std::vector<Packet> packets;
    for (int i = 0; i < 6; ++i) {
      Packet packet(random() % 12);
      for (auto& byte : packet) byte = static_cast<std::byte>(random() % 3);
      packets.push_back(packet);
    }
    for (auto left = 1 + random() % 10; left > 0; --left) {
      if (!model.entries.empty() && random() % 4 == 0) {
        const auto victim =
            model.entries.begin() + static_cast<std::ptrdiff_t>(random() % model.entries.size());
        ASSERT_TRUE(table.remove(victim->id).has_value());
        model.entries.erase(victim);
      } else {
        const auto atoms = random_atoms(random);
        const auto checked = Program::from(atoms);
        if (!checked) continue;
        std::set<std::uint16_t> allowed;
        const auto ask = [&](FilterId id) {
          if (random() % 4 == 0) return false;
          return allowed.insert(id.value), true;
        };
        const auto id = table.insert(*checked, 0, ask);
        if (!id) continue;
        ++inserted;
        const auto before = model;
        model.entries.push_back({*id, atoms});
        for (const auto& packet : packets) {
          const auto loser = before.classify(packet);
          if (!loser || table.classify(packet) == loser) continue;
          ++stolen;
          ASSERT_TRUE(allowed.contains(loser->value)) << "round " << round;
        }
      }
      for (const auto& packet : packets)
        ASSERT_EQ(table.classify(packet), model.classify(packet)) << "round " << round;
    }
    for (const auto& entry : model.entries) ASSERT_TRUE(table.remove(entry.id).has_value());
    ASSERT_EQ(table.nodes_in_use(), 0u) << "round " << round << " seed " << kSeed;
  }
  EXPECT_GT(inserted, 10000);
  EXPECT_GT(stolen, 300);
}

}  // namespace
}  // namespace xok::dpf
