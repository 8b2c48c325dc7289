// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Copy-modify-replace (exos/rt/record.hpp) against a malicious collider: three environments share a
// record. Two keep to the rules, the first environment on processor 0 and a peer; the collider, on
// processor 1, does not. First it may write all of the record, then its own copies and the word
// that says which copy is the newest.
#include "exos/rt/record.hpp"
#include "tests/guest/attacks/attack.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kShared = 0x50'0000'0000;
constexpr std::size_t kMe = 0, kPeer = 1, kCollider = 2, kWriters = 3;
constexpr std::uint64_t kRounds = 100'000;
constexpr std::uint32_t kPlaces = 8;

struct Tally {
  std::array<std::uint64_t, kWriters> added;
  std::uint64_t sum;
  std::uint32_t place, turns;
};

struct IsTally {
  bool operator()(const Tally& t) const {
    return t.added[0] + t.added[1] + t.added[2] == t.sum && t.place < kPlaces;
  }
};

using Tallies = rt::Record<Tally, kWriters>;
using Writer = rt::RecordWriter<Tallies, IsTally>;
constexpr std::uint64_t kSharedPages = sizeof(Tallies) / kPageSize;

Tallies& shared() { return *reinterpret_cast<Tallies*>(kShared); }

/// What one of those who keep to the rules has seen; in the image, which all have.
struct alignas(64) Seen {
  std::uint64_t rounds, read, bad_format, busy, wrong, longest_cycles;

  void note(Errc error) {
    (error == Errc::BadFormat ? bad_format : error == Errc::Busy ? busy : wrong)++;
  }
};
Seen g_mine, g_peers;
volatile std::uint64_t g_stop, g_attacks, g_refused, g_collider;
/// Indexed by what came out of the record: a `place` that is not checked would lead out of it.
std::array<std::uint64_t, kPlaces> g_places;

/// One update and one read as writer `w`. `good`: the last that was read, to repair with.
void round(Writer& writer, std::size_t w, Seen& seen, Tally& good) {
  const std::uint64_t begin = rt::cycles();
  const auto written = writer.update([&](Tally& t) {
    t.added[w]++;
    t.sum++;
    t.place = (t.place + 1) % kPlaces;
  });
  if (!written.has_value()) seen.note(written.error());
  const auto now = writer.read();
  if (now.has_value()) {
    good = *now;
    seen.read++;
    g_places[good.place]++;
    if (good.added[0] + good.added[1] + good.added[2] != good.sum) seen.wrong++;
  } else {
    seen.note(now.error());
    const auto repaired = writer.replace(good);
    if (!repaired.has_value()) seen.note(repaired.error());
  }
  const std::uint64_t took = rt::cycles() - begin;
  if (took > seen.longest_cycles) seen.longest_cycles = took;
  seen.rounds++;
}

void be_peer(std::uint64_t) {
  Writer writer{shared(), kPeer};
  Tally good{};
  while (g_stop == 0) {
    round(writer, kPeer, g_peers, good);
    if (g_peers.rounds % 256 == 0) sys::yield(kSelf, 0);  // the collider has the same processor
  }
}

// -- The collider

std::uint64_t g_random = 0x9e37'79b9'7f4a'7c15;
std::uint64_t random() {
  g_random ^= g_random << 13;
  g_random ^= g_random >> 7;
  return g_random ^= g_random << 17;
}

extern "C" {
std::uint64_t collider_to, collider_value;
}

/// A store that may be refused.
void scribble(std::uint64_t& word, std::uint64_t value) {
  collider_to = reinterpret_cast<std::uint64_t>(&word);
  collider_value = value;
  const std::uint64_t vector = XOK_PROBE(
      "mov collider_to(%%rip), %%rdx\n\tmov collider_value(%%rip), %%rcx\n\tmov %%rcx, (%%rdx)");
  if (vector != kNoFault) g_refused = g_refused + 1;
}

std::uint64_t newest() { return __atomic_load_n(&shared().newest, __ATOMIC_RELAXED); }
Tallies::Copy& own_copy() { return shared().writers[kCollider].copies[0]; }
void swap_in() { scribble(shared().newest, (newest() | 0xffff) + 1 + 2 * kCollider); }

void forge(std::uint32_t place) {
  Tally t{};
  t.added[kCollider] = t.sum = random();
  t.place = place;
  std::memcpy(own_copy().words.data(), &t, sizeof t);
  swap_in();
}

