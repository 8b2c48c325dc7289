// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/fingerprint.hpp"

#include <cstring>
#include <set>

#include "kernel/core/testing/snapshot.hpp"

namespace xok::kernel::testing {

std::uint64_t fingerprint(TestBed& bed, Contents contents) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  const auto add = [&](std::uint64_t word) {
    hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15;
    hash ^= hash >> 29;
  };
  for (EnvIndex i = 1; i < Snapshot::kEnvs; i++) {
    const Env& e = bed.machine.tables().envs[i];
    add(e.id);
    if (e.id == 0) continue;
    for (const std::uint64_t word :
         {std::uint64_t{e.address_space}, e.uenv_page, e.table_page, e.mapped_pages, e.table_pages,
          e.pages_taken, e.pages_returned, std::uint64_t{e.account}, std::uint64_t{e.slices}})
      add(word);
    for (const Capability& c : e.capabilities) add(c.bits());
  }
  std::set<std::uint64_t> predicates;  // they hold addresses of this process
  for (EnvIndex i = 1; i < Snapshot::kEnvs; i++)
    predicates.insert(bed.core().state(i).predicate_page);
  const SystemInfo& info = bed.machine.info();
  add(info.free_list_head);
  for (std::uint64_t page = 1; page < info.page_count; page++) {
    const PageInfo& p = bed.machine.page_info(page);
    std::uint64_t words[sizeof p / 8];
    std::memcpy(words, &p, sizeof p);
    for (const std::uint64_t word : words) add(word);
    const bool table = p.status == PageStatus::Kernel && page > FakeMachine::kBootKernelPages &&
                       !predicates.contains(page);
    const bool users = p.status == PageStatus::User && contents == Contents::OfAllPages;
    if (!table && !users) continue;
    const auto* const bytes =
        reinterpret_cast<const std::uint64_t*>(bed.machine.page(PageNumber{page}));
    for (std::size_t i = 0; i < kPageSize / 8; i++)
      if (bytes[i] != 0) add(bytes[i] + i);
  }
  return hash;
}

}  // namespace xok::kernel::testing
