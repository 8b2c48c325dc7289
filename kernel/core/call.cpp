// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/call.hpp"

namespace xok::kernel {

Result<Capability> Call::method_capability(CapSlot slot) const {
  if (slot.value != 0) return fail(Errc::BadCapability);
  return core.methods.inside(core.state(self).method).own;
}

Result<> Call::check(CapSlot slot, const Capability& guard, Permission want) const {
  const Capability held = XOK_TRY(capability(slot));
  return access(held, std::span{&guard, 1}, want);
}

Result<EnvIndex> Call::other(Target target, bool dead_too) const {
  const auto id = static_cast<EnvId>(target.value & 0xffff'ffff);
  if (id == env().id) return self;
  const EnvIndex index = XOK_TRY(core.find_env(id, dead_too));
  XOK_TRY(check(CapSlot{target.value >> 32}, core.env(index).capabilities[0], Permission::Write));
  return index;
}

}  // namespace xok::kernel
