// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A pipe between two programs that do not trust each other, in four ways, and what happens when
// one of them lies. Each program has an address space and a capability of its own; what they share
// was given to them by us, who made them both.
//
// Prints what each way costs, in cycles a byte (with QEMU's -icount shift=0 a cycle is an
// instruction), then every lie with how it ended. `./exo test examples` judges the same lines.
#include "apps/examples/pipes/programs.hpp"

namespace {

using namespace xok;
using namespace xok::example;

constexpr std::string_view kWays[] = {"plain memory", "software region", "message ring",
                                      "protected method"};
constexpr std::string_view kRemarks[] = {
    " | write where the other writes      | positions; a copy before each look\n",
    " | that, or show half of a write     | numbers and lengths\n",
    " | that, or pass for somebody else   | the sender\n",
    " | anything but what the code does   | nothing\n",
};
constexpr std::string_view kEnds[] = {"still running",    "done",    "found the liar",
                                      "its peer is gone", "gave up", "was refused"};

const Capability kMethodName = Capability::make({61}), kRingName = Capability::make({62});

struct Outcome {
  End writer, reader;  ///< Running: it died
  std::uint64_t cycles, wrong;
};

/// Makes the two, lets them run until both have ended, and ends them.
Outcome run(Way way, Lie writer_lies, Lie reader_lies, bool check) {
  new_page<Orders>(kOrders);
  new_page<WriterBoard>(kWriterBoard);
  new_page<ReaderBoard>(kReaderBoard);
  const Program writer = start(1, be_writer, 0);
  const Program reader = start(2, be_reader, 0);
  for (const Program& program : {writer, reader}) {
    share(kOrders, program, kConstant);
    share(kWriterBoard, program, program.id == writer.id ? kData : kConstant);
    share(kReaderBoard, program, program.id == reader.id ? kData : kConstant);
  }
  for (const Program& program : {writer, reader})
    must(sys::cap_forge(kRoot, 1, kMethodName.bits(), program.target), "the method's name");
  g_orders.method = make_pipe_method(3, 4, writer.id, reader.id);
  g_orders.writer = writer.id;
  g_orders.reader = reader.id;
  g_orders.way = way;
  g_orders.writer_lies = writer_lies;
  g_orders.reader_lies = reader_lies;
  g_orders.check = check ? 1 : 0;
  while (g_writer.ready == 0) must(sys::yield(writer.id, 0), "starting the writer");
  while (g_reader.ready == 0) must(sys::yield(reader.id, 0), "starting the reader");
  const std::uint64_t begin = rt::cycles();
  g_orders.go = 1;
  const auto runs = [](const Program& program, End end) {
    return end == End::Running && program.alive();
  };
  while (runs(writer, g_writer.end) || runs(reader, g_reader.end))
    sys::yield(runs(writer, g_writer.end) ? writer.id : reader.id, 0);
  const Outcome outcome{g_writer.end, g_reader.end, rt::cycles() - begin, g_reader.wrong};
  for (const Program& program : {writer, reader})
    if (program.alive()) must(sys::env_free(program.target), "ending it");
  must(sys::method_delete(3, g_orders.method), "method_delete");
  return outcome;
}

bool g_good = true;

void measure(Way way) {
  const Outcome checked = run(way, Lie::None, Lie::None, true);
  const Outcome timed = run(way, Lie::None, Lie::None, false);
  for (const Outcome& one : {checked, timed})
    g_good = g_good && one.writer == End::Done && one.reader == End::Done && one.wrong == 0;
  print(kWays[static_cast<std::size_t>(way)]);
  print(" |");
  print(timed.cycles / kBytes, 5);
  print(".");
  print(timed.cycles * 10 / kBytes % 10);
  print(kRemarks[static_cast<std::size_t>(way)]);
}

/// One of the two lies. `honest`: how it must end for the other one.
void lie(std::string_view what, Way way, Lie writer_lies, Lie reader_lies, End liar, End honest) {
  const Outcome outcome = run(way, writer_lies, reader_lies, true);
  const bool writer_is_liar = writer_lies != Lie::None;
  const End its = writer_is_liar ? outcome.writer : outcome.reader;
  const End other = writer_is_liar ? outcome.reader : outcome.writer;
  const bool good = its == liar && other == honest && outcome.wrong == 0;
  g_good = g_good && good;
  print(kWays[static_cast<std::size_t>(way)]);
  print(", ");
  print(what);
  print(": the liar: ");
  print(its == End::Running ? "died" : kEnds[static_cast<std::size_t>(its)]);
  print("; the other: ");
  print(kEnds[static_cast<std::size_t>(other)]);
  print(good ? "\n" : " (WRONG)\n");
}

}  // namespace

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  take_upcalls();
  must(sys::cap_forge(kRoot, 1, kWriterName.bits(), kSelf), "the writer's name");
  must(sys::cap_forge(kRoot, 2, kReaderName.bits(), kSelf), "the reader's name");
  must(sys::cap_forge(kRoot, 3, kMethodName.bits(), kSelf), "the method's name");
  must(sys::cap_forge(kRoot, 4, kRingName.bits(), kSelf), "the name of its pages");
  for (std::size_t i = 0; i < sizeof g_pattern; i++)
    g_pattern[i] = static_cast<std::byte>(i % kPeriod * 167 + (i % kPeriod >> 5));
  print("way | cycles a byte | what a liar cannot do | what is left to check\n");
  for (const Way way : {Way::Plain, Way::Region, Way::Message, Way::Method}) measure(way);

  constexpr Lie kNone = Lie::None;
  lie("a wild head", Way::Plain, Lie::WildPosition, kNone, End::Done, End::FoundLiar);
  lie("a wild tail", Way::Plain, kNone, Lie::WildAnswer, End::Done, End::FoundLiar);
  lie("a store to the reader's page", Way::Plain, Lie::WriteTheirs, kNone, End::Running,
      End::OtherGone);
  lie("silence", Way::Plain, Lie::Silence, kNone, End::Done, End::GaveUp);
  lie("a wild number", Way::Region, Lie::WildPosition, kNone, End::Done, End::FoundLiar);
  lie("a wild length", Way::Region, Lie::WildLength, kNone, End::Done, End::FoundLiar);
  lie("a wild answer", Way::Region, kNone, Lie::WildAnswer, End::Done, End::FoundLiar);
  lie("a write to the writer's region", Way::Region, kNone, Lie::WriteTheirs, End::Refused,
      End::GaveUp);
  lie("no capability", Way::Message, Lie::NoCapability, kNone, End::Refused, End::GaveUp);
  lie("silence", Way::Message, Lie::Silence, kNone, End::Done, End::GaveUp);
  lie("the ring as buffer", Way::Method, Lie::WildPosition, kNone, End::Refused, End::Done);
  lie("a buffer that is not there", Way::Method, Lie::WildLength, kNone, End::Refused, End::Done);
  lie("the part of the reader", Way::Method, Lie::WriteTheirs, kNone, End::Refused, End::Done);
  lie("no capability", Way::Method, Lie::NoCapability, kNone, End::Refused, End::Done);
  print(g_good ? "no liar has harmed the other\n" : "something is wrong\n");
  stop(g_good);
}
