// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The program behind `./exo graft`, which has checked the form of the arguments
// (tools/exo/graft.py):
//
//   exo_graft check FILE [NAME] [helper=ID]...
//   exo_graft dump FILE [NAME]
//   exo_graft run FILE [NAME] [input=FILE]... [arg=N]... [steps=N] [output-size=N] [compile=1]
//   [reads=1]
//
// Status: 0; 1 when a graft is refused, a run stops, or a file cannot be read; 2 for wrong use.
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/graft/compiler.hpp"
#include "libs/graft/interpreter.hpp"
#include "libs/graft/listing.hpp"
#include "libs/vcode/executable.hpp"
#include "tools/graft/file.hpp"

namespace xok::tools {
namespace {

using namespace graft;

struct Options {
  std::string command;
  std::string file;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::uint64_t> arguments;
  std::vector<Helper> helpers;
  std::uint64_t steps = 1'000'000;
  std::uint64_t output_size = 4096;
  bool compile = false;
  bool reads = false;
};

std::uint64_t no_helper(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
                        Memory& memory) {
  memory.refuse();  // declared for `check` only
  return 0;
}

std::uint64_t number(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 0); }

bool take_setting(Options& options, const std::string& key, const std::string& value) {
  if (key == "input") {
    options.inputs.push_back(value);
  } else if (key == "arg") {
    options.arguments.push_back(number(value));
  } else if (key == "helper") {
    options.helpers.push_back({static_cast<std::uint32_t>(number(value)), 0, no_helper});
  } else if (key == "steps") {
    options.steps = number(value);
  } else if (key == "output-size") {
    options.output_size = number(value);
  } else if (key == "compile") {
    options.compile = true;
  } else if (key == "reads") {
    options.reads = true;
  } else {
    return false;
  }
  return true;
}

std::optional<Options> parse(const std::vector<std::string>& words) {
  if (words.size() < 2) return std::nullopt;
  Options out;
  out.command = words[0];
  out.file = words[1];
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string::npos) {
      out.name = words[i];
    } else if (!take_setting(out, words[i].substr(0, equals), words[i].substr(equals + 1))) {
      return std::nullopt;
    }
  }
  return out;
}

struct Checked {
  std::vector<Program::Slot> slots;
  std::optional<Program> program;
  Refusal refusal;
};

Checked check(const NamedCode& graft, std::span<const Helper> helpers) {
  Checked out;
  out.slots.resize(graft.code.size() / sizeof(Instruction));
  const auto program = Program::from(graft.code, helpers, out.slots, &out.refusal);
  if (program) out.program = *program;
  if (!graft.problem.empty()) {
    out.refusal = {0, graft.problem.c_str()};
    out.program.reset();
  }
  return out;
}

std::vector<Instruction> instructions_of(const NamedCode& graft) {
  std::vector<Instruction> out(graft.code.size() / sizeof(Instruction));
  if (!out.empty()) std::memcpy(out.data(), graft.code.data(), out.size() * sizeof(Instruction));
  return out;
}

std::vector<std::byte> compiled(const Program& program, Reads reads) {
  std::vector<std::byte> code(code_room(program.slots().size()));
  std::vector<CompileNote> notes(program.slots().size());
  const auto length = compile(program, code, notes, {.reads = reads});
  code.resize(length.value_or(0));  // code_room is always enough
  return code;
}

// Check and dump.

bool check_one(const NamedCode& graft, const Options& options) {
  const Checked checked = check(graft, options.helpers);
  if (!checked.program) {
    std::printf("%s: refused: ", graft.name.c_str());
    if (graft.problem.empty()) std::printf("instruction %zu: ", checked.refusal.instruction);
    std::printf("%s\n", checked.refusal.reason);
    return false;
  }
  std::size_t instructions = 0;
  for (const Program::Slot& slot : checked.slots) instructions += slot.second_half ? 0 : 1;
  const Program& program = *checked.program;
  std::printf("%s: accepted: %zu instructions, %zu bytes of stack, %zu bytes of x86-64 code\n",
              graft.name.c_str(), instructions, program.stack_size() - program.first_stack_byte(),
              compiled(program, Reads::Ignored).size());
  return true;
}

void dump_one(const NamedCode& graft) {
  std::printf("%s:\n", graft.name.c_str());
  const auto code = instructions_of(graft);
  for (std::size_t at = 0; at < code.size(); at += slots_of(code, at))
    std::printf("%5zu  %s\n", at, text_of(code, at).c_str());
}

