// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_cap.hpp"

namespace xok::kernel::calls {

CallResult cap_forge(Call& call, CapSlot from, CapSlot to, CapBits value, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (to.value >= kCapabilitySlots) return fail(Errc::BadArgument);
  const Capability held = XOK_TRY(call.capability(from));
  const Capability wanted = Capability::from_bits(value.value);
  if (wanted.valid() && wanted.pointer()) return fail(Errc::BadArgument);
  if (to.value == 0 && !(wanted.valid() && wanted.grants(Permission::All)))
    return fail(Errc::Denied);
  if (wanted.valid() && !(held.grants(Permission::Modify) && dominates(held, wanted)))
    return fail(Errc::Denied);
  call.core.env(index).capabilities[to.value] = canonical(wanted);
  return static_cast<std::int64_t>(to.value);
}

CallResult cap_acquire(Call& call, CapSlot to, EnvIdWord grantor) {
  if (to.value == 0 || to.value >= kCapabilitySlots) return fail(Errc::BadArgument);
  const EnvIndex index = XOK_TRY(call.env_named(grantor));
  if (call.core.state(index).method != 0) return fail(Errc::Denied);  // its Uenv is the method's
  volatile Uenv& offer = call.core.machine.uenv(index);
  const std::uint64_t grantee = offer.grant_to;  // the owner may change each word meanwhile
  const std::uint64_t slot = offer.grant_slot;
  const std::uint64_t bits = offer.grant;
  if (grantee != call.env().id) return fail(Errc::Denied);
  if (slot >= kCapabilitySlots) return fail(Errc::BadCapability);
  const Capability held = call.core.env(index).capabilities[slot];
  const Capability grant = Capability::from_bits(bits);
  if (!held.valid() || held.pointer() || !grant.valid()) return fail(Errc::BadCapability);
  if (grant.pointer()) return fail(Errc::BadArgument);
  if (!held.grants(Permission::Modify) || !dominates(held, grant)) return fail(Errc::Denied);
  offer.grant_to = 0;
  call.env().capabilities[to.value] = canonical(grant);
  return static_cast<std::int64_t>(to.value);
}

CallResult cap_release(Call& call, CapSlot slot, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (slot.value >= kCapabilitySlots) return fail(Errc::BadArgument);
  if (slot.value == 0) return fail(Errc::Denied);
  call.core.env(index).capabilities[slot.value] = Capability{};
  return 0;
}

}  // namespace xok::kernel::calls
