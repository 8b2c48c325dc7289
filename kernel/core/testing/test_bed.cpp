// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/test_bed.hpp"

#include <csetjmp>
#include <cstring>
#include <utility>

#include "kernel/core/kernel_impl.hpp"
#include "kernel/core/testing/sweep.hpp"

namespace xok::kernel {

struct CoreForTests {
  static Core& core(Kernel& kernel) { return kernel.impl().force_open(); }
};

namespace testing {
namespace {

struct SmallElf {
  std::uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  std::uint16_t type = 2, machine = 62;
  std::uint32_t version = 1;
  std::uint64_t entry = 0x20'0000, phoff = 64, shoff = 0;
  std::uint32_t flags = 0;
  std::uint16_t ehsize = 64, phentsize = 56, phnum = 2, shentsize = 0, shnum = 0, shstrndx = 0;
  struct {
    std::uint32_t type = 1, flags;
    std::uint64_t offset, vaddr, paddr = 0, filesz, memsz, align = 4096;
  } segment[2] = {{.flags = 5, .offset = 0, .vaddr = 0x20'0000, .filesz = 176, .memsz = 176},
                  {.flags = 6, .offset = 0, .vaddr = kScratch, .filesz = 0, .memsz = 4096}};
};
static_assert(sizeof(SmallElf) == 176);

}  // namespace

std::vector<std::byte> small_elf() {
  const SmallElf elf;
  std::vector<std::byte> out(sizeof elf);
  std::memcpy(out.data(), &elf, sizeof elf);
  return out;
}

TestBed::TestBed(std::size_t pages, std::uint32_t processors)
    : machine{pages}, kernel{new Kernel{machine}} {
  HeldRanks::forget_all();
  kernel->initialize(machine.tables());
  for (std::uint32_t n = 0; n < processors; n++) {
    use(n);
    active().number = n;
    kernel->add_processor(active());
  }
  use(0);
  const auto started =
      kernel->start_first_environment(small_elf(), PageNumber{FakeMachine::kFirstModulePage},
                                      FakeMachine::kModulePages * kPageSize - 100);
  if (!started.has_value())
    broken("first environment", static_cast<std::uint64_t>(started.error()));
  wake();
}

/// Runs an entry of the kernel; a machine stop comes back here.
template <class Action>
void TestBed::enter(const Action& action) {
  std::jmp_buf stop;
  machine.on_stop = &stop;
  if (setjmp(stop) == 0) {
    action();
  } else {
    HeldRanks::forget_all();
    core();  // opens the lock
  }
  machine.on_stop = nullptr;
}

std::int64_t TestBed::raw_call(std::uint64_t number,
                               const std::array<std::uint64_t, 6>& arguments) {
  static std::int64_t result;  // outlives a longjmp
  result = 0;
  if (machine.straight(*kernel, active(), number, arguments)) return 0;
  enter([&] { result = kernel->system_call(active(), number, arguments); });
  return result;
}

/// Runs `action` as a device's interrupt handler.
template <class Action>
void TestBed::serve(const Action& action) {
  const auto handler = [](void* context) { (*static_cast<const Action*>(context))(); };
  auto* const context = const_cast<void*>(static_cast<const void*>(&action));
  enter([&] { kernel->serve_device(active(), handler, context); });
}

void TestBed::timer() {
  enter([&] { kernel->timer(active()); });
}
void TestBed::wake() {
  enter([&] { kernel->wake(active()); });
}
void TestBed::fault(FaultVector vector, std::uint64_t code, std::uint64_t address) {
  enter([&] { kernel->exception(active(), vector, code, address); });
}
void TestBed::packet(std::uint32_t interface, const std::string& bytes) {
  serve([&] { kernel->packet_received(interface, std::as_bytes(std::span{bytes})); });
}
void TestBed::finish_disk(std::size_t index, Result<> outcome) {
  const DiskTransfer transfer = machine.transfers.at(index);
  machine.transfers.erase(machine.transfers.begin() + static_cast<std::ptrdiff_t>(index));
  for (const std::uint64_t page : transfer.pages) {
    if (machine.page_info(page).pins == 0) broken("DMA into a page that is not pinned", page);
    if (!transfer.write) std::memset(machine.page(PageNumber{page}), 0xd1, kPageSize);
  }
  serve([&] { kernel->disk_done(transfer.tag, outcome); });
}

void TestBed::run(EnvId id) {
  if (current() != kNoEnv && current_id() == id) return;
  call(SyscallNumber::yield, id, 0);
  if (current() != env_index(id)) broken("environment does not run", id, current());
}

void TestBed::take_kicks() {
  const std::uint32_t before = machine.here;
  for (std::uint32_t n = 0; n < kMaxProcessors; n++) {
    if (!std::exchange(machine.processors[n].kicked, false)) continue;
    use(n);
    wake();
  }
  use(before);
}

EnvId TestBed::spawn(std::uint64_t slot, bool share, std::uint64_t uenv, std::uint32_t processor) {
  const std::int64_t made =
      call(SyscallNumber::env_alloc, slot, share ? kShareAddressSpace : 0, uenv);
  if (made <= 0) broken("env_alloc", static_cast<std::uint64_t>(-made));
  const auto id = static_cast<EnvId>(made);
  const std::uint64_t target = make_target(slot, id);
  if (!share && call(SyscallNumber::pte_insert, slot, fresh_page(), kScratch, target) < 0)
    broken("pte_insert");
  Context context{};
  context.rip = 0x20'0000;
  context.rsp = 0x50'0000;
  put(kScratch + 2048, context);
  if (call(SyscallNumber::env_set_context, target, kScratch + 2048) != 0) broken("set_context");
  if (call(SyscallNumber::slice_alloc, slot, processor, kAnyPosition, id) < 0)
    broken("slice_alloc");
  return id;
}

void TestBed::poke(std::uint64_t va, std::uint64_t value) { put(va, value); }

std::uint64_t TestBed::peek(std::uint64_t va) {
  std::uint64_t value = 0;
  if (!machine.user_read(va, &value, sizeof value)) broken("peek", va);
  return value;
}

bool TestBed::readable(std::uint64_t va) {
  std::uint8_t byte = 0;
  return machine.user_read(va, &byte, 1);
}

bool TestBed::writable(std::uint64_t va) {
  std::uint8_t byte = 0;
  return machine.user_read(va, &byte, 1) && machine.user_write(va, &byte, 1);
}

void TestBed::end_all() {
  Core& all = core();
  all.translations.enter(machine.here);
  for (EnvIndex i = kMaxEnvironments - 1; i > 0; i--) {
    if (all.env(i).id == 0) continue;
    enter([&] {
      if (all.env(i).status != EnvStatus::Dead) all.end_env(active(), i, DeathReason::Killed);
    });
    all.free_slot(i);
  }
  while (all.page_tables.reap(Core::kReapBudget)) continue;
}

Core& TestBed::core() {
  Core& all = CoreForTests::core(*kernel);
  for (Cpu& each : cpus) {
    if (each.current != each.settled) all.scheduler.catch_up(each);
  }
  return all;
}

std::string TestBed::sweep() { return testing::sweep(core(), machine); }

}  // namespace testing
}  // namespace xok::kernel
