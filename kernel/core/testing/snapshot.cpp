// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/snapshot.hpp"

#include <algorithm>
#include <cstring>

namespace xok::kernel::testing {
namespace {

/// `open`: whether every entry on the way has the writable bit.
void walk_leaves(Snapshot& out, FakeMachine& machine, std::uint64_t top, std::uint64_t table,
                 unsigned level, std::uint64_t address, bool open = true) {
  const auto* const entry = reinterpret_cast<const std::uint64_t*>(machine.page(PageNumber{table}));
  const auto found = [&] {
    out.reached_from[table].insert(top);
    out.address[table] = address;
    if (open) out.open_from[table].insert(top);
  };
  const auto leaf = [&](unsigned i) {
    found();
    out.leaves[{table, i}] = entry[i];
  };
  if (level == 1) found();
  for (unsigned i = 0; i < (level == 4 ? 254u : 512u); i++) {
    if ((entry[i] & kPtePresent) == 0) continue;
    if (level == 1 || (level == 2 && (entry[i] & kPteLarge) != 0)) {
      leaf(i);
    } else {
      walk_leaves(out, machine, top, (entry[i] & kPtePageMask) >> kPageShift, level - 1,
                  address + (std::uint64_t{i} << (kPageShift + 9 * (level - 1))),
                  open && (entry[i] & kPteWritable) != 0);
    }
  }
}

// The rules of capabilities once more, byte by byte, apart from capability.hpp.

bool has(const Capability& c, unsigned bits) { return (c.header & bits) == bits; }

bool above(const Capability& a, const Capability& b) {
  if (!a.valid() || !b.valid() || a.pointer() || b.pointer()) return false;
  if (a.length() > b.length()) return false;
  for (std::size_t i = 0; i < a.length(); i++) {
    if (a.name[i] != b.name[i]) return false;
  }
  return true;
}

bool opens(const Capability& holder, const Capability& guard, Permission want) {
  const auto bits = static_cast<unsigned>(want);
  return above(holder, guard) && has(holder, bits) && has(guard, bits);
}

bool opens_some(const Capability& holder, const std::vector<Capability>& acl, Permission want) {
  return std::ranges::any_of(acl, [&](const Capability& c) { return opens(holder, c, want); });
}

bool same(const Capability& a, const Capability& b) {
  return above(a, b) && above(b, a) && (a.header & 7) == (b.header & 7);
}

/// Which slots of the caller a call names: for the page or capability, for the environment.
struct Slots {
  std::uint64_t right = ~0ull, target = ~0ull, other_target = ~0ull;
};

Slots slots_of(const Step& step) {
  const auto& a = step.arguments;
  switch (static_cast<SyscallNumber>(step.number)) {
    case SyscallNumber::env_alloc:
    case SyscallNumber::region_create:
    case SyscallNumber::method_define:
    case SyscallNumber::method_delete:
    case SyscallNumber::region_read:
    case SyscallNumber::region_write:
    case SyscallNumber::region_delete:
    case SyscallNumber::page_set_acl:
    case SyscallNumber::page_acl_resize:
    case SyscallNumber::page_set_limits:
      return {.right = a[0]};
    case SyscallNumber::ipc_call:
    case SyscallNumber::ipc_send:
      return {.right = a[0] >> 32};
    case SyscallNumber::env_free:
    case SyscallNumber::env_set_context:
    case SyscallNumber::env_set_quota:
    case SyscallNumber::pages_request:
    case SyscallNumber::pages_repossess:
      return {.target = a[0] >> 32};
    case SyscallNumber::cap_release:
      return {.target = a[1] >> 32};
    case SyscallNumber::cap_forge:
    case SyscallNumber::pte_insert:
    case SyscallNumber::large_insert:
      return {.right = a[0], .target = a[3] >> 32};
    case SyscallNumber::pte_insert_range:
    case SyscallNumber::pte_fill:
      return {.right = a[0], .target = a[5] >> 32};
    case SyscallNumber::pte_modify_range:
      return {.right = a[4], .target = a[5] >> 32};
    case SyscallNumber::table_own:
      return {.right = a[0], .target = a[2] >> 32};
    case SyscallNumber::table_drop:
      return {.target = a[2] >> 32};
    case SyscallNumber::table_share:
    case SyscallNumber::table_fork:
      return {.target = a[2] >> 32, .other_target = a[3] >> 32};
    default:
      return {};
  }
}

class Judge {
 public:
  Judge(const Snapshot& before, const Snapshot& after, const Step& step)
      : before_{before}, after_{after}, step_{step}, batch_{is(SyscallNumber::batch)} {
    if (step.caller == kNoEnv) return;
    auto mine = before.envs[step.caller].capabilities;
    if (const MethodId inside = before.envs[step.caller].method; inside != 0) {
      mine = {};
      mine[0] = before.methods.at(inside).own;
    }
    if (!batch_) {  // only what the call names
      const Slots slots = slots_of(step);
      if (slots.right < kCapabilitySlots) held_.push_back(mine[slots.right]);
      if (slots.target < kCapabilitySlots) over_env_.push_back(mine[slots.target]);
      if (slots.other_target < kCapabilitySlots) over_env_.push_back(mine[slots.other_target]);
      return;
    }
    held_.assign(mine.begin(), mine.end());
    // A batch may use what it has just obtained.
    for (const Capability& c : after.envs[step.caller].capabilities) held_.push_back(c);
    over_env_ = held_;
  }

