// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

/// The processor's own instructions, one function each. Source: Intel SDM volume 2.
namespace xok::kernel::x86 {

inline void out8(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
inline void out16(std::uint16_t port, std::uint16_t value) {
  asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
inline void out32(std::uint16_t port, std::uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
inline std::uint8_t in8(std::uint16_t port) {
  std::uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
inline std::uint16_t in16(std::uint16_t port) {
  std::uint16_t value;
  asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
inline std::uint32_t in32(std::uint16_t port) {
  std::uint32_t value;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

struct CpuidResult {
  std::uint32_t eax, ebx, ecx, edx;
};
inline CpuidResult cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  CpuidResult r{};
  asm volatile("cpuid"
               : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
               : "a"(leaf), "c"(subleaf));
  return r;
}

/// Model-specific registers this kernel uses.
enum class Msr : std::uint32_t {
  ApicBase = 0x1b,
  TscDeadline = 0x6e0,
  SysenterCs = 0x174,
  PageAttributes = 0x277,
  X2ApicFirst = 0x800,
  Efer = 0xc0000080,
  Star = 0xc0000081,
  LongStar = 0xc0000082,
  CompatStar = 0xc0000083,
  SyscallMask = 0xc0000084,
  KernelGsBase = 0xc0000102,
};
inline std::uint64_t read_msr(Msr msr) {
  std::uint32_t low;
  std::uint32_t high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(static_cast<std::uint32_t>(msr)));
  return std::uint64_t{high} << 32 | low;
}
inline void write_msr(Msr msr, std::uint64_t value) {
  asm volatile("wrmsr"
               :
               : "c"(static_cast<std::uint32_t>(msr)), "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32))
               : "memory");
}

inline std::uint64_t read_tsc() {
  std::uint32_t low;
  std::uint32_t high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return std::uint64_t{high} << 32 | low;
}

inline std::uint64_t read_cr0() {
  std::uint64_t value;
  asm volatile("movq %%cr0, %0" : "=r"(value));
  return value;
}
inline void write_cr0(std::uint64_t value) { asm volatile("movq %0, %%cr0" : : "r"(value)); }
inline std::uint64_t read_cr2() {
  std::uint64_t value;
  asm volatile("movq %%cr2, %0" : "=r"(value));
  return value;
}
inline std::uint64_t read_cr3() {
  std::uint64_t value;
  asm volatile("movq %%cr3, %0" : "=r"(value));
  return value;
}
inline void write_cr3(std::uint64_t value) {
  asm volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}
inline std::uint64_t read_cr4() {
  std::uint64_t value;
  asm volatile("movq %%cr4, %0" : "=r"(value));
  return value;
}
inline void write_cr4(std::uint64_t value) {
  asm volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}
inline void write_xcr0(std::uint64_t value) {
  asm volatile("xsetbv"
               :
               : "c"(0), "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32)));
}
inline void invalidate_page(std::uint64_t address) {
  asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

inline std::uint64_t read_fs_base() {
  std::uint64_t value;
  asm volatile("rdfsbase %0" : "=r"(value));
  return value;
}
inline void write_fs_base(std::uint64_t value) { asm volatile("wrfsbase %0" : : "r"(value)); }
inline std::uint64_t read_gs_base() {
  std::uint64_t value;
  asm volatile("rdgsbase %0" : "=r"(value));
  return value;
}
inline void write_gs_base(std::uint64_t value) {
  asm volatile("wrgsbase %0" : : "r"(value) : "memory");
}
/// The user's gs base while the kernel's is in force: cheaper than its MSR.
inline std::uint64_t read_user_gs_base() {
  std::uint64_t value;
  asm volatile("swapgs\n\trdgsbase %0\n\tswapgs" : "=r"(value) : : "memory");
  return value;
}
inline void write_user_gs_base(std::uint64_t value) {
  asm volatile("swapgs\n\twrgsbase %0\n\tswapgs" : : "r"(value) : "memory");
}

inline void disable_interrupts() { asm volatile("cli" : : : "memory"); }
/// Waits for an interrupt with none lost in between, takes it, and turns interrupts off again.
inline void wait_for_interrupt() { asm volatile("sti\n\thlt\n\tcli" : : : "memory"); }
inline void relax() { asm volatile("pause"); }
[[noreturn]] inline void halt_forever() {
  for (;;) asm volatile("cli\n\thlt");
}

}  // namespace xok::kernel::x86
