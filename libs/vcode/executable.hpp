// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <sys/mman.h>

#include <bit>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>

/// Memory of this process that holds a copy of generated code and may be executed. For tests and
/// tools on the host.
namespace xok::vcode {

class Executable {
 public:
  /// Writable first, then executable and not writable.
  explicit Executable(std::span<const std::byte> code) : size_{kBefore + code.size()} {
    start_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start_ == MAP_FAILED) std::abort();
    std::memcpy(static_cast<std::byte*>(start_) + kBefore, code.data(), code.size());
    if (mprotect(start_, size_, PROT_READ | PROT_EXEC) != 0) std::abort();
  }
  Executable(const Executable&) = delete;
  Executable& operator=(const Executable&) = delete;
  ~Executable() { munmap(start_, size_); }

  const std::byte* start() const { return static_cast<const std::byte*>(start_) + kBefore; }
  template <class Function>
  Function* as() const {
    return std::bit_cast<Function*>(start());
  }

 private:
  /// Clang's sanitizer looks for a function's type in the bytes before it.
  static constexpr std::size_t kBefore = 16;

  std::size_t size_;
  void* start_;
};

}  // namespace xok::vcode