int for_each_graft(const Options& options) {
  std::vector<NamedCode> grafts;
  if (options.name.empty()) {
    grafts = grafts_of(options.file);
  } else {
    grafts.push_back(graft_of(options.file, options.name));
  }
  bool accepted = true;
  for (const NamedCode& graft : grafts) {
    if (options.command == "check") {
      accepted = check_one(graft, options) && accepted;
    } else {
      dump_one(graft);
    }
  }
  return accepted ? 0 : 1;
}

// Run.

const char* text_of(Stop stop) {
  switch (stop) {
    case Stop::OutOfSteps:
      return "out of steps";
    case Stop::BadRead:
      return "a read outside the inputs and the stack";
    case Stop::BadWrite:
      return "a write outside the output and the stack";
    case Stop::HelperFailed:
      return "a helper refused";
  }
  return "";
}

/// Bytes up to the last one that is not 0, 16 a line.
void print_output(std::span<const std::byte> output) {
  while (!output.empty() && output.back() == std::byte{0}) output = output.first(output.size() - 1);
  std::printf("output: %zu bytes%s\n", output.size(), output.empty() ? "" : ", then zeros");
  for (std::size_t at = 0; at < output.size(); ++at) {
    if (at % 16 == 0) std::printf("  %06zx", at);
    const bool last = at % 16 == 15 || at + 1 == output.size();
    std::printf(" %02x%s", std::to_integer<unsigned>(output[at]), last ? "\n" : "");
  }
}

void print_reads(std::size_t input, std::span<const std::byte> map) {
  std::printf("input %zu, bytes read:", input);
  for (std::size_t at = 0; at < map.size();) {
    std::size_t end = at;
    while (end < map.size() && map[end] == map[at]) ++end;
    if (map[at] != std::byte{0}) std::printf(" %zu-%zu", at, end - 1);
    at = end;
  }
  std::printf("\n");
}

/// With an input: r1 its address, r2 its length, r3 the output's address, then what was given.
Arguments arguments_of(const Options& options, std::size_t first_input_size) {
  std::vector<std::uint64_t> all;
  if (!options.inputs.empty())
    all = {Memory::input_address(0), first_input_size, Memory::kOutputAddress};
  all.insert(all.end(), options.arguments.begin(), options.arguments.end());
  Arguments out{};
  for (std::size_t i = 0; i < out.size() && i < all.size(); ++i) out[i] = all[i];
  return out;
}

int run(const Options& options) {
  const NamedCode graft = graft_of(options.file, options.name);
  const Checked checked = check(graft, {});
  if (!checked.program) give_up(graft.name, std::string{"refused: "} + checked.refusal.reason);

  static Memory memory;
  std::vector<std::vector<std::byte>> inputs;
  std::vector<std::vector<std::byte>> maps;
  for (const std::string& path : options.inputs) {
    inputs.push_back(read_file(path));
    maps.emplace_back(inputs.back().size());
    if (!memory.set_input(inputs.size() - 1, inputs.back(), maps.back()))
      give_up(path, "too long for an input");
  }
  std::vector<std::byte> output(options.output_size);
  if (!memory.set_output(output)) give_up(options.file, "too much output");

  const Arguments arguments = arguments_of(options, inputs.empty() ? 0 : inputs[0].size());
  const Reads reads = options.reads ? Reads::Recorded : Reads::Ignored;
  std::uint64_t steps = options.steps;
  Outcome outcome;
  if (options.compile) {
    const vcode::Executable code{compiled(*checked.program, reads)};
    outcome = CompiledProgram{*checked.program, reads, code.start()}.run(memory, arguments, steps);
  } else {
    outcome = graft::run(*checked.program, memory, arguments, steps, reads);
  }

  if (outcome) std::printf("result: %" PRIu64 " (0x%" PRIx64 ")\n", *outcome, *outcome);
  std::printf("steps: %" PRIu64 "\n", options.steps - steps);
  for (std::size_t i = 0; options.reads && i < maps.size(); ++i) print_reads(i, maps[i]);
  if (!outcome) give_up(graft.name, std::string{"stopped: "} + text_of(outcome.error()));
  print_output(output);
  return 0;
}

}  // namespace
}  // namespace xok::tools

int main(int count, char** words) {
  const auto options = xok::tools::parse({words + 1, words + count});
  if (options && options->command == "run") return xok::tools::run(*options);
  if (options && (options->command == "check" || options->command == "dump"))
    return xok::tools::for_each_graft(*options);
  std::fputs("exo: wrong use of exo_graft; it belongs to ./exo graft\n", stderr);
  return 2;
}
