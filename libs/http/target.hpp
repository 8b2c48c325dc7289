// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace xok::http {

/// Turns a request target into the path of a file below a root, which it can never leave.
///
/// target   "/path?query", or "http://host/path?query"
/// out      receives the path; its size is the longest path allowed
/// Returns  the path's length, at least 1
///
/// %xx is decoded once, and before anything else is looked at: "%2e%2e" is "..", "%2f" is "/",
/// "%252e" is the three characters "%2e". Then empty and "." components vanish, and ".." takes the
/// component before it away; at the root it takes nothing. The query is dropped.
///
/// Errors   BadFormat  neither form; a bad %xx; a control character, encoded or not; a space or
/// '#';
///                     user and password in the host part
///          TooBig     the path does not fit into `out`
/// Cost     O(target)
/// Source   RFC 3986, 5.2.4 (remove dot segments). differs: empty components are removed too
Result<std::size_t> path_of_target(std::string_view target, std::span<char> out);

}  // namespace xok::http
