// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <type_traits>

#include "abi/capability.hpp"
#include "base/result.hpp"
#include "exos/rt/calls.hpp"

namespace xok::rt {

/// One object of type T in a software region (kernel/core/calls_region.hpp): shared with programs
/// that may read it, or write it, but not map it.
///
///   auto counter = rt::Region<Counter>::create(slot);      // the id goes to who is to use it
///   rt::Region<Counter> theirs{slot, id};  theirs.read();  // another environment
///
/// A copy of the handle is the same region; nobody deletes it but `remove` and its maker's end.
template <class T>
class Region {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kMaxRegionBytes);

 public:
  /// `slot`: of the caller, for each access.
  Region(std::uint64_t slot, RegionId id) : slot_{slot}, id_{id} {}

  /// A region of zeroes. `reader`: who covers this may read it too (not valid: nobody else).
  static Result<Region> create(std::uint64_t slot, const Capability& reader = {}) {
    const std::int64_t id = sys::region_create(slot, sizeof(T), reader.bits());
    if (id < 0) return fail(static_cast<Errc>(-id));
    return Region{slot, static_cast<RegionId>(id)};
  }
  [[nodiscard]] RegionId id() const { return id_; }

  Result<T> read() const {
    T value;
    const std::int64_t error =
        sys::region_read(slot_, id_, 0, reinterpret_cast<std::uint64_t>(&value), sizeof value);
    if (error < 0) return fail(static_cast<Errc>(-error));
    return value;
  }
  /// All of it at once.
  Result<> write(const T& value) const { return write_part(0, &value, sizeof value); }
  /// One member: `region.write(&T::member, value)`.
  template <class M>
  Result<> write(M T::* member, const std::type_identity_t<M>& value) const {
    alignas(T) const std::byte place[sizeof(T)] = {};
    const auto* const base = reinterpret_cast<const T*>(place);
    const auto offset = reinterpret_cast<const std::byte*>(&(base->*member)) - place;
    return write_part(static_cast<std::uint64_t>(offset), &value, sizeof value);
  }
  Result<> remove() const {
    const std::int64_t error = sys::region_delete(slot_, id_);
    if (error < 0) return fail(static_cast<Errc>(-error));
    return {};
  }

 private:
  Result<> write_part(std::uint64_t offset, const void* from, std::size_t n) const {
    const std::int64_t error =
        sys::region_write(slot_, id_, offset, reinterpret_cast<std::uint64_t>(from), n);
    if (error < 0) return fail(static_cast<Errc>(-error));
    return {};
  }

  std::uint64_t slot_;
  RegionId id_;
};

}  // namespace xok::rt