  std::string run() {
    for (EnvIndex i = 1; i < Snapshot::kEnvs; i++) check_env(i);
    for (EnvIndex i = 1; i < Snapshot::kEnvs; i++) check_transfer(i);
    for (std::uint64_t page = 0; page < after_.pages.size(); page++) check_acl(page);
    for (std::uint64_t page = 0; page < after_.pages.size(); page++) check_limits(page);
    for (const auto& [at, entry] : after_.leaves) check_leaf(at.first, at.second, entry);
    for (const auto& [at, entry] : before_.leaves) check_removed(at.first, at.second);
    for (const auto& [table, tops] : after_.reached_from) check_sharing(table, tops);
    for (const auto& [table, tops] : before_.reached_from) check_ways(table, tops);
    check_regions();
    check_methods();
    if (is(SyscallNumber::message_send)) {
      const auto id = static_cast<EnvId>(step_.arguments[0]);
      const EnvIndex to = id == 0 ? step_.caller : env_index(id);
      if (to < Snapshot::kEnvs) check_messages(to);
    }
    const bool partial = batch_ || is(SyscallNumber::pte_insert_range);
    if (step_.caller != kNoEnv && step_.result < 0 && !partial && !never_returns() && changed_)
      complain("failed, and changed something", static_cast<std::uint64_t>(-step_.result));
    return wrong_;
  }

 private:
  bool is(SyscallNumber number) const {
    return step_.caller != kNoEnv && step_.number == static_cast<std::uint64_t>(number);
  }
  /// Whether the call does not return, and what looks like its result is an old register: the
  /// caller went back to what its last transfer had interrupted, or to rest.
  bool never_returns() const {
    if (!is(SyscallNumber::ipc_reply)) return false;
    const auto& was = before_.envs[step_.caller];
    const auto& now = after_.envs[step_.caller];
    const auto result = static_cast<std::uint64_t>(step_.result);
    const std::uint64_t flags = step_.arguments[0] >> 32;
    const bool went_back = flags == kIpcDone && was.ipc.busy != 0 && now.ipc.busy == 0;
    const bool rests = flags == kIpcRest && now.status == EnvStatus::Resting;
    return (went_back && result == was.ipc.save.rax) || (rests && result == was.rax);
  }
  void complain(const char* what, std::uint64_t a = 0, std::uint64_t b = 0) {
    if (wrong_.empty())
      wrong_ = std::string{what} + " (" + std::to_string(a) + ", " + std::to_string(b) + ")";
  }
  template <class Predicate>
  bool some_held(const Predicate& predicate) const {
    return std::ranges::any_of(held_, predicate);
  }
  /// Whether the caller may change environment `i` as it was before.
  bool rules(EnvIndex i) const {
    if (step_.caller == kNoEnv) return false;
    if (i == step_.caller) return true;
    const Capability& guard = before_.envs[i].capabilities[0];
    const auto some_over = [&](const auto& rule) { return std::ranges::any_of(over_env_, rule); };
    return some_over([&](const Capability& c) { return opens(c, guard, Permission::Write); }) ||
           (batch_ && some_over([&](const Capability& c) {
              return opens(c, after_.envs[i].capabilities[0], Permission::Write);
            }));
  }
  /// Whether the caller may change the address space `top`.
  bool rules_space(std::uint64_t top) const {
    for (EnvIndex i = 1; i < Snapshot::kEnvs; i++) {
      if (before_.envs[i].alive && before_.envs[i].top == top && rules(i)) return true;
    }
    return is_new_space(top) || (batch_ && is_new_method(top));
  }
  /// The space of a method that the caller has just made, out of a table of its own.
  bool is_new_method(std::uint64_t top) const {
    return std::ranges::any_of(after_.methods, [&](const auto& m) {
      return m.second.top == top && m.second.owner == before_.envs[step_.caller].id &&
             !before_.methods.contains(m.first);
    });
  }
  /// A space that env_alloc has just made.
  bool is_new_space(std::uint64_t top) const {
    if (!is(SyscallNumber::env_alloc) && !batch_) return false;
    for (EnvIndex i = 1; i < Snapshot::kEnvs; i++) {
      const bool fresh = after_.envs[i].alive && after_.envs[i].id != before_.envs[i].id;
      if (fresh && after_.envs[i].top == top) return true;
    }
    return false;
  }

