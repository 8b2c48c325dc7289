// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/tty/line_discipline.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace xok::exos {
namespace {

constexpr std::uint64_t kInt = 1 << 1;
constexpr std::uint64_t kQuit = 1 << 2;
constexpr std::uint64_t kTstp = 1 << 19;
constexpr std::uint64_t kSecondNs = 1'000'000'000;

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// A terminal with a user and a program.
class Terminal {
 public:
  LineDiscipline& line() { return *line_; }

  LineDiscipline::Typed type(std::string_view text, std::uint64_t now_ns = 0) {
    return line_->input(bytes(text), now_ns);
  }

  std::string screen() {
    std::uint8_t buffer[8192];
    return {reinterpret_cast<char*>(buffer), line_->drain_echo(buffer)};
  }

  std::string print(std::string_view text) {
    std::uint8_t buffer[8192];
    const auto written = line_->write_translate(bytes(text), buffer);
    return {reinterpret_cast<char*>(buffer), written.produced};
  }

  Result<std::string> read(std::size_t size = 8192, std::uint64_t started_ns = 0,
                           std::uint64_t now_ns = 0,
                           LineDiscipline::ReadMode mode = LineDiscipline::ReadMode::Blocking) {
    std::vector<std::uint8_t> buffer(size);
    const auto got = line_->read(buffer, mode, started_ns, now_ns);
    if (!got.has_value()) return fail(got.error());
    return std::string{reinterpret_cast<char*>(buffer.data()), *got};
  }

  /// All finished lines, each in brackets.
  std::string lines() {
    std::string all;
    for (auto text = read(); text.has_value(); text = read()) all += "[" + *text + "]";
    return all;
  }

  template <class Change>
  void change(Change edit) {
    Termios attributes = line_->attributes();
    edit(attributes);
    line_->set_attributes(attributes);
  }

  void make_raw(std::uint8_t min, std::uint8_t time) {
    change([&](Termios& t) {
      t.c_lflag &= ~(local_mode::kCanonical | local_mode::kEcho | local_mode::kSignals);
      t.c_iflag &= ~(input_mode::kReturnToNewline | input_mode::kFlowControl);
      t.c_cc[control::kMin] = min;
      t.c_cc[control::kTime] = time;
    });
  }

