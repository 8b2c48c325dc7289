// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/regions.hpp"

#include <cstring>

namespace xok::kernel {
namespace {

constexpr unsigned kGranules = kPageSize / kRegionGranule;
static_assert(kGranules == 64);

constexpr std::uint64_t run_of(std::uint64_t granules) {
  return granules == kGranules ? ~std::uint64_t{0} : (std::uint64_t{1} << granules) - 1;
}

constexpr std::uint64_t granules_for(std::uint64_t bytes) {
  return (bytes + kRegionGranule - 1) / kRegionGranule;
}

/// The first place for a run of granules; kGranules if there is none.
unsigned first_fit(std::uint64_t used, std::uint64_t granules) {
  const std::uint64_t run = run_of(granules);
  for (unsigned at = 0; at + granules <= kGranules; at++) {
    if ((used & run << at) == 0) return at;
  }
  return kGranules;
}

}  // namespace

Result<std::uint16_t> Regions::new_holder(EnvIndex owner, AccountIndex account) {
  if (states_[owner].region_pages >= kRegionPagesPerEnv) return fail(Errc::NoSpace);
  std::uint16_t index = 0;
  while (index < kMaxRegionPages && holders_[index].owner != 0) index++;
  if (index == kMaxRegionPages) return fail(Errc::NoSpace);
  if (pages_.free_count() == 0) return fail(Errc::NoMemory);
  if (!accounts_.fits(account, 1)) return fail(Errc::NoSpace);
  holders_[index] = {owner, static_cast<std::uint32_t>(pages_.take_kernel(account)), 0};
  states_[owner].region_pages++;
  return index;
}

Result<RegionId> Regions::create(EnvIndex owner, AccountIndex account, std::uint64_t bytes,
                                 const Capability& guard, const Capability& reader) {
  if (states_[owner].regions >= kRegionsPerEnv) return fail(Errc::NoSpace);
  std::size_t index = 0;
  while (index < kMaxRegions && regions_[index].owner != 0) index++;
  if (index == kMaxRegions) return fail(Errc::NoSpace);
  const std::uint64_t granules = granules_for(bytes);
  std::uint16_t holder = 0;
  unsigned at = kGranules;
  for (; holder < kMaxRegionPages; holder++) {
    if (holders_[holder].owner != owner) continue;
    at = first_fit(holders_[holder].used, granules);
    if (at < kGranules) break;
  }
  if (at == kGranules) {
    holder = XOK_TRY(new_holder(owner, account));
    at = 0;
  }
  holders_[holder].used |= run_of(granules) << at;
  Region& region = regions_[index];
  region.owner = owner;
  region.generation++;
  if (region.generation == 0) region.generation = 1;
  region.length = static_cast<std::uint16_t>(bytes);
  region.holder = holder;
  region.first = static_cast<std::uint16_t>(at);
  region.acl = {as_guard(guard), canonical(reader)};
  std::memset(this->bytes(region).data(), 0, bytes);
  states_[owner].regions++;
  return id_of(index);
}

Result<Regions::Region*> Regions::find(RegionId id) {
  Region& region = regions_[id % kMaxRegions];
  if (region.owner == 0 || region.generation != id / kMaxRegions) return fail(Errc::NotFound);
  return &region;
}

void Regions::remove(Region& region) {
  Holder& holder = holders_[region.holder];
  holder.used &= ~(run_of(granules_for(region.length)) << region.first);
  states_[region.owner].regions--;
  if (holder.used == 0) {
    pages_.give_kernel(holder.page);
    states_[region.owner].region_pages--;
    holder = Holder{};
  }
  region.owner = 0;
}

void Regions::free_all(EnvIndex owner) {
  for (Region& region : regions_) {
    if (states_[owner].regions == 0) return;
    if (region.owner == owner) remove(region);
  }
}

}  // namespace xok::kernel
