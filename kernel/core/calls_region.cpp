// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_region.hpp"

#include <cstring>

#include "base/checked.hpp"

namespace xok::kernel::calls {
namespace {

/// The bytes of a region that the caller's slot may read or write.
Result<std::span<std::byte>> part_of(Call& call, CapSlot cap, RegionIdWord id, Count offset,
                                     Count n, Permission want) {
  Regions& regions = call.core.regions;
  const Regions::Region* const region = XOK_TRY(regions.find(id.value));
  const Capability held = XOK_TRY(call.capability(cap));
  XOK_TRY(access(held, region->acl, want));
  if (!range_fits<std::uint64_t>(offset.value, n.value, region->length))
    return fail(Errc::BadArgument);
  return regions.bytes(*region).subspan(offset.value, n.value);
}

}  // namespace

CallResult region_create(Call& call, CapSlot cap, Count bytes, CapBits reader) {
  const Capability held = XOK_TRY(call.capability(cap));
  if (!held.grants(Permission::Allocate | Permission::Write)) return fail(Errc::Denied);
  if (bytes.value == 0) return fail(Errc::BadArgument);
  if (bytes.value > kMaxRegionBytes) return fail(Errc::TooBig);
  const Capability second = Capability::from_bits(reader.value);
  if (reader.value != 0 && (!second.valid() || second.pointer())) return fail(Errc::BadArgument);
  (void)call.core.have_pages(1);
  return static_cast<std::int64_t>(
      XOK_TRY(call.core.regions.create(call.self, call.account(), bytes.value, held, second)));
}

CallResult region_read(Call& call, CapSlot cap, RegionIdWord region, Count offset, UserAddr to,
                       Count n) {
  const std::span<std::byte> part =
      XOK_TRY(part_of(call, cap, region, offset, n, Permission::None));
  if (!call.to_user(to, part.data(), part.size())) return fail(Errc::Fault);
  return 0;
}

CallResult region_write(Call& call, CapSlot cap, RegionIdWord region, Count offset, UserAddr from,
                        Count n) {
  const std::span<std::byte> part =
      XOK_TRY(part_of(call, cap, region, offset, n, Permission::Write));
  const std::span<std::byte> staging = call.core.regions.staging();
  if (!call.from_user(staging.data(), from, part.size())) return fail(Errc::Fault);
  std::memcpy(part.data(), staging.data(), part.size());
  return 0;
}

CallResult region_delete(Call& call, CapSlot cap, RegionIdWord region) {
  Regions::Region* const found = XOK_TRY(call.core.regions.find(region.value));
  XOK_TRY(call.check(cap, found->acl[0], Permission::Write));
  call.core.regions.remove(*found);
  return 0;
}

}  // namespace xok::kernel::calls
