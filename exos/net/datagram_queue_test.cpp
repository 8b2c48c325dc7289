// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/datagram_queue.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

namespace xok::exos {
namespace {

std::span<const std::uint8_t> bytes_of(const std::vector<std::uint8_t>& data) { return data; }

TEST(DatagramQueue, WithoutMemoryEverythingIsDropped) {
  DatagramQueue queue;
  EXPECT_FALSE(queue.attached());
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.front().has_value());
  EXPECT_FALSE(queue.push({1}, 2, bytes_of({3})));
  queue.pop();
}

TEST(DatagramQueue, ADatagramComesOutWithItsSender) {
  alignas(8) std::byte memory[64];
  DatagramQueue queue;
  queue.attach(memory);
  ASSERT_TRUE(queue.push({0x0a000001}, 53, bytes_of({1, 2}), bytes_of({3})));
  const auto entry = queue.front();
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->source.value, 0x0a000001u);
  EXPECT_EQ(entry->port, 53);
  ASSERT_EQ(entry->bytes.size(), 3u);
  EXPECT_EQ(std::to_integer<int>(entry->bytes[2]), 3);
  queue.pop();
  EXPECT_TRUE(queue.empty());
}

TEST(DatagramQueue, AnEmptyDatagramIsADatagram) {
  alignas(8) std::byte memory[32];
  DatagramQueue queue;
  queue.attach(memory);
  ASSERT_TRUE(queue.push({1}, 1, {}));
  EXPECT_FALSE(queue.empty());
  EXPECT_TRUE(queue.front()->bytes.empty());
}

TEST(DatagramQueue, BehavesAsADequeOfBoundedSize) {
  const char* replay = std::getenv("XOK_QUEUE_SEED");
  const unsigned first = replay != nullptr ? static_cast<unsigned>(std::atoi(replay)) : 1;
  const unsigned last = replay != nullptr ? first : 200;
  for (unsigned seed = first; seed <= last; seed++) {
    SCOPED_TRACE(::testing::Message() << "replay: XOK_QUEUE_SEED=" << seed << " exos_pure_test");
    std::mt19937 random{seed};
    std::vector<std::byte> memory(64 + random() % 1024 / 8 * 8);
    DatagramQueue queue;
    queue.attach(memory);
    std::deque<std::vector<std::uint8_t>> model;
    for (int step = 0; step < 2000; step++) {
      if (random() % 2 == 0) {
        std::vector<std::uint8_t> data(random() % 200);
        for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
        const std::size_t cut = data.empty() ? 0 : random() % data.size();
        const std::span<const std::uint8_t> all{data};
        const bool pushed = queue.push({seed}, static_cast<std::uint16_t>(data.size()),
                                       all.first(cut), all.subspan(cut));
        if (pushed) model.push_back(data);
        if (model.empty()) {
          ASSERT_GT(data.size() + 16, memory.size());
        }
      } else if (!model.empty()) {
        const auto entry = queue.front();
        ASSERT_TRUE(entry.has_value());
        ASSERT_EQ(entry->bytes.size(), model.front().size());
        ASSERT_EQ(entry->port, model.front().size());
        if (!entry->bytes.empty()) {
          ASSERT_EQ(std::memcmp(entry->bytes.data(), model.front().data(), entry->bytes.size()), 0);
        }
        queue.pop();
        model.pop_front();
      }
      ASSERT_EQ(queue.empty(), model.empty());
    }
  }
}

}  // namespace
}  // namespace xok::exos