  void check_env(EnvIndex i) {
    const auto& was = before_.envs[i];
    const auto& now = after_.envs[i];
    if (now.id != was.id && now.id != 0) return check_new_env(i);
    if (was.alive && !now.alive) {
      changed_ = true;
      if (step_.caller != kNoEnv && !rules(i)) complain("ended an environment", i);
    }
    if (now.id == 0) return;
    for (std::size_t slot = 0; slot < kCapabilitySlots; slot++) {
      const Capability& c = now.capabilities[slot];
      if (c == was.capabilities[slot]) continue;
      changed_ = true;
      if (!rules(i)) complain("changed another's capability", i, slot);
      if (c.valid() && !obtainable(c)) complain("widened a capability", i, slot);
    }
  }
  bool obtainable(const Capability& wanted) const {
    const auto makes = [&](const Capability& c) {
      return above(c, wanted) && has(c, 4) && has(c, wanted.header & 7u);
    };
    if (some_held(makes)) return true;
    if (!is(SyscallNumber::cap_acquire) && !batch_) return false;
    for (const auto& env : before_.envs) {
      const bool grants = batch_ || env.id == step_.arguments[1];
      if (grants && env.alive && std::ranges::any_of(env.capabilities, makes)) return true;
    }
    return false;
  }
  void check_new_env(EnvIndex i) {
    changed_ = true;
    const auto& now = after_.envs[i];
    if (!is(SyscallNumber::env_alloc) && !batch_) complain("an environment appeared", i);
    const Capability& name = now.capabilities[0];
    const bool held = some_held([&](const Capability& c) { return same(c, name); });
    if (!held && !(batch_ && obtainable(name))) complain("slot 0 of a new environment", i);
    for (std::size_t slot = 1; slot < kCapabilitySlots && !batch_; slot++) {
      if (now.capabilities[slot].valid()) complain("a new environment has more", i, slot);
    }
  }

