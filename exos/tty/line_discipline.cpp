// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Input: keyboard bytes become cells in the queue, signals, or edits of the unfinished line.
//
//   queue:   | finished lines          | unfinished line | free
//            ^ tail_                   ^ line_           ^ head_
//
//   type():  literal? -> flow control -> signal -> full? -> CR/NL mapping -> edit -> insert
//
// A canonical read takes cells from tail_ up to the first one flagged kLineEnd or kEndOfFile. Flags
// are set only when a line is finished, so [line_, head_) holds plain bytes and erasing is a
// decrement of head_. Out of canonical mode line_ follows head_ and flags are ignored.
// Output and echo: line_output.cpp.
#include "exos/tty/line_discipline.hpp"

#include <algorithm>
#include <type_traits>

namespace xok::exos {

static_assert(std::is_trivially_copyable_v<LineDiscipline> &&
              std::is_standard_layout_v<LineDiscipline>);

namespace {

constexpr std::uint64_t kTenthOfSecondNs = 100'000'000;
constexpr int kSigInt = 2;
constexpr int kSigQuit = 3;
constexpr int kSigTstp = 20;

constexpr std::uint8_t to_lower(std::uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + 32) : byte;
}

constexpr bool is_word(std::uint8_t byte) {
  const std::uint8_t lower = to_lower(byte);
  return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
         byte >= 0x80;
}

}  // namespace

bool LineDiscipline::input_has(std::uint32_t flag) const {
  return (attributes_.c_iflag & flag) != 0;
}

bool LineDiscipline::output_has(std::uint32_t flag) const {
  return (attributes_.c_oflag & flag) != 0;
}

bool LineDiscipline::is(control::Index which, std::uint8_t byte) const {
  return byte != kDisabledCharacter && attributes_.c_cc[which] == byte;
}

bool LineDiscipline::is_continuation(std::uint8_t byte) const {
  return input_has(input_mode::kUtf8) && (byte & 0xc0) == 0x80;
}

/// The queue is full and what is in it can be read, so the reader will make room.
bool LineDiscipline::must_wait_for_reader() const {
  return queued() >= kInputCapacity - 1 && (!has(local_mode::kCanonical) || line_ != tail_);
}

LineDiscipline::Typed LineDiscipline::input(std::span<const std::uint8_t> bytes,
                                            std::uint64_t now_ns) {
  Typed typed;
  for (std::uint8_t byte : bytes) {
    const std::size_t before = typed.consumed;
    type(byte, typed);
    if (typed.consumed == before) break;
  }
  if (typed.consumed != 0) last_input_ns_ = now_ns;
  return typed;
}

/// One byte through the stages at the top of this file. It is consumed unless there is no room.
void LineDiscipline::type(std::uint8_t raw, Typed& typed) {
  std::uint8_t byte = input_has(input_mode::kStrip) ? raw & 0x7f : raw;
  if (input_has(input_mode::kLowerCase) && has(local_mode::kExtended)) byte = to_lower(byte);

  if (!literal_next_) {
    if (typed_flow_control(byte)) {
      typed.consumed++;
      return;
    }
    if (const int signal = typed_signal(byte); signal != 0) {
      typed.signals |= std::uint64_t{1} << (signal - 1);
      typed.consumed++;
      return;
    }
  }
  if (must_wait_for_reader()) return;
  typed.consumed++;
  if (literal_next_) {
    literal_next_ = false;
    echo(byte);
    insert(byte);
    return;
  }
  if (stopped_ && input_has(input_mode::kFlowControl) && input_has(input_mode::kAnyRestarts)) {
    stopped_ = false;
  }
  const auto mapped = map_input(byte);
  if (!mapped.has_value()) return;
  if (has(local_mode::kCanonical) && edit(*mapped)) return;
  if (*mapped == '\n' && byte == '\r' && has(local_mode::kEcho)) {  // a newline typed raw is ^J
    echo_raw('\n');
  } else {
    echo(*mapped);
  }
  insert(*mapped);
}

bool LineDiscipline::typed_flow_control(std::uint8_t byte) {
  if (!input_has(input_mode::kFlowControl)) return false;
  if (is(control::kStart, byte)) {
    stopped_ = false;
    return true;
  }
  if (is(control::kStop, byte)) {
    stopped_ = true;
    return true;
  }
  return false;
}

