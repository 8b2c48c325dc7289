// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <string>

#include "kernel/core/core.hpp"
#include "kernel/core/testing/fake_machine.hpp"

namespace xok::kernel::testing {

/// What the parts of the sweep have in common: what they look at, and the first thing that is
/// wrong.
class Findings {
 protected:
  Findings(Core& core, FakeMachine& machine) : core_{core}, machine_{machine} {}

  void expect(bool ok, const char* what, std::uint64_t a = 0, std::uint64_t b = 0,
              std::uint64_t c = 0) {
    if (ok || !wrong_.empty()) return;
    wrong_ = std::string{what} + " (" + std::to_string(a) + ", " + std::to_string(b) + ", " +
             std::to_string(c) + ")";
  }
  bool alive(EnvIndex i) {
    const Env& e = core_.env(i);
    return e.id != 0 && e.status != EnvStatus::Dead;
  }

  Core& core_;
  FakeMachine& machine_;
  std::string wrong_;
};

/// The part of the sweep that is not about memory: environments, slices, filters, regions,
/// transfers of control, processors.
std::string sweep_records(Core& core, FakeMachine& machine);

}  // namespace xok::kernel::testing