 private:
  std::unique_ptr<LineDiscipline> line_ = std::make_unique<LineDiscipline>();
};

/// One keyboard input on a terminal whose default flags are changed by the four masks.
struct Case {
  const char* name;
  std::uint32_t input_on, input_off, local_on, local_off;
  std::string_view typed, screen, lines;
  std::uint64_t signals = 0;
};

using namespace input_mode;
using namespace local_mode;

constexpr std::uint32_t kNone = 0;
const Case kCases[] = {
    {"PlainLine", 0, 0, 0, 0, "ls\r", "ls\r\n", "[ls\n]"},
    {"TwoLines", 0, 0, 0, 0, "a\nb\n", "a\r\nb\r\n", "[a\n][b\n]"},
    {"UnfinishedLine", 0, 0, 0, 0, "abc", "abc", ""},
    {"ReturnKept", 0, kReturnToNewline, 0, kEcho, "a\rb\n", "", "[a\rb\n]"},
    {"ReturnIgnored", kIgnoreReturn, 0, 0, 0, "a\rb\n", "ab\r\n", "[ab\n]"},
    {"NewlineToReturn", kNewlineToReturn, kReturnToNewline, 0, 0, "a\n", "a^M", ""},
    {"Strip", kStrip, kUtf8, 0, 0, "\xe1\n", "a\r\n", "[a\n]"},
    {"LowerCase", kLowerCase, 0, 0, 0, "AbC\n", "abc\r\n", "[abc\n]"},
    {"Erase", 0, 0, 0, 0,
     "ab\x7f"
     "c\n",
     "ab\b \bc\r\n", "[ac\n]"},
    {"EraseNothing", 0, 0, 0, 0, "\x7f\n", "\r\n", "[\n]"},
    {"EraseStopsAtTheFinishedLine", 0, 0, 0, 0, "a\n\x7f\n", "a\r\n\r\n", "[a\n][\n]"},
    {"EraseControlTakesTwoColumns", 0, 0, 0, 0, "\x01\x7f\n", "^A\b \b\b \b\r\n", "[\n]"},
    {"EraseControlWithoutCaret", 0, 0, 0, kEchoControl, "\x01\x7f\n", "\x01\r\n", "[\n]"},
    {"EraseUtf8", 0, 0, 0, 0, "\xc3\xa4\x7f\n", "\xc3\xa4\b \b\r\n", "[\n]"},
    {"EraseByteWithoutUtf8", 0, kUtf8, 0, 0, "\xc3\xa4\x7f\n", "\xc3\xa4\b \b\r\n", "[\xc3\n]"},
    {"EraseTab", 0, 0, 0, 0,
     "ab\t\x7f"
     "c\n",
     "ab\t\b\b\b\b\b\bc\r\n", "[abc\n]"},
    {"EraseShownAsCharacter", 0, 0, 0, kEchoErase, "a\x7f\n", "a^?\r\n", "[\n]"},
    {"EraseUnseen", 0, 0, 0, kEcho, "ab\x7f\n", "", "[a\n]"},
    {"Kill", 0, 0, 0, 0,
     "ab\x15"
     "c\n",
     "ab\b \b\b \bc\r\n", "[c\n]"},
    {"KillWithNewline", 0, 0, 0, kEchoKillErase,
     "ab\x15"
     "c\n",
     "ab^U\r\nc\r\n", "[c\n]"},
    {"KillWithoutNewline", 0, 0, 0, kEchoKill,
     "ab\x15"
     "c\n",
     "ab^Uc\r\n", "[c\n]"},
    {"WordErase", 0, 0, 0, 0, "a bc  \x17\n", "a bc  \b \b\b \b\b \b\b \b\r\n", "[a \n]"},
    {"WordEraseNeedsExtended", 0, 0, 0, kExtended, "a\x17\n", "a^W\r\n", "[a\x17\n]"},
    {"Literal", 0, 0, 0, 0, "\x16\x03\x16\x7f\n", "^\b^C^\b^?\r\n", "[\x03\x7f\n]"},
    {"LiteralNewlineDoesNotEnd", 0, 0, 0, 0, "\x16\n\n", "^\b^J\r\n", "[\n\n]"},
    {"Reprint", 0, 0, 0, 0, "ab\x12\n", "ab^R\r\nab\r\n", "[ab\n]"},
    {"EndOfFile", 0, 0, 0, 0, "\x04", "", "[]"},
    {"EndOfFileSendsTheRest", 0, 0, 0, 0, "ab\x04\x04", "ab", "[ab][]"},
    {"EchoNewlineOnly", 0, 0, kEchoNewline, kEcho, "ab\n", "\r\n", "[ab\n]"},
    {"Interrupt", 0, 0, 0, 0,
     "ab\x03"
     "c\n",
     "^Cc\r\n", "[c\n]", kInt},
    {"InterruptWithoutFlush", 0, 0, kNoFlush, 0,
     "ab\x03"
     "c\n",
     "ab^Cc\r\n", "[abc\n]", kInt},
    {"QuitAndSuspend", 0, 0, 0, 0, "\x1c\x1a", "^Z", "", kQuit | kTstp},
    {"SignalsOff", 0, 0, 0, kSignals, "\x03\n", "^C\r\n", "[\x03\n]"},
    {"DisabledCharacterIsText", 0, 0, 0, 0, std::string_view{"\0\n", 2}, "^@\r\n",
     std::string_view{"[\0\n]", 4}},
    {"FlowControlOff", 0, kFlowControl, 0, 0, "\x13\x11\n", "^S^Q\r\n", "[\x13\x11\n]"},
    {"ParityMarkDoubles", kMarkParity, kUtf8, 0, kEcho, "\xff\n", "", "[\xff\xff\n]"},
};

class Typing : public testing::TestWithParam<Case> {};

TEST_P(Typing, ShowsAndDelivers) {
  const Case& test = GetParam();
  Terminal terminal;
  terminal.change([&](Termios& t) {
    t.c_iflag = (t.c_iflag | test.input_on) & ~test.input_off;
    t.c_lflag = (t.c_lflag | test.local_on) & ~test.local_off;
  });
  const auto typed = terminal.type(test.typed);
  EXPECT_EQ(typed.consumed, test.typed.size());
  EXPECT_EQ(typed.signals, test.signals);
  EXPECT_EQ(terminal.screen(), test.screen);
  EXPECT_EQ(terminal.lines(), test.lines);
}

INSTANTIATE_TEST_SUITE_P(Table, Typing, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string{test.param.name}; });

