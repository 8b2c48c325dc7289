// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Random typing against a small model of a line editor, and random bytes under random settings
// against what must hold whatever happens.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>

#include "exos/tty/line_discipline.hpp"

namespace xok::exos {
namespace {

constexpr unsigned kSeed = 20260727;

/// Canonical mode with the default settings, for the keys below: lines, and where they end.
class Model {
 public:
  void type(char key) {
    switch (key) {
      case '\x7f':
        if (!line_.empty()) line_.pop_back();
        break;
      case '\x15':
        line_.clear();
        break;
      case '\x17':
        while (!line_.empty() && line_.back() == ' ') line_.pop_back();
        while (!line_.empty() && line_.back() != ' ') line_.pop_back();
        break;
      case '\x03':
        line_.clear();
        lines_.clear();
        break;
      case '\x04':
        finish();
        break;
      case '\r':
        line_ += '\n';
        finish();
        break;
      default:
        line_ += key;
    }
  }

  std::deque<std::string>& lines() { return lines_; }

 private:
  void finish() {
    lines_.push_back(line_);
    line_.clear();
  }

  std::string line_;
  std::deque<std::string> lines_;
};

Result<std::string> read_all(LineDiscipline& line) {
  std::uint8_t buffer[LineDiscipline::kInputCapacity];
  const auto got = line.read(buffer, LineDiscipline::ReadMode::Blocking, 0, 0);
  if (!got.has_value()) return fail(got.error());
  return std::string{reinterpret_cast<char*>(buffer), *got};
}

TEST(LineDisciplineModel, CanonicalEditingAgreesWithTheModel) {
  constexpr char kKeys[] = {'a', 'b', '1', ' ', ' ', '\r', '\x7f', '\x15', '\x17', '\x03', '\x04'};
  std::mt19937 random{kSeed};
  auto line = std::make_unique<LineDiscipline>();
  Model model;
  for (int step = 0; step < 200'000; step++) {
    const char key = kKeys[random() % (random() % 8 == 0 ? std::size(kKeys) : 6)];
    const auto byte = static_cast<std::uint8_t>(key);
    ASSERT_EQ(line->input({&byte, 1}, 0).consumed, 1u);
    model.type(key);
    if (random() % 16 != 0) continue;
    while (!model.lines().empty()) {
      ASSERT_EQ(*read_all(*line), model.lines().front()) << "seed " << kSeed << " step " << step;
      model.lines().pop_front();
    }
    ASSERT_EQ(read_all(*line).error(), Errc::WouldBlock) << "seed " << kSeed << " step " << step;
    std::uint8_t screen[LineDiscipline::kEchoCapacity];
    line->drain_echo(screen);
  }
}

TEST(LineDisciplineModel, RawBytesArriveUnchangedAndInOrder) {
  std::mt19937 random{kSeed};
  auto line = std::make_unique<LineDiscipline>();
  Termios raw = default_termios();
  raw.c_iflag = raw.c_oflag = raw.c_lflag = 0;
  raw.c_cc[control::kMin] = 1;
  line->set_attributes(raw);
  std::string sent;
  std::string received;
  for (int step = 0; step < 5000; step++) {
    std::uint8_t typed[900];
    for (auto& byte : typed) byte = static_cast<std::uint8_t>(random());
    const std::size_t size = random() % sizeof typed;
    const auto result = line->input({typed, size}, 0);
    sent.append(reinterpret_cast<char*>(typed), result.consumed);
    std::uint8_t buffer[1000];
    const auto got =
        line->read({buffer, random() % sizeof buffer}, LineDiscipline::ReadMode::NonBlocking, 0, 0);
    if (got.has_value()) received.append(reinterpret_cast<char*>(buffer), *got);
    ASSERT_EQ(line->available(), sent.size() - received.size()) << "seed " << kSeed;
  }
  EXPECT_EQ(received, sent.substr(0, received.size()));
}

/// Whatever is typed under whatever settings: bounded, never stuck, and a readable terminal reads.
TEST(LineDisciplineModel, RandomSettingsKeepThePromises) {
  std::mt19937 random{kSeed};
  const auto few_bits = [&] {
    const auto bits = static_cast<std::uint32_t>(random());
    return bits & static_cast<std::uint32_t>(random());
  };
  auto line = std::make_unique<LineDiscipline>();
  for (int step = 0; step < 50'000; step++) {
    if (random() % 8 == 0) {
      Termios attributes = default_termios();
      attributes.c_iflag ^= few_bits();
      attributes.c_oflag ^= few_bits();
      attributes.c_lflag ^= few_bits();
      if (random() % 4 == 0) {
        for (auto& character : attributes.c_cc)
          character = static_cast<std::uint8_t>(random() % 64);
      }
      line->set_attributes(attributes);
    }
    std::uint8_t typed[300];
    for (auto& byte : typed) byte = static_cast<std::uint8_t>(random() % (step % 2 ? 256 : 32));
    const auto result = line->input({typed, random() % sizeof typed}, static_cast<unsigned>(step));
    ASSERT_LE(line->available(), LineDiscipline::kInputCapacity) << "seed " << kSeed;
    ASSERT_EQ(result.signals & ~std::uint64_t{0x80006}, 0u);
    if (random() % 2 == 0 && line->readable()) {
      std::uint8_t buffer[700];
      const auto got = line->read({buffer, 1 + random() % (sizeof buffer - 1)},
                                  LineDiscipline::ReadMode::NonBlocking, 0, 0);
      ASSERT_TRUE(got.has_value()) << "seed " << kSeed << " step " << step;
    }
    std::uint8_t screen[64];
    const auto written = line->write_translate({typed, 20}, screen);
    ASSERT_LE(written.produced, sizeof screen);
    ASSERT_TRUE(!line->output_stopped() || written.produced == 0);
    if (random() % 64 == 0) line->flush_input();
  }
}

}  // namespace
}  // namespace xok::exos
