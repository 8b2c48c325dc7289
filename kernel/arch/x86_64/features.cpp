// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/features.hpp"

#include <algorithm>
#include <cstring>

#include "abi/exposed.hpp"
#include "kernel/arch/x86_64/kernel_env.hpp"
#include "kernel/arch/x86_64/log.hpp"
#include "kernel/arch/x86_64/memory.hpp"
#include "kernel/arch/x86_64/power.hpp"
#include "kernel/arch/x86_64/registers.hpp"

namespace xok::kernel::x86 {
namespace {

enum class Register : std::uint8_t { Eax, Ebx, Ecx, Edx };

struct Feature {
  const char* name;
  std::uint32_t leaf;
  Register where;
  unsigned bit;
};

constexpr Feature kRequired[] = {
    {"TSC", 1, Register::Edx, 4},          {"MCE", 1, Register::Edx, 7},
    {"APIC", 1, Register::Edx, 9},         {"PGE", 1, Register::Edx, 13},
    {"FXSR", 1, Register::Edx, 24},        {"SSE2", 1, Register::Edx, 26},
    {"XSAVE", 1, Register::Ecx, 26},       {"SYSCALL", 0x80000001, Register::Edx, 11},
    {"NX", 0x80000001, Register::Edx, 20}, {"FSGSBASE", 7, Register::Ebx, 0},
    {"SMEP", 7, Register::Ebx, 7},         {"SMAP", 7, Register::Ebx, 20},
};
constexpr Feature kUmip = {"UMIP", 7, Register::Ecx, 2};
constexpr Feature kTscDeadline = {"TSC-deadline", 1, Register::Ecx, 24};
constexpr Feature kRdrand = {"RDRAND", 1, Register::Ecx, 30};
constexpr Feature kSelfSnoop = {"SS", 1, Register::Edx, 27};
constexpr Feature kAvx = {"AVX", 1, Register::Ecx, 28};
constexpr Feature kAvx512 = {"AVX512F", 7, Register::Ebx, 16};

bool has(const Feature& feature) {
  if (cpuid(feature.leaf & 0x80000000).eax < feature.leaf) return false;
  const CpuidResult r = cpuid(feature.leaf);
  const std::array<std::uint32_t, 4> words = {r.eax, r.ebx, r.ecx, r.edx};
  return (words[static_cast<std::size_t>(feature.where)] >> feature.bit & 1) != 0;
}

constexpr std::uint64_t kStateX87 = 1, kStateSse = 2, kStateAvx = 4, kStateAvx512 = 7u << 5;

constexpr std::uint64_t kCr0 = 1u << 1 | 1u << 5 | 1u << 16 | 1u << 18;  // MP NE WP AM
constexpr std::uint64_t kCr0Off = 1u << 2 | 1u << 3;                     // EM TS
// PAE MCE PGE OSFXSR OSXMMEXCPT FSGSBASE OSXSAVE SMEP SMAP; UMIP when there.
constexpr std::uint64_t kCr4 =
    1u << 5 | 1u << 6 | 1u << 7 | 1u << 9 | 1u << 10 | 1u << 16 | 1u << 18 | 1u << 20 | 1u << 21;
constexpr std::uint64_t kCr4Umip = 1u << 11;
constexpr std::uint64_t kEferSyscall = 1u << 0, kEferNoExecute = 1u << 11;

constinit Features g_features{};

void enable_vectors() {
  const std::uint64_t supported = cpuid(0xd).eax;
  std::uint64_t mask = kStateX87 | kStateSse;
  if (has(kAvx) && (supported & kStateAvx) != 0) {
    mask |= kStateAvx;
    g_features.avx = true;
    // A model may list the state and, emulated, have neither instructions nor registers.
    if (has(kAvx512) && (supported & kStateAvx512) == kStateAvx512) mask |= kStateAvx512;
  }
  write_xcr0(mask);
  if (cpuid(0xd).ebx > kPageSize - KENV_VECTORS) {  // ebx: size for what XCR0 enables
    mask &= ~kStateAvx512;
    write_xcr0(mask);
  }
  g_features.avx512 = (mask & kStateAvx512) != 0;
  g_features.vector_mask = mask;
  g_features.vector_bytes = cpuid(0xd).ebx;
  if (g_features.avx && !g_features.avx512) use_vectors();
}

void set_control_registers() {
  write_cr0((read_cr0() & ~kCr0Off) | kCr0);
  write_cr4(kCr4 | (g_features.umip ? kCr4Umip : 0));
  write_msr(Msr::Efer, read_msr(Msr::Efer) | kEferSyscall | kEferNoExecute);
}

}  // namespace

const Features& features() { return g_features; }

void enable_features() {
  Line missing;
  for (const Feature& feature : kRequired)
    if (!has(feature)) missing << (missing.view().empty() ? "" : ", ") << feature.name;
  if (!missing.view().empty()) {
    log_error(Line{} << "Xok: this processor lacks what Xok needs: " << missing.view() << ".");
    stop_machine(kStopPanic);
  }

  g_features.umip = has(kUmip);
  g_features.self_snoop = has(kSelfSnoop);
  g_features.tsc_deadline = has(kTscDeadline);
  g_features.rdrand = has(kRdrand);
  constexpr std::uint64_t kX2Enabled = 1u << 10;
  g_features.x2apic = (read_msr(Msr::ApicBase) & kX2Enabled) != 0;

  set_control_registers();
  enable_vectors();
}

bool enable_features_here() {
  const bool complete = std::ranges::all_of(kRequired, has) && has(kUmip) == g_features.umip &&
                        has(kTscDeadline) == g_features.tsc_deadline &&
                        has(kAvx) == features().avx &&
                        (cpuid(0xd).eax & g_features.vector_mask) == g_features.vector_mask;
  if (!complete) return false;
  set_control_registers();
  write_xcr0(g_features.vector_mask);
  return cpuid(0xd).ebx == g_features.vector_bytes;
}

bool under_hypervisor() { return (cpuid(1).ecx & 1u << 31) != 0; }

std::array<char, 64> processor_name() {
  std::array<char, 64> raw{};
  if (cpuid(0x80000000).eax >= 0x80000004) {
    for (std::uint32_t i = 0; i < 3; i++) {
      const CpuidResult part = cpuid(0x80000002 + i);
      std::memcpy(&raw[16 * std::size_t{i}], &part, 16);
    }
  }
  std::size_t first = 0;
  while (raw[first] == ' ') first++;
  std::array<char, 64> name{};
  for (std::size_t i = 0; first + i + 1 < raw.size(); i++) name[i] = raw[first + i];
  return name;
}

}  // namespace xok::kernel::x86