struct OutputCase {
  const char* name;
  std::uint32_t flags;
  std::string_view printed, screen;
};

using namespace output_mode;

const OutputCase kOutputCases[] = {
    {"NewlineAddsReturn", kProcess | kNewlineAddsReturn, "a\nb", "a\r\nb"},
    {"Raw", kNone, "a\n\tb\r", "a\n\tb\r"},
    {"ReturnToNewline", kProcess | output_mode::kReturnToNewline, "a\r", "a\n"},
    {"NoReturnAtStart", kProcess | kNoReturnAtStart, "\ra\r\rb", "a\rb"},
    {"NewlineReturns", kProcess | kNoReturnAtStart | kNewlineReturns, "a\n\rb", "a\nb"},
    {"UpperCase", kProcess | kUpperCase, "aZ1", "AZ1"},
    {"TabsExpand", kProcess | kExpandTabs, "a\tb", "a       b"},
    {"TabsCountCharactersNotBytes", kProcess | kExpandTabs, "\xc3\xa4\tb", "\xc3\xa4       b"},
    {"TabsAfterBackspace", kProcess | kExpandTabs, "ab\b\tc", "ab\b       c"},
};

class Printing : public testing::TestWithParam<OutputCase> {};

TEST_P(Printing, Translates) {
  Terminal terminal;
  terminal.change([&](Termios& t) { t.c_oflag = GetParam().flags; });
  EXPECT_EQ(terminal.print(GetParam().printed), GetParam().screen);
}

INSTANTIATE_TEST_SUITE_P(Table, Printing, testing::ValuesIn(kOutputCases),
                         [](const auto& test) { return std::string{test.param.name}; });

TEST(LineDiscipline, ReadWithoutALineWouldBlock) {
  Terminal terminal;
  EXPECT_EQ(terminal.read().error(), Errc::WouldBlock);
  terminal.type("abc");
  EXPECT_FALSE(terminal.line().readable());
  EXPECT_EQ(terminal.read().error(), Errc::WouldBlock);
}

TEST(LineDiscipline, AShortReadLeavesTheRestOfTheLine) {
  Terminal terminal;
  terminal.type("abcd\n");
  EXPECT_EQ(terminal.line().available(), 5u);
  EXPECT_EQ(*terminal.read(3), "abc");
  EXPECT_EQ(*terminal.read(3), "d\n");
  EXPECT_FALSE(terminal.line().readable());
}

TEST(LineDiscipline, AReadThatEndsAtEndOfFileTakesItAlong) {
  Terminal terminal;
  terminal.type("ab\x04");
  EXPECT_EQ(*terminal.read(2), "ab");
  EXPECT_EQ(terminal.read(2).error(), Errc::WouldBlock);
}

TEST(LineDiscipline, StopHoldsOutputAndStartLetsItGo) {
  Terminal terminal;
  terminal.type(
      "\x13"
      "a");
  EXPECT_TRUE(terminal.line().output_stopped());
  EXPECT_EQ(terminal.print("text"), "");
  EXPECT_EQ(terminal.screen(), "");
  terminal.type("\x11");
  EXPECT_EQ(terminal.print("text"), "atext");
}

