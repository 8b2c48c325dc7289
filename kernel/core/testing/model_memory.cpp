// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/model_rules.hpp"

namespace xok::kernel::testing {

using namespace model;

Model::Prediction Model::store_absent(Space& space, std::uint64_t va, std::uint64_t entry) {
  const std::uint64_t missing = missing_tables(space, va);
  if (missing > 0 && entry == 0) return {0, [] {}};
  if (missing > free_count()) return Errc::NoMemory;
  return {0, [this, &space, va, entry] {
            add_tables(space, va);
            store(space, va, entry);
          }};
}

Model::Prediction Model::pte_insert(EnvId caller, const Words& a) {
  EnvId whose = 0;
  XOK_MODEL_TRY(target(caller, a[3], whose));
  const std::uint64_t va = a[2];
  if (va % kPage != 0 || va >= kUserEnd) return Errc::BadArgument;
  Space& space = *environments_.at(whose).space;
  if ((a[1] & kPresent) == 0) return store_absent(space, va, a[1]);
  if ((a[1] & kLarge) != 0) return Errc::NotSupported;
  const bool writable = (a[1] & kWritable) != 0;
  const std::uint64_t page = (a[1] & kNumber) / kPage;
  if (page >= pages_.size()) return Errc::BadArgument;
  const Cap* const mine = held(caller, a[0]);
  if (mine == nullptr) return Errc::BadCapability;
  const Page& p = pages_[page];
  const bool any = page == 0;
  const bool fresh = any || p.use == Use::Free;
  if (fresh) {
    if (!mine->allocate || (writable && !mine->write)) return Errc::Denied;
  } else {
    if (p.use == Use::Other || (p.use == Use::Module && writable)) return Errc::Denied;
    if (!passes(*mine, p.acl, writable ? &Cap::write : nullptr)) return Errc::Denied;
  }
  if (missing_tables(space, va) + (fresh ? 1 : 0) > free_count()) return Errc::NoMemory;
  const std::uint64_t bits =
      (a[1] & (kPresent | kChangeable | kCaching)) | kUser;  // the others are not the application's
  return Prediction{[this, &space, va, page, any, fresh, bits, owner = *mine](std::int64_t result) {
    const std::uint64_t got = any ? static_cast<std::uint64_t>(result) : page;
    if (static_cast<std::uint64_t>(result) != got || got >= pages_.size()) return "another page";
    if (fresh && pages_[got].use != Use::Free) return "a page that is not free";
    if (fresh) pages_[got] = {.use = Use::User, .acl = {owner, std::nullopt}, .pins = 0};
    add_tables(space, va);
    store(space, va, bits | got * kPage);
    return "";
  }};
}

std::optional<Errc> Model::check_range(EnvId caller, const Words& a, const Range& range,
                                       EnvId& whose) const {
  XOK_MODEL_TRY(target(caller, a[5], whose));
  if (a[2] > 512) return Errc::TooBig;
  if (a[3] % kPage != 0 || a[3] > kUserEnd || a[2] > (kUserEnd - a[3]) / kPage || a[1] % 8 != 0 ||
      range.done > a[2])
    return Errc::BadArgument;
  return std::nullopt;
}

/// The page that an entry really maps.
std::uint64_t Model::real_page(EnvId whose, std::uint64_t va) {
  Translation there;
  return bed_.machine.walk(bed_.env(whose).table_page, va, there) ? there.page : 0;
}

/// One pte_insert after the other, until one fails.
std::string Model::insert_all(EnvId caller, const Words& a, const Range& range, EnvId whose,
                              std::int64_t& expected, std::uint64_t& done) {
  for (done = range.done; done < a[2]; done++) {
    const std::uint64_t va = a[3] + done * kPage;
    const std::uint64_t entry = range.entries.at(done);
    const Prediction one = pte_insert(caller, {a[0], entry, va, a[5]});
    if (one.error.has_value()) {
      expected = -static_cast<std::int64_t>(*one.error);
      return "";
    }
    const std::uint64_t page = (entry & kPresent) != 0 ? real_page(whose, va) : 0;
    const std::string wrong = one.commit(static_cast<std::int64_t>(page));
    if (!wrong.empty())
      return wrong + ": entry " + std::to_string(done) + " is in page " + std::to_string(page);
    take_tables();
  }
  expected = 0;
  return "";
}

std::string Model::step_range(EnvId caller, const Words& a, const Range& range,
                              std::int64_t result) {
  EnvId whose = 0;
  std::int64_t expected = 0;
  std::uint64_t done = range.done;
  if (const auto error = check_range(caller, a, range, whose); error.has_value()) {
    expected = -static_cast<std::int64_t>(*error);
  } else {
    std::string wrong = insert_all(caller, a, range, whose, expected, done);
    if (wrong.empty()) wrong = adopt_tables();
    if (!wrong.empty()) return wrong;
    const auto& mine = environments_.at(caller).space->entries;
    const auto found = mine.find(range.done_address & ~(kPage - 1));
    const std::uint64_t both = kPresent | kWritable;
    const bool reaches = found != mine.end() && (found->second & both) == both;
    std::uint64_t told = 0;
    if (!reaches) {  // the call took it away
      expected = -static_cast<std::int64_t>(Errc::Fault);
    } else if (!bed_.machine.user_read(range.done_address, &told, sizeof told) || told != done) {
      return "done is " + std::to_string(told) + " instead of " + std::to_string(done);
    }
  }
  if (result != expected) return "instead of " + std::to_string(expected);
  return compare();
}

Model::Prediction Model::pte_modify_range(EnvId caller, const Words& a) {
  EnvId whose = 0;
  XOK_MODEL_TRY(target(caller, a[5], whose));
  if (a[1] > 512) return Errc::TooBig;
  if (a[0] % kPage != 0 || a[0] > kUserEnd || a[1] > (kUserEnd - a[0]) / kPage)
    return Errc::BadArgument;
  if (((a[2] | a[3]) & ~kChangeable) != 0) return Errc::BadArgument;
  Space& space = *environments_.at(whose).space;
  std::map<std::uint64_t, std::uint64_t> changes;
  for (std::uint64_t va = a[0]; va < a[0] + a[1] * kPage; va += kPage) {
    if (!space.tables.contains({1, table_start(va, 1)})) continue;
    const auto found = space.entries.find(va);
    const std::uint64_t old = found == space.entries.end() ? 0 : found->second;
    const std::uint64_t wanted = (old & ~a[3]) | a[2];
    changes[va] = wanted;
    if ((old & kPresent) == 0 || (wanted & ~old & kWritable) == 0) continue;
    const Page& p = pages_[(old & kNumber) / kPage];
    if (p.use != Use::User) return Errc::Denied;
    const Cap* const mine = held(caller, a[4]);
    if (mine == nullptr) return Errc::BadCapability;
    if (!passes(*mine, p.acl, &Cap::write)) return Errc::Denied;
  }
  return {0, [&space, changes] {
            for (const auto& [va, entry] : changes) {
              space.entries.erase(va);
              if (entry != 0) space.entries[va] = entry;
            }
          }};
}

Model::Prediction Model::page_set_acl(EnvId caller, const Words& a) {
  const Cap* const mine = held(caller, a[0]);
  if (mine == nullptr) return Errc::BadCapability;
  if (a[1] >= pages_.size() || a[2] >= 513) return Errc::BadArgument;
  const Read wanted = read(a[3]);
  if (wanted.valid ? wanted.pointer : a[2] == 0) return Errc::BadArgument;
  const Page& p = pages_[a[1]];
  if (p.use != Use::User && p.use != Use::Module) return Errc::Denied;
  if (a[2] >= p.acl.size()) return Errc::BadArgument;
  if (!passes(*mine, p.acl, &Cap::modify)) return Errc::Denied;
  return {0, [this, page = a[1], position = a[2], wanted] {
            pages_[page].acl[position] = wanted.valid ? std::optional{wanted.cap} : std::nullopt;
          }};
}

}  // namespace xok::kernel::testing
