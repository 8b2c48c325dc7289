// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/driver.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "abi/packet_ring.hpp"
#include "libs/dpf/builders.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

/// Few pages, so that memory runs out; now and then enough for a large page.
constexpr std::uint64_t kFewestPages = 80;  // the families have most of them
constexpr std::uint64_t kFewPages = 120;
constexpr std::uint64_t kManyPages = 1100;
constexpr std::uint32_t kProcessors = 3;  // at most
constexpr std::uint64_t kBuffer = kScratch + 256;

constexpr SyscallNumber kNumbers[] = {
#define XOK_SYSCALL(number, name, user_memory, arguments) SyscallNumber::name,
#include "abi/syscalls.def"
#undef XOK_SYSCALL
};

/// Calls that get the machine into interesting states, more often than the others.
constexpr SyscallNumber kFavourites[] = {pte_insert,      pte_insert,
                                         pte_insert,      pte_insert_range,
                                         env_alloc,       pte_modify_range,
                                         table_share,     cap_forge,
                                         page_set_acl,    wakeup_set,
                                         ring_create,     filter_insert,
                                         env_free,        batch,
                                         yield,           disk_transfer,
                                         page_acl_resize, page_set_limits,
                                         env_set_quota,   pages_request,
                                         pages_repossess, ipc_call,
                                         ipc_reply,       region_create,
                                         region_write,    message_ring_create,
                                         message_send,    method_define,
                                         method_call,     method_exit,
                                         table_fork,      table_fork,
                                         table_own,       table_drop,
                                         pte_fill,        pte_fill,
                                         ring_create,     filter_insert,
                                         filter_insert,   filter_delete};
constexpr std::uint64_t kAddresses[] = {kScratch,
                                        kScratch + 0x1000,
                                        0x5f'f000,
                                        0x60'0000,
                                        0x60'1000,
                                        0x7000'0000,
                                        0x7000'1000,
                                        0x4000'0000,
                                        0x80'0000'0000,
                                        0x80'0020'0000,
                                        kUserTop - 0x1000,
                                        kInitUenvAddress,
                                        kInitStackTop - 0x1000,
                                        kInitBundleAddress,
                                        kUserTop - 0x40'0000,
                                        kMethodBase,
                                        kMethodBase};
constexpr std::uint64_t kBadAddresses[] = {kUserTop,     kExposedBase + 8,      kPageTableWindow,
                                           ~0ull,        0xffff'8000'0000'0000, 0,
                                           kScratch + 1, 0x8000'0000'0000,      kUserTop - 8};

}  // namespace

std::array<std::uint64_t, kSyscallNumbers> Driver::succeeded{};
std::array<std::array<std::uint64_t, 32>, kSyscallNumbers> Driver::failed{};

std::uint64_t Driver::calls() {
  std::uint64_t sum = 0;
  for (const std::uint64_t n : succeeded) sum += n;
  for (const auto& errors : failed)
    for (const std::uint64_t n : errors) sum += n;
  return sum;
}

Driver::Driver(Choose choose, Watch watch)
    : choose_{std::move(choose)},
      watch_{watch},
      pages_{choose_(40) == 1  ? kManyPages
             : choose_(3) == 1 ? kFewestPages
                               : kFewPages},
      processors_{static_cast<std::uint32_t>(1 + choose_(kProcessors))},
      bed_{pages_, processors_} {
  const SystemInfo& info = bed_.machine.info();
  kernel_at_start_ = FakeMachine::kBootKernelPages + 1;
  free_at_start_ = info.usable_pages - kernel_at_start_ - FakeMachine::kModulePages;
  known_.push_back(bed_.current_id());
  found_families();
}