/// The signal that `byte` asks for, 0 for none. Has flushed and echoed when there is one.
int LineDiscipline::typed_signal(std::uint8_t byte) {
  if (!has(local_mode::kSignals)) return 0;
  int signal = 0;
  if (is(control::kInterrupt, byte)) signal = kSigInt;
  if (is(control::kQuit, byte)) signal = kSigQuit;
  if (is(control::kSuspend, byte)) signal = kSigTstp;
  if (signal == 0) return 0;
  if (!has(local_mode::kNoFlush)) {
    flush_echo();
    flush_input();
  }
  if (input_has(input_mode::kFlowControl)) stopped_ = false;
  echo(byte);
  return signal;
}

/// Carriage return and newline, exchanged or dropped as the flags say.
std::optional<std::uint8_t> LineDiscipline::map_input(std::uint8_t byte) const {
  if (byte == '\r') {
    if (input_has(input_mode::kIgnoreReturn)) return std::nullopt;
    if (input_has(input_mode::kReturnToNewline)) return std::uint8_t{'\n'};
  } else if (byte == '\n' && input_has(input_mode::kNewlineToReturn)) {
    return std::uint8_t{'\r'};
  }
  return byte;
}

/// Canonical mode's special bytes. Returns  false when `byte` is ordinary text
bool LineDiscipline::edit(std::uint8_t byte) {
  const bool extended = has(local_mode::kExtended);
  if (is(control::kErase, byte) || is(control::kKill, byte) ||
      (extended && is(control::kWordErase, byte))) {
    erase(byte);
  } else if (extended && is(control::kLiteral, byte)) {
    literal_next_ = true;
    if (has(local_mode::kEcho) && has(local_mode::kEchoControl)) echo_text("^\b");
  } else if (extended && has(local_mode::kEcho) && is(control::kReprint, byte)) {
    reprint();
  } else if (byte == '\n') {
    if (has(local_mode::kEcho) || has(local_mode::kEchoNewline)) echo_raw('\n');
    end_line(byte, kLineEnd);
  } else if (is(control::kEndOfFile, byte)) {
    end_line(0, kEndOfFile);
  } else if (is(control::kEndOfLine, byte) || (extended && is(control::kEndOfLine2, byte))) {
    echo(byte);
    end_line(byte, kLineEnd);
  } else {
    return false;
  }
  return true;
}

void LineDiscipline::end_line(std::uint8_t byte, Cell flag) {
  // A full queue keeps its last place for exactly this; it is taken only if a second end follows.
  if (queued() >= kInputCapacity) return overflow();
  cell(head_++) = static_cast<Cell>(byte | flag);
  line_ = head_;
}

void LineDiscipline::insert(std::uint8_t byte) {
  const std::uint32_t copies = byte == 0xff && input_has(input_mode::kMarkParity) ? 2 : 1;
  if (queued() + copies > kInputCapacity - 1) return overflow();
  for (std::uint32_t copy = 0; copy < copies; copy++) cell(head_++) = byte;
  if (!has(local_mode::kCanonical)) line_ = head_;
}

void LineDiscipline::overflow() {
  if (input_has(input_mode::kBellWhenFull)) echo_raw('\a');
}

/// ERASE, WERASE or KILL was typed.
void LineDiscipline::erase(std::uint8_t byte) {
  if (head_ == line_) return;
  if (is(control::kKill, byte)) {
    const bool visibly = has(local_mode::kEchoKill) && has(local_mode::kEchoKillErase) &&
                         has(local_mode::kEchoErase);
    if (!has(local_mode::kEcho) || !visibly) {
      head_ = line_;
      echo(byte);
      if (has(local_mode::kEcho) && has(local_mode::kEchoKill)) echo_raw('\n');
      return;
    }
  }
  const bool one_only = is(control::kErase, byte);
  bool in_word = false;
  while (head_ != line_ && erase_character(byte, in_word) && !one_only) {
  }
}

