// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdlib>
#include <vector>

#include "libs/graft/compiler.hpp"
#include "libs/graft/interpreter.hpp"
#include "libs/vcode/executable.hpp"

/// All the ways to run a program. Tests only.
namespace xok::graft {

enum class Engine {
  Interpreter,
  Compiler,
  CompilerThatGuessesWrong,  ///< every access takes the long way
};
inline constexpr Engine kAllEngines[] = {Engine::Interpreter, Engine::Compiler,
                                         Engine::CompilerThatGuessesWrong};

inline const char* name_of(Engine engine) {
  constexpr const char* kNames[] = {"Interpreter", "Compiler", "CompilerThatGuessesWrong"};
  return kNames[static_cast<int>(engine)];
}

inline std::vector<std::byte> compiled(const Program& program, const CompileOptions& options) {
  std::vector<std::byte> code(code_room(program.slots().size()));
  std::vector<CompileNote> notes(program.slots().size());
  const auto length = compile(program, code, notes, options);
  if (!length) std::abort();  // code_room is always enough
  code.resize(*length);
  return code;
}

inline Outcome run_on(Engine engine, const Program& program, Memory& memory,
                      const Arguments& arguments, std::uint64_t& steps,
                      Reads reads = Reads::Ignored) {
  if (engine == Engine::Interpreter) return run(program, memory, arguments, steps, reads);
  CompileOptions options{.reads = reads, .likely_arguments = arguments};
  if (engine == Engine::CompilerThatGuessesWrong)
    options.likely_arguments.fill(Memory::input_address(Memory::kMaxInputs - 1));
  const vcode::Executable code{compiled(program, options)};
  return CompiledProgram{program, reads, code.start()}.run(memory, arguments, steps);
}

}  // namespace xok::graft
