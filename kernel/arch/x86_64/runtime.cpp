// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// What the compiler and the language expect of a runtime library, for a program without one. The
// four memory functions are in memory.S and here.
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "kernel/arch/x86_64/context.hpp"
#include "kernel/arch/x86_64/panic.hpp"
#include "kernel/core/lock.hpp"

/// Debug builds: the lock ranks each processor holds (kernel/core/lock.hpp).
std::uint32_t& xok::kernel::ranks_of_this_processor() { return x86::processor().held_ranks; }

extern "C" {

void* memcpy(void* to, const void* from, std::size_t n);

void* memmove(void* to, const void* from, std::size_t n) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (out <= in || out >= in + n) return memcpy(to, from, n);
  while (n >= 8) {
    n -= 8;
    std::uint64_t word;
    __builtin_memcpy(&word, in + n, 8);
    __builtin_memcpy(out + n, &word, 8);
  }
  while (n > 0) {
    n--;
    out[n] = in[n];
  }
  return to;
}

int memcmp(const void* left, const void* right, std::size_t n) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (std::size_t i = 0; i < n; i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

void* memchr(const void* bytes, int value, std::size_t n) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < n; i++)
    if (at[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(at + i);
  return nullptr;
}

std::size_t strlen(const char* text) {
  std::size_t n = 0;
  while (text[n] != '\0') {
    n++;
    asm("" : "+r"(n));  // or the compiler sees a strlen and calls it
  }
  return n;
}

/// Objects of the kernel live for ever: nothing is run at exit.
void* __dso_handle = nullptr;
int __cxa_atexit(void (* /*function*/)(void*), void* /*argument*/, void* /*object*/) { return 0; }

void __cxa_pure_virtual() { xok::kernel::x86::panic("a pure virtual function was called"); }

void abort() { xok::kernel::x86::panic("abort"); }
}

// string_view and span name this for positions that the callers here have checked.
namespace std {
[[gnu::noreturn]] void __throw_out_of_range_fmt(const char* /*format*/, ...) {
  xok::kernel::x86::panic("a position outside its string");
}
}  // namespace std

// Virtual destructors name these; the kernel never deletes.
void operator delete(void* /*object*/) noexcept { abort(); }
void operator delete(void* /*object*/, std::size_t /*size*/) noexcept { abort(); }
