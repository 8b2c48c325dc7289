// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <string_view>

/// What uname(2) and /proc say that this system is. C libraries refuse to start on a release they
/// hold to be too old, so the release is the Linux whose interface we offer.
namespace xok::exos {

inline constexpr std::string_view kSystemName = "Linux";
inline constexpr std::string_view kSystemRelease = "6.1.0-xok";
inline constexpr std::string_view kSystemVersion = "#1 ExOS on Xok";

}  // namespace xok::exos
