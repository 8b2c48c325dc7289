// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// M1 to M4, M7, M8, M10, M11, W1, W2, L2: frames, tables, special bits, old contents, forked
// tables, copies, predicates, addresses.
// (M5, M6 need several processors; M9 is in space.cpp.)
#include "abi/wakeup.hpp"
#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {
XOK_ATTACK_FAULT_HANDLER
}

namespace xok::guest {
namespace {

constexpr std::uint64_t kVa = 0x50'0000'0000;
constexpr std::uint64_t kCopy = kVa + kPageSize;
constexpr std::uint64_t kLargeVa = 0x51'0000'0000;
constexpr std::uint64_t kLargeSize = std::uint64_t{512} * kPageSize;
constexpr std::uint64_t kForkSlot = std::uint64_t{1} << 39;
constexpr std::uint64_t kForked = kForkSlot + 0x1000'0000;  // a page of the test's
constexpr std::uint64_t kPattern = 0xdead'5ec2'e700'0001;
constexpr std::uint64_t kSecretPages = 200;
/// Of the free pages of a large machine about so many are tried: all would touch, and so take from
/// the host, every page there is. Whole runs of 512 are, for the host may give 2 MiB at a touch.
constexpr std::uint64_t kFreeTried = 1 << 16;

volatile std::uint64_t g_page, g_accepted, g_first, g_count, g_passed_over, g_vectors[16];
volatile std::uint64_t g_secret_pages[kSecretPages];
volatile std::int64_t g_results[16];

bool is_mine(std::uint64_t page) {
  const PageInfo info = const_cast<const PageInfo&>(rt::page_record(page));
  return info.status == PageStatus::User && info.acl[0] == kAttackerName;
}

bool is_tried(std::uint64_t page) {
  return page / 512 % (1 + system_info().page_count / kFreeTried) == 0;
}
bool is_free(std::uint64_t page) {
  return page < system_info().page_count && rt::page_record(page).status == PageStatus::Free;
}

/// M1: every frame number there is, and some beyond, for reading and for writing.
void every_frame(std::uint64_t) {
  const std::uint64_t count = system_info().page_count;
  for (std::uint64_t page = 1; page < count + 16; page++) {
    if (page < count && !is_tried(page) && is_free(page)) {
      g_passed_over = g_passed_over + 1;
      continue;
    }
    for (const std::uint64_t writable : {std::uint64_t{0}, kPteWritable}) {
      const std::int64_t n =
          sys::pte_insert(0, page << kPageShift | kPtePresent | writable, kVa, kSelf);
      g_count = g_count + 1;
      if (n < 0 || is_mine(page)) continue;  // free ones become its own
      g_accepted = g_accepted + 1;
      g_first = page;
    }
  }
  sys::pte_insert(0, 0, kVa, kSelf);
}

bool is_free_run(std::uint64_t first) {
  for (std::uint64_t page = first; page < first + 512; page++)
    if (!is_free(page)) return false;
  return true;
}

/// M2: its own tables at every level, and large pages that cover one.
void own_tables(std::uint64_t) {
  const std::uint64_t pages[] = {
      rt::env_record(rt::env_id()).table_page,
      *reinterpret_cast<std::uint64_t*>(pml4e_address(kImage)) >> 12 & 0xf'ffff'ffff,
      *reinterpret_cast<std::uint64_t*>(pdpte_address(kImage)) >> 12 & 0xf'ffff'ffff,
      *reinterpret_cast<std::uint64_t*>(pde_address(kImage)) >> 12 & 0xf'ffff'ffff};
  int i = 0;
  for (const std::uint64_t page : pages) {
    g_results[i++] = sys::pte_insert(0, page << kPageShift | kPtePresent, kVa, kSelf);
    g_results[i++] = sys::pte_insert(0, page << kPageShift | kData, kVa, kSelf);
    g_results[i++] =
        sys::large_insert(0, (page & ~511ull) << kPageShift | kData | kPteLarge, kLargeVa, kSelf);
  }
  // The window shows them; it must not be writable, at any level.
  g_vectors[0] = XOK_PROBE("mov $0x7f8000000000, %%rdx\n\tmovq $7, 0x20(%%rdx)");
  g_vectors[1] = XOK_PROBE("mov $0x7fbfdfeff000, %%rdx\n\tmovq $7, (%%rdx)");
  // Large pages over all of memory: only runs of free pages are given.
  const std::uint64_t runs = system_info().page_count / 512;
  for (std::uint64_t run = 0; run <= runs; run++) {
    const std::uint64_t first = run * 512;
    if (!is_tried(first) && is_free_run(first)) continue;
    const std::int64_t n =
        sys::large_insert(0, first << kPageShift | kData | kPteLarge, kLargeVa, kSelf);
    if (n < 0) continue;
    g_count = g_count + 1;
    for (std::uint64_t page = first; page < first + 512; page++)
      if (!is_mine(page)) g_accepted = g_accepted + 1;
    auto* const words = reinterpret_cast<volatile std::uint64_t*>(kLargeVa);
    for (std::uint64_t at = 0; at < kLargeSize / 8; at += 64)
      if (words[at] != 0) g_first = g_first + 1;
    sys::large_insert(0, 0, kLargeVa, kSelf);
  }
}

/// M3: an entry with every bit set, and each bit alone.
void special_bits(std::uint64_t) {
  const std::int64_t page = sys::pte_insert(0, kData, kVa, kSelf);
  const std::uint64_t base = static_cast<std::uint64_t>(page) << kPageShift | kPtePresent;
  std::uint64_t seen = 0;
  for (unsigned bit = 0; bit < 64; bit++) {
    const std::uint64_t asked = base | std::uint64_t{1} << bit;
    if ((asked & kPtePageMask) != (base & kPtePageMask)) continue;
    if (sys::pte_insert(0, asked, kVa + kPageSize, kSelf) < 0) continue;
    seen |= load_entry(kVa + kPageSize) & ~kPtePageMask;
    (void)*reinterpret_cast<volatile std::uint64_t*>(kVa + kPageSize);
  }
  sys::pte_insert(0, base | 0xff8, kVa + kPageSize, kSelf);
  g_first = seen & ~(kPtePresent | kPteWritable | kPteUser | kPteAccessed | kPteDirty |
                     kPteSoftware | kPteNoExecute | system_info().caching_bits);
  g_results[0] = sys::pte_modify_range(kVa, 1, kPteGlobal, 0, 0, kSelf);
  g_results[1] = sys::pte_modify_range(kVa, 1, 0, kPteUser, 0, kSelf);
  g_results[2] = sys::pte_insert(0, base | kPteLarge, kVa + kPageSize, kSelf);
  // Dirty and accessed without a call: the hardware sets them, the window shows them.
  sys::pte_insert(0, base | kPteWritable, kVa, kSelf);
  g_vectors[0] = load_entry(kVa) & (kPteAccessed | kPteDirty);
  (void)*reinterpret_cast<volatile std::uint64_t*>(kVa);
  g_vectors[1] = load_entry(kVa) & (kPteAccessed | kPteDirty);
  *reinterpret_cast<volatile std::uint64_t*>(kVa) = 1;
  g_vectors[2] = load_entry(kVa) & (kPteAccessed | kPteDirty);
}

/// M4: the kernel's half, exposed tables, its own code.
void supervisor(std::uint64_t) {
  g_vectors[0] = XOK_PROBE("mov $0xffffffff80100000, %%rdx\n\tmov (%%rdx), %%rax");
  g_vectors[1] = XOK_PROBE("mov $0xffff800000001000, %%rdx\n\tmov (%%rdx), %%rax");
  g_vectors[2] = XOK_PROBE("mov $0x7f0000000000, %%rdx\n\tmovq $1, (%%rdx)");  // SystemInfo
  g_vectors[3] = XOK_PROBE("mov $0x7f0000100200, %%rdx\n\tmovq $1, (%%rdx)");  // its record
  g_vectors[4] = XOK_PROBE("mov $0x7f0040000020, %%rdx\n\tmovq $1, (%%rdx)");  // PageInfo
  g_vectors[5] = XOK_PROBE("mov $0x7f0000200000, %%rdx\n\tmovq $1, (%%rdx)");  // slices
  g_vectors[6] = XOK_PROBE("mov $0x7f0000300000, %%rdx\n\tmovq $1, (%%rdx)");  // filters
}

/// M7: one frame mapped 2^16 + 1 times.
void many_mappings(std::uint64_t) {
  const std::int64_t page = sys::pte_insert(0, kData, kVa, kSelf);
  static std::uint64_t entries[kMaxRange];
  for (std::uint64_t& e : entries) e = static_cast<std::uint64_t>(page) << kPageShift | kData;
  std::uint64_t mapped = 1;
  for (std::uint64_t at = 1; mapped < (1u << 16) + 1; at += kMaxRange) {
    std::uint64_t done = 0;
    sys::pte_insert_range(0, reinterpret_cast<std::uint64_t>(entries), kMaxRange,
                          kVa + at * kPageSize, reinterpret_cast<std::uint64_t>(&done), kSelf);
    if (done == 0) break;
    mapped += done;
  }
  g_count = mapped;
  g_first = rt::page_record(static_cast<std::uint64_t>(page)).mappings;
}

/// M8: what an environment that ended has written. (Registers are in vectors.cpp.)
void write_secrets(std::uint64_t) {
  for (std::uint64_t i = 0; i < kSecretPages; i++) {
    g_secret_pages[i] =
        static_cast<std::uint64_t>(sys::pte_insert(0, kData, kVa + i * kPageSize, kSelf));
    auto* const words = reinterpret_cast<volatile std::uint64_t*>(kVa + i * kPageSize);
    for (std::size_t k = 0; k < kPageSize / 8; k++) words[k] = kPattern;
  }
}
void read_free_page(std::uint64_t page) {
  if (!is_free(page) || sys::pte_insert(0, page << kPageShift | kPtePresent, kVa, kSelf) < 0)
    return;
  g_count = g_count + 1;
  const auto* const words = reinterpret_cast<volatile std::uint64_t*>(kVa);
  std::uint64_t any = 0;
  for (std::size_t k = 0; k < kPageSize / 8; k++) any |= words[k];
  if (any != 0) g_accepted = g_accepted + 1;
}
void read_leftovers(std::uint64_t) {
  for (const volatile std::uint64_t& page : g_secret_pages) read_free_page(page);
  const std::uint64_t count = system_info().page_count;
  for (std::uint64_t page = 1; page < count; page++)
    if (is_tried(page)) read_free_page(page);
}

/// W1, W2: predicates over words that are not its own to read.
void predicates(std::uint64_t) {
  int i = 0;
  const auto set = [&](std::uint64_t address, std::uint64_t n = 1,
                       WakeOperand kind = WakeOperand::Word64) {
    const WakeTerm term{.left = address,
                        .right = 1,
                        .left_kind = kind,
                        .right_kind = WakeOperand::Immediate,
                        .comparison = WakeComparison::Equal,
                        .ends_product = 1,
                        .tag = 1};
    g_results[i++] = sys::wakeup_set(reinterpret_cast<std::uint64_t>(&term), n);
  };
  set(0xffff'ffff'8010'0000);
  set(kPageTableWindow);
  set(kVa);                                                          // nothing is mapped there
  set(kExposedPages + system_info().page_count * sizeof(PageInfo));  // behind the table
  set(kExposedBase + sizeof(SystemInfo));
  set(kVa + 1);
  set(0, ~std::uint64_t{0});
  set(0, kMaxWakeTerms + 1);
  set(kVa, 1, static_cast<WakeOperand>(200));
  // Unmapped later: the word stays the physical word it was.
  const std::int64_t page = sys::pte_insert(0, kData, kVa, kSelf);
  set(kVa);
  sys::pte_insert(0, 0, kVa, kSelf);
  const volatile PageInfo& info = rt::page_record(static_cast<std::uint64_t>(page));
  g_vectors[0] = info.pins;
  g_vectors[1] = static_cast<std::uint64_t>(PageStatus{info.status});
  sys::wakeup_set(0, 0);
  g_vectors[2] = static_cast<std::uint64_t>(PageStatus{info.status});
}

/// User-mode instruction prevention: without it sidt is anybody's.
std::uint64_t store_there() { return XOK_PROBE("movabs $0x8010000000, %%rax\n\tmovq $1, (%%rax)"); }

/// M10: page tables that were forked for it.
void forked_tables(std::uint64_t) {
  const auto* const word = reinterpret_cast<const volatile std::uint64_t*>(kForked);
  g_first = *word;
  g_vectors[0] = store_there();
  g_results[0] = sys::pte_insert(0, kData, kForked, kSelf);
  g_results[1] = sys::pte_insert(0, kData, kForked + kPageSize, kSelf);
  g_results[2] = sys::pte_insert(0, 0, kForked, kSelf);
  g_results[3] = sys::pte_modify_range(kForked, 1, kPteWritable, 0, 0, kSelf);
  g_results[4] = sys::table_drop(kForked, 1, kSelf);
  g_results[5] = sys::table_own(0, kForked, kSelf);
  g_vectors[1] = store_there();
  g_results[6] = sys::pte_modify_range(kForked, 1, kPteWritable, 0, 0, kSelf);
  g_results[7] = sys::pte_insert(0, kData, kForked, kSelf);  // a page of its own instead
  g_vectors[2] = store_there();
}

/// M11: fresh pages with copies of what it does not see, of another's frames, and to where it may
/// not write. `argument`: the victim.
void copies(std::uint64_t victim) {
  const auto copy = [](std::uint64_t source, std::uint64_t entry = kData, std::uint64_t slot = 0,
                       std::uint64_t va = kCopy, std::uint64_t target = kSelf) {
    return sys::pte_fill(slot, entry, va, 1, source, target);
  };
  g_results[0] = copy(0xffff'ffff'8010'0000);
  g_results[1] = copy(kExposedBase);
  g_results[2] = copy(kPageTableWindow);
  g_results[3] = copy(kVa);  // nothing there yet
  g_results[4] = copy(0x60'0000'0000);
  const std::int64_t page = sys::pte_insert(0, kData, kVa, kSelf);
  auto& word = *reinterpret_cast<volatile std::uint64_t*>(kVa);
  word = kPattern;
  g_results[5] = copy(kVa + 8);
  g_results[6] = copy(kVa, g_page << kPageShift | kData);
  g_results[7] = copy(kVa, 0);
  g_results[8] = copy(kVa, kData | kPteLarge);
  g_results[9] = copy(kVa, kData, 3);
  g_results[10] = copy(kVa, kData, 0, kUserTop);
  g_results[11] = copy(kVa, kData, 0, kCopy, make_target(0, static_cast<EnvId>(victim)));
  g_results[12] = copy(kVa, kData, 0, kForked);
  g_results[14] = sys::pte_fill(0, kData, kCopy, 2, kVa, kSelf);  // the second is not there
  g_vectors[0] = load_entry(kCopy);
  // A copy of what it only may read is its own, and the original stays as it was.
  sys::pte_modify_range(kVa, 1, 0, kPteWritable, 0, kSelf);
  g_results[13] = copy(kVa);
  auto& copied = *reinterpret_cast<volatile std::uint64_t*>(kCopy);
  g_first = copied;
  copied = ~kPattern;
  g_vectors[1] = word;
  g_count = g_results[13] > 0 && g_results[13] != page &&
            is_mine(static_cast<std::uint64_t>(g_results[13]));
}

bool has_umip() {
  std::uint32_t eax = 7, ebx = 0, ecx = 0, edx = 0;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return (ecx & 1u << 2) != 0;
}

/// L2: kernel addresses in what is exposed, and from the instructions that could tell.
void addresses(std::uint64_t) {
  const auto scan = [](std::uint64_t from, std::uint64_t bytes) {
    for (std::uint64_t at = from; at < from + bytes; at += 8) {
      const std::uint64_t word = *reinterpret_cast<const volatile std::uint64_t*>(at);
      const bool looks = word >= 0xffff'8000'0000'0000 && word < 0xffff'ffff'f000'0000;
      if (!looks) continue;
      g_accepted = g_accepted + 1;
      g_first = at;
    }
  };
  scan(kExposedBase, offsetof(SystemInfo, command_line));
  scan(kExposedBase + offsetof(SystemInfo, accounts), sizeof(SystemInfo::accounts));
  scan(kExposedSlices, sizeof(Slice) * kSlicesPerProcessor);
  scan(kExposedFilters, sizeof(FilterRecord) * kMaxFilters);
  scan(kExposedEnvs, sizeof(Env) * kMaxEnvironments);
  if (has_umip()) g_vectors[0] = XOK_PROBE("sidt -64(%%rsp)");
}

void attacks(Checks& t, const Victim& victim) {
  g_page = victim.page;
  const Counts before;
  const auto clear = [] {
    g_accepted = 0;
    g_first = 0;
    g_count = 0;
  };
  {
    Attacker a{every_frame};
    t.holds("M1 the attacker comes to its end", a.run(40));
    t.equal("M1 it has tried every frame twice",
            static_cast<std::int64_t>(g_count / 2 + g_passed_over),
            static_cast<std::int64_t>(system_info().page_count + 15));
    t.equal("M1 frames it should not have had", static_cast<std::int64_t>(g_accepted), 0);
  }
  clear();
  {
    Attacker a{own_tables};
    t.holds("M2 the attacker comes to its end", a.run());
    bool denied = true;
    for (int i = 0; i < 12; i++) denied = denied && g_results[i] < 0;
    t.holds("M2 its own tables, at every level, small and large", denied);
    t.equal("M2 a write to the window faults", static_cast<std::int64_t>(g_vectors[0]), 14);
    t.equal("M2 and to its top", static_cast<std::int64_t>(g_vectors[1]), 14);
    t.holds("M2 large pages of free memory are given", g_count > 0);
    t.equal("M2 large pages over what is not its own", static_cast<std::int64_t>(g_accepted), 0);
    t.equal("M2 large pages that were not zero", static_cast<std::int64_t>(g_first), 0);
  }
  clear();
  {
    Attacker a{special_bits};
    t.holds("M3 the attacker comes to its end", a.run());
    t.equal("M3 bits that are not the application's", static_cast<std::int64_t>(g_first), 0);
    t.refused("M3 global by pte_modify_range", g_results[0], Errc::BadArgument);
    t.refused("M3 no user bit", g_results[1], Errc::BadArgument);
    t.refused("M3 large in a small entry", g_results[2], Errc::NotSupported);
    t.equal("accessed and dirty are clear at first", static_cast<std::int64_t>(g_vectors[0]), 0);
    t.equal("a load sets accessed", static_cast<std::int64_t>(g_vectors[1]), kPteAccessed);
    t.equal("a store sets dirty", static_cast<std::int64_t>(g_vectors[2]),
            kPteAccessed | kPteDirty);
  }
  {
    Attacker a{supervisor};
    t.holds("M4 the attacker comes to its end", a.run());
    bool all = true;
    for (int i = 0; i < 7; i++) all = all && g_vectors[i] == 14;
    t.holds("M4 kernel memory is not read, exposed tables are not written", all);
  }
  clear();
  {
    Attacker a{many_mappings};
    t.holds("M7 the attacker comes to its end", a.run());
    t.holds("M7 more than 2^16 mappings", g_count > 1u << 16);
    t.equal("M7 all are counted", static_cast<std::int64_t>(g_first),
            static_cast<std::int64_t>(g_count));
  }
  t.holds("M7 and taken back", back_to(before));
  clear();
  {
    Attacker a{write_secrets, 0, kVictimCap};
    t.holds("M8 secrets are written", a.run());
  }
  clear();
  {
    Attacker a{read_leftovers};
    t.holds("M8 the reader comes to its end", a.run(40));
    t.holds("M8 it has read the free pages", g_count > kSecretPages);
    t.equal("M8 pages that were not zero", static_cast<std::int64_t>(g_accepted), 0);
  }
  clear();
  sys::pte_insert(kRoot, kData, kForked, kSelf);
  auto& mine = *reinterpret_cast<volatile std::uint64_t*>(kForked);
  mine = kPattern;
  {
    Attacker a{forked_tables};
    t.equal("M10 the tables are forked", sys::table_fork(kForkSlot, 3, kSelf, a.target), 0);
    t.holds("M10 the attacker comes to its end", a.run());
    t.holds("M10 it reads what was there", g_first == kPattern);
    constexpr const char* kNames[] = {"M10 another page there", "M10 a page beside it",
                                      "M10 no page there", "M10 write permission",
                                      "M10 the table out of the tree"};
    for (int i = 0; i < 5; i++) t.refused(kNames[i], g_results[i], Errc::Busy);
    t.equal("M10 tables of its own", g_results[5], 3);
    t.refused("M10 write permission, then", g_results[6], Errc::Denied);
    t.holds("M10 a page of its own, then", g_results[7] > 0);
    t.equal("M10 stores fault", static_cast<std::int64_t>(g_vectors[0]), 14);
    t.equal("M10 and with its own tables", static_cast<std::int64_t>(g_vectors[1]), 14);
    t.equal("M10 but not into its page", static_cast<std::int64_t>(g_vectors[2]),
            static_cast<std::int64_t>(kNoFault));
    t.holds("M10 nothing is written to the page", mine == kPattern);
  }
  {
    Attacker a{copies, victim.id};
    t.equal("M11 a forked table", sys::table_fork(kForkSlot, 3, kSelf, a.target), 0);
    t.holds("M11 the attacker comes to its end", a.run());
    struct Refusal {
      const char* what;
      Errc error;
    };
    constexpr Refusal kRefused[] = {{"M11 of kernel memory", Errc::BadArgument},
                                    {"M11 of the exposed window", Errc::BadArgument},
                                    {"M11 of the page-table window", Errc::BadArgument},
                                    {"M11 of an empty entry", Errc::Fault},
                                    {"M11 of no table", Errc::Fault},
                                    {"M11 of a misplaced address", Errc::BadArgument},
                                    {"M11 into the victim's frame", Errc::BadArgument},
                                    {"M11 into no page", Errc::BadArgument},
                                    {"M11 as a large page", Errc::NotSupported},
                                    {"M11 by an empty slot", Errc::BadCapability},
                                    {"M11 to behind user memory", Errc::BadArgument},
                                    {"M11 into the victim", Errc::Denied},
                                    {"M11 into forked tables", Errc::Busy}};
    t.refused("M11 partly over itself", g_results[14], Errc::BadArgument);
    for (int i = 0; i < 13; i++) t.refused(kRefused[i].what, g_results[i], kRefused[i].error);
    t.equal("M11 nothing has been mapped", static_cast<std::int64_t>(g_vectors[0]), 0);
    t.holds("M11 a copy is a page of its own", g_count == 1);
    t.holds("M11 with the same content", g_first == kPattern);
    t.holds("M11 and the original is not written", g_vectors[1] == kPattern);
  }
  clear();
  t.equal("M10 the tables are the test's again", sys::table_own(kRoot, kForked, kSelf), 3);
  t.equal("M10 the page, too", sys::pte_modify_range(kForked, 1, kPteWritable, 0, kRoot, kSelf), 0);
  mine = kPattern + 1;
  sys::table_drop(kForkSlot, 3, kSelf);
  clear();
  {
    Attacker a{predicates};
    t.holds("W1 the attacker comes to its end", a.run());
    constexpr const char* kNames[] = {"W1 kernel memory",     "W1 the page-table window",
                                      "W1 nothing mapped",    "W2 behind an exposed table",
                                      "W2 behind SystemInfo", "W1 misaligned",
                                      "W1 endless",           "W1 one too many",
                                      "W1 an unknown operand"};
    constexpr Errc kErrors[] = {Errc::Fault,  Errc::Fault,  Errc::Fault,
                                Errc::Fault,  Errc::Fault,  Errc::BadArgument,
                                Errc::TooBig, Errc::TooBig, Errc::BadArgument};
    for (int i = 0; i < 9; i++) t.refused(kNames[i], g_results[i], kErrors[i]);
    t.equal("W1 an unmapped word's page is pinned", static_cast<std::int64_t>(g_vectors[0]), 1);
    t.equal("W1 and nobody else's", static_cast<std::int64_t>(g_vectors[1]), 1);
    t.equal("W1 until the predicate goes", static_cast<std::int64_t>(g_vectors[2]), 0);
  }
  clear();
  {
    Attacker a{addresses};
    t.holds("L2 the attacker comes to its end", a.run());
    t.equal("L2 kernel addresses in exposed tables", static_cast<std::int64_t>(g_accepted), 0);
    if (has_umip())
      t.equal("L2 sidt faults", static_cast<std::int64_t>(g_vectors[0]), 13);
    else
      t.skipped("L2 sidt faults", "this processor has no UMIP");
  }
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(judge(attacks))
