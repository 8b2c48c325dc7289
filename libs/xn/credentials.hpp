// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "abi/capability.hpp"
#include "base/result.hpp"

namespace xok::xn {

/// Who asks, and with which capabilities: those the caller holds and chose to show. At most
/// kXnMaxCredentials.
struct Caller {
  std::uint64_t id = 0;  ///< of the environment; not 0
  std::span<const Capability> credentials;
};

/// The first of the caller's capabilities that has all of `want` and a name that is a prefix of
/// `guard`'s.
/// Errors  Denied  there is none
constexpr Result<Capability> require(const Caller& caller, const Capability& guard,
                                     Permission want) {
  for (const Capability& held : caller.credentials) {
    if (!held.valid() || held.pointer() || !held.grants(want)) continue;
    if (!guard.valid() || held.length() > guard.length()) continue;
    const std::uint64_t mask = ~(~std::uint64_t{0} << 8 * held.length());
    if (((held.bits() ^ guard.bits()) >> 8 & mask) == 0) return held;
  }
  return fail(Errc::Denied);
}

}  // namespace xok::xn
