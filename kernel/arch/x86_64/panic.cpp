// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/panic.hpp"

#include <atomic>

#include "base/check.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/context.hpp"
#include "kernel/arch/x86_64/image.hpp"
#include "kernel/arch/x86_64/log.hpp"
#include "kernel/arch/x86_64/power.hpp"
#include "kernel/arch/x86_64/registers.hpp"
#include "kernel/arch/x86_64/symbols.hpp"

namespace xok::kernel::x86 {
namespace {

constexpr unsigned kMaxFrames = 32;
constexpr std::uint64_t kUserMode = 3;
constexpr std::uint32_t kNobody = ~std::uint32_t{0};

constinit std::atomic<std::uint32_t> g_panicking{kNobody};

const char* exception_name(std::uint64_t vector) {
  switch (vector) {
    case 0:
      return "divide error";
    case 2:
      return "non-maskable interrupt";
    case 3:
      return "breakpoint";
    case 6:
      return "invalid opcode";
    case 8:
      return "double fault";
    case 13:
      return "general protection";
    case 14:
      return "page fault";
    case 18:
      return "machine check";
    default:
      return "exception";
  }
}

bool in_guard_page(std::uint64_t address) {
  for (const std::uint64_t* guard = stack_guards; *guard != 0; guard++)
    if (page_floor(address) == *guard) return true;
  for (std::uint32_t n = 1; n < kMaxProcessors; n++) {
    const std::uint64_t end = processor_number(n).stacks.kernel;
    if (end != 0 && page_floor(address) == end - 9 * kPageSize) return true;
  }
  return false;
}

/// A report inside a report: stop at once. One on another processor: that one's is printed.
void enter_panic() {
  disable_interrupts();
  const std::uint32_t self = apic_id();
  std::uint32_t first = kNobody;
  if (g_panicking.compare_exchange_strong(first, self)) return;
  if (first != self) halt_forever();
  log_error("KERNEL PANIC inside a panic");
  out32(0x501, static_cast<std::uint32_t>(kStopPanic));
  halt_forever();
}

/// The processor whose kernel gs is in force; none in the entries that come before it is.
const Processor* this_processor() {
  const std::uint64_t base = read_gs_base();
  for (std::uint32_t n = 0; n < kMaxProcessors; n++) {
    const Processor& p = processor_number(n);
    if (base == reinterpret_cast<std::uint64_t>(&p.idle) ||
        (p.loaded != nullptr && base == reinterpret_cast<std::uint64_t>(p.loaded)))
      return &p;
  }
  return nullptr;
}

bool in_stack(std::uint64_t address, std::uint64_t end, std::uint64_t pages) {
  return end != 0 && address < end && address >= end - pages * kPageSize;
}

/// On a stack of a processor that did not boot: they are not in the kernel's data.
bool on_mapped_stack(std::uint64_t address) {
  for (std::uint32_t n = 1; n < kMaxProcessors; n++) {
    const Stacks& s = processor_number(n).stacks;
    if (in_stack(address, s.kernel, 8) || in_stack(address, s.nmi, 3) ||
        in_stack(address, s.double_fault, 3) || in_stack(address, s.machine_check, 3) ||
        in_stack(address, s.debug, 1))
      return true;
  }
  return false;
}

void print_address(std::uint64_t address) {
  Line line;
  line << "  " << Line::Hex{address, 16};
  if (const Symbol symbol = find_symbol(address); !symbol.name.empty())
    line << " " << symbol.name << "+0x" << Line::Hex{symbol.offset};
  log_error(line);
}

/// Frames are read only where they can be: in the kernel's data, where the first processor's stacks
/// are, and on those of the others.
bool readable_frame(std::uint64_t frame) {
  if (frame % 8 == 0 && on_mapped_stack(frame) && on_mapped_stack(frame + 15)) return true;
  const auto begin = reinterpret_cast<std::uint64_t>(data_begin);
  const auto end = reinterpret_cast<std::uint64_t>(data_end);
  return frame % 8 == 0 && frame >= begin && frame + 16 <= end && !in_guard_page(frame) &&
         !in_guard_page(frame + 8);
}

void print_backtrace(std::uint64_t rip, std::uint64_t frame) {
  log_error("backtrace:");
  print_address(rip);
  for (unsigned i = 0; i < kMaxFrames && readable_frame(frame); i++) {
    const auto* words = reinterpret_cast<const std::uint64_t*>(frame);
    const std::uint64_t next = words[0];
    if (words[1] == 0) break;
    print_address(words[1] - 1);  // inside the call, not behind it
    if (next <= frame) break;
    frame = next;
  }
}

void print_registers(const TrapFrame& f) {
  using Hex = Line::Hex;
  const auto row = [](const char* n0, std::uint64_t v0, const char* n1, std::uint64_t v1,
                      const char* n2, std::uint64_t v2, const char* n3, std::uint64_t v3) {
    log_error(Line{} << n0 << Hex{v0, 16} << n1 << Hex{v1, 16} << n2 << Hex{v2, 16} << n3
                     << Hex{v3, 16});
  };
  row("rax ", f.rax, " rbx ", f.rbx, " rcx ", f.rcx, " rdx ", f.rdx);
  row("rsi ", f.rsi, " rdi ", f.rdi, " rbp ", f.rbp, " rsp ", f.rsp);
  row("r8  ", f.r8, " r9  ", f.r9, " r10 ", f.r10, " r11 ", f.r11);
  row("r12 ", f.r12, " r13 ", f.r13, " r14 ", f.r14, " r15 ", f.r15);
  row("rip ", f.rip, " flg ", f.rflags, " cs  ", f.cs, " err ", f.error);
  row("cr0 ", read_cr0(), " cr2 ", read_cr2(), " cr3 ", read_cr3(), " cr4 ", read_cr4());
}

[[noreturn]] void end_panic() {
  const Processor* self = this_processor();
  if (self != nullptr && self->core.number != 0)
    log_error(Line{} << "on processor " << std::uint64_t{self->core.number});
  if (self != nullptr && self->core.current != kNoEnv)
    log_error(Line{} << "current environment: index " << std::uint64_t{self->core.current});
  print_kept_lines();
  out32(0x501, static_cast<std::uint32_t>(kStopPanic));
  log_error("halted");
  halt_forever();
}

void check_handler(const char* expression, const char* file, int line, std::uint64_t a,
                   std::uint64_t b) {
  enter_panic();
  log_error(Line{} << "KERNEL PANIC: check failed: " << expression << " (0x" << Line::Hex{a}
                   << ", 0x" << Line::Hex{b} << ") at " << file << ":"
                   << static_cast<std::uint64_t>(line));
  print_backtrace(reinterpret_cast<std::uint64_t>(__builtin_return_address(0)),
                  reinterpret_cast<std::uint64_t>(__builtin_frame_address(0)));
  end_panic();
}

/// Not to be a tail call, nor seen through.
[[gnu::noinline]] std::uint64_t use_stack(std::uint64_t depth) {
  volatile std::uint64_t words[64];
  words[depth % 64] = depth;
  return (depth == ~std::uint64_t{0} ? 0 : use_stack(depth + 1)) + words[depth % 64];
}

[[gnu::noinline]] void write_to_null() {
  std::uint64_t address = 8;
  asm volatile("" : "+r"(address));  // the compiler must not see where it points
  *reinterpret_cast<volatile std::uint64_t*>(address) = 1;
}

}  // namespace

void panic(const char* reason) {
  enter_panic();
  log_error(Line{} << "KERNEL PANIC: " << reason);
  print_backtrace(reinterpret_cast<std::uint64_t>(__builtin_return_address(0)),
                  reinterpret_cast<std::uint64_t>(__builtin_frame_address(0)));
  end_panic();
}

void panic_with_frame(const TrapFrame& frame) {
  constexpr std::uint64_t kDoubleFault = 8;
  constexpr std::uint64_t kPageFault = 14;
  enter_panic();
  Line line;
  line << "KERNEL PANIC: " << exception_name(frame.vector) << " (vector " << frame.vector << ")";
  if (frame.vector == kPageFault) line << " at address 0x" << Line::Hex{read_cr2()};
  if (frame.vector == kDoubleFault && in_guard_page(read_cr2())) line << ": kernel stack overflow";
  if ((frame.cs & kUserMode) != 0) line << " in user code";
  log_error(line);
  print_registers(frame);
  print_backtrace(frame.rip, frame.rbp);
  end_panic();
}

void catch_failed_checks() { set_check_handler(&check_handler); }

void panic_on_purpose() {
  write_to_null();
  panic("a write to address 8 did not fault");
}

void overflow_stack_on_purpose() { panic(use_stack(0) != 0 ? "the stack has no end" : ""); }

}  // namespace xok::kernel::x86
