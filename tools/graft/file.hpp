// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <string>
#include <vector>

/// Files of grafts, for the program behind `./exo graft`.
namespace xok::tools {

/// The whole file; says what is wrong and leaves with status 1 when that does not work.
std::vector<std::byte> read_file(const std::string& path);

struct NamedCode {
  std::string name;
  std::vector<std::byte> code;
  std::string problem;  ///< why it cannot be a graft, whatever its instructions; or ""
};

/// The grafts of an object file, or the file as one program of raw instructions, named as the file,
/// when it does not look like an object file. Leaves with status 1 for a broken object file.
std::vector<NamedCode> grafts_of(const std::string& path);

/// The one of them with this name, or the only one. Leaves with status 1 when there is none.
NamedCode graft_of(const std::string& path, const std::string& name);

/// Prints "exo: PATH: WHAT" and leaves with status 1.
[[noreturn]] void give_up(const std::string& path, const std::string& what);

}  // namespace xok::tools
