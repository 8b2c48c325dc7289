// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/rt/lock.hpp"

namespace xok::rt {

#ifndef XOK_WITHOUT_LOCKS
void SharedLock::acquire_slowly(EnvId me) {
  for (;;) {
    EnvId seen = 0;
    if (__atomic_compare_exchange_n(&owner_, &seen, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
      break;
    const volatile Env& owner = env_record(seen);
    if (owner.id != seen || owner.status == EnvStatus::Dead) {
      // The owner is gone: what the lock guards is in whatever state it left. Take over.
      if (__atomic_compare_exchange_n(&owner_, &seen, me, false, __ATOMIC_ACQUIRE,
                                      __ATOMIC_RELAXED))
        break;
      continue;
    }
    // Let the owner finish: here, or on the processor that it has.
    __builtin_ia32_pause();
    sys::yield(seen, 0);
  }
  depth_ = 1;
}
#endif

}  // namespace xok::rt
