// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/core/machine.hpp"

namespace xok::kernel {

/// What one processor asks others to do at once, whatever they are doing. Only who holds the
/// kernel's lock asks, so there is one request at a time; it is answered from an interrupt, or by a
/// processor that itself waits for the lock, with interrupts off. Answering takes no lock.
///
///   asker     post(to, request); interrupt them; wait until answered()
///   answerer  answer(its number, what to do)
class Requests {
 public:
  static constexpr std::size_t kMaxAddresses = 16;

  struct Request {
    /// Translations to forget; none: all user translations.
    std::array<std::uint64_t, kMaxAddresses> addresses{};
    std::size_t count = 0;
    /// Not 0: leave user code for good, and load this address space.
    std::uint64_t table = 0;
  };

  void post(ProcessorSet to, const Request& request) {
    request_ = request;
    pending_.store(to, std::memory_order_release);  // pairs with the acquire in answer
  }
  [[nodiscard]] bool answered() const {
    return pending_.load(std::memory_order_acquire) == 0;  // pairs with the release in answer
  }
  /// Serves the request if it is for `processor`: once, however often it is called.
  template <class Serve>
  void answer(std::uint32_t processor, const Serve& serve) {
    const ProcessorSet self = ProcessorSet{1} << processor;
    if ((pending_.load(std::memory_order_acquire) & self) == 0) return;
    serve(request_);
    pending_.fetch_and(~self, std::memory_order_release);
  }

 private:
  Request request_;
  std::atomic<ProcessorSet> pending_{0};
};

}  // namespace xok::kernel