TEST(LineDiscipline, AnyCharacterRestartsWithIxany) {
  Terminal terminal;
  terminal.change([](Termios& t) { t.c_iflag |= kAnyRestarts; });
  terminal.type("\x13");
  terminal.type("x");
  EXPECT_FALSE(terminal.line().output_stopped());
}

TEST(LineDiscipline, InterruptRestartsStoppedOutput) {
  Terminal terminal;
  terminal.type("\x13\x03");
  EXPECT_FALSE(terminal.line().output_stopped());
}

TEST(LineDiscipline, SwitchingFlowControlOffRestartsOutput) {
  Terminal terminal;
  terminal.type("\x13");
  terminal.change([](Termios& t) { t.c_iflag &= ~kFlowControl; });
  EXPECT_FALSE(terminal.line().output_stopped());
}

TEST(LineDiscipline, MinWaitsForThatManyBytes) {
  Terminal terminal;
  terminal.make_raw(3, 0);
  terminal.type("ab");
  EXPECT_FALSE(terminal.line().readable());
  EXPECT_EQ(terminal.read().error(), Errc::WouldBlock);
  EXPECT_EQ(*terminal.read(2), "ab");  // the buffer is smaller than MIN: full is enough
  terminal.type("cde\r");
  EXPECT_TRUE(terminal.line().readable());
  EXPECT_EQ(*terminal.read(), "cde\r");
}

TEST(LineDiscipline, ANonBlockingReadTakesLessThanMin) {
  Terminal terminal;
  terminal.make_raw(3, 0);
  terminal.type("ab");
  EXPECT_EQ(*terminal.read(8, 0, 0, LineDiscipline::ReadMode::NonBlocking), "ab");
  EXPECT_EQ(terminal.read(8, 0, 0, LineDiscipline::ReadMode::NonBlocking).error(),
            Errc::WouldBlock);
}

TEST(LineDiscipline, MinAndTimeZeroNeverWait) {
  Terminal terminal;
  terminal.make_raw(0, 0);
  EXPECT_EQ(*terminal.read(), "");
  terminal.type("a");
  EXPECT_EQ(*terminal.read(), "a");
}

TEST(LineDiscipline, TimeAloneEndsTheReadAfterItsTenths) {
  Terminal terminal;
  terminal.make_raw(0, 5);
  EXPECT_EQ(terminal.read(8, kSecondNs, kSecondNs).error(), Errc::WouldBlock);
  EXPECT_EQ(terminal.line().read_deadline(kSecondNs), kSecondNs + kSecondNs / 2);
  EXPECT_EQ(*terminal.read(8, kSecondNs, 2 * kSecondNs), "");
}

TEST(LineDiscipline, TimeBetweenBytesStartsWithTheFirst) {
  Terminal terminal;
  terminal.make_raw(10, 1);
  EXPECT_FALSE(terminal.line().read_deadline(0).has_value());
  EXPECT_EQ(terminal.read(8, 0, 9 * kSecondNs).error(), Errc::WouldBlock);
  terminal.type("ab", 10 * kSecondNs);
  EXPECT_EQ(terminal.line().read_deadline(0), 10 * kSecondNs + kSecondNs / 10);
  EXPECT_EQ(terminal.read(8, 0, 10 * kSecondNs).error(), Errc::WouldBlock);
  EXPECT_EQ(*terminal.read(8, 0, 11 * kSecondNs), "ab");
}

TEST(LineDiscipline, RawInputBecomesALineWhenCanonicalModeReturns) {
  Terminal terminal;
  terminal.make_raw(1, 0);
  terminal.type("abc");
  terminal.line().set_attributes(default_termios());
  EXPECT_EQ(terminal.lines(), "[abc]");
}

TEST(LineDiscipline, UnfinishedInputIsReadableInRawMode) {
  Terminal terminal;
  terminal.type("ab");
  terminal.make_raw(1, 0);
  EXPECT_EQ(*terminal.read(), "ab");
}

