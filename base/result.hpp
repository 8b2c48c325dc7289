// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <expected>
#include <utility>

#include "abi/errors.hpp"

namespace xok {

/// A value, or the reason there is none. The only way errors travel in this tree.
template <class T = void>
using Result = std::expected<T, Errc>;

/// Shorthand for `return fail(Errc::NotFound);`.
constexpr std::unexpected<Errc> fail(Errc error) { return std::unexpected{error}; }

}  // namespace xok

/// The value, or return the error to our caller (statement expression: GCC, Clang).
/// One per statement: nesting is refused by -Wshadow.
#define XOK_TRY(expr)                              \
  __extension__({                                  \
    auto try_result_ = (expr);                     \
    if (!try_result_.has_value()) [[unlikely]]     \
      return std::unexpected{try_result_.error()}; \
    *std::move(try_result_);                       \
  })
