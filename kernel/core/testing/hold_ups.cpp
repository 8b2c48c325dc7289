// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/hold_ups.hpp"

#include <cstdint>
#include <random>
#include <thread>

#include "kernel/core/lock.hpp"

namespace xok::kernel::testing {
namespace {

void maybe() {
  static thread_local std::mt19937_64 random{FakeMachine::here};
  const std::uint64_t choice = random() % 64;
  if (choice == 0) std::this_thread::yield();
  if (choice < 8) {
    for (std::uint64_t i = random() % 512; i > 0; i--) __asm__ volatile("");
  }
}

}  // namespace

HoldUps::HoldUps(FakeMachine& machine) : machine_{machine} {
  machine.hold_up = [] { maybe(); };
  at_lock_point = [](LockPoint) { maybe(); };
}

HoldUps::~HoldUps() {
  machine_.hold_up = nullptr;
  at_lock_point = nullptr;
}

}  // namespace xok::kernel::testing
