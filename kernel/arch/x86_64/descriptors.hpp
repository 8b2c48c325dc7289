// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

namespace xok::kernel::x86 {

struct Processor;

/// Where the hardware finds the stacks. Source: Intel SDM volume 3, section 7.7.
struct [[gnu::packed]] TaskSegment {
  std::uint32_t reserved0;
  std::uint64_t rsp0, rsp1, rsp2;
  std::uint64_t reserved1;
  std::array<std::uint64_t, 7> ist;
  std::uint64_t reserved2;
  std::uint16_t reserved3;
  std::uint16_t io_map;  ///< past the end: no ports for user code
};
static_assert(sizeof(TaskSegment) == 104);

/// Segments, the task segment with its stacks, the interrupt table, the system-call registers and
/// gs of this processor. After it every exception is caught.
/// Context  once on each processor, with features on (features.hpp)
void install_descriptors(Processor& processor);

}  // namespace xok::kernel::x86
