// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/descriptors.hpp"

#include <array>
#include <cstddef>

#include "kernel/arch/x86_64/context.hpp"
#include "kernel/arch/x86_64/image.hpp"
#include "kernel/arch/x86_64/layout.h"
#include "kernel/arch/x86_64/registers.hpp"

// Formats: Intel SDM volume 3, sections 3.4.5, 6.14, 7.7.
extern "C" {
void syscall_entry();
void divide_error();
void debug_exception();
void nmi();
void breakpoint();
void overflow_exception();
void bound_range();
void invalid_opcode();
void device_not_available();
void double_fault();
void invalid_tss();
void segment_not_present();
void stack_fault();
void general_protection();
void page_fault();
void x87_error();
void alignment_check();
void machine_check();
void simd_error();
void unexpected_exception();
extern char interrupt_stubs[];
}

namespace xok::kernel::x86 {
namespace {

struct Gate {
  std::uint16_t offset_low;
  std::uint16_t selector;
  std::uint8_t stack;  ///< IST number, 0 = the processor's stack
  std::uint8_t type;
  std::uint16_t offset_middle;
  std::uint32_t offset_high;
  std::uint32_t reserved;
};
static_assert(sizeof(Gate) == 16);

struct [[gnu::packed]] TablePointer {
  std::uint16_t limit;
  std::uint64_t base;
};

enum Stack : std::uint8_t { kNone = 0, kNmi = 1, kDoubleFault = 2, kMachineCheck = 3, kDebug = 4 };
constexpr std::uint8_t kKernelGate = 0x8e;  // interrupt gate: enters with interrupts off
constexpr std::uint8_t kUserGate = 0xee;    // also for `int3` and `into` in user code
constexpr std::size_t kStubSize = 16;

struct Vector {
  unsigned number;
  void (*entry)();
  Stack stack = kNone;
  std::uint8_t type = kKernelGate;
};

constexpr Vector kExceptions[] = {
    {0, divide_error},
    {1, debug_exception, kDebug},
    {2, nmi, kNmi},
    {3, breakpoint, kNone, kUserGate},
    {4, overflow_exception, kNone, kUserGate},
    {5, bound_range},
    {6, invalid_opcode},
    {7, device_not_available},
    {8, double_fault, kDoubleFault},
    {10, invalid_tss},
    {11, segment_not_present},
    {12, stack_fault},
    {13, general_protection},
    {14, page_fault},
    {16, x87_error},
    {17, alignment_check},
    {18, machine_check, kMachineCheck},
    {19, simd_error},
};

alignas(16) constinit std::array<Gate, 256> g_gates{};

std::uint64_t address_of(const void* object) { return reinterpret_cast<std::uint64_t>(object); }

void set_gate(unsigned number, std::uint64_t entry, Stack stack, std::uint8_t type) {
  g_gates[number] = {static_cast<std::uint16_t>(entry),
                     KERNEL_CODE,
                     stack,
                     type,
                     static_cast<std::uint16_t>(entry >> 16),
                     static_cast<std::uint32_t>(entry >> 32),
                     0};
}

void fill_task_segment(Processor& processor) {
  TaskSegment& task = processor.task;
  task = {};
  task.rsp0 = processor.stacks.kernel;
  task.ist[kNmi - 1] = processor.stacks.nmi;
  task.ist[kDoubleFault - 1] = processor.stacks.double_fault;
  task.ist[kMachineCheck - 1] = processor.stacks.machine_check;
  task.ist[kDebug - 1] = processor.stacks.debug;
  task.io_map = sizeof(TaskSegment);
}

void fill_segments(Processor& processor) {
  const std::uint64_t task = address_of(&processor.task);
  std::array<std::uint64_t, 8>& segments = processor.segments;
  segments[KERNEL_CODE / 8] = 0x00af9a000000ffff;
  segments[KERNEL_DATA / 8] = 0x00cf92000000ffff;
  segments[USER_DATA / 8] = 0x00cff2000000ffff;
  segments[USER_CODE / 8] = 0x00affa000000ffff;
  segments[TASK_SEGMENT / 8] = (sizeof(TaskSegment) - 1) | (task & 0xffffff) << 16 |
                               std::uint64_t{0x89} << 40 | (task >> 24 & 0xff) << 56;
  segments[TASK_SEGMENT / 8 + 1] = task >> 32;
}

/// The record that gs points to while no environment is loaded.
void fill_idle_record(Processor& processor) {
  KernelEnv& idle = processor.idle;
  idle.self = &idle;
  idle.stack_top = processor.stacks.kernel;
  idle.cpu = &processor.core;
  write_gs_base(address_of(&idle));
}

void load_segments(const Processor& processor) {
  const TablePointer pointer{sizeof processor.segments - 1, address_of(processor.segments.data())};
  asm volatile(
      "lgdt %0\n\t"
      "pushq %1\n\t"
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "lretq\n"
      "1:\n\t"
      "xorl %%eax, %%eax\n\t"
      "movl %%eax, %%ds\n\t"
      "movl %%eax, %%es\n\t"
      "movl %%eax, %%fs\n\t"
      "movl %%eax, %%gs\n\t"
      "movl %2, %%eax\n\t"
      "movl %%eax, %%ss\n\t"
      "lldt %w3\n\t"
      "ltr %w4"
      :
      : "m"(pointer), "i"(KERNEL_CODE), "i"(KERNEL_DATA), "r"(0), "r"(TASK_SEGMENT)
      : "rax", "memory");
}

void fill_gates() {
  for (unsigned i = 0; i < 32; i++)
    set_gate(i, reinterpret_cast<std::uint64_t>(&unexpected_exception), kNone, kKernelGate);
  for (const Vector& v : kExceptions)
    set_gate(v.number, reinterpret_cast<std::uint64_t>(v.entry), v.stack, v.type);
  for (unsigned i = 32; i < 256; i++)
    set_gate(i, address_of(interrupt_stubs) + kStubSize * (i - 32), kNone, kKernelGate);
}

void load_gates() {
  const TablePointer pointer{sizeof(g_gates) - 1, address_of(g_gates.data())};
  asm volatile("lidt %0" : : "m"(pointer));
}

void enable_system_calls() {
  // What `syscall` clears in rflags: RF AC NT IOPL DF IF TF.
  constexpr std::uint64_t kCleared =
      1u << 16 | 1u << 18 | 1u << 14 | 3u << 12 | 1u << 10 | 1u << 9 | 1u << 8;
  write_msr(Msr::Star, std::uint64_t{SYSRET_BASE | 3} << 48 | std::uint64_t{KERNEL_CODE} << 32);
  write_msr(Msr::LongStar, reinterpret_cast<std::uint64_t>(&syscall_entry));
  write_msr(Msr::SyscallMask, kCleared);
  write_msr(Msr::SysenterCs, 0);  // sysenter faults
}

}  // namespace

void install_descriptors(Processor& processor) {
  fill_task_segment(processor);
  fill_segments(processor);
  load_segments(processor);
  fill_idle_record(processor);
  if (processor.core.number == 0) fill_gates();  // all have the same
  load_gates();
  enable_system_calls();
}

}  // namespace xok::kernel::x86
