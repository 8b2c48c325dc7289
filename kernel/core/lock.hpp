// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/check.hpp"
#include "kernel/core/lock_rank.hpp"

namespace xok::kernel {

#if !__STDC_HOSTED__
/// This processor's word for HeldRanks; the architecture knows where.
std::uint32_t& ranks_of_this_processor();
#endif

/// Where a processor is with a lock.
enum class LockPoint : std::uint8_t { Wanted, Taken, Leaving, Left };
#if __STDC_HOSTED__
/// For tests: called at each of these points, to hold the processor up there.
inline void (*at_lock_point)(LockPoint) = nullptr;
#endif
inline void pass([[maybe_unused]] LockPoint point) {
#if __STDC_HOSTED__
  if (at_lock_point != nullptr) at_lock_point(point);
#endif
}

/// The ranks one processor holds (bit n: rank n). Taking a lock out of order stops the machine: it
/// is a deadlock waiting for its day. Checked in builds without NDEBUG.
class HeldRanks {
 public:
  static void enter([[maybe_unused]] LockRank rank) {
#ifndef NDEBUG
    const auto bit = std::uint32_t{1} << static_cast<unsigned>(rank);
    std::uint32_t& mine = held();
    XOK_CHECK(mine < bit, mine, bit);
    mine |= bit;
#endif
  }
  static void leave([[maybe_unused]] LockRank rank) {
#ifndef NDEBUG
    held() &= ~(std::uint32_t{1} << static_cast<unsigned>(rank));
#endif
  }

  /// For tests that leave the kernel by a stop that does not stop: the locks are
  /// Guarded::force_open.
  static void forget_all() { held() = 0; }

 private:
  static std::uint32_t& held() {
#if __STDC_HOSTED__
    static thread_local std::uint32_t ranks = 0;
    return ranks;
#else
    return ranks_of_this_processor();
#endif
  }
};

/// A spinlock. Interrupts are off in the kernel, so whoever holds it is running. (With
/// XOK_WITHOUT_LOCKS none at all: to measure on one processor what locking costs.)
class SpinLock {
 public:
#ifdef XOK_WITHOUT_LOCKS
  template <class Waiting>
  void lock(const Waiting&) {}
  void lock() {}
  void unlock() {}
};
#else
  /// `waiting()` is called over and over while somebody else holds it.
  template <class Waiting>
  void lock(const Waiting& waiting) {
    while (busy_.exchange(true, std::memory_order_acquire)) [[unlikely]] {  // pairs with unlock
      while (busy_.load(std::memory_order_relaxed)) {
        waiting();
        __builtin_ia32_pause();
      }
    }
  }
  void lock() {
    lock([] {});
  }
  void unlock() { busy_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> busy_{false};
};
#endif

/// Data that can only be reached with its lock held.
///
///   Guarded<FreeList, LockRank::PageFreeList> free_pages;
///   free_pages.with([](FreeList& list) { ... });
///
/// Do not copy from or to user memory inside `with`, unless the lock is `Kernel`: a user copy never
/// enters the kernel again (it fails instead), so holding the outermost lock is safe.
template <class T, LockRank kRank>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  /// Runs `action(T&)` with the lock held, and returns what it returns.
  template <class Action>
  decltype(auto) with(Action&& action) {
    return with(std::forward<Action>(action), [] {});
  }
  /// The same; `waiting()` is called over and over until the lock is free.
  template <class Action, class Waiting>
  decltype(auto) with(Action&& action, const Waiting& waiting) {
    const Holder holder{lock_, waiting};
    return std::forward<Action>(action)(value_);
  }

  /// What is guarded, for who runs inside `with` and was handed its argument another way.
  T& held() { return value_; }

  /// For tests only: opens the lock that a stop left closed, and hands out what it guards.
  T& force_open() {
    lock_.unlock();
    return value_;
  }

 private:
  struct Holder {
    template <class Waiting>
    Holder(SpinLock& l, const Waiting& waiting) : lock{l} {
      HeldRanks::enter(kRank);
      pass(LockPoint::Wanted);
      lock.lock(waiting);
      pass(LockPoint::Taken);
    }
    ~Holder() {
      pass(LockPoint::Leaving);
      lock.unlock();
      pass(LockPoint::Left);
      HeldRanks::leave(kRank);
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    SpinLock& lock;
  };

  SpinLock lock_;
  T value_;
};

}  // namespace xok::kernel
