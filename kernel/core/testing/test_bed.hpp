// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "abi/syscalls.hpp"
#include "abi/wakeup.hpp"
#include "kernel/core/core.hpp"
#include "kernel/core/kernel.hpp"
#include "kernel/core/testing/fake_machine.hpp"

namespace xok::kernel::testing {

/// Where the first environment of a bed has a scratch page, writable and readable.
inline constexpr std::uint64_t kScratch = 0x40'0000;

/// A little ELF file: one page of code at 0x400000's neighbour, one writable page at kScratch.
std::vector<std::byte> small_elf();

/// A kernel on a fake machine, with the first environment running. Calls are made as whichever
/// environment is current; its memory is reached as its program would reach it.
class TestBed {
 public:
  explicit TestBed(std::size_t pages = 200, std::uint32_t processors = 1);
  TestBed(const TestBed&) = delete;
  TestBed& operator=(const TestBed&) = delete;

  /// What follows happens on that processor.
  void use(std::uint32_t processor) { machine.here = processor; }
  Cpu& active() { return cpus[machine.here]; }

  /// A call of the current environment. What a switched-away caller would see is not known here.
  template <class... Words>
  std::int64_t call(SyscallNumber number, Words... words) {
    return raw_call(static_cast<std::uint64_t>(number), {static_cast<std::uint64_t>(words)...});
  }
  std::int64_t raw_call(std::uint64_t number, const std::array<std::uint64_t, 6>& arguments);
  void timer();
  void wake();
  void fault(FaultVector vector, std::uint64_t error = 0, std::uint64_t address = 0);
  void packet(std::uint32_t interface, const std::string& bytes);
  void finish_disk(std::size_t index, Result<> outcome = {});

  /// Makes `env` current by a directed yield; it must be able to run.
  void run(EnvId env);
  EnvIndex current() { return active().current; }
  EnvId current_id() { return machine.tables().envs[current()].id; }
  Env& env(EnvId id) { return machine.tables().envs[env_index(id)]; }
  Env& self() { return machine.tables().envs[current()]; }

  /// A new environment made by the current one with its `slot`: a Uenv at `uenv`, its context set,
  /// Runnable, one page of its own at kScratch (with the same slot), one slice of `processor`.
  EnvId spawn(std::uint64_t slot = 0, bool share = false, std::uint64_t uenv = 0x7000'0000,
              std::uint32_t processor = 0);
  /// The interrupts that Machine::kick sent and nobody has taken yet.
  void take_kicks();

  /// Stores / loads at a user address of the current environment; aborts if it faults.
  void poke(std::uint64_t va, std::uint64_t value);
  std::uint64_t peek(std::uint64_t va);
  template <class T>
  void put(std::uint64_t va, const T& value) {
    if (!machine.user_write(va, &value, sizeof value)) broken("put", va);
  }
  /// Whether a load of the current environment would fault.
  bool readable(std::uint64_t va);
  bool writable(std::uint64_t va);

  /// Ends every environment, the first one last, and takes all their page tables down.
  void end_all();

  /// What the kernel knows, as its next entry would find it.
  Core& core();
  /// Re-derives everything; the empty string, or the first thing that is wrong.
  std::string sweep();

  FakeMachine machine;
  std::unique_ptr<Kernel> kernel;
  std::array<Cpu, kMaxProcessors> cpus;
  Cpu& cpu = cpus[0];

 private:
  template <class Action>
  void serve(const Action& action);
  template <class Action>
  void enter(const Action& action);
};

/// The words of calls, spelled shortly.
constexpr std::uint64_t fresh_page(bool writable = true) {
  return kPtePresent | (writable ? kPteWritable : 0);
}
constexpr std::uint64_t this_page(std::uint64_t page, bool writable = true) {
  return page << kPageShift | fresh_page(writable);
}
constexpr std::int64_t error(Errc e) { return -static_cast<std::int64_t>(e); }

}  // namespace xok::kernel::testing