/// Three families under different names, one member of each with a thread, and a grandchild.
void Driver::found_families() {
  for (std::uint8_t i = 1; i <= 3; i++) {
    const auto name = Capability::make({1, i});
    bed_.call(cap_forge, 0, i, name.bits(), 0);
    known_.push_back(bed_.spawn(i));
    bed_.call(cap_forge, 0, 1, Capability::make({kFilterName}).bits(),
              make_target(i, known_.back()));
    bed_.call(cap_forge, 0, 2, Capability::make({kInterfaceName, 0}).bits(),
              make_target(i, known_.back()));
    bed_.call(cap_forge, 0, 3, Capability::make({kDiskName, 0}).bits(),
              make_target(i, known_.back()));
    bed_.call(cap_forge, 0, 4, Capability::make({kConsoleName}).bits(),
              make_target(i, known_.back()));
  }
  bed_.run(known_[1]);
  const std::int64_t thread = bed_.call(env_alloc, 0, kShareAddressSpace, 0x7000'1000);
  if (thread > 0) known_.push_back(static_cast<EnvId>(thread));
  for (const EnvId id : known_) {  // each lets in whoever covers its own name
    volatile IpcArea& area = bed_.machine.uenv(env_index(id)).ipc;
    area.entry = 0x20'0000;
    area.allow = 6;
    area.gate = bed_.env(id).capabilities[0].bits();
  }
}

void Driver::rewrite_what_is_read() {
  bed_.machine.rewrite = [this](std::span<std::byte> bytes) {
    for (std::byte* at = bytes.data(); bytes.data() + bytes.size() - at >= 8; at += 8) {
      const std::uint64_t kind = choose_(4);
      const std::uint64_t word = kind == 0   ? entry()
                                 : kind == 1 ? capability()
                                 : kind == 2 ? small_count()
                                             : address();
      std::memcpy(at, &word, sizeof word);
    }
  };
}

// -- Choices

std::uint64_t Driver::slot() {
  if (one_in(40)) return choose_(1000);
  return one_in(2) ? 0 : choose_(kAnySlot);
}

EnvId Driver::env_id() {
  if (one_in(20)) return static_cast<EnvId>(choose_(1 << 14));
  return known_[choose_(known_.size())];
}

std::uint64_t Driver::target() { return one_in(2) ? 0 : make_target(slot(), env_id()); }

std::uint64_t Driver::address() {
  if (one_in(12)) return kBadAddresses[choose_(std::size(kBadAddresses))];
  return kAddresses[choose_(std::size(kAddresses))];
}

std::uint64_t Driver::buffer() {
  if (one_in(15)) return kBadAddresses[choose_(std::size(kBadAddresses))];
  if (one_in(10)) return address();
  return one_in(5) ? kBuffer + 8 * choose_(4) : kBuffer;
}

std::uint64_t Driver::page_number() {
  if (one_in(30)) return choose_(~0ull >> 12);
  return choose_(pages_ + 4);
}

std::uint64_t Driver::entry() {
  switch (choose_(8)) {
    case 0:
      return choose_(~0ull);
    case 1:
      return choose_(2) == 0 ? 0 : choose_(~0ull) & ~kPtePresent;
    case 2:
    case 3:
    case 4:
      return fresh_page(one_in(2)) | (one_in(2) ? kPteNoExecute : 0);
    default:
      return this_page(page_number(), one_in(2));
  }
}

std::uint64_t Driver::capability() {
  Capability c = Capability::make({1, 1, 1, 1});
  const std::uint64_t length = choose_(5);
  c.header = static_cast<std::uint8_t>(choose_(8) | (one_in(8) ? 0u : 8u) |
                                       (one_in(20) ? 16u : 0u) | length << 5);
  for (std::size_t i = 1; i < 4; i++) c.name[i] = static_cast<std::uint8_t>(choose_(4));
  return one_in(20) ? choose_(~0ull) : c.bits();
}

MethodId Driver::method() {
  const MethodTable& table = bed_.core().methods;
  std::vector<MethodId> ids;
  for (std::size_t i = 0; i < kMaxMethods; i++) {
    if (table.method[i].owner != 0) ids.push_back(table.id_of(i));
  }
  if (ids.empty() || one_in(9)) return static_cast<MethodId>(choose_(256));
  return ids[choose_(ids.size())];
}

RegionId Driver::region() {
  std::vector<RegionId> ids;
  bed_.core().regions.visit([&](RegionId id, const auto&) { ids.push_back(id); });
  if (ids.empty() || one_in(6)) return choose_(8192);
  return ids[choose_(ids.size())];
}

std::uint64_t Driver::processor() {
  return one_in(20) ? processors_ + choose_(2) : choose_(processors_);
}

std::uint64_t Driver::small_count() { return one_in(20) ? choose_(~0ull) : choose_(9); }

SyscallNumber Driver::pick_number() {
  if (one_in(2)) return kFavourites[choose_(std::size(kFavourites))];
  return kNumbers[choose_(std::size(kNumbers))];
}

std::array<std::uint64_t, 6> Driver::arguments_for(SyscallNumber number) {
  switch (number) {
    case env_alloc:
      return {slot(), one_in(4) ? kShareAddressSpace : one_in(20) ? 2u : 0u, address()};
    case env_free: {
      const std::uint64_t who = one_in(30) ? 0 : make_target(slot(), env_id());
      return {who};
    }
    case env_set_context:
    case env_get_context:
      return {target(), buffer()};
    case cap_forge:
      return {slot(), slot(),
              one_in(2) ? capability() : bed_.self().capabilities[choose_(5)].bits(), target()};
    case cap_acquire:
      return {slot(), env_id()};
    case pte_insert:
      return {slot(), entry(), address(), target()};
    case pte_insert_range:
      return {slot(),  buffer(), small_count(), address(), one_in(4) ? buffer() : kScratch,
              target()};
    case pte_modify_range: {
      const std::uint64_t bits = kPteWritable | kPteDirty | kPteNoExecute | kPteSoftware;
      const std::uint64_t mask = one_in(10) ? ~0ull : bits;
      return {address(),
              one_in(8) ? 512 : small_count(),
              choose_(~0ull) & mask,
              choose_(~0ull) & mask,
              slot(),
              target()};
    }
    case pte_fill:
      return {slot(),
              one_in(10) ? entry() : fresh_page(one_in(2)),
              address(),
              one_in(20) ? choose_(~0ull) : 1 + choose_(one_in(4) ? 4 : 1),
              one_in(3)   ? kFillZero
              : one_in(2) ? kScratch & ~kPageMask
                          : address(),
              target()};
    case table_own:
      return {slot(), address(), target()};
    case table_drop:
    case table_fork:
    case table_share: {
      const std::uint64_t level = 1 + choose_(one_in(10) ? 5 : 3);
      const std::uint64_t span = std::uint64_t{1} << (12 + 9 * level);
      return {one_in(10) ? address() : address() & ~(span - 1), level, target(), target()};
    }
    case page_set_acl:
      return {slot(), page_number(), one_in(4) ? choose_(515) : choose_(3), capability()};
    case cap_release:
      return {slot(), target()};
    case page_acl_resize:
      return {slot(), page_number(), one_in(3) ? choose_(520) : 2 + choose_(4)};
    case page_acl_read:
      return {page_number(), choose_(4), buffer(), one_in(8) ? choose_(600) : choose_(6)};
    case page_set_limits:
      return {slot(), page_number(), choose_(one_in(10) ? 9 : 3), choose_(3)};
    case large_insert: {
      const std::uint64_t at = one_in(10) ? address() : address() & ~(kLargeSize - 1);
      const std::uint64_t first = one_in(8) ? page_number() : 512 * choose_(3);
      const std::uint64_t bits = fresh_page(one_in(2)) | (one_in(20) ? 0 : kPteLarge);
      return {slot(), one_in(3) ? 0 : first << kPageShift | bits, at, target()};
    }
    case pages_request:
      return {make_target(slot(), env_id()), one_in(10) ? choose_(600) : choose_(6),
              one_in(4) ? choose_(~0ull) : 0};
    case pages_repossess:
      return {make_target(slot(), env_id())};
    case env_set_quota:
      return {make_target(slot(), env_id()), one_in(3) ? kUnlimited : choose_(one_in(2) ? 12 : 60),
              one_in(8) ? choose_(99) : choose_(3)};
    case slice_alloc:
      return {slot(), processor(), one_in(2) ? kAnyPosition : choose_(12), env_id()};
    case slice_free:
      return {slot(), processor(), choose_(12)};
    case slice_transfer:
      return {slot(), processor(), choose_(12), env_id()};
    case yield:
      return {one_in(3) ? 0 : env_id(), one_in(4) ? kYieldSleep : one_in(30) ? 2u : 0u};
    case ipc_call:
    case ipc_send:
      return {make_target(slot(), env_id()), choose_(99), choose_(99), 0, 0, 0};
    case ipc_reply: {
      const volatile IpcArea& mine = bed_.machine.uenv(bed_.current()).ipc;
      const std::uint64_t came =  // who entered it while it did something else, or while it rested
          one_in(2) ? mine.caller : bed_.machine.registers(bed_.current()).rdi;
      const EnvId who = one_in(4) ? env_id() : static_cast<EnvId>(came);
      return {make_reply(one_in(20) ? 3 : choose_(3), one_in(6) ? 0 : who), choose_(99)};
    }
    case message_ring_create:
      return {one_in(2) ? kScratch & ~kPageMask : address(), std::uint64_t{32} << choose_(3),
              one_in(6) ? capability() : bed_.self().capabilities[0].bits()};
    case message_send:
      return {make_target(slot(), env_id()), buffer(), one_in(10) ? choose_(200) : 1 + choose_(60)};
    case method_define:
      return {slot(), slot(), one_in(9) ? address() : kMethodBase + 8,
              one_in(9) ? address() : kMethodBase + kPageSize, one_in(9) ? address() : kMethodBase};
    case method_call:
      return {make_target(slot(), method()),        choose_(9), 0, 0, 0,
              one_in(2) ? 0 : kScratch | choose_(2)};
    case method_exit:
      return {choose_(9), 0};
    case method_delete:
      return {slot(), method()};
    case region_create:
      return {slot(), one_in(20) ? choose_(~0ull) : choose_(4097), one_in(2) ? 0 : capability()};
    case region_read:
    case region_write:
      return {slot(), region(), one_in(2) ? 0 : choose_(300), buffer(),
              one_in(20) ? choose_(~0ull) : choose_(300)};
    case region_delete:
      return {slot(), region()};
    case wakeup_set:
      return {buffer(), one_in(4) ? 0 : small_count()};
    case ring_create:
      return {one_in(2) ? kScratch : address(), std::uint64_t{1} << choose_(5)};
    case ring_delete:
      return {choose_(3)};
    case filter_insert:
      return {one_in(4) ? slot() : 1, slot(), buffer(), one_in(2) ? 1 : small_count(),
              one_in(2) ? 0 : choose_(3)};
    case filter_delete:
      return {slot(), choose_(3)};
    case packet_send:
      return {one_in(4) ? slot() : 2, choose_(6) / 4, buffer(), one_in(20) ? 17 : 1 + choose_(3)};
    case console_write:
    case console_read:
      return {one_in(4) ? slot() : 4, choose_(3), buffer(), choose_(600)};
    case entropy_read:
      return {buffer(), choose_(64)};
    case disk_transfer:
      return {one_in(4) ? slot() : 3, buffer()};
    case batch:
      return {buffer(), small_count(), one_in(4) ? buffer() : kScratch};
    case machine_stop:
      return {one_in(50) ? 0u : 6u, choose_(3)};
    default:
      return {};
  }
}

/// Puts what the call will read at kBuffer and the 64-bit words around it.
void Driver::fill_buffer(SyscallNumber number) {
  const auto words = [&](std::size_t count, auto&& word) {
    for (std::size_t i = 0; i < count; i++) {
      const std::uint64_t value = word(i);
      if (!bed_.machine.user_write(kBuffer + 8 * i, &value, 8)) return;
    }
  };
  const auto bytes = [&](const void* data, std::size_t n) {
    bed_.machine.user_write(kBuffer, data, n);
  };
  const std::uint64_t done = one_in(10) ? choose_(20) : 0;
  bed_.machine.user_write(kScratch, &done, 8);
  switch (number) {
    case env_set_context:
      return words(20, [&](std::size_t) { return address(); });
    case pte_insert_range:
      return words(9, [&](std::size_t) { return entry(); });
    case wakeup_set: {
      WakeTerm terms[9];
      for (WakeTerm& t : terms) {
        t = {one_in(4) ? kExposedBase + 8 * choose_(40) : address() + 8 * choose_(9),
             choose_(3),
             static_cast<WakeOperand>(choose_(one_in(20) ? 9 : 4)),
             static_cast<WakeOperand>(one_in(8) ? choose_(4) : 0),
             static_cast<WakeComparison>(choose_(one_in(20) ? 9 : 6)),
             static_cast<std::uint8_t>(one_in(6) ? 0 : 1),
             static_cast<std::uint32_t>(choose_(99))};
      }
      return bytes(terms, sizeof terms);
    }
    case filter_insert: {
      dpf::Atom atoms[9];
      for (std::size_t i = 0; i < 9; i++)
        atoms[i] =
            dpf::eq8(static_cast<std::uint16_t>(12 + i), static_cast<std::uint8_t>(choose_(3)));
      return bytes(atoms, sizeof atoms);
    }
    case packet_send:
      return words(6, [&](std::size_t i) {
        return i % 2 == 0 ? buffer() : one_in(20) ? choose_(~0ull) : choose_(700);
      });
    case disk_transfer: {
      const DiskRequest request{static_cast<std::uint32_t>(choose_(9) / 7),
                                static_cast<std::uint32_t>(choose_(20) / 9),
                                choose_(1010),
                                one_in(20) ? choose_(~0ull) : 1 + choose_(2),
                                address(),
                                buffer(),
                                buffer()};
      return bytes(&request, sizeof request);
    }
    case batch: {
      BatchEntry entries[9];
      for (BatchEntry& e : entries) {
        const SyscallNumber what = pick_number();
        e.number = static_cast<std::uint64_t>(what);
        e.arguments = arguments_for(what);
        e.result = 0;
      }
      return bytes(entries, sizeof entries);
    }
    default:
      return;
  }
}

/// Fills the caller's Revocation, mostly with addresses that are mapped.
void Driver::prepare_for_revocation() {
  volatile Revocation& r = bed_.machine.uenv(bed_.current()).revocation;
  r.entry = one_in(3) ? address() : 0;
  r.active = choose_(2);
  r.keep = address();
  r.give = buffer() & ~std::uint64_t{7};
  r.give_count = one_in(10) ? choose_(~0ull) : choose_(4);
  r.vector = (one_in(2) ? kScratch : address()) & ~std::uint64_t{63};
  r.vector_slots = choose_(9);
  r.vector_count = choose_(3);
  r.save_slot = one_in(2) ? 3 : slot();
  r.save_disk = choose_(3);
  r.save_block = choose_(1010);
  r.save_blocks = choose_(3);
}

// -- Steps

/// What a new page may hold: zeroes, or what the caller of pte_fill sees at its source.
std::vector<Driver::PageBytes> Driver::contents_of_new_pages(const Step& step) {
  constexpr auto kFill = static_cast<std::uint64_t>(pte_fill);
  const auto& a = step.arguments;
  if (step.caller == kNoEnv || step.number != kFill || a[4] == kFillZero) return {PageBytes{}};
  std::vector<PageBytes> contents;
  Translation seen;
  for (std::uint64_t i = 0; i < a[3] && i < kMaxFill; i++) {
    if (!bed_.machine.walk(bed_.machine.mine().loaded, a[4] + i * kPageSize, seen)) break;
    std::memcpy(contents.emplace_back().data(), bed_.machine.page(PageNumber{seen.page}),
                kPageSize);
  }
  return contents;
}

/// A page that a call has just allocated and that holds none of these; 0 if there is none. (Batches
/// and ranges may have written results into it meanwhile.)
std::uint64_t Driver::dirty_new_page(const Snapshot& before, const Snapshot& after,
                                     const Step& step, const std::vector<PageBytes>& contents) {
  const auto number = static_cast<SyscallNumber>(step.number);
  const bool allocates = number == pte_insert || number == pte_fill || number == env_alloc;
  if (step.caller == kNoEnv || !allocates) return 0;
  for (std::uint64_t page = 1; page < before.pages.size(); page++) {
    if (before.pages[page].status != PageStatus::Free) continue;
    if (after.pages[page].status != PageStatus::User) continue;
    const std::byte* const bytes = bed_.machine.page(PageNumber{page});
    const auto holds = [&](const PageBytes& content) {
      return std::memcmp(bytes, content.data(), kPageSize) == 0;
    };
    if (std::ranges::none_of(contents, holds)) return page;
  }
  return 0;
}

std::string Driver::judged(Step step, const std::function<std::int64_t()>& action) {
  if (watch_ == Watch::Sparsely && ++steps_ % kSparsely != 0) return action(), "";
  const Snapshot before{bed_};
  const auto contents = contents_of_new_pages(step);
  step.result = action();
  if (bed_.machine.stopped) return "";
  const Snapshot after{bed_};
  if (const std::uint64_t page = dirty_new_page(before, after, step, contents); page != 0)
    return "a new page holds old bytes: " + std::to_string(page);
  for (EnvIndex i = Snapshot::kEnvs; i < kMaxEnvironments; i++) {
    if (bed_.machine.tables().envs[i].id != 0) return "too many environments for the oracle";
  }
  return judge(before, after, step);
}

/// Lets others in, or not, or sends a block along.
void Driver::prepare_for_transfers(volatile IpcArea& area) {
  if (one_in(2)) area.busy = choose_(4) / 3;
  area.entry = one_in(10) ? address() : 0x20'0000 + choose_(64);
  area.stack = address();
  area.allow = one_in(4) ? choose_(8) : 6;
  area.only = one_in(4) ? env_id() : 0;
  area.gate = one_in(4) ? capability() : bed_.self().capabilities[choose_(5)].bits();
  area.out_words = one_in(20) ? choose_(~0ull) : choose_(4);
  if (one_in(10)) area.save.rip = address();
}

/// What a batch will find to do, for the trace.
std::string Driver::batch_text(const std::array<std::uint64_t, 6>& arguments) {
  std::string out;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(arguments[1], kMaxBatch); i++) {
    BatchEntry e;
    if (!bed_.machine.user_read(arguments[0] + i * sizeof e, &e, sizeof e)) break;
    out += "\n   " + std::string{syscall_name(e.number)};
    for (const std::uint64_t a : e.arguments) out += " " + std::to_string(a);
  }
  return out;
}

