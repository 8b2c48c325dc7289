// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "libs/http/request.hpp"

namespace xok::http {

/// The length of a date as we write it: "Sun, 06 Nov 1994 08:49:37 GMT".
inline constexpr std::size_t kDateSize = 29;
/// 9999-12-31 23:59:59, the last moment that can be written.
inline constexpr Seconds kLastDate = 253'402'300'799;

/// Writes a date. Times before 1970 or after kLastDate are moved to there.
/// Cost about 200 instructions: a server does it once a second and keeps the result.
/// Source RFC 9110, 5.6.7 (IMF-fixdate)
void format_date(Seconds time, std::span<char, kDateSize> out);

/// Reads a date in any of the three forms that HTTP has had: RFC 1123, RFC 850 (two-digit years are
/// 1970 to 2069) and C's asctime. Nothing for anything else, or a year outside 1970 to 9999. That
/// the day of the week belongs to the date is not checked; a leap second counts as the next one.
std::optional<Seconds> parse_date(std::string_view text);

}  // namespace xok::http
