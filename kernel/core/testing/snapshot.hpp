// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "abi/syscalls.hpp"
#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {

/// What matters of the machine's state for the oracle, before or after one step: who holds which
/// capability, who can reach which page (found by walking the tables as the processor does), and
/// what guards each page.
struct Snapshot {
  struct EnvView {
    EnvId id = 0;
    bool alive = false;
    std::uint64_t top = 0;
    std::array<Capability, kCapabilitySlots> capabilities{};
    EnvStatus status = EnvStatus::Free;
    EnvIndex waits_for = kNoEnv;  ///< while Calling
    std::uint64_t rip = 0, rdi = 0, rax = 0;
    MethodId method = 0;  ///< inside that one
    IpcArea ipc{};
    Rest agreed{};  ///< whom it lets in: what its Uenv says, or said when it went to rest
    std::uint64_t slice_start = 0;  ///< upcall entries that it chose itself
    std::uint64_t revocation = 0;
    Capability message_gate{};        ///< not valid: no message ring
    std::vector<std::string> ring{};  ///< the pages of the message ring
  };
  /// Only the first slots are looked at; the driver keeps the number of environments low.
  static constexpr EnvIndex kEnvs = 24;

  struct MethodView {
    EnvId owner = 0;
    Capability guard{};
    std::uint64_t top = 0, entry = 0;
    Capability own{};  ///< what its code holds, as slot 0, in place of its caller's list
  };
  struct RegionView {
    EnvId owner = 0;
    std::array<Capability, 2> acl{};
    std::string bytes;
  };

  std::array<EnvView, kEnvs> envs;
  std::map<RegionId, RegionView> regions;
  std::map<MethodId, MethodView> methods;
  std::vector<PageInfo> pages;
  /// The ACL of each page in use, whole, read by page_acl_read's documentation.
  std::map<std::uint64_t, std::vector<Capability>> acls;
  /// Present level-1 entries, and level-2 entries that map large pages, by (table page, index), as
  /// they are stored. A table appears once, however many hold it.
  std::map<std::pair<std::uint64_t, unsigned>, std::uint64_t> leaves;
  using Spaces = std::set<std::uint64_t>;  ///< by their top-level tables
  /// For each table with such entries, the address spaces that reach it.
  std::map<std::uint64_t, Spaces> reached_from;
  /// The address of each such table's first entry: the same in all of them.
  std::map<std::uint64_t, std::uint64_t> address;
  /// Those of the spaces where no entry on the way is frozen: there the entries are writable as
  /// they say.
  std::map<std::uint64_t, Spaces> open_from;

  explicit Snapshot(TestBed& bed);
};

/// One step as the oracle sees it.
struct Step {
  EnvIndex caller = kNoEnv;  ///< kNoEnv: no call (timer, packet, fault, ...)
  std::uint64_t number = 0;
  std::array<std::uint64_t, 6> arguments{};
  std::int64_t result = 0;
};

/// The oracle: whether every change from `before` to `after` is granted by a capability that the
/// caller held. Written apart from the kernel's own checks, from the documentation.
/// Returns "" or what is not granted.
std::string judge(const Snapshot& before, const Snapshot& after, const Step& step);

}  // namespace xok::kernel::testing