std::string Driver::random_call() {
  SyscallNumber number = pick_number();
  const bool crowded = known_.size() > 12 || bed_.machine.info().environments >= 8;
  if (number == env_alloc && crowded) number = env_free;
  const EnvIndex caller = bed_.current();
  const std::array<std::uint64_t, 6> arguments = arguments_for(number);
  fill_buffer(number);
  if (number == batch && bed_.machine.info().environments > 12) return "";
  if (one_in(25)) {  // offer a grant, perhaps a wrong one
    volatile Uenv& uenv = bed_.machine.uenv(caller);
    uenv.grant_to = env_id();
    uenv.grant_slot = slot();
    uenv.grant = one_in(2) ? capability() : bed_.self().capabilities[choose_(5)].bits();
  }
  if (one_in(10)) prepare_for_revocation();
  if (one_in(4)) prepare_for_transfers(bed_.machine.uenv(bed_.current()).ipc);
  Step step{.caller = caller, .number = static_cast<std::uint64_t>(number), .arguments = arguments};
  std::int64_t result = 0;
  log([&] {
    const std::string who = std::to_string(caller) + " ";
    std::string line = who + std::string{syscall_name(step.number)};
    for (const std::uint64_t a : arguments) line += " " + std::to_string(a);
    return number == batch ? line + batch_text(arguments) : line;
  });
  const bool slow = number == batch && one_in(8);  // its time is over before its work
  bed_.machine.clock_step = slow ? kBatchNanoseconds / 3 : 1;
  const std::string wrong =
      judged(step, [&] { return result = bed_.raw_call(step.number, arguments); });
  bed_.machine.clock_step = 1;
  if (watch_ == Watch::Everything) trace_.back() += " = " + std::to_string(result);
  if (result < 0 && result > -32) {
    failed[step.number][static_cast<std::size_t>(-result)]++;
  } else {
    succeeded[step.number]++;
  }
  if (number == env_alloc && result > 0) known_.push_back(static_cast<EnvId>(result));
  return wrong;
}