  /// Who enters a method has its guard and starts at its entry; methods come and go by their
  /// makers.
  void check_methods() {
    for (const auto& [id, now] : after_.methods) {
      if (before_.methods.contains(id)) continue;
      changed_ = true;
      const auto makes = [&](const Capability& c) { return above(c, now.guard) && has(c, 3); };
      if (batch_) continue;
      if (!is(SyscallNumber::method_define) || !some_held(makes)) complain("a method appeared", id);
    }
    for (const auto& [id, was] : before_.methods) {
      if (after_.methods.contains(id)) continue;
      changed_ = true;
      const bool ended = std::ranges::none_of(
          after_.envs, [&](const auto& e) { return e.id == was.owner && e.alive; });
      const bool deleted =
          (is(SyscallNumber::method_delete) || batch_) &&
          some_held([&](const Capability& c) { return opens(c, was.guard, Permission::Modify); });
      if (!ended && !deleted) complain("a method went away", id);
    }
    for (EnvIndex i = 1; i < Snapshot::kEnvs; i++) {
      const MethodId now = after_.envs[i].method;
      if (now == 0 || now == before_.envs[i].method) continue;
      changed_ = true;
      const auto method = before_.methods.find(now);
      const std::uint64_t slot = step_.arguments[0] >> 32;
      const bool right =
          is(SyscallNumber::method_call) && i == step_.caller &&
          (step_.arguments[0] & 0xffff'ffff) == now && method != before_.methods.end() &&
          slot < kCapabilitySlots &&
          opens(before_.envs[i].capabilities[slot], method->second.guard, Permission::Write) &&
          after_.envs[i].rip == method->second.entry;
      if (!right) complain("entered a method", i, now);
    }
  }

  /// A table that was the maker's alone and is now a new method's alone.
  bool became_a_methods(const std::set<std::uint64_t>& was,
                        const std::set<std::uint64_t>& now) const {
    if (!is(SyscallNumber::method_define) || was.size() != 1 || now.size() != 1) return false;
    const auto is_it = [&](const auto& m) { return m.second.top == *now.begin(); };
    return *was.begin() == before_.envs[step_.caller].top &&
           std::ranges::any_of(after_.methods, is_it);
  }

  /// A message arrives only from who opens the gate. (Other calls write where their caller wants,
  /// which may be in a ring of its own or, through shared memory, of another.)
  void check_messages(EnvIndex i) {
    const auto& was = before_.envs[i];
    const auto& now = after_.envs[i];
    if (!is(SyscallNumber::message_send) || !was.alive || was.ring == now.ring) return;
    changed_ = true;
    const std::uint64_t slot = step_.arguments[0] >> 32;
    const auto& mine = before_.envs[step_.caller];
    if (slot >= kCapabilitySlots ||
        !opens(mine.capabilities[slot], was.message_gate, Permission::Write))
      complain("sent without the right", i, slot);
  }

  /// A region is read, written, made and ended only with the rights for it.
  void check_regions() {
    const auto opened = [&](const Snapshot::RegionView& r, Permission want) {
      return some_held([&](const Capability& c) {
        return opens(c, r.acl[0], want) || opens(c, r.acl[1], want);
      });
    };
    for (const auto& [id, was] : before_.regions) {
      const auto now = after_.regions.find(id);
      if (now == after_.regions.end()) {
        changed_ = true;
        const bool ended = std::ranges::none_of(
            after_.envs, [&](const auto& e) { return e.id == was.owner && e.alive; });
        const bool deleted =
            (is(SyscallNumber::region_delete) || batch_) &&
            some_held([&](const Capability& c) { return opens(c, was.acl[0], Permission::Write); });
        if (!ended && !deleted) complain("a region went away", id);
        continue;
      }
      if (now->second.acl != was.acl) complain("a region's ACL changed", id);
      if (now->second.bytes == was.bytes) continue;
      changed_ = true;
      const bool named = batch_ || (is(SyscallNumber::region_write) && step_.arguments[1] == id);
      if (!named || !opened(was, Permission::Write)) complain("wrote a region", id);
    }
    for (const auto& [id, now] : after_.regions) {
      if (before_.regions.contains(id)) continue;
      changed_ = true;
      if (!is(SyscallNumber::region_create) && !batch_) complain("a region appeared", id);
      const auto allocates_it = [&](const Capability& c) {
        return above(c, now.acl[0]) && has(c, 3);
      };
      if (!some_held(allocates_it) && !batch_) complain("a region was allocated", id);
      if (!batch_ && now.bytes.find_first_not_of('\0') != std::string::npos)
        complain("a new region holds old bytes", id);
    }
    const bool read = is(SyscallNumber::region_read) && step_.result >= 0;
    const auto source = before_.regions.find(read ? step_.arguments[1] : 0);
    if (read && (source == before_.regions.end() || !opened(source->second, Permission::None)))
      complain("read a region", step_.arguments[1]);
  }

  /// An environment is sent elsewhere, or stops waiting, only by who may do that to it.
  void check_transfer(EnvIndex i) {
    const auto& was = before_.envs[i];
    const auto& now = after_.envs[i];
    if (!was.alive || now.id != was.id || !now.alive) return;
    // Whoever gets the processor may have an upcall of its own to take first.
    const bool own_entry = now.rip == was.slice_start || now.rip == was.revocation;
    const bool sent = is(SyscallNumber::ipc_call) || is(SyscallNumber::ipc_send);
    const bool rested = was.status == EnvStatus::Resting;
    const bool entered =
        sent && i != step_.caller &&
        (rested ? now.status != was.status : was.rip != now.rip && now.ipc.busy == 1);
    if (entered) {
      changed_ = true;
      const bool call = is(SyscallNumber::ipc_call);
      const auto& agreed = was.agreed;
      const std::uint64_t slot = step_.arguments[0] >> 32;
      const auto& mine = before_.envs[step_.caller];
      const bool named = (step_.arguments[0] & 0xffff'ffff) == was.id;
      const bool opened =
          slot < kCapabilitySlots && opens(mine.capabilities[slot], agreed.gate, Permission::Write);
      const bool allowed = (agreed.allow & (call ? 2 : 4)) != 0;
      if (!named || !opened || !allowed || (!rested && was.ipc.busy != 0) ||
          (now.rip != agreed.entry && !own_entry))
        complain("entered an environment", i);
      if (agreed.only != 0 && agreed.only != mine.id) complain("entered as the wrong one", i);
      if (was.status == EnvStatus::Calling) complain("entered who waits", i);
      if (now.rdi != mine.id) complain("a forged caller", i, now.rdi);
      if (!rested && now.ipc.caller != mine.id) complain("a forged caller", i, now.ipc.caller);
    }
    const bool set = (is(SyscallNumber::env_set_context) || batch_) && rules(i);
    if (rested && now.status != was.status && !entered && !set) complain("roused", i);
    const bool woken = was.status == EnvStatus::Calling && now.status != EnvStatus::Calling;
    if (woken) {
      changed_ = true;
      const bool answered = is(SyscallNumber::ipc_reply) && was.waits_for == step_.caller;
      const auto& callee = after_.envs[was.waits_for];
      const bool died = !callee.alive || callee.id != before_.envs[was.waits_for].id;
      if (!answered && !died && !set) complain("a wait ended", i, was.waits_for);
    }
    const bool thrown_out =
        was.method != 0 && now.method == 0 && !after_.methods.contains(was.method);
    const bool moved = !entered && !thrown_out && was.rip != now.rip && i != step_.caller;
    const bool upcall = step_.caller == kNoEnv || own_entry;
    if (moved && !upcall && !(is(SyscallNumber::env_set_context) && rules(i)) && !batch_)
      complain("moved another environment", i);
  }

  /// The page could be allocated in this step: free, or a table (not a page of the kernel proper)
  /// that was taken down on the way. The sweep proves that it is no table any more.
  bool was_free(std::uint64_t page) const {
    const PageStatus was = before_.pages[page].status;
    return was == PageStatus::Free ||
           (was == PageStatus::Kernel && page > FakeMachine::kBootKernelPages);
  }
  bool in_use(const PageInfo& p) const {
    return p.status == PageStatus::User || p.status == PageStatus::BootModule;
  }
  bool allocates() const {
    return batch_ || is(SyscallNumber::pte_insert) || is(SyscallNumber::pte_insert_range) ||
           is(SyscallNumber::large_insert) || is(SyscallNumber::pte_fill) ||
           is(SyscallNumber::env_alloc);
  }
  /// The page now carries the first ACL entry that allocation gives it.
  bool freshly_mine(std::uint64_t page) const {
    const Capability& owner = after_.pages[page].acl[0];
    // A batch may have made a capability, used it, and overwritten it.
    if (batch_ && obtainable(owner)) return true;
    return allocates() && some_held([&](const Capability& c) {
             return same(c, owner) && has(c, static_cast<unsigned>(Permission::Allocate));
           });
  }
  void check_acl(std::uint64_t page) {
    const PageInfo& was = before_.pages[page];
    const PageInfo& now = after_.pages[page];
    if (!in_use(now)) return;
    const auto old_acl = before_.acls.find(page);
    const bool same_acl = old_acl != before_.acls.end() && old_acl->second == after_.acls.at(page);
    if (was.status == now.status && same_acl) return;
    changed_ = true;
    if (was_free(page)) {
      if (!freshly_mine(page)) complain("a page was allocated", page);
      return;
    }
    if (!in_use(was)) return complain("a page became the user's", page);
    const bool modifies = some_held([&](const Capability& c) {
      return opens_some(c, before_.acls.at(page), Permission::Modify);
    });
    const bool calls = is(SyscallNumber::page_set_acl) || is(SyscallNumber::page_acl_resize);
    const bool by_call = (calls || batch_) && modifies;
    if (!by_call && !freshly_mine(page)) complain("an ACL changed", page);
  }

  /// Limits change by page_set_limits only, with Modify; and no entry may go past them.
  void check_limits(std::uint64_t page) {
    const PageInfo& was = before_.pages[page];
    const PageInfo& now = after_.pages[page];
    if (!in_use(was) || !in_use(now) || batch_) return;
    if (was.reader_limit == now.reader_limit && was.writer_limit == now.writer_limit) return;
    if (freshly_mine(page) && now.reader_limit == 2 && now.writer_limit == 2) return;
    changed_ = true;
    const bool modifies = some_held([&](const Capability& c) {
      return opens_some(c, before_.acls.at(page), Permission::Modify);
    });
    if (!is(SyscallNumber::page_set_limits) || !modifies) complain("a limit changed", page);
  }

  bool may_reach(std::uint64_t page, bool writable) const {
    const Permission want = writable ? Permission::Write : Permission::None;
    const auto by = [&](const Snapshot& s) {
      const auto acl = s.acls.find(page);
      return acl != s.acls.end() &&
             some_held([&](const Capability& c) { return opens_some(c, acl->second, want); });
    };
    if (was_free(page)) return freshly_mine(page) && by(after_);
    if (writable && before_.pages[page].status == PageStatus::BootModule) return false;
    return by(before_) || (allocates() && by(after_));
  }
  /// An entry as the hardware sees it: writable only if some way to its table is not frozen.
  static std::uint64_t effective(const Snapshot& s, std::uint64_t table, std::uint64_t entry) {
    return s.open_from.contains(table) ? entry : entry & ~kPteWritable;
  }
  void check_leaf(std::uint64_t table, unsigned index, std::uint64_t stored) {
    const auto old = before_.leaves.find({table, index});
    const std::uint64_t stored_was = old == before_.leaves.end() ? 0 : old->second;
    const std::uint64_t was = effective(before_, table, stored_was);
    const std::uint64_t entry = effective(after_, table, stored);
    if (was == entry) return;
    // The entry stayed as it is, and the last way through which it could be written went:
    // check_ways.
    if (stored_was == stored && entry == (was & ~kPteWritable)) return;
    changed_ = true;
    const bool same_page = was != 0 && ((was ^ entry) & kPtePageMask) == 0;
    const bool writable = (entry & kPteWritable) != 0;
    const auto& tops = after_.reached_from.at(table);
    if (!std::ranges::any_of(tops, [&](std::uint64_t top) { return rules_space(top); }))
      complain("changed another's page table", table, index);
    const std::uint64_t first = (entry & kPtePageMask) >> kPageShift;
    if (was_frozen(table) && !is(SyscallNumber::table_own))
      complain("changed a frozen table", table, index);
    if (!writable && is_copied(table, index, entry)) return;
    const bool gains =
        !same_page || (writable && (was & kPteWritable) == 0) || ((was ^ entry) & kPteLarge) != 0;
    const std::uint64_t count = (entry & kPteLarge) != 0 ? 512 : 1;
    for (std::uint64_t page = first; gains && page < first + count; page++)
      if (!may_reach(page, writable)) complain("reaches a page without a right", page);
    const bool known =
        allocates() || is(SyscallNumber::pte_modify_range) || is(SyscallNumber::table_own);
    if (!known) complain("an entry appeared", table, index);
  }

  /// Whether nobody could change the table: then only table_own may, and only takes rights.
  bool was_frozen(std::uint64_t table) const {
    return before_.reached_from.contains(table) && !before_.open_from.contains(table) && !batch_;
  }
  /// Whether a table that table_own has copied had this entry: at this address, and in one of these
  /// spaces, or in one that the caller may share it from first, in the same batch.
  bool is_copied(std::uint64_t table, unsigned index, std::uint64_t entry) const {
    if (!is(SyscallNumber::table_own) && !batch_) return false;
    const auto& tops = after_.reached_from.at(table);
    const auto could_copy = [&](std::uint64_t top) {
      return tops.contains(top) || (batch_ && rules_space(top));
    };
    const auto was_there = [&](const auto& old) {
      return old.first.second == index &&
             ((old.second ^ entry) & (kPtePageMask | kPteLarge)) == 0 &&
             before_.address.at(old.first.first) == after_.address.at(table) &&
             std::ranges::any_of(before_.reached_from.at(old.first.first), could_copy);
    };
    return std::ranges::any_of(before_.leaves, was_there);
  }

  /// A mapping that was there: only who rules one of its address spaces takes it away.
  void check_removed(std::uint64_t table, unsigned index) {
    if (after_.leaves.contains({table, index})) return;
    changed_ = true;
    if (step_.caller == kNoEnv || batch_) return;
    if (was_frozen(table) && after_.reached_from.contains(table))
      complain("unmapped in a frozen table", table, index);
    const auto& tops = before_.reached_from.at(table);
    // A method's go with it; check_methods has judged whether it may go.
    const auto gone = [&](const auto& m) {
      return tops.contains(m.second.top) && !after_.methods.contains(m.first);
    };
    if (std::ranges::any_of(before_.methods, gone)) return;
    if (!std::ranges::any_of(tops, [&](std::uint64_t top) { return rules_space(top); }))
      complain("removed another's mapping", table, index);
  }

  /// A table that more address spaces reach than before. One of the new ones must be the caller's
  /// to change; others may come along because they share a table above it with that one.
  void check_sharing(std::uint64_t table, const std::set<std::uint64_t>& tops) {
    const auto old = before_.reached_from.find(table);
    if (old == before_.reached_from.end() || batch_) return;  // a batch may reuse the page
    bool more = false;
    bool took = false;
    for (const std::uint64_t top : tops) {
      if (old->second.contains(top)) continue;
      more = changed_ = true;
      took = took || rules_space(top);
    }
    if (!more || became_a_methods(old->second, tops)) return;
    const auto mine = [&](std::uint64_t top) { return rules_space(top); };
    const bool gave = std::ranges::any_of(old->second, mine);
    const bool gives = is(SyscallNumber::table_share) || is(SyscallNumber::table_fork);
    if (!gives || !took || !gave) complain("shares a table", table);
  }

  static bool among(const std::map<std::uint64_t, Snapshot::Spaces>& ways, std::uint64_t table,
                    std::uint64_t top) {
    const auto found = ways.find(table);
    return found != ways.end() && found->second.contains(top);
  }
  /// Whether an address space is still somebody's, or a method's.
  bool is_in_use(std::uint64_t top) const {
    return std::ranges::any_of(after_.envs,
                               [&](const auto& e) { return e.alive && e.top == top; }) ||
           std::ranges::any_of(after_.methods, [&](const auto& m) { return m.second.top == top; });
  }
  /// The ways of address spaces to a table. Where one was lost or frozen, the caller may change one
  /// of those that this happened to (they may share a table above it), or they ended. Where one was
  /// unfrozen, table_own did it, and what can be written through it now the caller may write.
  void check_ways(std::uint64_t table, const Snapshot::Spaces& tops) {
    unsigned lost = 0, lost_mine = 0, opened = 0, opened_mine = 0;
    for (const std::uint64_t top : tops) {
      const bool was_open = among(before_.open_from, table, top);
      const bool is_open = among(after_.open_from, table, top);
      const bool is_lost = !among(after_.reached_from, table, top) || (was_open && !is_open);
      const bool is_opened = is_open && !was_open;
      if (!is_lost && !is_opened) continue;
      changed_ = true;
      if (!is_in_use(top)) continue;
      const unsigned mine = rules_space(top) ? 1 : 0;
      (is_lost ? lost : opened)++;
      (is_lost ? lost_mine : opened_mine) += mine;
    }
    if ((lost != 0 && lost_mine == 0) || (opened != 0 && opened_mine == 0))
      complain("a way to a table changed", table);
    if (opened == 0 || batch_) return;  // a batch may reuse the page
    if (!is(SyscallNumber::table_own)) complain("a frozen table was opened", table);
    for (auto leaf = after_.leaves.lower_bound({table, 0});
         leaf != after_.leaves.end() && leaf->first.first == table; leaf++)
      check_opened(leaf->second);
  }
  void check_opened(std::uint64_t entry) {
    if ((entry & kPteWritable) == 0) return;
    const std::uint64_t first = (entry & kPtePageMask) >> kPageShift;
    const std::uint64_t count = (entry & kPteLarge) != 0 ? 512 : 1;
    for (std::uint64_t page = first; page < first + count; page++)
      if (!may_reach(page, true)) complain("opened a page without a right", page);
  }

  const Snapshot& before_;
  const Snapshot& after_;
  const Step& step_;
  bool batch_;
  std::vector<Capability> held_;      // rights over pages and capabilities
  std::vector<Capability> over_env_;  // rights over environments
  bool changed_ = false;
  std::string wrong_;
};

}  // namespace

Snapshot::Snapshot(TestBed& bed) {
  FakeMachine& machine = bed.machine;
  std::set<std::uint64_t> tops;
  for (EnvIndex i = 1; i < kEnvs; i++) {
    const Env& e = machine.tables().envs[i];
    envs[i].id = e.id;
    envs[i].alive = e.id != 0 && e.status != EnvStatus::Dead;
    envs[i].top = e.table_page;
    envs[i].capabilities = e.capabilities;
    envs[i].status = e.status;
    if (!envs[i].alive) continue;
    tops.insert(e.table_page);
    envs[i].waits_for = e.waits_for == 0 ? kNoEnv : env_index(e.waits_for);
    envs[i].rip = machine.registers(i).rip;
    envs[i].slice_start = machine.uenv(i).slice_start_entry;
    envs[i].revocation = machine.uenv(i).revocation.entry;
    envs[i].rdi = machine.registers(i).rdi;
    envs[i].rax = machine.registers(i).rax;
    std::memcpy(&envs[i].ipc, const_cast<IpcArea*>(&machine.uenv(i).ipc), sizeof(IpcArea));
    const IpcArea& says = envs[i].ipc;
    envs[i].agreed = bed.core().rests[i];
    if (e.status != EnvStatus::Resting)
      envs[i].agreed = {.entry = says.entry,
                        .stack = says.stack,
                        .allow = says.allow,
                        .only = says.only,
                        .gate = Capability::from_bits(says.gate)};
  }
  const MethodTable& table = bed.core().methods;
  for (std::size_t i = 0; i < kMaxMethods; i++) {
    const Method& m = table.method[i];
    if (m.owner == 0) continue;
    methods[table.id_of(i)] = {machine.tables().envs[m.owner].id, m.guard, m.top, m.entry, m.own};
    if (m.user < kEnvs) envs[m.user].method = table.id_of(i);
    const auto* const top = reinterpret_cast<const std::uint64_t*>(machine.page(PageNumber{m.top}));
    walk_leaves(*this, machine, m.top, (top[kMethodSlot] & kPtePageMask) >> kPageShift, 3,
                kMethodSlot * kSlotSize);
  }
  bed.core().messages.visit_pins([&](EnvIndex i, std::uint64_t page) {
    if (i >= kEnvs) return;
    const std::byte* const bytes = machine.page(PageNumber{page});
    envs[i].message_gate = *bed.core().messages.gate(i);
    envs[i].ring.emplace_back(reinterpret_cast<const char*>(bytes), kPageSize);
  });
  bed.core().regions.visit([&](RegionId id, const Regions::Region& r) {
    const std::span<std::byte> bytes = bed.core().regions.bytes(r);
    regions[id] = {machine.tables().envs[r.owner].id, r.acl,
                   std::string{reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
  });
  const PageInfo* const first = machine.tables().pages;
  pages.assign(first, first + machine.info().page_count);
  for (std::uint64_t page = 0; page < pages.size(); page++) {
    const PageInfo& p = pages[page];
    if (p.status != PageStatus::User && p.status != PageStatus::BootModule) continue;
    std::vector<Capability>& acl = acls[page];
    acl.push_back(p.acl[0]);
    const Capability& last = p.acl[1];
    if (!last.pointer()) {
      acl.push_back(last);
      continue;
    }
    const std::uint64_t count = last.name[1] | std::uint64_t{last.name[2]} << 8;
    std::uint64_t more = 0;
    for (unsigned i = 0; i < 4; i++) more |= std::uint64_t{last.name[3 + i]} << 8 * i;
    const auto* const entry = reinterpret_cast<const Capability*>(machine.page(PageNumber{more}));
    acl.insert(acl.end(), entry, entry + count);
  }
  for (const std::uint64_t top : tops) walk_leaves(*this, machine, top, top, 4, 0);
}

std::string judge(const Snapshot& before, const Snapshot& after, const Step& step) {
  return Judge{before, after, step}.run();
}

}  // namespace xok::kernel::testing
