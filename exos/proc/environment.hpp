// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "abi/env.hpp"
#include "base/result.hpp"

/// Making environments that run ExOS: shared regions shared, private memory copied, upcalls set.
namespace xok::exos {

enum class StageCopy : std::uint8_t { No, Yes };

struct EnvironmentRequest {
  std::uint64_t first_stack_byte;  ///< the main stack is copied from here up
  StageCopy stage;                 ///< also copy exec's prepared arguments
};

/// A new environment with our capabilities (but not the root), the shared region, ExOS' text, a
/// copy of our private data, and nothing of the program. Errors  NoMemory, NoSpace
Result<EnvId> make_environment(const EnvironmentRequest& request);

/// A slice of its own, each environment's on the next processor. It does not run yet. Errors
/// NoSpace
Result<> give_slice(EnvId env);

/// Lets it run: entry(argument0, argument1) on that stack, our fs base. On another processor it
/// runs before this returns, and may have ended: everything that it needs, or that it undoes at its
/// end, has been done before.
void start_environment(EnvId env, std::uint64_t entry, std::uint64_t argument0,
                       std::uint64_t argument1, std::uint64_t stack);

void discard_environment(EnvId env);

/// Points the upcall entries of a Uenv (ours, or a child's mapped in ours) at ExOS.
void fill_uenv(Uenv& uenv, EnvId id, std::uint64_t address);

}  // namespace xok::exos