/// What follows happens on some processor; its interrupt has come, or not yet.
void Driver::pick_processor() {
  if (processors_ == 1) return;
  bed_.use(static_cast<std::uint32_t>(choose_(processors_)));
  if (bed_.machine.mine().kicked && one_in(2)) bed_.take_kicks();
}

std::string Driver::step() {
  pick_processor();
  if (bed_.current() == kNoEnv) {
    log([] { return "idle"; });
    bed_.machine.clock += 1'000'000;
    return judged({}, [&] { return bed_.timer(), 0; });
  }
  switch (choose_(24)) {
    case 0:
      log([] { return "timer"; });
      bed_.machine.clock += choose_(15'000'000);
      return judged({}, [&] { return bed_.timer(), 0; });
    case 1: {
      log([&] { return "fault of " + std::to_string(bed_.current()); });
      volatile Uenv& uenv = bed_.machine.uenv(bed_.current());
      if (!one_in(4) || bed_.current() == 1) {
        uenv.fault_entry = 0x20'0000;
        uenv.fault_depth = 0;
      }
      return judged({}, [&] { return bed_.fault(FaultVector::PageFault, 6, 0x1234), 0; });
    }
    case 2: {
      log([] { return "packet"; });
      std::string frame(one_in(10) ? choose_(2000) : 60, '\0');
      for (std::size_t i = 12; i < 20 && i < frame.size(); i++)
        frame[i] = static_cast<char>(choose_(3));
      return judged({}, [&] { return bed_.packet(1, frame), 0; });
    }
    case 3:
      if (bed_.machine.transfers.empty()) return "";
      log([] { return "disk done"; });
      return judged({}, [&] {
        bed_.finish_disk(choose_(bed_.machine.transfers.size()),
                         one_in(4) ? Result<>{fail(Errc::BadFormat)} : Result<>{});
        return 0;
      });
    case 4: {  // the program touches memory, so that the TLB knows it
      log([] { return "touch"; });
      const std::uint64_t at = address();
      if (!bed_.writable(at)) bed_.readable(at);
      return "";
    }
    case 5:
      log([] { return "device"; });
      bed_.machine.console_input += "typed";
      bed_.machine.entropy_available = 100;
      bed_.machine.console_output_room = 1000;
      return judged({}, [&] { return bed_.wake(), 0; });
    default:
      return random_call();
  }
}