void attack_once(std::uint64_t& kept) {
  switch (random() % 8) {
    case 0:  // a word that leads anywhere
      scribble(shared().newest, random());
      break;
    case 1:  // to a copy that nobody has published, or an old one
      scribble(shared().newest, (newest() | 0xffff) + 1 + random() % Tallies::kCopies);
      break;
    case 2:  // the same version again, so that half a copy looks whole
      scribble(shared().newest, kept);
      kept = newest();
      break;
    case 3: {  // the others' copies, while they are copied and after
      auto& copy = shared().writers[random() % kCollider].copies[random() % 2];
      scribble(copy.words[random() % Tallies::kWords], random());
      break;
    }
    case 4:  // garbage, published properly
      for (std::uint64_t& word : own_copy().words) word = random();
      swap_in();
      break;
    case 5:  // an index out of range in a version that is sound otherwise
      forge(kPlaces + static_cast<std::uint32_t>(random()) % 0xffff'0000);
      break;
    case 6:  // what the check admits, again and again: nobody keeps up
      for (int i = 0; i < 200; i++) forge(static_cast<std::uint32_t>(random()) % kPlaces);
      break;
    default:  // stops in the middle, for the rest of its slice
      own_copy().words[0] = random();
      if (random() % 64 == 0) sys::yield(kSelf, 0);
  }
  g_attacks = g_attacks + 1;
}

void collide(std::uint64_t) {
  for (std::uint64_t kept = 0; g_stop == 0;) attack_once(kept);
}

// -- The test

/// The record's pages appear in another environment; `open`: all writable, or only the first and
/// those of writer `w`.
void show(const Attacker& to, std::size_t w, bool open) {
  constexpr std::uint64_t kPagesEach = sizeof(Tallies::Writer) / kPageSize;
  for (std::uint64_t i = 0; i < kSharedPages; i++) {
    const std::uint64_t entry = load_entry(kShared + i * kPageSize);
    const bool writable = open || i == 0 || (i - 1) / kPagesEach == w;
    sys::pte_insert(kRoot, writable ? entry : entry & ~kPteWritable, kShared + i * kPageSize,
                    to.target);
  }
}

void print_seen(std::string_view who, const Seen& seen) {
  const auto field = [](std::string_view name, std::uint64_t n) {
    print(name);
    print_number(static_cast<std::int64_t>(n));
  };
  print("collider: ");
  print(who);
  field(" rounds ", seen.rounds);
  field(", read ", seen.read);
  field(", BadFormat ", seen.bad_format);
  field(", Busy ", seen.busy);
  field(", longest in cycles ", seen.longest_cycles);
  print("\n");
}

/// All three at once until this one has made its rounds and the others have been there.
void collide_with(Checks& t, bool open, std::string_view rounds, std::string_view wrong,
                  std::string_view alive, std::string_view after) {
  g_mine = g_peers = {};
  g_stop = 0;
  g_attacks = 0;
  g_refused = 0;
  Attacker peer{be_peer}, collider{collide};
  show(peer, kPeer, open);
  show(collider, kCollider, open);
  g_collider = collider.id;
  sys::slice_alloc(kRoot, 1, kAnyPosition, peer.id);
  sys::slice_alloc(kRoot, 1, kAnyPosition, collider.id);
  Writer writer{shared(), kMe};
  Tally good{};
  const std::uint64_t limit = rt::monotonic_ns() + 120 * kNanosecondsPerSecond;
  const auto enough = [] {
    return g_mine.rounds >= kRounds && __atomic_load_n(&g_peers.rounds, __ATOMIC_RELAXED) >= 1000 &&
           g_attacks >= kRounds;
  };
  while (!enough() && rt::monotonic_ns() < limit) round(writer, kMe, g_mine, good);
  const bool lived = !peer.gone() && !collider.gone();
  g_stop = 1;
  const std::uint64_t patience = rt::monotonic_ns() + 20 * kNanosecondsPerSecond;
  while (!(peer.finished() && collider.finished()) && rt::monotonic_ns() < patience)
    rt::sleep_until(rt::monotonic_ns() + 1'000'000);
  print_seen("me", g_mine);
  print_seen("peer", g_peers);
  t.holds(rounds, enough());
  t.equal(wrong, static_cast<std::int64_t>(g_mine.wrong + g_peers.wrong), 0);
  t.holds(alive, lived && peer.finished() && collider.finished());
  // What it left is repaired in one step, and the record is as good as new.
  bool repaired = writer.replace({}).has_value();
  for (std::uint64_t i = 1; i <= 100; i++) {
    Seen seen{};
    round(writer, kMe, seen, good);
    repaired = repaired && seen.read == 1 && good.added[kMe] == i && good.sum == i;
  }
  t.holds(after, repaired);
}

void make_record() {
  for (std::uint64_t i = 0; i < kSharedPages; i++)
    sys::pte_insert(kRoot, kData, kShared + i * kPageSize, kSelf);
}

void attacks(Checks& t, const Victim& /*victim*/) {
  t.holds("a second processor has started", system_info().processors >= 2);
  collide_with(t, true, "rounds against a collider that may write all of the record",
               "values that the check would not admit, all open", "nobody died, all open",
               "the record is good after it, all open");
  t.holds("it was in the way", g_mine.bad_format + g_peers.bad_format > 0);
  collide_with(t, false, "rounds against a collider that may write the word and its own copies",
               "values that the check would not admit, own pages", "nobody died, own pages",
               "the record is good after it, own pages");
  t.holds("its stores into the copies of others are refused", g_refused > 0);
}

}  // namespace
}  // namespace xok::guest

/// The collider goes on behind a store that was refused; nobody else may fault.
extern "C" void xok::rt::rt_fault(Registers* registers) {
  if (env_id() != guest::g_collider) sys::env_free(kSelf);
  guest::g_vector = self().fault.vector;
  registers->rip = guest::g_resume;
}

XOK_GUEST_TEST(judge(attacks, make_record))
