// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/target.hpp"

#include <algorithm>

#include "libs/http/characters.hpp"

namespace xok::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The character that two hexadecimal digits stand for. Control characters are refused.
Result<char> decode(std::string_view digits) {
  if (digits.size() < 2) return fail(Errc::BadFormat);
  const int high = hex_digit(digits[0]);
  const int low = hex_digit(digits[1]);
  const int code = high << 4 | low;
  if (high < 0 || low < 0 || code < ' ' || code == 0x7f) return fail(Errc::BadFormat);
  return static_cast<char>(code);
}

/// A path under construction. Always begins with '/'; everything before `component_` is finished,
/// in normal form, and ends in '/'.
class PathWriter {
 public:
  explicit PathWriter(std::span<char> out) : out_{out} { out_[0] = '/'; }

  bool add(char c) {
    if (length_ == out_.size()) return false;
    out_[length_++] = c;
    return true;
  }

  /// Adds characters up to the first that is not plain, or that does not fit. Returns how many.
  std::size_t add_plain(std::string_view text) {
    char* to = out_.data() + length_;
    const std::size_t most = std::min(text.size(), out_.size() - length_);
    std::size_t count = 0;
    for (; count < most && is(text[count], kPlain); ++count) to[count] = text[count];
    length_ += count;
    return count;
  }

  /// Finishes a component that a '/' follows, or the path's end.
  bool end_component(bool slash_follows) {
    const std::string_view component{out_.data() + component_, length_ - component_};
    if (component.empty()) return true;
    if (component.size() <= 2 && component[0] == '.' && component.back() == '.') {
      length_ = component_;
      if (component.size() == 2) drop_last_component();
    } else if (slash_follows && !add('/')) {
      return false;
    }
    component_ = length_;
    return true;
  }

  std::size_t length() const { return length_; }

 private:
  void drop_last_component() {
    if (length_ == 1) return;
    do --length_;
    while (out_[length_ - 1] != '/');
  }

  std::span<char> out_;
  std::size_t length_ = 1;
  std::size_t component_ = 1;
};

/// Leaves the part from the path on. False if the target has neither form.
bool skip_authority(std::string_view& target) {
  if (!target.empty() && target[0] == '/') return true;
  constexpr std::size_t kScheme = 7;
  if (!equal_ignoring_case(prefix(target, kScheme), "http://")) return false;
  target.remove_prefix(kScheme);
  std::size_t end = 0;
  while (end < target.size() && is(target[end], kHost)) ++end;
  const bool host_ends = end == target.size() || target[end] == '/' || target[end] == '?';
  target.remove_prefix(end);
  return end > 0 && host_ends;
}

}  // namespace

Result<std::size_t> path_of_target(std::string_view target, std::span<char> out) {
  if (!skip_authority(target)) return fail(Errc::BadFormat);
  if (out.empty()) return fail(Errc::TooBig);
  PathWriter path{out};
  std::size_t i = 0;
  while (i < target.size()) {
    i += path.add_plain(after(target, i));
    if (i == target.size()) break;
    char c = target[i++];
    if (c == '?') break;
    if (c == '%') {
      c = XOK_TRY(decode(after(target, i)));
      i += 2;
    } else if (!is(c, kTarget)) {
      return fail(Errc::BadFormat);
    }
    const bool fits = c == '/' ? path.end_component(true) : path.add(c);
    if (!fits) return fail(Errc::TooBig);
  }
  if (!all_are(after(target, i), kTarget)) return fail(Errc::BadFormat);
  if (!path.end_component(false)) return fail(Errc::TooBig);
  return path.length();
}

}  // namespace xok::http
