// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <map>
#include <vector>

#include "kernel/core/capability.hpp"
#include "kernel/core/testing/findings.hpp"

namespace xok::kernel::testing {
namespace {

class RecordSweep : Findings {
 public:
  RecordSweep(Core& core, FakeMachine& machine) : Findings{core, machine} {}

  std::string run() {
    check_environments();
    check_slices();
    check_filters();
    check_transfers();
    check_regions();
    check_processors();
    return wrong_;
  }

 private:
  void check_environments() {
    std::uint64_t used = 0, free = 0;
    for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
      const Env& e = core_.env(i);
      if (e.id == 0) continue;
      used++;
      expect(env_index(e.id) == i, "id", i, e.id);
      expect(e.capabilities[0].grants(Permission::All), "slot 0", i);
      if (e.status == EnvStatus::Dead)
        expect(e.table_page == 0 && e.uenv_page == 0 && e.slices == 0, "dead but holding", i);
      for (const Capability& c : e.capabilities)
        expect(c == canonical(c) && !c.pointer(), "capability not canonical", i);
      expect(core_.state(i).rings == core_.network.rings_of(i), "rings", i);
    }
    for (EnvIndex i = core_.free_slots; i != 0; i = core_.state(i).next_free) {
      expect(core_.env(i).id == 0, "free slot in use", i);
      if (++free >= kMaxEnvironments) return expect(false, "slot list is a circle");
    }
    expect(used == machine_.info().environments, "environments", used);
    expect(used + free == kMaxEnvironments - 1, "slots lost", used, free);
  }

  void check_slices() {
    std::vector<std::uint32_t> owned(kMaxEnvironments);
    for (std::uint64_t at = 0; at < kMaxProcessors * kSlicesPerProcessor; at++) {
      const Slice& s = machine_.tables().slices[at];
      if (s.owner == 0) continue;
      expect(core_.env(env_index(s.owner)).id == s.owner && alive(env_index(s.owner)),
             "slice of nobody", at, s.owner);
      owned[env_index(s.owner)]++;
    }
    for (EnvIndex i = 1; i < kMaxEnvironments; i++)
      expect(core_.env(i).slices == owned[i], "slices", i, core_.env(i).slices, owned[i]);
  }

  void check_filters() {
    std::vector<std::uint32_t> owned(kMaxEnvironments);
    for (std::uint64_t i = 0; i < kMaxFilters; i++) {
      const FilterRecord& f = machine_.tables().filters[i];
      if (f.owner == 0) continue;
      expect(core_.env(env_index(f.owner)).id == f.owner && alive(env_index(f.owner)),
             "filter of nobody", i, f.owner);
      owned[env_index(f.owner)]++;
    }
    for (EnvIndex i = 1; i < kMaxEnvironments; i++)
      expect(core_.state(i).filters == owned[i] || !alive(i), "filters", i);
  }

  void check_regions() {
    std::map<EnvIndex, std::uint32_t> regions, pages;
    std::map<const std::byte*, std::uint64_t> used;  // by page: bytes of its regions
    core_.regions.visit([&](RegionId id, const Regions::Region& r) {
      expect(alive(r.owner), "region of nobody", id, r.owner);
      expect(r.acl[0].grants(Permission::All) && !r.acl[1].pointer(), "region ACL", id);
      regions[r.owner]++;
      for (std::size_t at = 0; at < r.length; at += kRegionGranule) {
        const std::byte* const granule = core_.regions.bytes(r).data() + at;
        const std::size_t offset = reinterpret_cast<std::uint64_t>(granule) % kPageSize;
        const std::uint64_t bit = std::uint64_t{1} << offset / kRegionGranule;
        std::uint64_t& mask = used[granule - offset];
        expect((mask & bit) == 0, "regions overlap", id, at);
        mask |= bit;
      }
    });
    core_.regions.visit_pages([&](std::uint64_t page, EnvIndex owner, std::uint64_t mask) {
      pages[owner]++;
      expect(used[machine_.page(PageNumber{page})] == mask && mask != 0, "granules", page, mask);
    });
    for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
      if (!alive(i)) continue;
      expect(core_.state(i).regions == regions[i], "regions", i, regions[i]);
      expect(core_.state(i).region_pages == pages[i], "region_pages", i, pages[i]);
    }
  }

  void check_transfers() {
    std::vector<std::uint32_t> waiting(kMaxEnvironments);
    for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
      if (core_.env(i).id == 0) continue;
      const EnvId waits_for = core_.env(i).waits_for;
      const EnvIndex callee = env_index(waits_for);
      const bool calls = core_.env(i).status == EnvStatus::Calling;
      expect(calls == (waits_for != 0), "waits for nobody, or does not wait", i, callee);
      if (!calls) continue;
      expect(alive(callee) && core_.env(callee).id == waits_for, "waits for the dead", i, callee);
      waiting[callee]++;
      EnvIndex end = callee;
      for (unsigned hops = 0;
           hops < kMaxEnvironments && core_.env(end).status == EnvStatus::Calling; hops++)
        end = env_index(core_.env(end).waits_for);
      expect(core_.env(end).status != EnvStatus::Calling, "calls in a circle", i);
    }
    for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
      if (core_.env(i).id != 0)
        expect(core_.env(i).callers == waiting[i], "callers", i, waiting[i]);
    }
  }

  /// Who runs where, and what each processor has loaded.
  void check_processors() {
    const std::uint32_t count = machine_.info().processors;
    std::map<EnvIndex, std::uint32_t> running;
    for (std::uint32_t n = 0; n < count; n++) {
      const std::uint64_t loaded = core_.translations.loaded(n);
      expect(machine_.processors[n].loaded == loaded, "another table is loaded", n, loaded);
      const EnvIndex current = core_.scheduler.current(n);
      expect(core_.scheduler.idles(n) == (current == kNoEnv), "idle", n, current);
      if (current == kNoEnv) {
        expect(count == 1 || !is_top(loaded), "an idle processor may cache", n, loaded);
        continue;
      }
      expect(running.emplace(current, n).second, "runs on two processors", current, n);
      const EnvState& state = core_.state(current);
      const std::uint64_t own = core_.env(current).table_page;
      expect(alive(current) && (state.method != 0 ? state.method_top : own) == loaded,
             "runs elsewhere", n, loaded);
      expect(core_.env(current).processor == n, "Env::processor", current, n);
    }
    for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
      const std::uint32_t wanted = running.contains(i) ? running[i] : kNowhere;
      expect(!alive(i) || core_.state(i).processor == wanted, "EnvState::processor", i, wanted);
    }
    expect(core_.translations.settled(), "a shoot-down is still due");
  }

  bool is_top(std::uint64_t table) {
    for (EnvIndex i = 1; i < kMaxEnvironments; i++)
      if (alive(i) && core_.env(i).table_page == table) return true;
    return false;
  }
};

}  // namespace

std::string sweep_records(Core& core, FakeMachine& machine) {
  return RecordSweep{core, machine}.run();
}

}  // namespace xok::kernel::testing
