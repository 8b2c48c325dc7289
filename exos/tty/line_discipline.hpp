// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "exos/tty/termios.hpp"

namespace xok::exos {

/// Everything a terminal does between the wire and the programs: line editing, echo, signals from
/// the keyboard, flow control, output processing. A pure state machine: bytes and times in, bytes,
/// signal numbers and deadlines out. It knows no device, no process and no clock, so the console,
/// a pseudo-terminal and the tests drive the same code.
///
/// The object is plain data (no pointer, no virtual call, valid at any address) and is made to lie
/// in memory that all processes of the terminal share. Indices are masked at every use: scribbled
/// counters can garble the terminal's text, never reach outside the object.
///
///   keyboard --> input() --> queue --> read() --> program
///                   |
///                   +--> echo --+
///                               v
///   program --> write_translate() --> screen      (echo alone: drain_echo())
///
/// Context  one caller at a time: the terminal's lock is held. Nothing blocks, nothing allocates.
/// Source   POSIX.1-2017 chapter 11; termios(3); behaviour of Linux 6.1 where they leave a choice.
///          Compared with a Linux pseudo-terminal on random typing.
///          differs: ECHOPRT echoes as ECHOE, IXOFF sends nothing, VSWTC and VDISCARD do nothing;
///          IUCLC lowers ASCII only, and WERASE takes any byte from 0x80 for part of a word, where
///          Linux assumes Latin-1
class LineDiscipline {
 public:
  /// Bytes of input kept, and the longest line with its end: a line's last place takes only its
  /// end.
  static constexpr std::size_t kInputCapacity = 4096;
  /// Bytes of echo kept until they are drained; echo beyond that is dropped, input is not.
  static constexpr std::size_t kEchoCapacity = 4096;

  /// What typing did.
  struct Typed {
    std::size_t consumed = 0;   ///< bytes taken; offer the rest again after a read
    std::uint64_t signals = 0;  ///< bit n-1: raise signal n in the foreground process group
  };

  /// What writing did.
  struct Written {
    std::size_t consumed = 0;  ///< bytes of the program's data that are done with
    std::size_t produced = 0;  ///< bytes put at the front of the destination
  };

  /// How a read waits when the queue holds less than it wants.
  enum class ReadMode : std::uint8_t { Blocking, NonBlocking };

  /// Bytes arrive from the keyboard at `now_ns`.
  ///
  /// Stops early only when the queue is full and a read can empty it. A line that grows beyond the
  /// queue before it ends loses its excess (with a bell when IMAXBEL is set), as on Linux.
  /// Cost  O(bytes), plus O(line) for each reprint, and each erase of a tab
  Typed input(std::span<const std::uint8_t> bytes, std::uint64_t now_ns);

  /// Serves one read(2).
  ///
  /// destination  where the bytes go; canonical mode gives at most one line
  /// started_ns   when this read(2) began; VTIME counts from there or from the last byte
  /// Returns      bytes delivered; 0 is end of file, or an elapsed VTIME with VMIN = 0
  /// Errors       WouldBlock  not enough input yet: wait until `readable`, or `read_deadline`
  Result<std::size_t> read(std::span<std::uint8_t> destination, ReadMode mode,
                           std::uint64_t started_ns, std::uint64_t now_ns);

  /// True when a read would deliver at once; what poll(2) reports.
  [[nodiscard]] bool readable() const;

  /// When a read that got WouldBlock must be tried again although nothing was typed (VTIME).
  /// Returns  a time on the callers' clock, or nothing: only input can end the wait
  [[nodiscard]] std::optional<std::uint64_t> read_deadline(std::uint64_t started_ns) const;

  /// Bytes a read could deliver, for FIONREAD.
  [[nodiscard]] std::size_t available() const;

  /// Turns a program's bytes into what the screen gets, pending echo first.
  ///
  /// source       the program's bytes
  /// destination  a buffer that goes to the device as it is
  /// Returns      both counts; consumed 0 while output is stopped (see `output_stopped`) or when
  /// the
  ///              destination has no room for the next byte's translation (at most 8 bytes)
  Written write_translate(std::span<const std::uint8_t> source,
                          std::span<std::uint8_t> destination);

