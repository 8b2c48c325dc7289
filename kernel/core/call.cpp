// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/call.hpp"

namespace xok::kernel {

Result<Capability> Call::capability(CapSlot slot) const {
  if (slot.value >= kCapabilitySlots) return fail(Errc::BadCapability);
  const std::uint32_t method = core.state(self).method;
  if (method != 0) [[unlikely]] {  // its code holds one of its own, and none of its caller's
    if (slot.value != 0) return fail(Errc::BadCapability);
    return core.methods.inside(method).own;
  }
  const Capability& held = env().capabilities[slot.value];
  if (!held.valid() || held.pointer()) return fail(Errc::BadCapability);
  return held;
}

Result<> Call::check(CapSlot slot, const Capability& guard, Permission want) const {
  const Capability held = XOK_TRY(capability(slot));
  return access(held, std::span{&guard, 1}, want);
}

Result<EnvIndex> Call::target(Target target, bool dead_too) const {
  const auto id = static_cast<EnvId>(target.value & 0xffff'ffff);
  if (id == kSelf || id == env().id) return self;
  const EnvIndex index = XOK_TRY(core.find_env(id, dead_too));
  XOK_TRY(check(CapSlot{target.value >> 32}, core.env(index).capabilities[0], Permission::Write));
  return index;
}

Result<EnvIndex> Call::env_named(EnvIdWord name) const {
  if (name.value == kSelf) return self;
  if (name.value > 0xffff'ffff) return fail(Errc::BadEnv);
  return core.find_env(static_cast<EnvId>(name.value));
}

}  // namespace xok::kernel
