// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Any bytes as a program, as choices for a random program, or as an object file. Properties: what
// import accepts always ends, touches nothing outside its regions, and gives the same result,
// steps, output and read maps by interpreter, by compiled code and by the reference; a compiler
// without room says so and writes nothing beyond; any file is safe to open.
#include <cstdlib>
#include <cstring>

#include "libs/graft/differential.hpp"
#include "libs/graft/listing.hpp"
#include "libs/graft/object_file.hpp"

namespace {

using namespace xok;
using namespace xok::graft;

struct Input {
  std::span<const std::uint8_t> left;

  std::uint32_t pick(std::uint32_t n) {
    std::uint32_t value = 0;
    for (std::uint32_t range = n - 1; range != 0 && !left.empty(); range >>= 8) {
      value = value << 8 | left.front();
      left = left.subspan(1);
    }
    return value % n;
  }
};

void require(bool condition) {
  if (!condition) std::abort();
}

void run_everywhere(std::span<const Instruction> code, Input& input) {
  std::vector<Program::Slot> slots(code.size());
  Refusal refusal;
  const auto bytes = std::as_bytes(code);
  const auto program = Program::from(bytes, kDifferentialHelpers, slots, &refusal);
  for (std::size_t at = 0; at < code.size(); at += slots_of(code, at)) text_of(code, at);
  if (!program) {
    require(refusal.reason[0] != '\0' && refusal.instruction <= code.size());
    return;
  }
  const Pick pick = [&](std::uint32_t n) { return input.pick(n); };
  const World world{pick};
  const std::string wrong = differences(*program, bytes, world);
  if (!wrong.empty()) {
    for (std::size_t at = 0; at < code.size(); at += slots_of(code, at))
      std::fprintf(stderr, "%5zu  %s\n", at, text_of(code, at).c_str());
    std::fprintf(stderr, "%s\n", wrong.c_str());
    std::abort();
  }
  std::vector<std::byte> room(pick(1024));  // its end is AddressSanitizer's
  std::vector<CompileNote> notes(code.size());
  const auto length = compile(*program, room, notes);
  require(length ? *length <= room.size() : length.error() == Errc::NoSpace);
}

void open(std::span<const std::uint8_t> bytes) {
  const auto object = ObjectFile::open(std::as_bytes(bytes));
  if (!object) return;
  const auto each = object->for_each([&](const ObjectFile::Graft& graft) {
    const auto found = object->find(graft.name);
    if (found && !found->code.empty()) require(found->code.data() >= std::as_bytes(bytes).data());
  });
  require(each || each.error() == Errc::BadFormat);
  (void)object->find("");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Input input{{data + 1, size - 1}};
  if (data[0] % 4 == 0) {
    open(input.left);
  } else if (data[0] % 4 == 1) {
    std::vector<Instruction> code(input.pick(64));
    const std::size_t bytes = std::min(code.size() * sizeof(Instruction), input.left.size());
    if (bytes != 0) std::memcpy(code.data(), input.left.data(), bytes);
    input.left = input.left.subspan(bytes);
    run_everywhere(code, input);
  } else {
    const code::Code code = RandomProgram{[&](std::uint32_t n) { return input.pick(n); }}.make();
    run_everywhere(code, input);
  }
  return 0;
}
