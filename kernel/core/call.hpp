// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "abi/syscalls.hpp"
#include "kernel/core/capability.hpp"
#include "kernel/core/core.hpp"

/// What every kernel call is made of: its argument words by kind, and who calls.
namespace xok::kernel {

/// Argument words, each a 64-bit register as the application left it. Nothing is known about them
/// until they have been checked; the types only keep them apart.
using CapSlot = Number<struct CapSlotTag>;
using CapBits = Number<struct CapBitsTag>;
using Target = Number<struct TargetTag>;
using EnvIdWord = Number<struct EnvIdTag>;  ///< an EnvId, 64 bits wide until checked
using EnvFlags = Number<struct EnvFlagsTag>;
using YieldFlags = Number<struct YieldFlagsTag>;
using UserAddr = Number<struct UserAddrTag>;
using Count = Number<struct CountTag>;
using Pte = Number<struct PteTag>;
using PteBits = Number<struct PteBitsTag>;
using PageIndex = Number<struct PageIndexTag>;
using Word = Number<struct WordTag>;  ///< passed on, not looked at
using RegionIdWord = Number<struct RegionIdTag>;
using ReplyTo = Number<struct ReplyToTag>;  ///< (flags << 32) | EnvId

using CallResult = Result<std::int64_t>;

/// One call under way.
struct Call {
  Core& core;
  Cpu& cpu;
  EnvIndex self;
  bool in_batch = false;

  Env& env() const { return core.env(self); }
  AccountIndex account() const { return core.account(self); }
  Space space() const { return core.space(self); }
  bool from_user(void* to, UserAddr from, std::size_t n) const {
    return core.machine.copy_from_user(to, from.value, n);
  }
  bool to_user(UserAddr to, const void* from, std::size_t n) const {
    return core.machine.copy_to_user(to.value, from, n);
  }

  /// The capability in a slot of the caller.
  /// Errors  BadCapability  out of range, empty, or a pointer
  Result<Capability> capability(CapSlot slot) const {
    if (slot.value >= kCapabilitySlots) return fail(Errc::BadCapability);
    if (core.state(self).method != 0) [[unlikely]]  // its code holds none of its caller's
      return method_capability(slot);
    const Capability& held = env().capabilities[slot.value];
    if (!held.valid() || held.pointer()) return fail(Errc::BadCapability);
    return held;
  }
  /// Whether the caller's slot gives `want` on what `guard` guards. Errors as `access`.
  Result<> check(CapSlot slot, const Capability& guard, Permission want) const;
  /// The environment a Target names, which the caller may change: itself (EnvId 0 or its own), or
  /// one whose slot 0 the given slot has Write on.
  /// Errors  BadEnv         stale, free or (unless `dead_too`) dead
  ///         BadCapability, Denied  as `access`
  Result<EnvIndex> target(Target target, bool dead_too = false) const {
    if ((target.value & 0xffff'ffff) == kSelf) return self;
    return other(target, dead_too);
  }
  /// The environment an EnvId names; 0 is the caller. Errors: BadEnv.
  Result<EnvIndex> env_named(EnvIdWord name) const {
    if (name.value == kSelf) return self;
    if (name.value > 0xffff'ffff) return fail(Errc::BadEnv);
    return core.find_env(static_cast<EnvId>(name.value));
  }

 private:
  Result<Capability> method_capability(CapSlot slot) const;
  Result<EnvIndex> other(Target target, bool dead_too) const;
};

}  // namespace xok::kernel
