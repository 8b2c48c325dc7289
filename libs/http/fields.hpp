// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <string_view>

#include "libs/http/request_parser.hpp"

namespace xok::http {

/// Notes what one header field says. Fields that a file server does not need are ignored.
///
/// name   a token, in any case
/// value  without white space at its ends
/// Returns 0, or the status to refuse the request with. Private to libs/http.
unsigned take_field(std::string_view name, std::string_view value, Request& request,
                    Framing& framing);

/// The Range header's value. Whatever must be ignored becomes Kind::None.
ByteRange parse_range(std::string_view value);

}  // namespace xok::http
