// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// S1: arguments in memory that somebody else changes while the kernel reads it. A caller on
// processor 0 makes one call over and over; a rewriter on processor 1, another environment that
// shares the caller's pages, changes what the call's pointers lead to between what is allowed and
// what is not, or takes the pages away. The kernel may take the one or the other; never what it has
// not checked.

#include "abi/packet_ring.hpp"
#include "libs/dpf/builders.hpp"
#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {
XOK_ATTACK_FAULT_HANDLER
}

namespace xok::guest {
namespace {

constexpr std::uint64_t kSpot = 0x50'0000'0000;    // what is mapped by the attacked calls
constexpr std::uint64_t kRing = 0x50'4000'0000;    // the caller's packet ring
constexpr std::uint64_t kBuffer = 0x50'8000'0000;  // two pages, the second comes and goes
constexpr std::uint64_t kSleeper = 0x50'c000'0000;
constexpr std::uint64_t kInterfaceCap = 2, kFilterCap = 3, kTaken = 5;
constexpr std::uint64_t kSeconds = 2;
constexpr std::uint64_t kLoopback = 0;
constexpr std::size_t kEntries = 64;
constexpr std::uint64_t kPatience = 60;

// What both see: the image.
struct alignas(kPageSize) Arguments {
  std::uint64_t entries[kEntries];
  std::uint64_t done;
  BatchEntry batch[2];
  Context context;
  WakeTerm terms[8];
  SendPiece pieces[4];
  dpf::Atom atoms[4];
  std::uint8_t bytes[256];
};
Arguments g_arguments;
std::uint64_t g_own_page, g_victim_page, g_caller, g_rewriter, g_second_page;
EnvId g_sleeper;
std::int64_t g_ring;
RegionId g_region;
volatile std::uint64_t g_stop, g_ready, g_rewrites;
std::int64_t g_tries, g_taken, g_refused, g_harm;

void tried(std::int64_t result, bool harm) {
  g_tries++;
  (result >= 0 ? g_taken : g_refused)++;
  if (harm) g_harm++;
}

/// A store that the compiler makes, in this order.
template <class T>
void put(T& place, std::type_identity_t<T> value) {
  *const_cast<volatile T*>(&place) = value;
}
std::uint64_t address_of(const void* at) { return reinterpret_cast<std::uint64_t>(at); }

std::uint64_t g_random = 0x9e37'79b9'7f4a'7c15;
std::uint64_t random() {
  g_random ^= g_random << 13;
  g_random ^= g_random >> 7;
  return g_random ^= g_random << 17;
}
constexpr std::uint64_t kNowhere[] = {0xffff'8000'0000'0000, 0x8000'0000'0000, 0, kUserTop - 8,
                                      ~std::uint64_t{0}};
std::uint64_t nowhere() { return kNowhere[random() % std::size(kNowhere)]; }

/// (Not by `pause`, for which an emulator gives its processor away.)
void linger(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; i++) __asm__ volatile("");
}

bool maps_victim(std::uint64_t va) {
  const std::uint64_t entry = load_entry(va);
  return (entry & kPtePresent) != 0 && (entry & kPtePageMask) >> kPageShift != g_own_page;
}
std::uint64_t own_entry() { return g_own_page << kPageShift | kData; }
std::uint64_t victim_entry() { return g_victim_page << kPageShift | kData; }

// -- Each attack: the caller's call, and what the rewriter does

void insert_range() {
  put(g_arguments.done, 0);
  const std::int64_t result = sys::pte_insert_range(0, address_of(g_arguments.entries), kEntries,
                                                    kSpot, address_of(&g_arguments.done), kSelf);
  bool harm = false;
  for (std::size_t i = 0; i < kEntries; i++) harm = maps_victim(kSpot + i * kPageSize) || harm;
  tried(result, harm);
}
void rewrite_range() {
  std::uint64_t& entry = g_arguments.entries[random() % kEntries];
  put(entry, victim_entry());
  linger(random() % 512);
  put(entry, own_entry());
  linger(random() % 512);
  if (random() % 64 == 0) put(g_arguments.done, random());
}

void insert_in_batch() {
  std::uint64_t done = 0;
  const std::int64_t result = sys::batch(address_of(g_arguments.batch), 2, address_of(&done));
  const Capability& taken =
      const_cast<const Env&>(rt::env_record(rt::env_id())).capabilities[kTaken];
  tried(result, maps_victim(kSpot) || (taken.valid() && taken.name[0] != kAttackerName.name[0]));
}
void rewrite_batch() {
  BatchEntry& insert = g_arguments.batch[0];
  BatchEntry& forge = g_arguments.batch[1];
  put(insert.number, static_cast<std::uint64_t>(SyscallNumber::pte_insert));
  put(insert.arguments[1], own_entry());
  put(insert.arguments[2], kSpot);
  put(forge.number, static_cast<std::uint64_t>(SyscallNumber::cap_forge));
  put(forge.arguments[1], kTaken);
  put(forge.arguments[2], Capability::make({77, 1}).bits());
  put(insert.arguments[1], victim_entry());
  put(forge.arguments[2], random() % 2 == 0 ? kVictimName.bits() : kRootCapability.bits());
  put(insert.arguments[1], own_entry());
  put(forge.arguments[2], Capability::make({77, 1}).bits());
  if (random() % 16 == 0) put(insert.number, random());
}

void set_context() {
  const std::uint64_t target = make_target(0, g_sleeper);
  Context now;
  const std::int64_t result = sys::env_set_context(target, address_of(&g_arguments.context));
  const bool read = sys::env_get_context(target, address_of(&now)) == 0;
  constexpr std::uint64_t kForbidden = 3u << 12 | 1u << 14 | 1u << 17;  // IOPL, NT, VM
  tried(result, !read || now.rip >= kUserTop || now.fs_base >= 1ull << 47 ||
                    now.gs_base >= 1ull << 47 || (now.rflags & kForbidden) != 0 ||
                    (now.rflags & 1u << 9) == 0);
}
void rewrite_context() {
  Context& c = g_arguments.context;
  std::uint64_t* const word[] = {&c.rip, &c.fs_base, &c.gs_base};
  std::uint64_t& it = *word[random() % 3];
  put(it, nowhere());
  put(c.rflags, random());
  linger(random() % 64);
  put(it, 0x40'0000);
}

void set_predicate() {
  const std::int64_t result = sys::wakeup_set(address_of(g_arguments.terms), 8);
  const volatile Env& record = rt::env_record(rt::env_id());
  tried(result, record.predicate_terms > 8 || rt::page_record(g_victim_page).pins != 0);
}
void rewrite_terms() {
  WakeTerm& term = g_arguments.terms[random() % 8];
  put(term.left, random() % 2 == 0 ? nowhere() : kStack + random() % (1u << 20) / 8 * 8);
  put(term.comparison, static_cast<WakeComparison>(random()));
  put(term.left_kind, WakeOperand::Word64);
  put(term.right_kind, WakeOperand::Immediate);
  put(term.ends_product, 1);
  put(term.comparison, WakeComparison::Equal);
  put(term.left, address_of(&g_arguments));
}

void acquire() {
  const std::int64_t result = sys::cap_acquire(kTaken, static_cast<EnvId>(g_rewriter));
  const Capability& taken =
      const_cast<const Env&>(rt::env_record(rt::env_id())).capabilities[kTaken];
  tried(result, taken.valid() && taken.name[0] != kAttackerName.name[0]);
}
void rewrite_grant() {
  Uenv& mine = rt::self();
  put(mine.grant, Capability::make({77, 2}).bits());
  put(mine.grant_slot, 0);
  put(mine.grant_to, g_caller);
  linger(random() % 256);
  put(mine.grant, random() % 2 == 0 ? kVictimName.bits() : kRootCapability.bits());
  put(mine.grant_slot, random());
  put(mine.grant_slot, 0);
  put(mine.grant, Capability::make({77, 2}).bits());
}

void send_pieces() {
  const std::int64_t result =
      sys::packet_send(kInterfaceCap, kLoopback, address_of(g_arguments.pieces), 4);
  tried(result, false);
}
void rewrite_pieces() {
  SendPiece& piece = g_arguments.pieces[random() % 4];
  put(piece.length, random() % 2 == 0 ? random() : 1000 + random() % 70'000);
  put(piece.address, nowhere());
  put(piece.address, address_of(g_arguments.bytes));
  put(piece.length, 64);
}

void insert_filter() {
  const std::int64_t result = sys::filter_insert(kFilterCap, 0, address_of(g_arguments.atoms), 4,
                                                 static_cast<std::uint64_t>(g_ring));
  if (result >= 0) sys::filter_delete(0, static_cast<std::uint64_t>(result));
  tried(result, false);
}
void rewrite_atoms() {
  constexpr dpf::Atom kGood[4] = {dpf::eq16(12, 0x88b5), dpf::eq8(14, 1), dpf::shift8(15, 0xf, 2),
                                  dpf::eq16(16, 7)};
  const std::size_t i = random() % 4;
  dpf::Atom& atom = g_arguments.atoms[i];
  switch (random() % 4) {
    case 0:
      put(atom.offset, static_cast<std::uint16_t>(random()));
      break;
    case 1:
      put(atom.width, static_cast<std::uint8_t>(random()));
      break;
    case 2:
      put(atom.op, static_cast<dpf::Op>(random()));
      break;
    default:
      put(atom.value, random());
  }
  put(atom.offset, kGood[i].offset);
  put(atom.width, kGood[i].width);
  put(atom.op, kGood[i].op);
  put(atom.mask, kGood[i].mask);
  put(atom.left_shift, kGood[i].left_shift);
  put(atom.value, kGood[i].value);
}

/// Reads from, and writes to, memory whose second page is taken away and given back. A region is
/// written whole or not at all.
void use_what_vanishes() {
  static std::uint8_t seen[2 * sizeof g_arguments.bytes];
  constexpr std::uint64_t kAcross = kBuffer + kPageSize - sizeof seen / 2;
  static std::uint8_t value = 0;
  auto* const first = reinterpret_cast<volatile std::uint8_t*>(kAcross);
  *first = ++value;
  const std::int64_t fault = -static_cast<std::int64_t>(Errc::Fault);
  const std::int64_t wrote = sys::region_write(0, g_region, 0, kAcross, sizeof seen);
  sys::region_read(0, g_region, 0, address_of(seen), sizeof seen);
  static std::uint8_t last = 0;
  const bool whole = seen[0] == (wrote == 0 ? value : last);
  last = seen[0];
  tried(wrote, !whole || (wrote != 0 && wrote != fault));
  const std::int64_t read = sys::region_read(0, g_region, 0, kAcross, sizeof seen);
  tried(read, read != 0 && read != fault);
  linger(random() % 16'384);  // the other one wants the kernel too
}
void take_pages_away() {
  const std::uint64_t target = make_target(0, static_cast<EnvId>(g_caller));
  sys::pte_insert(0, 0, kBuffer + kPageSize, target);
  linger(random() % 4096);
  sys::pte_insert(0, g_second_page << kPageShift | kData, kBuffer + kPageSize, target);
}

struct Attack {
  const char* name;
  void (*call)();
  void (*rewrite)();
  std::int64_t often;  ///< so often at least the kernel has seen the one and the other
};
constexpr Attack kAttacks[] = {
    {"entries", insert_range, rewrite_range, 200},
    {"batch", insert_in_batch, rewrite_batch, 1000},
    {"context", set_context, rewrite_context, 1000},
    {"predicate", set_predicate, rewrite_terms, 1000},
    {"grant", acquire, rewrite_grant, 1000},
    {"pieces", send_pieces, rewrite_pieces, 1000},
    {"filter", insert_filter, rewrite_atoms, 1000},
    {"unmapped", use_what_vanishes, take_pages_away, 100},
};

// -- The two attackers

std::uint64_t page_at(std::uint64_t va) {
  return static_cast<std::uint64_t>(sys::pte_insert(0, kData, va, kSelf));
}

void call(std::uint64_t which) {
  g_own_page = page_at(kSpot);
  page_at(kBuffer);
  g_second_page = page_at(kBuffer + kPageSize);
  for (std::uint64_t i = 0; i < 2 * kRingSlotSize; i += kPageSize) page_at(kRing + i);
  g_ring = sys::ring_create(kRing, 2);
  g_region = static_cast<RegionId>(sys::region_create(0, 2 * sizeof g_arguments.bytes, 0));
  g_sleeper = static_cast<EnvId>(sys::env_alloc(0, 0, kSleeper));
  g_ready = 1;
  while (g_stop == 0) kAttacks[which].call();
  sys::wakeup_set(0, 0);
  sys::env_free(make_target(0, g_sleeper));
}

void rewrite(std::uint64_t which) {
  while (g_ready == 0) __builtin_ia32_pause();
  while (g_stop == 0) {
    kAttacks[which].rewrite();
    g_rewrites = g_rewrites + 1;
  }
}

void print_tries(const char* name) {
  print("rewriting: ");
  print(name);
  print(", tries ");
  print_number(g_tries);
  print(", taken ");
  print_number(g_taken);
  print(", refused ");
  print_number(g_refused);
  print(", rewritten ");
  print_number(static_cast<std::int64_t>(g_rewrites));
  print("\n");
}

void attack(Checks& t, std::size_t which) {
  g_stop = 0;
  g_ready = 0;
  g_rewrites = 0;
  g_tries = g_taken = g_refused = g_harm = 0;
  g_arguments = {};
  Attacker caller{call, which}, rewriter{rewrite, which};
  g_caller = caller.id;
  g_rewriter = rewriter.id;
  sys::cap_forge(kRoot, kInterfaceCap, Capability::make({kInterfaceName, kLoopback}).bits(),
                 caller.target);
  sys::cap_forge(kRoot, kFilterCap, Capability::make({kFilterName}).bits(), caller.target);
  sys::slice_alloc(kRoot, 0, kAnyPosition, caller.id);
  sys::slice_alloc(kRoot, 1, kAnyPosition, rewriter.id);
  const std::uint64_t begin = rt::monotonic_ns();
  const auto enough = [which] {
    return g_taken >= kAttacks[which].often && g_refused >= kAttacks[which].often;
  };
  do {
    rt::sleep_until(rt::monotonic_ns() + kSeconds * kNanosecondsPerSecond);
  } while (!enough() && rt::monotonic_ns() - begin < kPatience * kNanosecondsPerSecond);
  g_stop = 1;
  const std::uint64_t patience = rt::monotonic_ns() + 20 * kNanosecondsPerSecond;
  while (!(caller.finished() && rewriter.finished()) && rt::monotonic_ns() < patience)
    rt::sleep_until(rt::monotonic_ns() + 1'000'000);
  print_tries(kAttacks[which].name);
  std::array<char, 80> name{};
  const auto named = [&](const char* what) {
    std::size_t n = 0;
    for (const char* part : {"S1 ", kAttacks[which].name, what})
      for (; *part != 0; part++) name[n++] = *part;
    return std::string_view{name.data(), n};
  };
  t.holds(named(": both come to their end"), caller.finished() && rewriter.finished());
  t.equal(named(": what was not checked is never taken"), g_harm, 0);
  t.holds(named(": the kernel saw the one and the other"), enough());
}

void attacks(Checks& t, const Victim& victim) {
  t.holds("a second processor has started", system_info().processors >= 2);
  g_victim_page = victim.page;
  for (std::size_t i = 0; i < std::size(kAttacks); i++) attack(t, i);
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(judge(attacks))
