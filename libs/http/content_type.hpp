// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <string_view>

namespace xok::http {

/// The media type for a file, by the letters after the last '.' of its last component, in any case;
/// "application/octet-stream" for those we do not know. Never empty; valid for ever.
/// Cost about 200 instructions; a server that caches files can keep it with them.
std::string_view content_type_of(std::string_view path);

}  // namespace xok::http
