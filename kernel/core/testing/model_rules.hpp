// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "kernel/core/testing/model.hpp"

/// What the parts of the model have in common. Numbers and rules are written out again here, after
/// the documentation, and not taken from the kernel.
namespace xok::kernel::testing::model {

inline constexpr std::uint64_t kSlots = 24;
inline constexpr std::uint64_t kUserEnd = 0x7f00'0000'0000;
inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kPresent = 1, kWritable = 2, kUser = 4, kLarge = 128;
inline constexpr std::uint64_t kNumber = 0x000f'ffff'ffff'f000;
inline constexpr std::uint64_t kSeenAndWritten = 1 << 5 | 1 << 6;
inline constexpr std::uint64_t kSoftware = std::uint64_t{7} << 9 | std::uint64_t{0x7f} << 52;
inline constexpr std::uint64_t kNever = std::uint64_t{1} << 63;  // executed
inline constexpr std::uint64_t kCaching = 1 << 3 | 1 << 4;
inline constexpr std::uint64_t kChangeable = kWritable | kSeenAndWritten | kSoftware | kNever;

using Cap = Model::Cap;

struct Read {
  bool valid, pointer;
  Cap cap;
};

/// A capability as the 64-bit word that travels: permissions in bits 0-2, valid, pointer, length.
inline Read read(std::uint64_t bits) {
  Read r{(bits & 8) != 0, (bits & 16) != 0, {}};
  r.cap.write = (bits & 1) != 0;
  r.cap.allocate = (bits & 2) != 0;
  r.cap.modify = (bits & 4) != 0;
  for (std::uint64_t i = 0; i < (bits >> 5 & 7); i++)
    r.cap.name += static_cast<char>(bits >> 8 * (i + 1));
  return r;
}

inline bool is_prefix(const Cap& a, const Cap& b) { return b.name.starts_with(a.name); }

inline bool dominates(const Cap& a, const Cap& b) {
  return is_prefix(a, b) && a.write >= b.write && a.allocate >= b.allocate && a.modify >= b.modify;
}

using Right = bool Cap::*;

/// Whether a holder gets past a list of guards; `right`: nullptr for reading.
inline bool passes(const Cap& holder, const Model::Acl& guards, Right right) {
  const auto has = [&](const Cap& c) { return right == nullptr || c.*right; };
  return has(holder) && std::ranges::any_of(guards, [&](const std::optional<Cap>& guard) {
           return guard.has_value() && is_prefix(holder, *guard) && has(*guard);
         });
}

inline std::uint64_t table_start(std::uint64_t va, unsigned level) {
  return va >> (12 + 9 * level) << (12 + 9 * level);
}

}  // namespace xok::kernel::testing::model

namespace xok::kernel::testing {

/// An error, or what happens: `commit` is given the call's result, says what is wrong with it, and
/// makes the changes.
struct Model::Prediction {
  using Commit = std::function<std::string(std::int64_t)>;
  Prediction(Errc e) : error{e} {}
  Prediction(std::optional<Errc> e) : error{e} {}
  Prediction(Commit c) : commit{std::move(c)} {}
  Prediction(std::int64_t value, std::function<void()> change)
      : commit{[value, change = std::move(change)](std::int64_t result) -> std::string {
          if (result != value) return "instead of " + std::to_string(value);
          change();
          return "";
        }} {}
  std::optional<Errc> error;
  Commit commit;
};

}  // namespace xok::kernel::testing

#define XOK_MODEL_TRY(expression) \
  if (const std::optional<Errc> e_ = (expression); e_.has_value()) return e_
