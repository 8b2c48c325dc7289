// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// C1 to C5, S4: capabilities forged, widened, kept too long; batches as a deputy.
#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {
XOK_ATTACK_FAULT_HANDLER
}

namespace xok::guest {
namespace {

constexpr std::uint64_t kVa = 0x50'0000'0000;
constexpr std::uint64_t kTries = 200'000;

volatile std::uint64_t g_page, g_victim, g_accepted, g_tries, g_first, g_done;
volatile std::int64_t g_results[16];

std::uint64_t next(std::uint64_t& state) {
  state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
  return state * 0x2545f4914f6cdd1d;
}

void note(std::int64_t result, std::uint64_t what) {
  g_tries = g_tries + 1;
  if (result < 0) return;
  if (g_accepted == 0) g_first = what;
  g_accepted = g_accepted + 1;
}

/// C1: every slot number there is, and every value that differs in a bit from the victim's.
void forge(std::uint64_t) {
  std::uint64_t random = 88172645463325252;
  const std::uint64_t entry = g_page << kPageShift | kPtePresent;
  const auto victim = static_cast<std::uint64_t>(kVictimName.bits());
  for (std::uint64_t i = 0; i < kTries; i++) {
    const std::uint64_t slot = i < 64 ? i : i < 128 ? ~(i - 64) : next(random);
    switch (i % 4) {
      case 0:
        note(sys::pte_insert(slot, entry, kVa, kSelf), slot);
        break;
      case 1:
        if (i / 4 % 64 == 3) continue;  // without its valid bit it only empties the slot
        note(sys::cap_forge(0, 1, victim ^ std::uint64_t{1} << i / 4 % 64, kSelf), i);
        break;
      case 2:
        note(sys::env_free(make_target(slot, static_cast<std::uint32_t>(g_victim))), slot);
        break;
      default:
        note(sys::page_set_acl(slot, g_page, 0, kAttackerName.bits()), slot);
    }
  }
}

/// C2, C3: more name or more rights than the parent has.
void widen(std::uint64_t) {
  int i = 0;
  const auto forge_into = [&](std::uint64_t from, const Capability& c) {
    g_results[i++] = sys::cap_forge(from, 5, c.bits(), kSelf);
  };
  sys::cap_forge(0, 2, Capability::make({77, 1}).bits(), kSelf);
  forge_into(2, Capability::make({77, 10}));  // "77.1" is no prefix of "77.10"
  forge_into(2, Capability::make({77}));
  forge_into(2, kRootCapability);
  sys::cap_forge(0, 3, Capability::make({77, 1}, Permission::Write).bits(), kSelf);
  forge_into(3, Capability::make({77, 1, 1}, Permission::Write));  // no Modify
  sys::cap_forge(0, 4, Capability::make({77}, Permission::Modify).bits(), kSelf);
  forge_into(4, Capability::make({77, 1}, Permission::Write | Permission::Modify));
  BatchEntry entries[2] = {{static_cast<std::uint64_t>(SyscallNumber::cap_forge),
                            {4, 5, Capability::make({77}).bits(), kSelf, 0, 0},
                            0},
                           {static_cast<std::uint64_t>(SyscallNumber::cap_forge),
                            {5, 6, Capability::make({77}).bits(), kSelf, 0, 0},
                            0}};
  std::uint64_t done = 9;
  g_results[i++] = sys::batch(reinterpret_cast<std::uint64_t>(entries), 2,
                              reinterpret_cast<std::uint64_t>(&done));
  g_done = done;
}

void acquire(std::uint64_t grantor) {
  g_results[0] = sys::cap_acquire(1, static_cast<std::uint32_t>(grantor));
}

/// S4: own and foreign operations mixed, the right replaced on the way, nesting, counts.
void deputy(std::uint64_t) {
  const std::uint64_t foreign = g_page << kPageShift | kPtePresent;
  BatchEntry e[4] = {
      {static_cast<std::uint64_t>(SyscallNumber::pte_insert), {0, kData, kVa, 0, 0, 0}, 0},
      {static_cast<std::uint64_t>(SyscallNumber::pte_insert),
       {0, foreign, kVa + kPageSize, 0, 0, 0},
       0},
      {static_cast<std::uint64_t>(SyscallNumber::pte_insert),
       {0, kData, kVa + 2 * kPageSize, 0, 0, 0},
       0},
      {static_cast<std::uint64_t>(SyscallNumber::batch), {0, 0, 0, 0, 0, 0}, 0}};
  std::uint64_t done = 9;
  const auto at = reinterpret_cast<std::uint64_t>(e);
  const auto count = reinterpret_cast<std::uint64_t>(&done);
  g_results[0] = sys::batch(at, 3, count);
  g_results[1] = static_cast<std::int64_t>(done);
  g_results[2] = (load_entry(kVa + 2 * kPageSize) & 1) != 0 ? 1 : 0;  // behind the failure
  g_results[3] = sys::batch(at + 3 * sizeof(BatchEntry), 1, count);
  g_results[4] = sys::batch(at, kMaxBatch + 1, count);
  g_results[5] = sys::batch(at, ~std::uint64_t{0}, count);
  // The right goes away between two elements.
  sys::cap_forge(0, 1, Capability::make({77, 1}).bits(), kSelf);
  e[0] = {static_cast<std::uint64_t>(SyscallNumber::cap_release), {1, 0, 0, 0, 0, 0}, 0};
  e[1] = {static_cast<std::uint64_t>(SyscallNumber::pte_insert), {1, kData, kVa, 0, 0, 0}, 0};
  g_results[6] = sys::batch(at, 2, count);
  g_results[7] = static_cast<std::int64_t>(done);
}

/// The ends of an ACL's extension.
void extend(std::uint64_t) {
  const auto page = static_cast<std::uint64_t>(sys::pte_insert(0, kData, kVa, kSelf));
  g_results[0] = sys::page_acl_resize(0, page, kMaxPageAcl);
  Capability pointer = Capability::make({1, 1, 1, 1, 1, 1, 1});
  pointer.header |= Capability::kPointer;
  g_results[1] = sys::page_set_acl(0, page, kMaxPageAcl, kAttackerName.bits());
  g_results[2] = sys::page_set_acl(0, page, kMaxPageAcl - 1, pointer.bits());
  g_results[3] = sys::page_set_acl(0, page, kMaxPageAcl - 1, kVictimName.bits());
  g_results[4] = sys::page_acl_resize(0, page, kMaxPageAcl + 1);
  g_results[5] = sys::page_acl_resize(0, g_page, 2);
  // The extension's own page, by its number.
  const Capability last = const_cast<const PageInfo&>(rt::page_record(page)).acl[1];
  std::uint64_t number = 0;
  for (unsigned i = 0; i < 4; i++) number |= std::uint64_t{last.name[3 + i]} << 8 * i;
  g_results[6] = sys::pte_insert(0, number << kPageShift | kData, kVa + kPageSize, kSelf);
}

void stale(Checks& t) {
  const auto first = static_cast<EnvId>(sys::env_alloc(kAttackerCap, 0, kChildUenv));
  sys::env_free(make_target(kRoot, first));
  const auto second = static_cast<EnvId>(sys::env_alloc(kVictimCap, 0, kChildUenv));
  t.equal("C4 the slot is used again", env_index(second), env_index(first));
  t.refused("C4 the old id is stale", sys::env_free(make_target(kRoot, first)), Errc::BadEnv);
  t.refused("C4 the old holder has no right over the new one",
            sys::env_free(make_target(kAttackerCap, second)), Errc::Denied);
  sys::env_free(make_target(kRoot, second));
  // A grant to one that has died is not its successor's.
  Uenv& mine = *reinterpret_cast<Uenv*>(kInitUenvAddress);
  mine.grant_slot = kRoot;
  mine.grant = kVictimName.bits();
  mine.grant_to = first;
  {
    Attacker a{acquire, rt::env_id()};
    a.run();
    t.refused("C5 a grant to the dead is nobody's", g_results[0], Errc::Denied);
    t.equal("C5 it still stands", static_cast<std::int64_t>(mine.grant_to), first);
  }
  mine.grant_to = 0;
}

void attacks(Checks& t, const Victim& victim) {
  g_page = victim.page;
  g_victim = victim.id;
  {
    Attacker a{forge};
    t.holds("C1 the attacker comes to its end", a.run());
    t.holds("C1 it has guessed often", g_tries > kTries - kTries / 100);
    t.equal("C1 guesses accepted", static_cast<std::int64_t>(g_accepted), 0);
  }
  {
    Attacker a{widen};
    a.run();
    constexpr const char* kNames[] = {
        "C2 77.1 is not above 77.10", "C3 a shorter name",   "C3 the root",
        "C3 without Modify",          "C3 more permissions", "C3 more permissions by batch"};
    for (int i = 0; i < 6; i++) t.refused(kNames[i], g_results[i], Errc::Denied);
    t.equal("C3 no element of the batch succeeded", static_cast<std::int64_t>(g_done), 0);
  }
  stale(t);
  {
    Attacker a{deputy};
    a.run();
    t.refused("S4 the foreign element is refused", g_results[0], Errc::Denied);
    t.equal("S4 and named by its index", g_results[1], 1);
    t.equal("S4 those behind it did not run", g_results[2], 0);
    t.refused("S4 a nested batch", g_results[3], Errc::BadArgument);
    t.refused("S4 too many", g_results[4], Errc::TooBig);
    t.refused("S4 a count that overflows", g_results[5], Errc::TooBig);
    t.refused("S4 a right that an earlier element gave up", g_results[6], Errc::BadCapability);
    t.equal("S4 named by its index too", g_results[7], 1);
  }
  {
    Attacker a{extend};
    a.run();
    t.equal("C6 an ACL grows to its bound", g_results[0], 0);
    t.refused("C6 a position behind the end", g_results[1], Errc::BadArgument);
    t.refused("C6 a pointer as an entry", g_results[2], Errc::BadArgument);
    t.equal("C6 the last position", g_results[3], 0);
    t.refused("C6 a size past the bound", g_results[4], Errc::TooBig);
    t.refused("C6 another's ACL", g_results[5], Errc::Denied);
    t.refused("C6 the extension mapped as a page", g_results[6], Errc::Denied);
  }
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(judge(attacks))
