// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/model_rules.hpp"

namespace xok::kernel::testing {

using namespace model;

// -- What calls have in common

const Cap* Model::held(EnvId caller, std::uint64_t slot) const {
  const auto& slots = environments_.at(caller).slots;
  const auto found = slots.find(slot);
  return found == slots.end() ? nullptr : &found->second;
}

std::optional<Errc> Model::named(EnvId caller, std::uint64_t word, EnvId& out) const {
  out = word == 0 ? caller : static_cast<EnvId>(word);
  if (word > 0xffff'ffff || !environments_.contains(out)) return Errc::BadEnv;
  return std::nullopt;
}

std::optional<Errc> Model::target(EnvId caller, std::uint64_t word, EnvId& out) const {
  XOK_MODEL_TRY(named(caller, word & 0xffff'ffff, out));
  if (out == caller) return std::nullopt;
  const Cap* const mine = held(caller, word >> 32);
  if (mine == nullptr) return Errc::BadCapability;
  if (!passes(*mine, {environments_.at(out).slots.at(0), std::nullopt}, &Cap::write))
    return Errc::Denied;
  return std::nullopt;
}

std::uint64_t Model::free_count() const {
  auto free = static_cast<std::uint64_t>(
      std::ranges::count_if(pages_, [](const Page& p) { return p.use == Use::Free; }));
  std::set<const Space*> seen;
  for (const auto& [id, env] : environments_) {  // tables that are somewhere: adopt_tables
    if (!seen.insert(env.space.get()).second) continue;
    free -= env.space->tables.size() - env.space->table_pages.size();
  }
  return free;
}

std::uint64_t Model::missing_tables(const Space& space, std::uint64_t va) {
  std::uint64_t missing = 0;
  for (unsigned level = 1; level <= 3; level++)
    missing += space.tables.contains({level, table_start(va, level)}) ? 0 : 1;
  return missing;
}

void Model::add_tables(Space& space, std::uint64_t va) {
  for (unsigned level = 1; level <= 3; level++)
    space.tables.insert({level, table_start(va, level)});
}

/// A page that nothing maps or pins any more is free.
void Model::unmapped(std::uint64_t page) {
  Page& p = pages_[page];
  if (p.use != Use::User || p.pins != 0) return;
  for (const auto& [id, env] : environments_) {
    for (const auto& [va, entry] : env.space->entries)
      if ((entry & kPresent) != 0 && (entry & kNumber) / kPage == page) return;
  }
  p = Page{};
}

void Model::store(Space& space, std::uint64_t va, std::uint64_t entry) {
  const auto found = space.entries.find(va);
  const std::uint64_t old = found == space.entries.end() ? 0 : found->second;
  if (entry != 0) {
    space.entries[va] = entry;
  } else {
    space.entries.erase(va);
  }
  if ((old & kPresent) != 0) unmapped((old & kNumber) / kPage);
}

// -- Capabilities

Model::Prediction Model::cap_forge(EnvId caller, const Words& a) {
  EnvId whose = 0;
  XOK_MODEL_TRY(target(caller, a[3], whose));
  if (a[1] >= kSlots) return Errc::BadArgument;
  const Cap* const from = held(caller, a[0]);
  if (from == nullptr) return Errc::BadCapability;
  const Read wanted = read(a[2]);
  if (wanted.valid && wanted.pointer) return Errc::BadArgument;
  const bool all = wanted.cap.write && wanted.cap.allocate && wanted.cap.modify;
  if (a[1] == 0 && !(wanted.valid && all)) return Errc::Denied;
  if (wanted.valid && !(from->modify && dominates(*from, wanted.cap))) return Errc::Denied;
  return {static_cast<std::int64_t>(a[1]), [this, whose, slot = a[1], wanted] {
            auto& slots = environments_.at(whose).slots;
            slots.erase(slot);
            if (wanted.valid) slots[slot] = wanted.cap;
          }};
}

Model::Prediction Model::cap_acquire(EnvId caller, const Words& a) {
  if (a[0] == 0 || a[0] >= kSlots) return Errc::BadArgument;
  EnvId grantor = 0;
  XOK_MODEL_TRY(named(caller, a[1], grantor));
  const Offer offered = environments_.at(grantor).offer;
  if (offered.to != caller) return Errc::Denied;
  const Cap* const from = held(grantor, offered.slot);
  const Read grant = read(offered.grant);
  if (from == nullptr || !grant.valid) return Errc::BadCapability;
  if (grant.pointer) return Errc::BadArgument;
  if (!from->modify || !dominates(*from, grant.cap)) return Errc::Denied;
  return {static_cast<std::int64_t>(a[0]), [this, caller, grantor, slot = a[0], grant] {
            environments_.at(grantor).offer.to = 0;
            environments_.at(caller).slots[slot] = grant.cap;
          }};
}

Model::Prediction Model::cap_release(EnvId caller, const Words& a) {
  EnvId whose = 0;
  XOK_MODEL_TRY(target(caller, a[1], whose));
  if (a[0] >= kSlots) return Errc::BadArgument;
  if (a[0] == 0) return Errc::Denied;
  return {0, [this, whose, slot = a[0]] { environments_.at(whose).slots.erase(slot); }};
}

// -- Environments

Model::Prediction Model::env_alloc(EnvId caller, const Words& a) {
  const Cap* const mine = held(caller, a[0]);
  if (mine == nullptr) return Errc::BadCapability;
  if (!mine->write || !mine->allocate || !mine->modify) return Errc::Denied;
  if (a[1] > 1 || a[2] % kPage != 0 || a[2] >= kUserEnd) return Errc::BadArgument;
  const bool thread = a[1] == 1;
  std::shared_ptr<Space> space = environments_.at(caller).space;
  std::uint64_t needed = 5;
  if (thread) {
    const auto found = space->entries.find(a[2]);
    if (found != space->entries.end() && (found->second & kPresent) != 0) return Errc::BadArgument;
    needed = 1 + missing_tables(*space, a[2]);
  }
  if (needed > free_count()) return Errc::NoMemory;
  if (!thread) {
    space = std::make_shared<Space>();
    space->tables.insert({4, 0});
  }
  return Prediction{[this, space, va = a[2], name = *mine](std::int64_t result) {
    const auto id = static_cast<EnvId>(result);
    if (result <= 0 || environments_.contains(id)) return "an id in use";
    const std::uint64_t page = bed_.env(id).uenv_page;
    if (page >= pages_.size() || pages_[page].use != Use::Free) return "its Uenv was not free";
    pages_[page] = {.use = Use::User, .acl = {name, std::nullopt}, .pins = 1};
    environments_[id] = {.slots = {{0, name}}, .uenv_page = page, .space = space, .offer = {}};
    space->members++;
    add_tables(*space, va);
    store(*space, va, page * kPage | kPresent | kWritable | kUser | kNever);
    return "";
  }};
}

Model::Prediction Model::env_free(EnvId caller, const Words& a) {
  EnvId whose = 0;
  XOK_MODEL_TRY(target(caller, a[0], whose));
  return {0, [this, whose] {
            std::erase_if(slices_, [&](const auto& s) { return s.second.owner == whose; });
            const Environment gone = environments_.at(whose);
            environments_.erase(whose);
            pages_[gone.uenv_page].pins--;
            unmapped(gone.uenv_page);
            if (--gone.space->members != 0) return;
            for (const std::uint64_t page : gone.space->table_pages) pages_[page] = Page{};
            for (const auto& [va, entry] : gone.space->entries)
              if ((entry & kPresent) != 0) unmapped((entry & kNumber) / kPage);
          }};
}

// -- Slices

std::uint64_t Model::slices_of(EnvId owner) const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(slices_, [&](const auto& s) { return s.second.owner == owner; }));
}

std::optional<Errc> Model::check_position(const Words& a) const {
  if (a[1] >= processors_ || a[2] >= 1024) return Errc::BadArgument;
  return std::nullopt;
}

Model::Prediction Model::slice_alloc(EnvId caller, const Words& a) {
  const Cap* const mine = held(caller, a[0]);
  if (mine == nullptr) return Errc::BadCapability;
  if (!mine->allocate) return Errc::Denied;
  EnvId owner = 0;
  XOK_MODEL_TRY(named(caller, a[3], owner));
  std::uint64_t at = a[2];
  if (at == ~std::uint64_t{0}) {
    for (at = 0; slices_.contains({a[1], at});) at++;
    if (a[1] < processors_ && at == 1024) return Errc::NoSpace;
  }
  XOK_MODEL_TRY(check_position({a[0], a[1], at}));
  if (slices_.contains({a[1], at})) return Errc::Exists;
  if (slices_of(owner) >= 256) return Errc::NoSpace;
  return {static_cast<std::int64_t>(at), [this, where = Position{a[1], at}, owner, mine] {
            slices_[where] = {owner, {mine->name, true, true, true}};
          }};
}

std::optional<Errc> Model::check_slice(EnvId caller, const Words& a) const {
  XOK_MODEL_TRY(check_position(a));
  const auto slice = slices_.find({a[1], a[2]});
  if (slice == slices_.end()) return Errc::NotFound;
  const Cap* const mine = held(caller, a[0]);
  if (mine == nullptr) return Errc::BadCapability;
  if (!passes(*mine, {slice->second.guard, std::nullopt}, &Cap::write)) return Errc::Denied;
  return std::nullopt;
}

Model::Prediction Model::slice_free(EnvId caller, const Words& a) {
  XOK_MODEL_TRY(check_slice(caller, a));
  return {0, [this, where = Position{a[1], a[2]}] { slices_.erase(where); }};
}

Model::Prediction Model::slice_transfer(EnvId caller, const Words& a) {
  XOK_MODEL_TRY(check_slice(caller, a));
  EnvId owner = 0;
  XOK_MODEL_TRY(named(caller, a[3], owner));
  const Position where{a[1], a[2]};
  if (slices_.at(where).owner != owner && slices_of(owner) >= 256) return Errc::NoSpace;
  return {0, [this, where, owner] { slices_.at(where).owner = owner; }};
}

// -- A step

Model::Prediction Model::predict(EnvId caller, SyscallNumber number, const Words& a) {
  switch (number) {
    case SyscallNumber::cap_forge:
      return cap_forge(caller, a);
    case SyscallNumber::cap_acquire:
      return cap_acquire(caller, a);
    case SyscallNumber::cap_release:
      return cap_release(caller, a);
    case SyscallNumber::pte_insert:
      return pte_insert(caller, a);
    case SyscallNumber::pte_modify_range:
      return pte_modify_range(caller, a);
    case SyscallNumber::page_set_acl:
      return page_set_acl(caller, a);
    case SyscallNumber::env_alloc:
      return env_alloc(caller, a);
    case SyscallNumber::env_free:
      return env_free(caller, a);
    case SyscallNumber::slice_alloc:
      return slice_alloc(caller, a);
    case SyscallNumber::slice_free:
      return slice_free(caller, a);
    case SyscallNumber::slice_transfer:
      return slice_transfer(caller, a);
    default:
      return Errc::NoSuchCall;
  }
}

std::string Model::step(EnvId caller, SyscallNumber number, const Words& arguments,
                        std::optional<std::int64_t> result) {
  const Prediction expected = predict(caller, number, arguments);
  std::string wrong;
  if (expected.error.has_value()) {
    const std::int64_t code = -static_cast<std::int64_t>(*expected.error);
    if (!result.has_value() || *result != code) wrong = "instead of " + std::to_string(code);
  } else if (result.has_value() && *result < 0) {
    wrong = "instead of success";
  } else {
    wrong = expected.commit(result.value_or(0));
    if (wrong.empty()) wrong = adopt_tables();
  }
  return wrong.empty() ? compare() : wrong;
}

}  // namespace xok::kernel::testing
