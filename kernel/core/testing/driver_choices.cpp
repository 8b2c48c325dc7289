// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What the driver calls, with which arguments, and what lies where they point.
#include <memory>

#include "abi/packet_ring.hpp"
#include "kernel/core/testing/driver.hpp"
#include "libs/dpf/builders.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

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

/// An environment that rests, or 0.
EnvId Driver::resting() {
  for (const EnvId id : known_) {
    const Env& record = bed_.env(id);
    if (record.id == id && record.status == EnvStatus::Resting) return id;
  }
  return 0;
}

SyscallNumber Driver::pick_number() {
  // Conversations, which would be rare by chance: only the second call of a server that rests, and
  // its second answer, are the machine's own (Cpu::straight).
  if (bed_.self().callers > 0 && one_in(4)) return ipc_reply;
  if (one_in(12) && resting() != 0) return ipc_call;
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
    case ipc_send: {
      const EnvId server = one_in(4) ? 0 : resting();
      const std::uint64_t to = server != 0 ? make_target(0, server) : make_target(slot(), env_id());
      return {to, choose_(99), choose_(99), 0, 0, 0};
    }
    case ipc_reply: {
      if (bed_.self().callers > 0 && one_in(2))
        return {
            make_reply(kIpcRest, static_cast<EnvId>(bed_.machine.registers(bed_.current()).rdi)),
            choose_(99)};
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

}  // namespace xok::kernel::testing
