// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "libs/elf/sections.hpp"

namespace xok::graft {

/// The grafts of an object file that `clang -target bpf` made: one for each section with code,
/// whose first function it is. `XOK_GRAFT(name)` of abi/graft.h gives a function the section
/// "graft/name"; a graft's name is the section's without "graft/".
///
/// The file must stay in memory, unchanged, as long as this is used. A file of any bytes is safe.
class ObjectFile {
 public:
  struct Graft {
    std::string_view name;
    std::span<const std::byte> code;  ///< for Program::from
  };

  /// Errors  BadFormat  not an ELF64 object file for BPF, or a broken one
  ///         NotFound   it has no sections
  static Result<ObjectFile> open(std::span<const std::byte> file);

  /// The graft `name`; or, with an empty name, the only one.
  ///
  /// Errors  NotFound      there is none of that name, or none at all
  ///         BadArgument   an empty name, and several grafts
  ///         NotSupported  it refers to a variable, or to a function of another section
  ///         BadFormat     a section, or its name, lies outside the file
  Result<Graft> find(std::string_view name) const;

  /// Calls `function(Graft)` for each, those that refer elsewhere included. Errors: BadFormat.
  template <class Function>
  Result<> for_each(const Function& function) const {
    for (std::size_t i = 0; i < sections_.count(); ++i) {
      if (!holds_code(i)) continue;
      function(XOK_TRY(graft(i)));
    }
    return {};
  }

 private:
  explicit ObjectFile(elf::Sections sections) : sections_{sections} {}

  bool holds_code(std::size_t section) const;
  bool refers_elsewhere(std::size_t section) const;
  Result<Graft> graft(std::size_t section) const;

  elf::Sections sections_;
};

}  // namespace xok::graft
