// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <string_view>

#include "exos/error.hpp"
#include "exos/fs/vfs.hpp"

/// exec in two steps: everything that can fail with an error first, while the old program is whole;
/// then the point of no return.
namespace xok::exos {

/// Where the strings of an argument vector come from: the program's memory, or ExOS' own.
class StringVector {
 public:
  StringVector() = default;
  StringVector(const StringVector&) = delete;
  StringVector& operator=(const StringVector&) = delete;
  /// The i-th string, copied to `to`; its length with the NUL. 0: the vector has ended.
  /// Errors  Fault; TooBig (it does not fit)
  virtual Outcome<std::size_t> copy(std::size_t i, std::span<char> to) = 0;

 protected:
  ~StringVector() = default;
};

/// Finds the program (through `#!` lines), checks that it may run, and copies arguments and
/// environment to the stage. Errors  the walk's; AccessDenied; BadFormat (ENOEXEC); TooBig (E2BIG)
Outcome<> prepare_exec(const Vnode& start, std::string_view path, StringVector& arguments,
                       StringVector& environment);

/// Replaces the program by the prepared one and enters it. Ends the process if memory runs out.
[[noreturn]] void load_prepared_image();

/// Drops what prepare_exec holds (the files), when another environment has taken it over.
void forget_exec_stage();

}  // namespace xok::exos
