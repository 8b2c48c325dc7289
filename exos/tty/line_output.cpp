// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What reaches the screen: echo of what is typed, and programs' output, both through translate(),
// which also follows the cursor's column. Echo is translated when it is typed and kept in a ring
// until the screen takes it; a program's bytes are translated straight into the caller's buffer,
// behind whatever echo is pending, so text appears in the order in which it happened.
#include <algorithm>

#include "exos/tty/line_discipline.hpp"

namespace xok::exos {

namespace {

constexpr std::uint32_t kTabWidth = 8;

constexpr bool is_control(std::uint8_t byte) { return byte < 0x20 || byte == 0x7f; }

constexpr std::uint8_t to_upper(std::uint8_t byte) {
  return byte >= 'a' && byte <= 'z' ? static_cast<std::uint8_t>(byte - 32) : byte;
}

constexpr std::uint32_t to_tab_stop(std::uint32_t column) { return kTabWidth - column % kTabWidth; }

}  // namespace

/// Output processing of one byte.
/// Returns  the bytes put into `out`, 0 to 8
std::size_t LineDiscipline::translate(std::uint8_t byte, std::span<std::uint8_t, 8> out) {
  out[0] = byte;
  if (!output_has(output_mode::kProcess)) return 1;
  switch (byte) {
    case '\n':
      if (output_has(output_mode::kNewlineReturns)) column_ = 0;
      if (output_has(output_mode::kNewlineAddsReturn)) {
        column_ = line_column_ = 0;
        out[0] = '\r';
        out[1] = '\n';
        return 2;
      }
      line_column_ = column_;
      return 1;
    case '\r':
      if (output_has(output_mode::kNoReturnAtStart) && column_ == 0) return 0;
      if (output_has(output_mode::kReturnToNewline)) {
        out[0] = '\n';
        if (output_has(output_mode::kNewlineReturns)) column_ = line_column_ = 0;
        return 1;
      }
      column_ = line_column_ = 0;
      return 1;
    case '\t': {
      const std::uint32_t spaces = to_tab_stop(column_);
      column_ += spaces;
      if ((attributes_.c_oflag & output_mode::kTabMask) != output_mode::kExpandTabs) return 1;
      std::fill_n(out.begin(), spaces, std::uint8_t{' '});
      return spaces;
    }
    case '\b':
      if (column_ > 0) column_--;
      return 1;
    default:
      if (is_control(byte)) return 1;
      if (output_has(output_mode::kUpperCase)) out[0] = to_upper(byte);
      if (!is_continuation(byte)) column_++;
      return 1;
  }
}

/// Echoes one byte as it is, through output processing.
void LineDiscipline::echo_raw(std::uint8_t byte) {
  if (kEchoCapacity - (echo_head_ - echo_tail_) < kTabWidth) return;  // full: echo is dropped
  std::uint8_t out[8];
  const std::size_t count = translate(byte, out);
  for (std::size_t i = 0; i < count; i++) echo_[echo_head_++ % kEchoCapacity] = out[i];
}

void LineDiscipline::echo_text(const char* text) {
  while (*text != 0) echo_raw(static_cast<std::uint8_t>(*text++));
}

/// Echoes one typed byte, if echo is on; a control byte as ^X when ECHOCTL says so.
void LineDiscipline::echo(std::uint8_t byte) {
  if (!has(local_mode::kEcho)) return;
  if (head_ == line_) line_column_ = column_;
  if (has(local_mode::kEchoControl) && is_control(byte) && byte != '\t') {
    echo_raw('^');
    echo_raw(byte ^ 0x40);
  } else {
    echo_raw(byte);
  }
}

/// Takes a character that began with `first` off the screen; head_ stands before it already.
void LineDiscipline::echo_erased(std::uint8_t first) {
  if (first == '\t') {
    for (std::uint32_t back = to_tab_stop(column_at_head()); back > 0; back--) echo_raw('\b');
    return;
  }
  const bool as_caret = is_control(first) && has(local_mode::kEchoControl);
  if (as_caret) echo_text("\b \b");
  if (as_caret || !is_control(first)) echo_text("\b \b");
}

/// The column at which the unfinished line ends, as it was echoed.
std::uint32_t LineDiscipline::column_at_head() const {
  std::uint32_t column = line_column_;
  for (std::uint32_t at = line_; at != head_; at++) {
    const auto byte = static_cast<std::uint8_t>(cell(at));
    if (byte == '\t') {
      column += to_tab_stop(column);
    } else if (is_control(byte)) {
      column += has(local_mode::kEchoControl) ? 2 : 0;
    } else if (!is_continuation(byte)) {
      column++;
    }
  }
  return column;
}

/// REPRINT: the unfinished line again, on a new line of the screen.
void LineDiscipline::reprint() {
  echo(attributes_.c_cc[control::kReprint]);
  echo_raw('\n');
  line_column_ = column_;
  for (std::uint32_t at = line_; at != head_; at++) echo(static_cast<std::uint8_t>(cell(at)));
}

/// Follows the cursor over one translated byte of echo as it leaves for the screen.
void LineDiscipline::show(std::uint8_t byte) {
  if (!output_has(output_mode::kProcess)) return;
  if (byte == '\r') {
    shown_column_ = 0;
  } else if (byte == '\t') {
    shown_column_ += to_tab_stop(shown_column_);
  } else if (byte == '\b') {
    if (shown_column_ > 0) shown_column_--;
  } else if (!is_control(byte) && !is_continuation(byte)) {
    shown_column_++;
  }
}

void LineDiscipline::flush_echo() {
  echo_tail_ = echo_head_;
  column_ = shown_column_;
}

std::size_t LineDiscipline::drain_echo(std::span<std::uint8_t> destination) {
  if (stopped_) return 0;
  std::size_t count = 0;
  while (count < destination.size() && echo_pending()) {
    const std::uint8_t byte = echo_[echo_tail_++ % kEchoCapacity];
    show(byte);
    destination[count++] = byte;
  }
  return count;
}

LineDiscipline::Written LineDiscipline::write_translate(std::span<const std::uint8_t> source,
                                                        std::span<std::uint8_t> destination) {
  if (stopped_) return {};
  Written written{.consumed = 0, .produced = drain_echo(destination)};
  std::uint8_t out[8];
  for (std::uint8_t byte : source) {
    if (destination.size() - written.produced < sizeof out) break;
    const std::size_t count = translate(byte, out);
    std::copy_n(out, count, destination.begin() + static_cast<std::ptrdiff_t>(written.produced));
    written.produced += count;
    written.consumed++;
  }
  if (written.consumed != 0) shown_column_ = column_;
  return written;
}

}  // namespace xok::exos
