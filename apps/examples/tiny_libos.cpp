// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A library OS in 100 lines; docs/tutorial.md explains it step by step.
#include <string_view>

#include "abi/errors.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/registers.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"

namespace {

using namespace xok;

constexpr std::uint64_t kOwn = 0;            // the slot of a process' own capability
constexpr std::uint64_t kImage = 0x40'0000;  // this program (apps/bare.ld)
constexpr std::uint64_t kHeap = 0x100'0000'0000;
constexpr std::uint64_t kHeapEnd = 0x180'0000'0000;
constexpr std::uint64_t kStack = 0x200'0000'0000;
constexpr std::uint64_t kFaultStack = 0x201'0000'0000;
constexpr std::uint64_t kData = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;

constinit EnvId g_env[4];
constinit std::string_view g_end[4];

void print(std::string_view text) {
  sys::console_write(kOwn, 0, reinterpret_cast<std::uint64_t>(text.data()), text.size());
}

std::uint64_t& my_number() { return rt::self().library[rt::kFirstFreeWord]; }

[[noreturn]] void exit_process(std::string_view end) {
  g_end[my_number()] = end;
  for (;;) sys::env_free(kSelf);
}

void begin(std::uint64_t number) {
  auto& uenv = *reinterpret_cast<Uenv*>(kInitUenvAddress);
  uenv.library[rt::kSelfWord] = kInitUenvAddress;
  rt::set_gs_base(kInitUenvAddress);
  my_number() = number;
  sys::pte_insert(kOwn, kData, kFaultStack, kSelf);
  uenv.fault_stack = kFaultStack + kPageSize;
  uenv.fault_entry = reinterpret_cast<std::uint64_t>(&rt::rt_fault_entry);
}

[[noreturn]] void work(std::uint64_t number) {
  begin(number);
  std::uint64_t sum = 0;
  for (std::uint64_t va = kHeap; va < kHeap + 8 * kPageSize; va += kPageSize) {
    auto& word = *reinterpret_cast<volatile std::uint64_t*>(va);
    word = word + number;  // a page that was not there
    sys::yield(kSelf, 0);  // the others write to the same address now
    sum += word;
  }
  const std::uint64_t loot = rt::env_record(g_env[0]).uenv_page << kPageShift | kData;
  const std::int64_t stolen = number == 2 ? sys::pte_insert(kOwn, loot, kHeapEnd, kSelf) : 0;
  if (stolen == -static_cast<std::int64_t>(Errc::Denied)) exit_process("was refused");
  if (number == 3) *reinterpret_cast<volatile std::uint64_t*>(kHeapEnd) = 1;
  exit_process(sum == 8 * number ? "is right" : "is wrong");
}

void spawn(std::uint64_t number) {
  const Capability lesser = Capability::make({static_cast<std::uint8_t>(number)});
  sys::cap_forge(kOwn, number, lesser.bits(), kSelf);
  g_env[number] = static_cast<EnvId>(sys::env_alloc(number, 0, kInitUenvAddress));
  const std::uint64_t target = make_target(kOwn, g_env[number]);
  sys::table_share(kImage, 1, kSelf, target);
  sys::pte_insert(number, kData, kStack, target);
  Context context{};
  context.rip = reinterpret_cast<std::uint64_t>(&work);
  context.rdi = number;
  context.rsp = kStack + kPageSize - 8;
  sys::env_set_context(target, reinterpret_cast<std::uint64_t>(&context));
  sys::slice_alloc(kOwn, 0, kAnyPosition, g_env[number]);
}

bool is_alive(std::uint64_t number) {
  const volatile Env& record = rt::env_record(g_env[number]);
  return record.id == g_env[number] && record.status != EnvStatus::Dead;
}

void wait_for(std::uint64_t number) {
  while (is_alive(number)) {
    rt::WaitSet wait;
    wait.watch(system_info().deaths);
    if (is_alive(number)) wait.sleep();
  }
}

}  // namespace

extern "C" void xok::rt::rt_fault(Registers* /*registers*/) {
  const std::uint64_t va = page_floor(self().fault.address);
  const bool ours = va >= kHeap && va < kHeapEnd;
  if (!ours || sys::pte_insert(kOwn, kData, va, kSelf) < 0) exit_process("was killed");
}

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  begin(0);
  g_env[0] = rt::env_record(1).id;  // the first environment has index 1
  for (std::uint64_t i = 1; i < 4; i++) spawn(i);
  for (std::uint64_t i = 1; i < 4; i++) {
    wait_for(i);
    print("process ");
    print(std::string_view{"123"}.substr(i - 1, 1));
    print(" ");
    print(g_end[i]);
    print("\n");
  }
  sys::machine_stop(kOwn, kStopClean);
  for (;;) sys::yield(kSelf, 0);
}
