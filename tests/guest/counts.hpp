// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "exos/rt/wait.hpp"
#include "tests/guest/check.hpp"

namespace xok::guest {

/// Makes the kernel's page for our wakeup predicate, which stays, before anything is counted. (On a
/// busy host a short sleep can be over before it has begun.)
inline void have_predicate() {
  do {
    rt::sleep_until(rt::monotonic_ns() + 1'000'000);
  } while (rt::env_record(rt::env_id()).predicate_terms == 0);
}

/// The kernel's counts, to be found again when all attackers are gone.
struct Counts {
  std::uint64_t free = system_info().free_pages;
  std::uint64_t kernel = system_info().kernel_pages;
  std::uint64_t environments = system_info().environments;
  bool operator==(const Counts&) const = default;
};
/// Whether they come back. Page tables of the dead go over several timer interrupts.
inline bool back_to(const Counts& before) {
  for (int i = 0; i < 1000 && !(Counts{} == before); i++)
    rt::sleep_until(rt::monotonic_ns() + 5'000'000);
  return Counts{} == before;
}

inline bool is_alive(EnvId id) {
  return id != 0 && rt::env_record(id).id == id && rt::env_record(id).status != EnvStatus::Dead;
}

/// Ends all environments that `which` says, but not us. False: some of them are inside a protected
/// method and end a little later.
template <class Which>
bool end_those(const Which& which) {
  bool all = true;
  for (std::uint32_t i = 2; i < kMaxEnvironments; i++) {
    const EnvId id = reinterpret_cast<const volatile Env*>(kExposedEnvs)[i].id;
    if (id != 0 && which(id) && sys::env_free(make_target(kRoot, id)) != 0) all = false;
  }
  return all;
}

}  // namespace xok::guest
