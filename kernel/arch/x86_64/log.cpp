// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/log.hpp"

#include "kernel/arch/x86_64/serial.hpp"

namespace xok::kernel::x86 {
namespace {

/// Lines that a quiet boot did not print; the oldest bytes are overwritten.
struct Ring {
  std::array<char, 8192> text{};
  std::size_t written = 0;

  void put(char c) { text[written++ % text.size()] = c; }
};

constinit Ring g_ring;
constinit LogMode g_mode = LogMode::Print;

void keep(std::string_view line) {
  for (const char c : line) g_ring.put(c);
  g_ring.put('\n');
}

void print(std::string_view line) {
  serial().send(line);
  serial().send("\n");
}

}  // namespace

Line& Line::operator<<(std::uint64_t number) {
  std::array<char, 20> digits{};
  std::size_t n = 0;
  do {
    digits[n++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  while (n > 0) *this << std::string_view{&digits[--n], 1};
  return *this;
}

Line& Line::operator<<(Hex number) {
  unsigned digits = number.digits;
  while (digits < 16 && number.value >> (4 * digits) != 0) digits++;
  while (digits-- > 0)
    *this << std::string_view{&"0123456789abcdef"[number.value >> (4 * digits) & 15], 1};
  return *this;
}

void set_log_mode(LogMode mode) { g_mode = mode; }

void log(std::string_view line) {
  if (g_mode == LogMode::Print)
    print(line);
  else
    keep(line);
}

void log_error(std::string_view line) { print(line); }

void print_kept_lines() {
  const std::size_t size = g_ring.text.size();
  std::size_t at = g_ring.written > size ? g_ring.written - size : 0;
  for (; at < g_ring.written; at++) serial().send({&g_ring.text[at % size], 1});
  g_ring.written = 0;
}

}  // namespace xok::kernel::x86