std::string Driver::run(unsigned steps) {
  for (unsigned i = 0; i < steps && !bed_.machine.stopped; i++) {
    std::string wrong = step();
    const bool due = watch_ == Watch::Everything && i % 16 == 0;
    if (wrong.empty() && !bed_.machine.stopped && due) wrong = bed_.sweep();
    if (!wrong.empty()) return wrong;
  }
  return bed_.machine.stopped ? "" : bed_.sweep();
}

std::string Driver::finish() {
  bed_.end_all();
  while (!bed_.machine.transfers.empty()) bed_.finish_disk(0);
  const SystemInfo& info = bed_.machine.info();
  if (info.environments != 0) return "environments left: " + std::to_string(info.environments);
  std::uint64_t extended = 0;  // boot modules are never freed, nor are their ACLs
  for (std::uint64_t i = 0; i < FakeMachine::kModulePages; i++) {
    const PageInfo& p = bed_.machine.page_info(FakeMachine::kFirstModulePage + i);
    extended += p.acl[1].pointer() ? 1 : 0;
  }
  kernel_at_start_ += extended;
  free_at_start_ -= extended;
  if (info.kernel_pages != kernel_at_start_)
    return "kernel pages left: " + std::to_string(info.kernel_pages - kernel_at_start_);
  if (info.free_pages != free_at_start_)
    return "pages lost: " + std::to_string(free_at_start_ - info.free_pages);
  return bed_.sweep();
}

std::string Driver::trace() const {
  std::string out;
  for (const std::string& line : trace_) out += line + "\n";
  return out;
}

}  // namespace xok::kernel::testing