/// Takes the last character, all its bytes, off the line and off the screen.
/// Returns  false when WERASE has met the blank before the word, and nothing was taken
bool LineDiscipline::erase_character(std::uint8_t key, bool& in_word) {
  std::uint32_t first = head_ - 1;
  while (first != line_ && is_continuation(static_cast<std::uint8_t>(cell(first)))) first--;
  const auto lead = static_cast<std::uint8_t>(cell(first));
  if (is_continuation(lead)) return false;  // a stray tail: the character began before this line
  const bool by_word = !is(control::kErase, key) && is(control::kWordErase, key);
  if (by_word) {
    if (is_word(lead)) {
      in_word = true;
    } else if (in_word) {
      return false;
    }
  }
  head_ = first;
  if (!has(local_mode::kEcho)) return true;
  if (is(control::kErase, key) && !has(local_mode::kEchoErase)) {
    echo(key);
  } else {
    echo_erased(lead);
  }
  return true;
}

void LineDiscipline::set_attributes(const Termios& attributes) {
  const bool was_canonical = has(local_mode::kCanonical);
  attributes_ = attributes;
  if (was_canonical != has(local_mode::kCanonical)) {
    literal_next_ = false;
    if (!was_canonical && head_ != tail_) {
      for (std::uint32_t at = tail_; at != head_; at++) cell(at) &= 0xff;
      cell(head_ - 1) |= kLineEnd;
    }
    line_ = head_;
  }
  if (!input_has(input_mode::kFlowControl)) stopped_ = false;
}

void LineDiscipline::flush_input() {
  tail_ = line_ = head_;
  literal_next_ = false;
}

bool LineDiscipline::set_window_size(const WindowSize& size) {
  const bool changed = size != window_size_;
  window_size_ = size;
  return changed;
}

bool LineDiscipline::readable() const {
  if (has(local_mode::kCanonical)) return line_ != tail_;
  const std::uint32_t min = attributes_.c_cc[control::kMin];
  const bool wait_for_min = attributes_.c_cc[control::kTime] == 0 && min != 0;
  return queued() >= (wait_for_min ? min : 1);
}

std::size_t LineDiscipline::available() const {
  if (!has(local_mode::kCanonical)) return queued();
  std::size_t bytes = 0;
  for (std::uint32_t at = tail_; at != line_; at++) {
    if ((cell(at) & kEndOfFile) == 0) bytes++;
    if (bytes == kInputCapacity) break;
  }
  return bytes;
}

std::optional<std::uint64_t> LineDiscipline::read_deadline(std::uint64_t started_ns) const {
  const std::uint64_t wait_ns = attributes_.c_cc[control::kTime] * kTenthOfSecondNs;
  if (has(local_mode::kCanonical) || wait_ns == 0) return std::nullopt;
  if (attributes_.c_cc[control::kMin] == 0) return started_ns + wait_ns;
  if (queued() == 0) return std::nullopt;  // the timer between bytes starts with the first one
  return std::max(started_ns, last_input_ns_) + wait_ns;
}

Result<std::size_t> LineDiscipline::read(std::span<std::uint8_t> destination, ReadMode mode,
                                         std::uint64_t started_ns, std::uint64_t now_ns) {
  if (destination.empty()) return std::size_t{0};
  if (has(local_mode::kCanonical)) return read_line(destination);

  const std::size_t min = attributes_.c_cc[control::kMin];
  const bool enough = queued() >= std::max<std::size_t>(1, std::min(min, destination.size()));
  const auto deadline = read_deadline(started_ns);
  const bool over = deadline.has_value() && now_ns >= *deadline;
  const bool never_waits = min == 0 && attributes_.c_cc[control::kTime] == 0;
  if (enough || over || never_waits) return take(destination);
  if (mode == ReadMode::NonBlocking && queued() != 0) return take(destination);
  return fail(Errc::WouldBlock);
}

std::size_t LineDiscipline::take(std::span<std::uint8_t> destination) {
  std::size_t count = 0;
  while (count < destination.size() && tail_ != head_) {
    destination[count++] = static_cast<std::uint8_t>(cell(tail_++));
  }
  return count;
}

Result<std::size_t> LineDiscipline::read_line(std::span<std::uint8_t> destination) {
  if (line_ == tail_) return fail(Errc::WouldBlock);
  std::size_t count = 0;
  while (tail_ != line_) {
    const Cell next = cell(tail_);
    if ((next & kEndOfFile) != 0) {
      tail_++;  // also when the line just filled the buffer: it must not read as a second end
      break;
    }
    if (count == destination.size()) break;
    destination[count++] = static_cast<std::uint8_t>(next);
    tail_++;
    if ((next & kLineEnd) != 0) break;
  }
  return count;
}

}  // namespace xok::exos
