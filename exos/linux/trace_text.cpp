// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/linux/trace_text.hpp"

namespace xok::exos::trace {

Text& Text::put(char character) {
  if (size_ < buffer_.size()) buffer_[size_++] = character;
  return *this;
}

Text& Text::put(std::string_view text) {
  for (char character : text) put(character);
  return *this;
}

void Text::digits(std::uint64_t value, unsigned base, unsigned minimum) {
  char reversed[24];
  unsigned count = 0;
  for (; value != 0 || count < minimum; value /= base) {
    reversed[count++] = "0123456789abcdef"[value % base];
  }
  while (count > 0) put(reversed[--count]);
}

Text& Text::decimal(std::int64_t value) {
  if (value >= 0) return unsigned_decimal(static_cast<std::uint64_t>(value));
  put('-');
  return unsigned_decimal(~static_cast<std::uint64_t>(value) + 1);
}

Text& Text::unsigned_decimal(std::uint64_t value) {
  digits(value, 10, 1);
  return *this;
}

Text& Text::hex(std::uint64_t value) {
  if (value != 0) put("0x");
  digits(value, 16, 1);
  return *this;
}

Text& Text::octal_mode(std::uint64_t value) {
  if (value >= 0100) put('0');
  digits(value, 8, 3);
  return *this;
}

Text& Text::pointer(std::uint64_t value) { return value == 0 ? put("NULL") : hex(value); }

void Text::escaped(std::uint8_t byte, bool digit_follows) {
  switch (byte) {
    case '"':
      put("\\\"");
      return;
    case '\\':
      put("\\\\");
      return;
    case '\t':
      put("\\t");
      return;
    case '\n':
      put("\\n");
      return;
    case '\v':
      put("\\v");
      return;
    case '\f':
      put("\\f");
      return;
    case '\r':
      put("\\r");
      return;
    default:
      break;
  }
  if (byte >= ' ' && byte <= '~') {
    put(static_cast<char>(byte));
    return;
  }
  put('\\');
  digits(byte, 8, digit_follows ? 3 : 1);
}

Text& Text::quoted(std::span<const std::uint8_t> bytes, Escape escape) {
  put('"');
  for (std::size_t i = 0; i < bytes.size(); i++) {
    if (escape == Escape::AllHex) {
      put("\\x");
      digits(bytes[i], 16, 2);
    } else {
      const bool digit_follows = i + 1 < bytes.size() && bytes[i + 1] >= '0' && bytes[i + 1] <= '9';
      escaped(bytes[i], digit_follows);
    }
  }
  return put('"');
}

Text& Text::pad_to(std::size_t column) {
  do {
    put(' ');
  } while (size_ < column && size_ < buffer_.size());
  return *this;
}

}  // namespace xok::exos::trace
