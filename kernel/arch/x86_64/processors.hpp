// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "kernel/arch/x86_64/boot_info.hpp"
#include "kernel/arch/x86_64/context.hpp"
#include "kernel/core/kernel.hpp"

/// Starting the other processors, and what processors ask of one another.
///
/// The one that booted is number 0 and takes all device interrupts. The others are found in ACPI's
/// tables and started one after the other; one that does not arrive is logged and left out.
namespace xok::kernel::x86 {

/// Stacks for up to kMaxProcessors - 1 others. While memory can still be taken, before `finish`.
void prepare_processors();
/// Starts them. Each joins the kernel (Kernel::add_processor) and idles. After the kernel has been
/// initialized and processor 0 added; interrupts off.
void start_processors(Kernel& kernel, const BootInfo& boot);

// -- As the companions in Machine (kernel/core/machine.hpp has the contracts).
void flush_others(ProcessorSet processors, std::span<const std::uint64_t> addresses);
void seize_processor(std::uint32_t number, std::uint64_t table);
void kick_processor(std::uint32_t number);
/// Serves what has been asked of this processor. Whether it was seized: it must enter the kernel.
bool answer_requests();

}  // namespace xok::kernel::x86
