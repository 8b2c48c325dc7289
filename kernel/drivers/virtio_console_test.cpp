// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/virtio_console.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "kernel/drivers/testing/simulated_device.hpp"

namespace xok::kernel::drivers {
namespace {

using testing::SimulatedDevice;
using testing::SimulatedPlatform;

constexpr std::uint64_t kMultiport = 1u << 1;

/// A console device with many ports that answers control messages as QEMU does, but for ports the
/// test names.
struct Rig {
  explicit Rig(std::uint64_t features = kFeatureVersion1 | kMultiport | kFeatureEventIndex,
               std::uint32_t max_ports = 31) {
    device.offered = features;
    device.set_config<std::uint32_t>(4, max_ports);
    device.on_notify = [this](std::uint16_t queue) { notified(queue); };
  }
  void start() {
    ASSERT_TRUE(console.start());
    console.settle(platform.now + 100'000'000);
  }

  void say(std::uint32_t port, std::uint16_t event, std::uint16_t value) {
    const auto chain = device.queues[2].pop();
    ASSERT_TRUE(chain.has_value()) << "a control message was lost";
    std::memcpy(chain->pieces[0].bytes, &port, 4);
    std::memcpy(chain->pieces[0].bytes + 4, &event, 2);
    std::memcpy(chain->pieces[0].bytes + 6, &value, 2);
    device.queues[2].push(chain->head, 8);
  }
  void notified(std::uint16_t queue) {
    if (queue == 3) {
      while (const auto chain = device.queues[3].pop()) {
        std::uint32_t port = 0;
        std::array<std::uint16_t, 2> event{};
        std::memcpy(&port, chain->pieces[0].bytes, 4);
        std::memcpy(event.data(), chain->pieces[0].bytes + 4, 4);
        heard.push_back({port, event[0], event[1]});
        answer(port, event[0]);
        device.queues[3].push(chain->head, 0);
      }
    } else if (queue % 2 == 1 && taking) {
      take_output(queue);
    }
  }
  void answer(std::uint32_t port, std::uint16_t event) {
    if (event == 0)
      for (const std::uint32_t p : plugged) say(p, 1, 1);
    if (event == 3) {
      say(port, 7, 1);  // a name
      if (connected.contains(port)) say(port, 6, 1);
    }
  }
  void take_output(std::uint16_t queue) {
    while (const auto chain = device.queues[queue].pop()) {
      out[queue].append(reinterpret_cast<char*>(chain->pieces[0].bytes), chain->pieces[0].length);
      if (device.queues[queue].push(chain->head, 0)) due = true;
    }
  }
  /// Bytes from the host; how many found a buffer.
  std::size_t arrive(std::uint32_t port, std::string_view bytes) {
    testing::DeviceQueue& queue = device.queues[multiport() ? 2 * port + 2 : 0];
    std::size_t total = 0;
    while (!bytes.empty()) {
      const auto chain = queue.pop();
      if (!chain) break;
      const std::size_t n = std::min<std::size_t>(bytes.size(), chain->pieces[0].length);
      std::memcpy(chain->pieces[0].bytes, bytes.data(), n);
      queue.push(chain->head, static_cast<std::uint32_t>(n));
      bytes.remove_prefix(n);
      total += n;
    }
    return total;
  }
  [[nodiscard]] bool multiport() const { return (device.agreed & kMultiport) != 0; }
  std::string read(std::uint32_t port, std::size_t limit = 1u << 30) {
    std::string all;
    for (;;) {
      const auto data = console.port(port)->data();
      const std::size_t n = std::min(data.size(), limit - all.size());
      if (n == 0) return all;
      all.append(reinterpret_cast<const char*>(data.data()), n);
      console.port(port)->take(n);
    }
  }
  std::size_t write(std::uint32_t port, std::string_view bytes) {
    std::size_t total = 0;
    while (total < bytes.size()) {
      const auto room = console.port(port)->room();
      const std::size_t n = std::min(room.size(), bytes.size() - total);
      if (n == 0) break;
      std::memcpy(room.data(), bytes.data() + total, n);
      console.port(port)->put(n);
      total += n;
    }
    return total;
  }
  ConsolePortInfo& record(std::uint32_t port) { return info.consoles[port]; }