  /// Moves pending echo to `destination`. Returns  bytes moved, 0 while output is stopped
  std::size_t drain_echo(std::span<std::uint8_t> destination);

  [[nodiscard]] bool echo_pending() const { return echo_head_ != echo_tail_; }

  /// The user typed STOP (or a program asked with TCOOFF): writers wait until it is false.
  [[nodiscard]] bool output_stopped() const { return stopped_; }
  void stop_output() { stopped_ = true; }
  void start_output() { stopped_ = false; }

  [[nodiscard]] const Termios& attributes() const { return attributes_; }

  /// TCSETS: new settings from now on. TCSETSF calls `flush_input` before. Input that was collected
  /// raw becomes one line without an end when canonical mode is switched on.
  void set_attributes(const Termios& attributes);

  /// tcflush(3).
  void flush_input();
  void flush_echo();

  [[nodiscard]] const WindowSize& window_size() const { return window_size_; }
  /// Returns  true when the size differs: raise SIGWINCH in the foreground process group
  bool set_window_size(const WindowSize& size);

 private:
  /// One byte of input with what it means to a canonical read.
  using Cell = std::uint16_t;
  static constexpr Cell kLineEnd = 0x100;    ///< a canonical read stops after this byte
  static constexpr Cell kEndOfFile = 0x200;  ///< a canonical read stops here; no byte to deliver

  Cell& cell(std::uint32_t position) { return queue_[position % kInputCapacity]; }
  [[nodiscard]] Cell cell(std::uint32_t position) const {
    return queue_[position % kInputCapacity];
  }
  [[nodiscard]] std::uint32_t queued() const { return head_ - tail_; }
  [[nodiscard]] bool has(std::uint32_t flag) const { return (attributes_.c_lflag & flag) != 0; }
  [[nodiscard]] bool input_has(std::uint32_t flag) const;
  [[nodiscard]] bool output_has(std::uint32_t flag) const;
  [[nodiscard]] bool is(control::Index which, std::uint8_t byte) const;
  [[nodiscard]] bool is_continuation(std::uint8_t byte) const;
  [[nodiscard]] bool must_wait_for_reader() const;

  bool typed_flow_control(std::uint8_t byte);
  int typed_signal(std::uint8_t byte);
  std::optional<std::uint8_t> map_input(std::uint8_t byte) const;
  void type(std::uint8_t byte, Typed& typed);
  bool edit(std::uint8_t byte);
  void end_line(std::uint8_t byte, Cell flag);
  void insert(std::uint8_t byte);
  void overflow();

  void erase(std::uint8_t byte);
  bool erase_character(std::uint8_t key, bool& in_word);
  void echo_erased(std::uint8_t first);
  void reprint();
  [[nodiscard]] std::uint32_t column_at_head() const;

  void echo(std::uint8_t byte);
  void echo_raw(std::uint8_t byte);
  void echo_text(const char* text);
  std::size_t translate(std::uint8_t byte, std::span<std::uint8_t, 8> out);
  void show(std::uint8_t byte);

  Result<std::size_t> read_line(std::span<std::uint8_t> destination);
  std::size_t take(std::span<std::uint8_t> destination);

  Termios attributes_ = default_termios();
  WindowSize window_size_{24, 80, 0, 0};
  std::uint64_t last_input_ns_ = 0;

  // Positions only grow (modulo 2^32): tail_ <= line_ <= head_. Canonical reads see [tail_, line_).
  std::uint32_t tail_ = 0;  ///< next byte to be read
  std::uint32_t line_ = 0;  ///< end of the finished lines: editing cannot go before it
  std::uint32_t head_ = 0;  ///< next free place
  std::uint32_t echo_tail_ = 0;
  std::uint32_t echo_head_ = 0;
  std::uint32_t column_ = 0;        ///< where the cursor will be when all echo is on the screen
  std::uint32_t shown_column_ = 0;  ///< where it is now: where flushed echo leaves it
  std::uint32_t line_column_ = 0;   ///< where the cursor was when the unfinished line began
  bool literal_next_ = false;       ///< LNEXT was typed
  bool stopped_ = false;
  std::array<Cell, kInputCapacity> queue_{};
  std::array<std::uint8_t, kEchoCapacity> echo_{};
};

}  // namespace xok::exos
