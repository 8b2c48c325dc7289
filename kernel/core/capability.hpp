// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "abi/capability.hpp"
#include "base/result.hpp"

/// The rules of capabilities. Pure functions: what an environment holds is in its `Env` record.
namespace xok::kernel {

/// Whether `above`'s name is a prefix of (or equal to) `below`'s. Looks at names only.
/// Source thesis ch. 3; original sys/kern/capability.c (CAP-4). Bytes behind a name do not count.
constexpr bool name_covers(const Capability& above, const Capability& below) {
  if (above.length() > below.length()) return false;
  const auto difference = above.bits() ^ below.bits();
  const unsigned bits = 8 * static_cast<unsigned>(above.length());
  return (difference >> 8 & ~(~std::uint64_t{0} << bits)) == 0;
}

/// Whether a holder of `above` may make `below` out of it: both valid, neither a pointer, the name
/// covers, and no permission is gained. A partial order on canonical capabilities.
/// Source thesis ch. 3; CAP-4
constexpr bool dominates(const Capability& above, const Capability& below) {
  return above.valid() && below.valid() && !above.pointer() && !below.pointer() &&
         (below.header & 7 & ~above.header) == 0 && name_covers(above, below);
}

/// Whether `holder` gives `want` on what `acl` guards: the holder and one valid entry whose name
/// it covers must both carry all the wanted permissions. Pointer entries give nothing.
///
/// Errors  BadCapability  `holder` is invalid or a pointer
///         Denied         the holder, or every entry it covers, lacks a wanted permission
/// Source  CAP-5; differs: pointer entries are never compared as if they were names
constexpr Result<> access(const Capability& holder, std::span<const Capability> acl,
                          Permission want) {
  if (!holder.valid() || holder.pointer()) return fail(Errc::BadCapability);
  if (!holder.grants(want)) return fail(Errc::Denied);
  for (const Capability& entry : acl) {
    if (!entry.valid() || entry.pointer() || !entry.grants(want)) continue;
    if (name_covers(holder, entry)) return {};
  }
  return fail(Errc::Denied);
}

/// The same capability with the bytes behind its name cleared; all zero if it is not valid.
constexpr Capability canonical(const Capability& value) {
  if (!value.valid()) return {};
  const std::uint64_t name = ~(~std::uint64_t{0} << 8 * value.length());
  return Capability::from_bits(value.bits() & (name << 8 | 0xff));
}

/// The name with all permissions: how a guard is recorded, so that the holder's bits decide.
constexpr Capability as_guard(const Capability& value) {
  Capability out = canonical(value);
  out.header = static_cast<std::uint8_t>(out.header | static_cast<std::uint8_t>(Permission::All));
  return out;
}

}  // namespace xok::kernel
