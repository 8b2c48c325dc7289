// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "kernel/core/capability.hpp"
#include "kernel/core/pages.hpp"

/// A page's ACL: PageInfo::acl, or, once extended, its first entry and a kernel page of up to 512
/// more that its last entry points to.
///
///   pointer  header valid | pointer;  name bytes 1-2 the count (low first), 3-6 the page (low
///            first); bytes as in the original (CAP-1), a page number in place of an address
///
/// The extension is held by the page it extends and freed with it. Its PageInfo names that page in
/// `stamp`. A pointer is made by the kernel only: no call takes one from an application.
namespace xok::kernel {

/// Where the entries behind a pointer are. Not a pointer: count 0.
struct AclExtension {
  std::uint64_t page = 0;
  std::uint64_t count = 0;
};

constexpr Capability acl_pointer(std::uint64_t page, std::uint64_t count) {
  Capability c;
  c.header = Capability::kValid | Capability::kPointer;
  c.name[1] = static_cast<std::uint8_t>(count);
  c.name[2] = static_cast<std::uint8_t>(count >> 8);
  for (std::size_t i = 0; i < 4; i++) c.name[3 + i] = static_cast<std::uint8_t>(page >> 8 * i);
  return c;
}

constexpr AclExtension acl_extension(const Capability& last) {
  AclExtension e;
  if (!last.valid() || !last.pointer()) return e;
  e.count = last.name[1] | std::uint64_t{last.name[2]} << 8;
  for (std::size_t i = 0; i < 4; i++) e.page |= std::uint64_t{last.name[3 + i]} << 8 * i;
  return e;
}

class PageAcl {
 public:
  PageAcl(Pages& pages, PageInfo& info)
      : pages_{pages}, info_{info}, extension_{acl_extension(info.acl[kPageAclEntries - 1])} {}

  /// Positions: kPageAclEntries, or 1 + the extension's.
  [[nodiscard]] std::uint64_t size() const {
    return extension_.page == 0 ? kPageAclEntries : 1 + extension_.count;
  }
  /// The entry at a position below `size`.
  Capability& at(std::uint64_t position) {
    if (position == 0) return info_.acl[0];
    return extension_.page == 0 ? info_.acl[position] : entries()[position - 1];
  }
  /// As `access`, over all entries. Cost O(size).
  [[nodiscard]] Result<> access(const Capability& holder, Permission want) {
    const Result<> inline_ones = kernel::access(holder, info_.acl, want);
    if (extension_.page == 0 || inline_ones.has_value() || inline_ones.error() != Errc::Denied)
        [[likely]]
      return inline_ones;
    return kernel::access(holder, {entries(), extension_.count}, want);
  }

 private:
  Capability* entries() { return reinterpret_cast<Capability*>(pages_.bytes(extension_.page)); }

  Pages& pages_;
  PageInfo& info_;
  AclExtension extension_;
};

}  // namespace xok::kernel
