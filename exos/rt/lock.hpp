// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"

namespace xok::rt {

/// Software interrupts off: a slice that ends inside is deferred by the kernel, and paid for.
class CriticalSection {
 public:
  CriticalSection() { self().critical_depth++; }
  CriticalSection(const CriticalSection&) = delete;
  CriticalSection& operator=(const CriticalSection&) = delete;
  ~CriticalSection() {
    Uenv& me = self();
    if (--me.critical_depth == 0 && me.interrupted != 0) [[unlikely]] {
      me.interrupted = 0;
      sys::yield(kSelf, 0);
    }
  }
};

/// A lock in shared memory, between programs of one trust domain. Robust: the word names the
/// owner; one that died holding it is noticed in the exposed table and the lock taken over.
/// Recursive, since a page fault inside a locked region may need the same lock. (With
/// XOK_WITHOUT_LOCKS none at all, as in the kernel.)
class SharedLock {
 public:
#ifdef XOK_WITHOUT_LOCKS
  void acquire() {}
  void release() {}
};
#else
  void acquire() {
    const EnvId me = env_id();
    EnvId seen = 0;
    // acquire; pairs with the release store in release()
    if (__atomic_compare_exchange_n(&owner_, &seen, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        [[likely]] {
      depth_ = 1;
      return;
    }
    if (seen == me) {
      depth_++;
      return;
    }
    acquire_slowly(me);
  }
  void release() {
    if (--depth_ == 0) __atomic_store_n(&owner_, EnvId{0}, __ATOMIC_RELEASE);
  }

 private:
  void acquire_slowly(EnvId me);

  EnvId owner_ = 0;
  std::uint32_t depth_ = 0;
};
#endif

/// Holds a SharedLock, inside a critical section.
class Locked {
 public:
  explicit Locked(SharedLock& lock) : lock_{lock} { lock_.acquire(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { lock_.release(); }

 private:
  CriticalSection section_;
  SharedLock& lock_;
};

}  // namespace xok::rt