  int wakes = 0;
  Callbacks callbacks{.context = this,
                      .packet_received = nullptr,
                      .disk_done = nullptr,
                      .input_arrived = [](void* self) { static_cast<Rig*>(self)->wakes++; }};
  std::vector<std::uint32_t> plugged{1, 2, 3, 5};
  std::set<std::uint32_t> connected{1, 3};
  bool taking = true;
  bool due = false;
  std::vector<std::array<std::uint32_t, 3>> heard;
  std::map<std::uint16_t, std::string> out;
  SystemInfo info{};
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Console, 0};
  VirtioConsole console{platform, device, callbacks, info};
};

std::string random_bytes(std::size_t n, unsigned seed) {
  std::mt19937 random{seed};
  std::string bytes(n, 0);
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

TEST(VirtioConsole, PortsAreKnownAndOpenWhenItHasSettled) {
  Rig rig;
  rig.start();
  for (std::uint32_t n = 0; n < kMaxConsolePorts; n++) {
    EXPECT_EQ(rig.record(n).present, n == 1 || n == 2 || n == 3 || n == 5) << n;
    EXPECT_EQ(rig.record(n).host_open, n == 1 || n == 3) << n;
    EXPECT_EQ(rig.record(n).received, n == 1 || n == 3 ? 1u : 0u) << n;
  }
  EXPECT_EQ(rig.info.console_count, 8u);
  EXPECT_EQ(rig.heard[0], (std::array<std::uint32_t, 3>{0, 0, 1}));
  for (const std::uint32_t port : rig.plugged) {
    const auto ready = std::ranges::find(rig.heard, std::array<std::uint32_t, 3>{port, 3, 1});
    const auto open = std::ranges::find(rig.heard, std::array<std::uint32_t, 3>{port, 6, 1});
    EXPECT_TRUE(ready < open && open != rig.heard.end());
  }
}

TEST(VirtioConsole, ADeviceThatDoesNotAnswerCostsTheDeadlineOnly) {
  Rig rig;
  rig.device.on_notify = nullptr;
  ASSERT_TRUE(rig.console.start());
  rig.console.settle(rig.platform.now + 1'000'000);
  EXPECT_EQ(rig.record(1).present, 0);
}

TEST(VirtioConsole, PortsOfOtherNumbersAreLeftAlone) {
  Rig rig;
  rig.plugged = {0, 1, 8, 30};
  rig.start();
  for (const auto& message : rig.heard)
    EXPECT_TRUE(message[1] == 0 || message[0] == 1) << message[0];
  EXPECT_EQ(rig.record(0).present, 0);
}

TEST(VirtioConsole, InputIsCountedAndAvailableUntilTaken) {
  Rig rig;
  rig.start();
  ASSERT_EQ(rig.arrive(1, "hello"), 5u);
  rig.wakes = 0;
  rig.device.interrupt();
  EXPECT_EQ(rig.wakes, 1);
  EXPECT_EQ(rig.record(1).received, 6u);  // 5 bytes and one opening
  EXPECT_EQ(rig.record(1).available, 5u);
  EXPECT_EQ(rig.read(1, 2), "he");
  EXPECT_EQ(rig.record(1).available, 3u);
  EXPECT_EQ(rig.read(1), "llo");
  EXPECT_EQ(rig.record(1).available, 0u);
  EXPECT_EQ(rig.record(1).received, 6u);
}

TEST(VirtioConsole, AReaderThatStopsStopsTheHost) {
  Rig rig;
  rig.start();
  const std::string bytes = random_bytes(200'000, 1);
  const std::size_t sent = rig.arrive(1, bytes);
  EXPECT_EQ(sent, 16u * 4096);
  rig.device.interrupt();
  EXPECT_EQ(rig.arrive(1, "more"), 0u);
  EXPECT_EQ(rig.read(1), bytes.substr(0, sent));
  EXPECT_EQ(rig.arrive(1, "more"), 4u);
}

TEST(VirtioConsole, TwentyMegabytesEachWayAreExact) {
  Rig rig;
  rig.start();
  const std::string bytes = random_bytes(20'000'000, 2);
  std::string in;
  std::size_t sent = 0;
  std::size_t written = 0;
  std::mt19937 random{3};
  while (in.size() < bytes.size() || written < bytes.size()) {
    const std::size_t n = std::min<std::size_t>(random() % 30'000, bytes.size() - sent);
    sent += rig.arrive(1, std::string_view{bytes}.substr(sent, n));
    rig.device.interrupt();
    in += rig.read(1, random() % 50'000);
    rig.taking = random() % 4 != 0;
    const std::size_t m = std::min<std::size_t>(random() % 40'000, bytes.size() - written);
    written += rig.write(1, std::string_view{bytes}.substr(written, m));
    if (rig.taking) rig.take_output(5);
    ASSERT_EQ(rig.record(1).sent + rig.record(1).queued, written);
  }
  rig.take_output(5);
  rig.device.interrupt();
  EXPECT_TRUE(in == bytes);
  EXPECT_TRUE(rig.out[5] == bytes);
  EXPECT_EQ(rig.record(1).queued, 0u);
  EXPECT_EQ(rig.record(1).sent, bytes.size());
}

TEST(VirtioConsole, AWriterIsWokenWhenThereIsRoomAndWhenAllIsTaken) {
  Rig rig;
  rig.start();
  rig.taking = false;
  for (int i = 0; i < 4; i++) EXPECT_EQ(rig.write(1, std::string(1000, 'x')), 1000u);
  rig.take_output(5);
  EXPECT_TRUE(rig.due);  // the last of all
  rig.device.interrupt();
  EXPECT_EQ(rig.record(1).sent, 4000u);
  EXPECT_EQ(rig.record(1).queued, 0u);

  while (rig.write(1, std::string(2000, 'y')) == 2000) {
  }
  EXPECT_TRUE(rig.console.port(1)->room().empty());
  rig.due = false;
  const int half = rig.device.queues[5].waiting() / 2 + 1;
  for (int i = 0; i < half; i++)
    if (rig.device.queues[5].push(rig.device.queues[5].pop()->head, 0)) rig.due = true;
  EXPECT_TRUE(rig.due);
  rig.device.interrupt();
  EXPECT_FALSE(rig.console.port(1)->room().empty());
}

TEST(VirtioConsole, OutputMayBeTakenOutOfOrder) {
  Rig rig;
  rig.start();
  rig.taking = false;
  ASSERT_EQ(rig.write(1, std::string(30'000, 'a')), 30'000u);
  ASSERT_EQ(rig.write(1, std::string(30'000, 'b')), 30'000u);
  const auto first = rig.device.queues[5].pop();
  const auto second = rig.device.queues[5].pop();
  rig.device.queues[5].push(second->head, 0);
  rig.device.interrupt();
  EXPECT_EQ(rig.record(1).sent, 30'000u);
  EXPECT_EQ(rig.write(1, std::string(30'000, 'c')), 65'536u - 60'000);
  EXPECT_EQ(*first->pieces[0].bytes, std::byte{'a'});
  rig.device.queues[5].push(first->head, 0);
  rig.device.interrupt();
  EXPECT_EQ(rig.write(1, std::string(60'000, 'd')), 60'000u);
}

TEST(VirtioConsole, ACloseEndsTheInputOnceItIsTaken) {
  Rig rig;
  rig.start();
  rig.arrive(1, "last words");
  rig.say(1, 6, 0);
  rig.device.interrupt();
  EXPECT_EQ(rig.record(1).host_open, 0);
  EXPECT_EQ(rig.record(1).input_ended, 0);
  EXPECT_EQ(rig.record(1).received, 12u);  // opened, 10 bytes, closed
  EXPECT_EQ(rig.read(1), "last words");
  EXPECT_EQ(rig.record(1).input_ended, 1);

  rig.say(1, 6, 1);
  rig.arrive(1, "again");
  rig.device.interrupt();
  EXPECT_EQ(rig.record(1).host_open, 1);
  EXPECT_EQ(rig.record(1).input_ended, 0);
  EXPECT_EQ(rig.read(1), "again");
  rig.say(1, 6, 0);
  rig.device.interrupt();
  EXPECT_EQ(rig.record(1).input_ended, 1);
}

TEST(VirtioConsole, APortMayBeUnpluggedAndComeBack) {
  Rig rig;
  rig.start();
  rig.say(1, 2, 1);
  rig.device.interrupt();
  EXPECT_EQ(rig.record(1).present, 0);
  EXPECT_EQ(rig.record(1).input_ended, 1);
  EXPECT_TRUE(rig.console.port(1)->room().empty());
  rig.say(1, 1, 1);
  rig.device.interrupt();
  rig.device.interrupt();
  EXPECT_EQ(rig.record(1).present, 1);
  EXPECT_EQ(rig.record(1).host_open, 1);
  EXPECT_EQ(rig.record(1).input_ended, 0);
  rig.arrive(1, "x");
  rig.device.interrupt();
  EXPECT_EQ(rig.read(1), "x");
}

TEST(VirtioConsole, ADeviceOfOnePortIsPortOne) {
  Rig rig{kFeatureVersion1};
  rig.start();
  EXPECT_EQ(rig.info.console_count, 2u);
  EXPECT_EQ(rig.record(1).present, 1);
  EXPECT_EQ(rig.record(1).host_open, 1);
  rig.arrive(1, "in");
  rig.device.interrupt();
  EXPECT_EQ(rig.read(1), "in");
  EXPECT_EQ(rig.write(1, "out"), 3u);
  EXPECT_EQ(rig.out[1], "out");
  EXPECT_EQ(rig.console.port(2), nullptr);
}

TEST(VirtioConsole, ABreachRemovesEveryPort) {
  for (const std::size_t queue : {2u, 3u, 4u, 5u, 12u}) {
    Rig rig;
    rig.start();
    rig.device.queues[queue].push(7777, 0);
    rig.device.interrupt();
    EXPECT_TRUE(rig.device.off);
    EXPECT_EQ(rig.record(1).present, 0);
    EXPECT_EQ(rig.record(1).input_ended, 1);
    EXPECT_EQ(rig.console.port(1), nullptr);
    EXPECT_EQ(rig.platform.lines.size(), 1u);
  }
}

TEST(VirtioConsole, RandomControlMessagesNeverConfuseTheCounts) {
  for (unsigned seed = 0; seed < 300; seed++) {
    std::mt19937 random{seed};
    Rig rig;
    rig.start();
    for (int step = 0; step < 200; step++) {
      if (rig.device.queues[2].waiting() > 24)
        rig.say(static_cast<std::uint32_t>(random() % 10), static_cast<std::uint16_t>(random() % 9),
                static_cast<std::uint16_t>(random() % 2));
      const auto port = static_cast<std::uint32_t>(1 + random() % 7);
      rig.arrive(port, std::string(random() % 9000, 'x'));
      if (random() % 3 == 0) rig.device.interrupt();
      if (random() % 3 == 0) rig.read(port, random() % 20'000);
      (void)rig.write(port, std::string(random() % 3000, 'y'));
    }
    for (std::uint32_t port = 1; port < kMaxConsolePorts; port++) {
      const std::uint64_t available = rig.record(port).available;
      ASSERT_EQ(rig.read(port).size(), available) << "seed " << seed;
      ASSERT_EQ(rig.record(port).available, 0u);
    }
    ASSERT_FALSE(rig.device.off);
  }
}

}  // namespace
}  // namespace xok::kernel::drivers
