// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

namespace xok::exos {

/// Terminal settings exactly as TCGETS and TCSETS exchange them on Linux x86-64 (the *kernel's*
/// structure; the C library's has more fields). Members keep the names of termios(3), so that the
/// manual page can be read beside this file.
/// Source: termios(3); Linux uapi/asm-generic/termbits.h for the layout and the values.
struct Termios {
  static constexpr std::size_t kControlCharacters = 19;

  std::uint32_t c_iflag;
  std::uint32_t c_oflag;
  std::uint32_t c_cflag;
  std::uint32_t c_lflag;
  std::uint8_t c_line;
  std::uint8_t c_cc[kControlCharacters];

  bool operator==(const Termios&) const = default;
};
static_assert(sizeof(Termios) == 36 && offsetof(Termios, c_line) == 16 &&
              offsetof(Termios, c_cc) == 17);

/// What TIOCGWINSZ and TIOCSWINSZ exchange: the size in characters, and in pixels (0: not known).
struct WindowSize {
  std::uint16_t rows;
  std::uint16_t columns;
  std::uint16_t x_pixels;
  std::uint16_t y_pixels;

  bool operator==(const WindowSize&) const = default;
};
static_assert(sizeof(WindowSize) == 8);

/// Indices into c_cc.
namespace control {
enum Index : std::uint8_t {
  kInterrupt = 0,   ///< VINTR
  kQuit = 1,        ///< VQUIT
  kErase = 2,       ///< VERASE: one character back
  kKill = 3,        ///< VKILL: the whole line
  kEndOfFile = 4,   ///< VEOF
  kTime = 5,        ///< VTIME: tenths of a second
  kMin = 6,         ///< VMIN: bytes
  kSwitch = 7,      ///< VSWTC: unused, as on Linux
  kStart = 8,       ///< VSTART
  kStop = 9,        ///< VSTOP
  kSuspend = 10,    ///< VSUSP
  kEndOfLine = 11,  ///< VEOL
  kReprint = 12,    ///< VREPRINT
  kDiscard = 13,    ///< VDISCARD: unused, as on Linux
  kWordErase = 14,  ///< VWERASE
  kLiteral = 15,    ///< VLNEXT
  kEndOfLine2 = 16  ///< VEOL2
};
}  // namespace control

/// A control character with this value is switched off (_POSIX_VDISABLE).
inline constexpr std::uint8_t kDisabledCharacter = 0;

/// c_iflag.
namespace input_mode {
inline constexpr std::uint32_t kIgnoreBreak = 0x0001;       ///< IGNBRK
inline constexpr std::uint32_t kBreakInterrupts = 0x0002;   ///< BRKINT
inline constexpr std::uint32_t kIgnoreParity = 0x0004;      ///< IGNPAR
inline constexpr std::uint32_t kMarkParity = 0x0008;        ///< PARMRK
inline constexpr std::uint32_t kCheckParity = 0x0010;       ///< INPCK
inline constexpr std::uint32_t kStrip = 0x0020;             ///< ISTRIP
inline constexpr std::uint32_t kNewlineToReturn = 0x0040;   ///< INLCR
inline constexpr std::uint32_t kIgnoreReturn = 0x0080;      ///< IGNCR
inline constexpr std::uint32_t kReturnToNewline = 0x0100;   ///< ICRNL
inline constexpr std::uint32_t kLowerCase = 0x0200;         ///< IUCLC
inline constexpr std::uint32_t kFlowControl = 0x0400;       ///< IXON
inline constexpr std::uint32_t kAnyRestarts = 0x0800;       ///< IXANY
inline constexpr std::uint32_t kInputFlowControl = 0x1000;  ///< IXOFF
inline constexpr std::uint32_t kBellWhenFull = 0x2000;      ///< IMAXBEL
inline constexpr std::uint32_t kUtf8 = 0x4000;              ///< IUTF8
}  // namespace input_mode

/// c_oflag.
namespace output_mode {
inline constexpr std::uint32_t kProcess = 0x0001;            ///< OPOST
inline constexpr std::uint32_t kUpperCase = 0x0002;          ///< OLCUC
inline constexpr std::uint32_t kNewlineAddsReturn = 0x0004;  ///< ONLCR
inline constexpr std::uint32_t kReturnToNewline = 0x0008;    ///< OCRNL
inline constexpr std::uint32_t kNoReturnAtStart = 0x0010;    ///< ONOCR
inline constexpr std::uint32_t kNewlineReturns = 0x0020;     ///< ONLRET
inline constexpr std::uint32_t kTabMask = 0x1800;            ///< TABDLY
inline constexpr std::uint32_t kExpandTabs = 0x1800;         ///< TAB3, XTABS
}  // namespace output_mode

/// c_cflag: kept for programs that ask; a virtual line has no speed.
namespace line_mode {
inline constexpr std::uint32_t kSpeed38400 = 0x000f;     ///< B38400
inline constexpr std::uint32_t kEightBits = 0x0030;      ///< CS8
inline constexpr std::uint32_t kReceive = 0x0080;        ///< CREAD
inline constexpr std::uint32_t kHangupOnClose = 0x0400;  ///< HUPCL
}  // namespace line_mode

/// c_lflag.
namespace local_mode {
inline constexpr std::uint32_t kSignals = 0x0001;      ///< ISIG
inline constexpr std::uint32_t kCanonical = 0x0002;    ///< ICANON
inline constexpr std::uint32_t kEcho = 0x0008;         ///< ECHO
inline constexpr std::uint32_t kEchoErase = 0x0010;    ///< ECHOE
inline constexpr std::uint32_t kEchoKill = 0x0020;     ///< ECHOK
inline constexpr std::uint32_t kEchoNewline = 0x0040;  ///< ECHONL
inline constexpr std::uint32_t kNoFlush = 0x0080;      ///< NOFLSH
inline constexpr std::uint32_t kStopBackground =
    0x0100;                                            ///< TOSTOP: checked where write(2) is served
inline constexpr std::uint32_t kEchoControl = 0x0200;  ///< ECHOCTL
inline constexpr std::uint32_t kEchoPrint = 0x0400;    ///< ECHOPRT: accepted, echoed as ECHOE
inline constexpr std::uint32_t kEchoKillErase = 0x0800;  ///< ECHOKE
inline constexpr std::uint32_t kExtended = 0x8000;       ///< IEXTEN
}  // namespace local_mode

/// What a fresh terminal has: the settings Linux gives a new tty, with UTF-8 erase.
constexpr Termios default_termios() {
  using namespace input_mode;
  using namespace line_mode;
  using namespace local_mode;
  return {.c_iflag = input_mode::kReturnToNewline | kFlowControl | kUtf8,
          .c_oflag = output_mode::kProcess | output_mode::kNewlineAddsReturn,
          .c_cflag = kSpeed38400 | kEightBits | kReceive | kHangupOnClose,
          .c_lflag = kSignals | kCanonical | kEcho | kEchoErase | kEchoKill | kEchoControl |
                     kEchoKillErase | kExtended,
          .c_line = 0,
          .c_cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0}};
}

}  // namespace xok::exos
