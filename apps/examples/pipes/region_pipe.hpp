// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "apps/examples/pipes/plain_pipe.hpp"
#include "exos/rt/region.hpp"

namespace xok::example {

/// Software regions: the writer's holds one parcel, the reader's the number of the last one taken.
/// Nobody maps them; each access is a call that the kernel checks, and copies all of it or nothing.
/// So neither side can touch the other's region, and a parcel is seen whole, as it was written.
/// What it says can still be a lie: the reader checks number and length, the writer the number.
inline constexpr std::size_t kParcelBytes = 1024;

struct Parcel {
  std::uint64_t number;
  std::uint64_t length;
  std::byte bytes[kParcelBytes];
};

struct Taken {
  std::uint64_t number;  ///< of the last parcel taken
};

class RegionWriter {
 public:
  RegionWriter(rt::Region<Parcel> mine, rt::Region<Taken> theirs) : mine_{mine}, theirs_{theirs} {}

  std::int64_t write(const std::byte* from, std::size_t n) {
    const auto taken = theirs_.read();
    if (!taken.has_value()) return kLiar;  // gone, or not for us
    if (taken->number != parcel_.number) return taken->number + 1 == parcel_.number ? 0 : kLiar;
    parcel_.number++;
    parcel_.length = std::min(n, kParcelBytes);
    std::memcpy(parcel_.bytes, from, parcel_.length);
    if (!mine_.write(parcel_).has_value()) return kLiar;
    return static_cast<std::int64_t>(parcel_.length);
  }

 private:
  rt::Region<Parcel> mine_;
  rt::Region<Taken> theirs_;
  Parcel parcel_{};
};

class RegionReader {
 public:
  RegionReader(rt::Region<Parcel> theirs, rt::Region<Taken> mine) : theirs_{theirs}, mine_{mine} {}

  /// `n`: kParcelBytes at least.
  std::int64_t read(std::byte* to, std::size_t n) {
    const auto parcel = theirs_.read();
    if (!parcel.has_value()) return kLiar;
    if (parcel->number == taken_) return 0;
    if (parcel->number != taken_ + 1 || parcel->length > std::min(n, kParcelBytes)) return kLiar;
    std::memcpy(to, parcel->bytes, parcel->length);
    taken_++;
    if (!mine_.write({taken_}).has_value()) return kLiar;
    return static_cast<std::int64_t>(parcel->length);
  }

 private:
  rt::Region<Parcel> theirs_;
  rt::Region<Taken> mine_;
  std::uint64_t taken_ = 0;
};

}  // namespace xok::example
