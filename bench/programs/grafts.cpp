// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What it costs to generate code and to run grafts. "things" says what an iteration makes: so many
// instructions, or one run. "instructions" are those that a run executes, counted by single steps.
// The context's "core_mhz" turns times into cycles; it is the processor's speed now, which may be
// above the nominal one. Times are of the processor, for the machine may be busy.
#include <benchmark/benchmark.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "libs/graft/compiler.hpp"
#include "libs/graft/interpreter.hpp"
#include "libs/graft/test_code.hpp"
#include "libs/vcode/executable.hpp"

namespace {

using namespace xok;
using namespace xok::graft;

double processor_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// By a chain of multiplications that wait for each other, 3 cycles each on all processors since
/// about 2010. The fastest of several tries.
double core_mhz() {
  constexpr int kTries = 20;
  constexpr int kRounds = 200'000;
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const double start = processor_microseconds();
    std::uint64_t value = 3;
    for (int round = 0; round < kRounds; ++round)
      asm volatile("imul %0, %0\n imul %0, %0\n imul %0, %0\n imul %0, %0" : "+r"(value));
    const double passed = processor_microseconds() - start;
    if (kRounds * 12 / passed > best) best = kRounds * 12 / passed;
  }
  return best;
}

/// The instructions of `work`, run in a child that stops at each; 0 where that is not allowed.
template <class Work>
double count_instructions(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    work();  // once for what happens only the first time
    raise(SIGSTOP);
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  double steps = 0;
  for (; WIFSTOPPED(status); ++steps) {
    if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) return 0;
    waitpid(child, &status, 0);
  }
  return steps;
}

/// A mixture as compilers make it: moves, arithmetic, memory, comparisons, jumps both ways.
void generate(vcode::Assembler& a) {
  using enum vcode::Reg;
  using vcode::at;
  using vcode::Cond;
  using vcode::Size;
  for (int i = 0; i < 100; ++i) {
    vcode::Label back;
    vcode::Label forward;
    a.bind(back);
    a.mov(Size::B8, Rax, Rdi);
    a.add(Size::B8, Rax, 8);
    a.load(Size::B8, R11, at(Rax, 16));
    a.compare(Size::B8, R11, Rsi);
    a.jump_if(Cond::AboveEqual, forward);
    a.lea(R10, at(Rbx, R11, 8, 4096));
    a.alu(vcode::Op::And, Size::B4, R10, 0xffff);
    a.store(Size::B4, at(R12, R10), Rax);
    a.mov_immediate(R8, 0x123456789abcdef0);
    a.shift(vcode::Shift::Shl, Size::B8, R8, 3);
    a.bind(forward);
    a.sub(Size::B8, Rdi, 1);
    a.jump_if(Cond::NotEqual, back);
  }
}

void generate_code(benchmark::State& state) {
  std::vector<std::byte> buffer(16384);
  for (auto _ : state) {
    vcode::Assembler a{buffer};
    generate(a);
    if (!a.finish()) std::abort();
    state.counters["things"] = static_cast<double>(a.instructions());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(generate_code)->Name("generate");

/// `owns` of an indirect block: a loop over 512 pointers (samples/indirect.c, by hand).
const code::Code& owns() {
  static const code::Code kCode = [] {
    using namespace code;
    Code out = {mov(2, 0),
                mov(0, 0),
                movr(5, 1),
                alu64r(AluOp::Add, 5, 2),
                ldx(8, 5, 5, 0),
                jump(JumpOp::Jeq, 5, 0, 7),
                movr(6, 0),
                alu64(AluOp::Lsh, 6, 4),
                movr(7, 3),
                alu64r(AluOp::Add, 7, 6),
                st(8, 7, 8, 1),
                stx(8, 7, 0, 5),
                alu64(AluOp::Add, 0, 1),
                alu64(AluOp::Add, 2, 8),
                jump(JumpOp::Jne, 2, 4096, -13),
                exit()};
    return out;
  }();
  return kCode;
}

/// The same for one pointer: what one allocation is checked by.
const code::Code& owns_partition() {
  static const code::Code kCode = [] {
    using namespace code;
    Code out = {mov(0, 0),
                jump(JumpOp::Jgt, 4, 511, 8),
                alu64(AluOp::Lsh, 4, 3),
                alu64r(AluOp::Add, 1, 4),
                ldx(8, 1, 1, 0),
                jump(JumpOp::Jeq, 1, 0, 4),
                mov(2, 1),
                stx(8, 3, 8, 2),
                stx(8, 3, 0, 1),
                mov(0, 1),
                exit()};
    return out;
  }();
  return kCode;
}

void compile_graft(benchmark::State& state) {
  const code::Loaded loaded{owns()};
  std::vector<std::byte> buffer(code_room(owns().size()));
  std::vector<CompileNote> notes(owns().size());
  for (auto _ : state) {
    if (!compile(*loaded.program, buffer, notes)) std::abort();
    benchmark::ClobberMemory();
  }
  state.counters["things"] = static_cast<double>(owns().size());
}
BENCHMARK(compile_graft)->Name("compile");

/// Runs a program on a full block, compiled or not, with reads recorded as XN does.
void run_graft(benchmark::State& state, const code::Code& code, bool compiled) {
  const code::Loaded loaded{code};
  std::vector<std::byte> block(4096);
  std::vector<std::byte> map(4096);
  std::vector<std::byte> output(8192);
  for (std::uint64_t i = 0; i < 512; ++i) {
    const std::uint64_t pointer = i + 1;
    std::memcpy(&block[8 * i], &pointer, sizeof pointer);
  }
  static Memory memory;
  if (!memory.set_input(0, block, map) || !memory.set_output(output)) std::abort();
  std::vector<std::byte> buffer(code_room(code.size()));
  std::vector<CompileNote> notes(code.size());
  const auto length = compile(*loaded.program, buffer, notes, {.reads = Reads::Recorded});
  if (!length) std::abort();
  const vcode::Executable executable{std::span{buffer}.first(*length)};
  const CompiledProgram machine{*loaded.program, Reads::Recorded, executable.start()};
  const Arguments arguments = {Memory::input_address(0), 4096, Memory::kOutputAddress, 100};
  const auto once = [&] {
    std::uint64_t steps = 100'000;
    const Outcome outcome = compiled
                                ? machine.run(memory, arguments, steps)
                                : run(*loaded.program, memory, arguments, steps, Reads::Recorded);
    if (!outcome) std::abort();
  };
  // Once for each that does not take long, for a step costs two switches between processes.
  static std::map<const void*, double> counted[2];
  if (code.size() < owns().size() && !counted[compiled].contains(&code))
    counted[compiled][&code] = count_instructions(once) - count_instructions([] {});
  state.counters["instructions"] = counted[compiled][&code];
  for (auto _ : state) once();
  state.counters["things"] = 1;
}
BENCHMARK_CAPTURE(run_graft, block, owns(), true)->Name("owns-block");
BENCHMARK_CAPTURE(run_graft, block_interpreted, owns(), false)->Name("owns-block-interpreted");
BENCHMARK_CAPTURE(run_graft, partition, owns_partition(), true)->Name("owns-partition");
BENCHMARK_CAPTURE(run_graft, partition_interpreted, owns_partition(), false)
    ->Name("owns-partition-interpreted");

}  // namespace

int main(int count, char** words) {
  benchmark::Initialize(&count, words);
  benchmark::AddCustomContext("core_mhz", std::to_string(core_mhz()));
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
