// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/testing/fake_machine.hpp"

namespace xok::kernel::testing {

/// While it lives, processors (which are threads) are held up now and then: before and after each
/// atomic operation of the kernel's lock, and before each operation of the machine that another
/// processor can notice.
class HoldUps {
 public:
  explicit HoldUps(FakeMachine& machine);
  HoldUps(const HoldUps&) = delete;
  HoldUps& operator=(const HoldUps&) = delete;
  ~HoldUps();

 private:
  FakeMachine& machine_;
};

}  // namespace xok::kernel::testing
