// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>

#include "apps/examples/example.hpp"
#include "apps/examples/pipes/message_pipe.hpp"
#include "apps/examples/pipes/method_pipe.hpp"
#include "apps/examples/pipes/plain_pipe.hpp"
#include "apps/examples/pipes/region_pipe.hpp"

/// The two programs at the ends of a pipe: honest ones, and liars.
namespace xok::example {

enum class Way : std::uint64_t { Plain, Region, Message, Method };
enum class Lie : std::uint64_t {
  None,
  WildPosition,  // plain: the writer's head, region: its number, method: the ring as buffer
  WildAnswer,    // the reader says it has taken what was never written
  WildLength,    // region: longer than a parcel; method: a buffer that is not there
  WriteTheirs,   // into memory, or a region, that is the other's; method: plays the reader
  NoCapability,  // message, method: without the capability that opens it
  Silence,       // never does its part
};
enum class End : std::uint64_t { Running, Done, FoundLiar, OtherGone, GaveUp, Refused };

inline constexpr std::uint64_t kBytes = 64 * 1024, kChunk = 1024, kPeriod = 1000, kPatience = 1000;
inline const Capability kWriterName = Capability::make({60, 1}),
                        kReaderName = Capability::make({60, 2});

struct Orders {  // ours; the programs read it
  EnvId writer, reader;
  Way way;
  Lie writer_lies, reader_lies;
  MethodId method;
  std::uint64_t check, go;
};
struct WriterBoard {  // the writer's; the reader and we read it
  RegionId region;
  std::uint64_t ready;
  End end;
  PlainRing ring;
};
struct ReaderBoard {  // the reader's
  RegionId region;
  std::uint64_t ready, wrong;
  End end;
  PlainTail tail;
};
inline constexpr std::uint64_t kOrders = 0x100'0000'0000, kWriterBoard = 0x100'0020'0000,
                               kReaderBoard = 0x100'0040'0000, kSlots = 0x100'0060'0000;
inline volatile Orders& g_orders = *reinterpret_cast<volatile Orders*>(kOrders);
inline volatile WriterBoard& g_writer = *reinterpret_cast<volatile WriterBoard*>(kWriterBoard);
inline volatile ReaderBoard& g_reader = *reinterpret_cast<volatile ReaderBoard*>(kReaderBoard);

/// The bytes sent: those from any place of the first period on are in one piece.
inline std::byte g_pattern[kPeriod + kChunk];
inline struct {
  std::uint64_t before;
  std::byte bytes[kChunk];
  std::uint64_t after;
} g_received = {0x5afe, {}, 0x5afe};

[[noreturn]] inline void rest() {
  for (;;) sys::yield(kSelf, 0);
}

/// Passes kBytes on by calls of `step(moved)`, until it is done or the other side is no good.
template <class Step>
End move_all(EnvId other, Step&& step) {
  std::uint64_t idle = 0;
  for (std::uint64_t moved = 0; moved < kBytes;) {
    const std::int64_t n = step(moved);
    if (n < 0) return End::FoundLiar;
    moved += static_cast<std::uint64_t>(n);
    idle = n == 0 ? idle + 1 : 0;
    if (idle > kPatience) return End::GaveUp;
    if (n == 0 && sys::yield(other, 0) < 0) return End::OtherGone;
  }
  return End::Done;
}

template <class Pipe>
End send_all(Pipe pipe) {
  return move_all(g_orders.reader, [&](std::uint64_t moved) {
    return pipe.write(g_pattern + moved % kPeriod, std::min(kChunk, kBytes - moved));
  });
}

template <class Pipe>
End receive_all(Pipe pipe) {
  return move_all(g_orders.writer, [&](std::uint64_t moved) {
    const std::int64_t n = pipe.read(g_received.bytes, kChunk);
    if (g_orders.check != 0 && n > 0 &&
        std::memcmp(g_received.bytes, g_pattern + moved % kPeriod, static_cast<std::size_t>(n)) !=
            0)
      g_reader.wrong = g_reader.wrong + 1;
    if (g_received.before != 0x5afe || g_received.after != 0x5afe) g_reader.wrong = 1'000'000;
    return n;
  });
}

inline void wait_for_go() {
  while (g_orders.go == 0) sys::yield(kSelf, 0);
}

// -- The liars

inline End lie_as_writer(Lie lie, const rt::Region<Parcel>& mine) {
  auto& ring = const_cast<PlainRing&>(g_writer.ring);
  switch (lie) {
    case Lie::WildPosition:
      __atomic_store_n(&ring.head, ~std::uint64_t{0} / 2, __ATOMIC_RELEASE);
      (void)mine.write({77, 1, {}});
      return End::Done;
    case Lie::WildLength:
      (void)mine.write({1, ~std::uint64_t{0}, {}});
      return End::Done;
    case Lie::WriteTheirs:
      g_reader.tail.tail = 12345;  // mapped read-only here: the end of us
      return End::Done;
    default:
      return End::Done;
  }
}

inline End lie_as_reader(Lie lie, const rt::Region<Parcel>& theirs, const rt::Region<Taken>& mine) {
  switch (lie) {
    case Lie::WildAnswer:
      const_cast<PlainTail&>(g_reader.tail).tail = 1'000'000;
      (void)mine.write({1'000'000});
      return End::Done;
    case Lie::WriteTheirs:
      return theirs.write({1, 1, {}}).has_value() ? End::Done : End::Refused;
    default:
      return End::Done;
  }
}

/// Whether the method refuses the lie.
inline bool lie_to_method(Lie lie, const MethodPipe& pipe) {
  const std::uint64_t ours = page_floor(reinterpret_cast<std::uint64_t>(g_pattern));
  constexpr std::uint64_t kNothing = kSlotSize - kPageSize;  // in the same slot
  switch (lie) {
    case Lie::WildPosition:
      return pipe.call(MethodCall::Write, kMethodState, 64, ours) == kLiar;
    case Lie::WildLength:
      return pipe.call(MethodCall::Write, kNothing, ~std::uint64_t{0}, ours) == kLiar;
    case Lie::WriteTheirs:
      return pipe.read(g_received.bytes, kChunk) == kLiar;
    default:
      return MethodPipe{0, g_orders.method}.write(g_pattern, kChunk) == kLiar;
  }
}

// -- The two programs

inline void be_writer(std::uint64_t) {
  const auto mine = rt::Region<Parcel>::create(
      0, Capability::make({60, 2}, Permission::None));  // the reader may read it
  if (!mine.has_value()) return;
  g_writer.region = mine->id();
  g_writer.ready = 1;
  wait_for_go();
  const Lie lie = g_orders.writer_lies;
  if (lie != Lie::None && lie != Lie::NoCapability && g_orders.way != Way::Method) {
    g_writer.end = lie_as_writer(lie, *mine);
    rest();
  }
  switch (g_orders.way) {
    case Way::Plain:
      g_writer.end = send_all(PlainWriter{const_cast<PlainRing*>(&g_writer.ring),
                                          const_cast<const PlainTail*>(&g_reader.tail)});
      break;
    case Way::Region:
      g_writer.end = send_all(RegionWriter{*mine, {0, g_reader.region}});
      break;
    case Way::Message:
      g_writer.end = send_all(MessageWriter{0, g_orders.reader});
      if (lie == Lie::NoCapability && g_writer.end == End::FoundLiar) g_writer.end = End::Refused;
      break;
    case Way::Method: {  // a liar that was refused goes on as if nothing had been
      const MethodPipe pipe{1, g_orders.method};
      const bool refused = lie == Lie::None || lie_to_method(lie, pipe);
      const End end = send_all(pipe);
      g_writer.end = lie != Lie::None && refused && end == End::Done ? End::Refused : end;
      break;
    }
  }
  rest();
}

inline void be_reader(std::uint64_t) {
  const auto mine = rt::Region<Taken>::create(0, Capability::make({60, 1}, Permission::None));
  rt::Mailbox box;
  const bool open = sys::pte_insert(0, kData, kSlots, kSelf) > 0 &&
                    box.open(reinterpret_cast<MessageSlot*>(kSlots), kMinMessageSlots,
                             g_orders.writer_lies == Lie::NoCapability ? kReaderName : kWriterName)
                        .has_value();
  if (!mine.has_value() || !open) return;
  g_reader.region = mine->id();
  g_reader.ready = 1;
  wait_for_go();
  const rt::Region<Parcel> theirs{0, g_writer.region};
  if (g_orders.reader_lies != Lie::None) {
    g_reader.end = lie_as_reader(g_orders.reader_lies, theirs, *mine);
    rest();
  }
  switch (g_orders.way) {
    case Way::Plain:
      g_reader.end = receive_all(PlainReader{const_cast<const PlainRing*>(&g_writer.ring),
                                             const_cast<PlainTail*>(&g_reader.tail)});
      break;
    case Way::Region:
      g_reader.end = receive_all(RegionReader{theirs, *mine});
      break;
    case Way::Message:
      g_reader.end = receive_all(MessageReader{box, g_orders.writer});
      break;
    case Way::Method:
      g_reader.end = receive_all(MethodPipe{1, g_orders.method});
      break;
  }
  rest();
}

}  // namespace xok::example
