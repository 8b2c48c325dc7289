// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/snapshot.hpp"

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

}  // namespace xok::kernel::testing
