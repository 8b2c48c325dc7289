// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "libs/graft/random_program.hpp"
#include "libs/graft/reference.hpp"
#include "libs/graft/test_engines.hpp"

/// One program on all engines, in memory that stops or shows every access beside it. Tests only.
namespace xok::graft {

/// A page between two that are not there. The bytes lie at its end or its beginning; the rest of
/// the page must keep what was in it.
class GuardedPage {
 public:
  GuardedPage() {
    void* const start = mmap(nullptr, 3 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) std::abort();
    page_ = static_cast<std::byte*>(start) + kPage;
    if (mprotect(page_, kPage, PROT_READ | PROT_WRITE) != 0) std::abort();
  }
  GuardedPage(const GuardedPage&) = delete;
  GuardedPage& operator=(const GuardedPage&) = delete;
  ~GuardedPage() { munmap(page_ - kPage, 3 * kPage); }

  std::span<std::byte> hold(const reference::Bytes& bytes, bool at_end) {
    std::memset(page_, kCanary, kPage);
    held_ = {page_ + (at_end ? kPage - bytes.size() : 0), bytes.size()};
    if (!bytes.empty()) std::memcpy(held_.data(), bytes.data(), bytes.size());
    return held_;
  }
  bool rest_is_untouched() const {
    for (std::size_t i = 0; i < kPage; ++i) {
      const bool held = page_ + i >= held_.data() && page_ + i < held_.data() + held_.size();
      if (!held && page_[i] != std::byte{kCanary}) return false;
    }
    return true;
  }
  bool holds(const reference::Bytes& bytes) const {
    return bytes.empty() || std::memcmp(held_.data(), bytes.data(), bytes.size()) == 0;
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr unsigned char kCanary = 0xa5;
  std::byte* page_;
  std::span<std::byte> held_;
};

// Helpers 1 to 3, for the engines and for the reference.

inline std::uint64_t helper_sum(std::uint64_t r1, std::uint64_t r2, std::uint64_t r3,
                                std::uint64_t r4, std::uint64_t r5, Memory&) {
  return r1 + 2 * r2 + 3 * r3 + 4 * r4 + 5 * r5;
}
inline std::uint64_t helper_copy(std::uint64_t from, std::uint64_t length, std::uint64_t to,
                                 std::uint64_t, std::uint64_t, Memory& memory) {
  length %= 64;
  const auto source = memory.readable(from, length);
  const auto target = source ? memory.writable(to, length) : std::unexpected{Errc::Fault};
  if (!target) {
    memory.refuse();
    return 0;
  }
  if (length != 0) std::memmove(target->data(), source->data(), length);
  return length;
}
inline std::uint64_t helper_even(std::uint64_t r1, std::uint64_t, std::uint64_t, std::uint64_t,
                                 std::uint64_t, Memory& memory) {
  if (r1 % 2 != 0) memory.refuse();
  return r1 * 7;
}
inline constexpr Helper kDifferentialHelpers[] = {
    {1, 3, helper_sum}, {2, 0, helper_copy}, {3, 1, helper_even}};

inline void add_helpers(reference::Machine& machine) {
  machine.helper_steps = {{1, 3}, {2, 0}, {3, 1}};
  machine.helpers[1] = [](reference::Machine& m) {
    m.r[0] = m.r[1] + 2 * m.r[2] + 3 * m.r[3] + 4 * m.r[4] + 5 * m.r[5];
    return true;
  };
  machine.helpers[2] = [](reference::Machine& m) {
    m.r[0] = m.r[2] % 64;
    const auto bytes = m.read(m.r[1], m.r[0]);
    return bytes && m.write(m.r[3], *bytes);
  };
  machine.helpers[3] = [](reference::Machine& m) {
    m.r[0] = m.r[1] * 7;
    return m.r[1] % 2 == 0;
  };
}

/// What a program gets to work with.
struct World {
  explicit World(const Pick& pick) {
    for (auto* bytes : {&inputs[0], &inputs[1], &output}) {
      bytes->resize(pick(4) == 0 ? pick(48) : 48 + pick(16));
      for (auto& byte : *bytes) byte = static_cast<std::uint8_t>(pick(4) == 0 ? pick(256) : 0);
    }
    arguments = {Memory::input_address(0), inputs[0].size(), Memory::kOutputAddress,
                 Memory::input_address(1) + pick(16), pick(1000)};
    steps = pick(3) == 0 ? pick(60) : 400;
    at_end = pick(2) == 0;
  }
  reference::Bytes inputs[2];
  reference::Bytes output;
  Arguments arguments;
  std::uint64_t steps;
  bool at_end;
};

/// Runs a program on the reference and on all engines. Gives what differs, or "".
/// `stop`, if not nullptr, becomes how the run ended: 0, or a Stop.
inline std::string differences(const Program& program, std::span<const std::byte> code,
                               const World& world, int* how = nullptr) {
  static GuardedPage pages[5];  // two inputs, two read maps, the output
  static Memory memory;

  reference::Machine machine;
  machine.code.resize(code.size());
  std::memcpy(machine.code.data(), code.data(), code.size());
  add_helpers(machine);
  for (std::size_t i = 0; i < 2; ++i)
    machine.regions.push_back({Memory::input_address(i), world.inputs[i], true, false,
                               reference::Bytes(world.inputs[i].size())});
  for (std::size_t i = 2; i < 4; ++i)
    machine.regions.push_back({Memory::input_address(i), {}, true, false, {}});
  machine.regions.push_back({Memory::kOutputAddress, world.output, false, true, {}});
  if (!program.stack_escapes())  // nothing, but a helper may name its beginning
    machine.regions.push_back({Memory::kStackAddress, {}, true, true, {}});
  for (std::size_t i = 0; i < 5; ++i) machine.r[i + 1] = world.arguments[i];
  machine.steps = world.steps;
  const reference::Machine::Result expected = machine.run();
  static const char* const kStops[] = {"", "out of steps", "bad read", "bad write",
                                       "helper failed"};

  for (const Engine engine : kAllEngines) {
    for (const Reads reads : {Reads::Recorded, Reads::Ignored}) {
      const bool recorded = reads == Reads::Recorded;
      for (std::size_t i = 0; i < 2; ++i) {
        const auto bytes = pages[i].hold(world.inputs[i], world.at_end);
        const auto map = pages[2 + i].hold(reference::Bytes(world.inputs[i].size()), world.at_end);
        if (!memory.set_input(i, bytes, map)) return "set_input";
      }
      if (!memory.set_output(pages[4].hold(world.output, world.at_end))) return "set_output";
      std::uint64_t steps = world.steps;
      const Outcome outcome = run_on(engine, program, memory, world.arguments, steps, reads);
      const int stop = outcome ? 0 : static_cast<int>(outcome.error());
      if (how != nullptr) *how = stop;

      const std::string who = std::string{name_of(engine)} + (recorded ? ", recording: " : ": ");
      if (kStops[stop] != expected.stop)
        return who + "stops with '" + kStops[stop] + "', not '" + expected.stop + "'";
      if (outcome && *outcome != expected.value)
        return who + std::to_string(*outcome) + ", not " + std::to_string(expected.value);
      if (steps != machine.steps)
        return who + std::to_string(steps) + " steps left, not " + std::to_string(machine.steps);
      for (const GuardedPage& page : pages)
        if (!page.rest_is_untouched()) return who + "wrote beside a region";
      for (std::size_t i = 0; i < 2; ++i) {
        if (!pages[i].holds(world.inputs[i])) return who + "wrote to an input";
        const auto& marks = machine.regions[i].marks;
        if (!pages[2 + i].holds(recorded ? marks : reference::Bytes(marks.size())))
          return who + "read map " + std::to_string(i);
      }
      if (!pages[4].holds(machine.regions[4].bytes)) return who + "the output";
    }
  }
  return "";
}

}  // namespace xok::graft
