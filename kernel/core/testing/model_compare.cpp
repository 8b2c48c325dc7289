// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <algorithm>

#include "kernel/core/testing/model.hpp"

/// The model's other half: what there is at the start, and whether the kernel's state is what the
/// model says. Pages, entries and slices are read where the hardware and programs read them.
namespace xok::kernel::testing {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kNumber = 0x000f'ffff'ffff'f000;
constexpr std::uint64_t kSeenAndWritten = 1 << 5 | 1 << 6;

std::optional<Model::Cap> read(const Capability& c) {
  if ((c.header & 0x18) != 8) return std::nullopt;
  Model::Cap cap{{}, (c.header & 1) != 0, (c.header & 2) != 0, (c.header & 4) != 0};
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.header >> 5); i++)
    cap.name += static_cast<char>(c.name[i]);
  return cap;
}

Model::Acl read(const PageInfo& info) { return {read(info.acl[0]), read(info.acl[1])}; }

Model::Use use_of(const PageInfo& info) {
  switch (info.status) {
    case PageStatus::Free:
      return Model::Use::Free;
    case PageStatus::User:
      return Model::Use::User;
    case PageStatus::BootModule:
      return Model::Use::Module;
    default:
      return Model::Use::Other;
  }
}

/// What a tree of page tables holds in the user half.
void walk(FakeMachine& machine, std::uint64_t table, unsigned level, std::uint64_t at,
          Model::Space& out) {
  out.tables.insert({level, at});
  out.table_pages.insert(table);
  const auto* const entry = reinterpret_cast<const std::uint64_t*>(machine.page(PageNumber{table}));
  for (std::uint64_t i = 0; i < (level == 4 ? 254u : 512u); i++) {
    if (entry[i] == 0) continue;
    const std::uint64_t va = at | i << (3 + 9 * level);
    if (level == 1) {
      out.entries[va] = entry[i];
    } else {
      walk(machine, (entry[i] & kNumber) / kPage, level - 1, va, out);
    }
  }
}

std::string text(const char* what, std::uint64_t a, std::uint64_t b = 0) {
  return std::string{what} + " (" + std::to_string(a) + ", " + std::to_string(b) + ")";
}

}  // namespace

Model::Model(TestBed& bed) : bed_{bed}, processors_{bed.machine.info().processors} {
  FakeMachine& machine = bed.machine;
  for (std::uint64_t page = 0; page < machine.info().page_count; page++) {
    const PageInfo& info = machine.page_info(page);
    const Use use = use_of(info);
    Page p{.use = use, .acl = {}, .pins = 0};
    if (use == Use::User || use == Use::Module) p.acl = read(info);
    pages_.push_back(p);
  }
  std::map<std::uint64_t, std::shared_ptr<Space>> spaces;
  for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
    const Env& e = machine.tables().envs[i];
    if (e.id == 0) continue;
    std::shared_ptr<Space>& space = spaces[e.table_page];
    if (space == nullptr) {
      space = std::make_shared<Space>();
      walk(machine, e.table_page, 4, 0, *space);
    }
    space->members++;
    Environment& env = environments_[e.id];
    env.space = space;
    env.uenv_page = e.uenv_page;
    pages_[e.uenv_page].pins = 1;
    for (std::size_t slot = 0; slot < e.capabilities.size(); slot++)
      if (const auto cap = read(e.capabilities[slot]); cap.has_value()) env.slots[slot] = *cap;
  }
  for (std::uint64_t p = 0; p < processors_; p++) {
    for (std::uint64_t i = 0; i < kSlicesPerProcessor; i++) {
      const Slice& s = machine.tables().slices[p * kSlicesPerProcessor + i];
      if (s.owner != 0) slices_[{p, i}] = {s.owner, read(s.guard).value_or(Cap{})};
    }
  }
}

/// The kernel chose the pages of new tables, out of those free. A call makes tables in one space
/// only. (Within a range, tables that a later entry needs are taken early.)
void Model::take_tables() {
  for (const auto& [id, env] : environments_) {
    Space& space = *env.space;
    if (space.table_pages.size() >= space.tables.size()) continue;
    for (std::uint64_t page = 0; page < pages_.size(); page++) {
      const bool taken = use_of(bed_.machine.page_info(page)) == Use::Other;
      if (pages_[page].use != Use::Free || !taken) continue;
      pages_[page].use = Use::Other;
      space.table_pages.insert(page);
    }
  }
}

/// The same at the end of a call: now they are as many as the model wants.
std::string Model::adopt_tables() {
  take_tables();
  for (const auto& [id, env] : environments_) {
    const Space& space = *env.space;
    if (space.table_pages.size() != space.tables.size())
      return text("another number of page tables", space.table_pages.size(), space.tables.size());
  }
  return "";
}

std::string Model::compare_pages() {
  for (std::uint64_t page = 0; page < pages_.size(); page++) {
    const PageInfo& info = bed_.machine.page_info(page);
    const Page& p = pages_[page];
    if (use_of(info) != p.use)
      return text("a page's status", page, static_cast<std::uint64_t>(info.status));
    if ((p.use == Use::User || p.use == Use::Module) && read(info) != p.acl)
      return text("a page's ACL", page);
  }
  return "";
}

std::string Model::compare_environments() {
  std::set<const Space*> seen;
  std::size_t count = 0;
  for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
    const Env& e = bed_.machine.tables().envs[i];
    if (e.id == 0) continue;
    count++;
    const auto found = environments_.find(e.id);
    if (found == environments_.end()) return text("an environment", e.id);
    const Environment& env = found->second;
    for (std::uint64_t slot = 0; slot < e.capabilities.size(); slot++) {
      const auto mine = env.slots.find(slot);
      const auto wanted = mine == env.slots.end() ? std::nullopt : std::optional{mine->second};
      if (read(e.capabilities[slot]) != wanted) return text("a capability", e.id, slot);
    }
    if (!seen.insert(env.space.get()).second) continue;
    Space real;
    walk(bed_.machine, e.table_page, 4, 0, real);
    if (real.tables != env.space->tables || real.table_pages != env.space->table_pages)
      return text("page tables", e.id);
    const auto same = [](const auto& a, const auto& b) {
      return a.first == b.first && ((a.second ^ b.second) & ~kSeenAndWritten) == 0;
    };
    if (!std::ranges::equal(real.entries, env.space->entries, same)) return text("a mapping", e.id);
  }
  return count == environments_.size() ? "" : text("environments", count, environments_.size());
}

std::string Model::compare_slices() {
  for (std::uint64_t p = 0; p < processors_; p++) {
    for (std::uint64_t i = 0; i < kSlicesPerProcessor; i++) {
      const Slice& s = bed_.machine.tables().slices[p * kSlicesPerProcessor + i];
      const auto found = slices_.find({p, i});
      const bool same = found == slices_.end() ? s.owner == 0
                                               : s.owner == found->second.owner &&
                                                     read(s.guard) == found->second.guard;
      if (!same) return text("a slice", p, i);
    }
  }
  return "";
}

std::string Model::compare() {
  for (const std::string& wrong : {compare_pages(), compare_environments(), compare_slices()})
    if (!wrong.empty()) return wrong;
  return "";
}

}  // namespace xok::kernel::testing
