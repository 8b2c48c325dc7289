// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What a freestanding C++ program needs of a C library: the functions the compiler itself calls,
// and the few more that we use. Eight bytes a move, eight moves a round; no vector registers, which
// belong to the program.
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"

namespace {

using Word [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;

inline void copy_forward(unsigned char* to, const unsigned char* from, std::size_t n) {
  while (n >= 64) {
    auto* t = reinterpret_cast<Word*>(to);
    const auto* f = reinterpret_cast<const Word*>(from);
    const Word a = f[0], b = f[1], c = f[2], d = f[3];
    t[0] = a;
    t[1] = b;
    t[2] = c;
    t[3] = d;
    const Word e = f[4], g = f[5], h = f[6], i = f[7];
    t[4] = e;
    t[5] = g;
    t[6] = h;
    t[7] = i;
    to += 64;
    from += 64;
    n -= 64;
  }
  for (; n >= 8; n -= 8, to += 8, from += 8)
    *reinterpret_cast<Word*>(to) = *reinterpret_cast<const Word*>(from);
  for (; n != 0; n--) {
    *to++ = *from++;
    __asm__ volatile("");  // not to be turned into a call of memcpy
  }
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, std::size_t n) {
  copy_forward(static_cast<unsigned char*>(to), static_cast<const unsigned char*>(from), n);
  return to;
}

void* memmove(void* to, const void* from, std::size_t n) {
  auto* t = static_cast<unsigned char*>(to);
  const auto* f = static_cast<const unsigned char*>(from);
  if (t <= f || t >= f + n) {
    copy_forward(t, f, n);
    return to;
  }
  for (; n >= 8; n -= 8)
    *reinterpret_cast<Word*>(t + n - 8) = *reinterpret_cast<const Word*>(f + n - 8);
  while (n-- != 0) {
    t[n] = f[n];
    __asm__ volatile("");
  }
  return to;
}

void* memset(void* to, int value, std::size_t n) {
  auto* t = static_cast<unsigned char*>(to);
  const std::uint64_t word = 0x0101010101010101u * static_cast<unsigned char>(value);
  for (; n >= 64; n -= 64, t += 64) {
    auto* w = reinterpret_cast<Word*>(t);
    w[0] = w[1] = w[2] = w[3] = w[4] = w[5] = w[6] = w[7] = word;
  }
  for (; n >= 8; n -= 8, t += 8) *reinterpret_cast<Word*>(t) = word;
  for (; n != 0; n--) {
    *t++ = static_cast<unsigned char>(value);
    __asm__ volatile("");
  }
  return to;
}

int memcmp(const void* a, const void* b, std::size_t n) {
  const auto* x = static_cast<const unsigned char*>(a);
  const auto* y = static_cast<const unsigned char*>(b);
  for (; n >= 8 && *reinterpret_cast<const Word*>(x) == *reinterpret_cast<const Word*>(y); n -= 8) {
    x += 8;
    y += 8;
  }
  for (; n != 0; n--, x++, y++)
    if (*x != *y) return *x < *y ? -1 : 1;
  return 0;
}

std::size_t strlen(const char* text) {
  const char* end = text;
  while (*end != 0) {
    end++;
    __asm__ volatile("");
  }
  return static_cast<std::size_t>(end - text);
}

std::size_t strnlen(const char* text, std::size_t limit) {
  std::size_t n = 0;
  while (n < limit && text[n] != 0) n++;
  return n;
}

char* strncpy(char* to, const char* from, std::size_t n) {
  std::size_t i = 0;
  for (; i < n && from[i] != 0; i++) to[i] = from[i];
  for (; i < n; i++) {
    to[i] = 0;
    __asm__ volatile("");
  }
  return to;
}

void* memchr(const void* bytes, int value, std::size_t n) {
  const auto* p = static_cast<const unsigned char*>(bytes);
  for (; n != 0; n--, p++)
    if (*p == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(p);
  return nullptr;
}

[[noreturn]] void __cxa_pure_virtual() {
  xok::check_failed("pure virtual call", __FILE__, __LINE__);
}
int __cxa_atexit(void (* /*f*/)(void*), void* /*a*/, void* /*d*/) { return 0; }
void* __dso_handle = nullptr;
}

namespace std {
// libstdc++'s range-checked accessors end here.
[[noreturn]] void __throw_out_of_range_fmt(const char* what, ...) {
  xok::check_failed(what, __FILE__, __LINE__);
}
}  // namespace std

// Objects with virtual functions name it in their tables; nothing is ever allocated.
void operator delete(void* /*object*/, std::size_t /*size*/) noexcept {}
void operator delete(void* /*object*/) noexcept {}
