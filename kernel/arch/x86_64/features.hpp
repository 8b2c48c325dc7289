// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

namespace xok::kernel::x86 {

/// What the processor can do beyond the required set.
struct Features {
  bool umip;
  bool x2apic;  ///< and the firmware has switched it on
  bool tsc_deadline;
  bool rdrand;
  bool self_snoop;  ///< keeps cached and uncached views of one page coherent
  bool avx;
  bool avx512;
  std::uint64_t vector_mask;   ///< XCR0: the state XSAVE keeps
  std::uint32_t vector_bytes;  ///< size of its area
};

/// Checks the required features (NX, SYSCALL, FSGSBASE, SMEP, SMAP, XSAVE, FXSAVE, TSC, APIC) and
/// switches on what protects the kernel: NX, write protect, SMEP, SMAP, UMIP; and FSGSBASE, global
/// pages, XSAVE with all vector state that fits an environment's record. A missing feature is named
/// on the serial line and the machine stops.
/// Context  once, on the processor that booted
void enable_features();

/// The same for another processor: exactly what the first one has. False: it lacks something.
bool enable_features_here();

const Features& features();
/// Whether a hypervisor says it is there.
bool under_hypervisor();

/// The brand string, NUL-terminated, leading blanks removed.
std::array<char, 64> processor_name();

}  // namespace xok::kernel::x86
