// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/bundle.hpp"

#include "abi/boot_bundle.hpp"
#include "base/byte_order.hpp"
#include "base/checked.hpp"
#include "base/units.hpp"

namespace xok::kernel::x86 {
namespace {

std::string_view part_name(const BundlePart& part) {
  std::size_t n = 0;
  while (n < part.name.size() && part.name[n] != '\0') n++;
  return {part.name.data(), n};
}

}  // namespace

Result<Bundle> read_bundle(std::span<const std::byte> bytes) {
  if (bytes.size() < kPageSize) return fail(Errc::BadFormat);
  const auto& header = *reinterpret_cast<const BundleHeader*>(bytes.data());
  if (header.magic != BundleHeader::kMagic || header.part_count > header.parts.size() ||
      header.total_length > bytes.size())
    return fail(Errc::BadFormat);
  Bundle bundle;
  bundle.parts = header.part_count;
  for (std::uint64_t i = 0; i < header.part_count; i++) {
    const BundlePart& part = header.parts[i];
    if (part.offset % kPageSize != 0 || !range_fits(part.offset, part.length, header.total_length))
      return fail(Errc::BadFormat);
    if (part_name(part) == "init") bundle.init = bytes.subspan(part.offset, part.length);
  }
  if (bundle.init.empty()) return fail(Errc::NotFound);
  return bundle;
}

}  // namespace xok::kernel::x86