TEST(LineDiscipline, FlushForgetsFinishedAndUnfinishedInput) {
  Terminal terminal;
  terminal.type("a\nb");
  terminal.line().flush_input();
  terminal.type("c\n");
  EXPECT_EQ(terminal.lines(), "[c\n]");
}

TEST(LineDiscipline, ALineLongerThanTheQueueLosesItsExcessAndRings) {
  Terminal terminal;
  terminal.change([](Termios& t) {
    t.c_iflag |= kBellWhenFull;
    t.c_lflag &= ~kEcho;
  });
  const std::string line(5000, 'x');
  EXPECT_EQ(terminal.type(line).consumed, line.size());
  EXPECT_EQ(terminal.screen(), std::string(5000 - 4095, '\a'));
  EXPECT_EQ(terminal.type("\n").consumed, 1u);
  EXPECT_EQ(*terminal.read(), std::string(4095, 'x') + "\n");
}

TEST(LineDiscipline, AFullQueueHoldsBackWhatAReadMakesRoomFor) {
  Terminal terminal;
  terminal.make_raw(1, 0);
  const std::string text(5000, 'x');
  EXPECT_EQ(terminal.type(text).consumed, 4095u);
  EXPECT_EQ(terminal.read(1000)->size(), 1000u);
  EXPECT_EQ(terminal.type(text).consumed, 1000u);
}

TEST(LineDiscipline, InterruptPassesAFullQueue) {
  Terminal terminal;
  terminal.type(std::string(3000, 'x') + "\n" + std::string(3000, 'y'));
  EXPECT_EQ(terminal.type("z").consumed, 0u);
  const auto typed = terminal.type("\x03");
  EXPECT_EQ(typed.consumed, 1u);
  EXPECT_EQ(typed.signals, kInt);
  EXPECT_FALSE(terminal.line().readable());
}

TEST(LineDiscipline, WritingStopsWhereTheDestinationIsFull) {
  Terminal terminal;
  std::uint8_t small[10];
  const auto written = terminal.line().write_translate(bytes("a\nbcdefgh"), small);
  EXPECT_EQ(written.produced, 3u);
  EXPECT_EQ(written.consumed, 2u);
}

TEST(LineDiscipline, EchoBeyondItsBufferIsDroppedAndInputIsNot) {
  Terminal terminal;
  for (int i = 0; i < 3; i++) terminal.type(std::string(1999, 'x') + "\n");
  EXPECT_LE(terminal.screen().size(), LineDiscipline::kEchoCapacity);
  EXPECT_EQ(terminal.lines().size(), 2 * 2002u);
}

TEST(LineDiscipline, ANewWindowSizeIsReportedOnce) {
  Terminal terminal;
  EXPECT_TRUE(terminal.line().set_window_size({50, 132, 0, 0}));
  EXPECT_FALSE(terminal.line().set_window_size({50, 132, 0, 0}));
  EXPECT_EQ(terminal.line().window_size().columns, 132);
}

TEST(LineDiscipline, ANewlineTypedRawEchoesAsAControlCharacter) {
  Terminal terminal;
  terminal.change([](Termios& t) { t.c_lflag &= ~kCanonical; });
  terminal.type("\n");
  EXPECT_EQ(terminal.screen(), "^J");
  terminal.type("\r");
  EXPECT_EQ(terminal.screen(), "\r\n");
}

TEST(LineDiscipline, EchoThatASignalFlushedDoesNotMoveTheCursor) {
  Terminal terminal;
  terminal.type(
      "abc\x03"
      "\t\x7f");
  EXPECT_EQ(terminal.screen(), "^C\t\b\b\b\b\b\b");
}

TEST(LineDiscipline, TabErasedAfterAPromptGoesBackToThePrompt) {
  Terminal terminal;
  EXPECT_EQ(terminal.print("$ "), "$ ");
  terminal.type("\t\x7f");
  EXPECT_EQ(terminal.screen(), "\t\b\b\b\b\b\b");
}

}  // namespace
}  // namespace xok::exos
