// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "libs/graft/memory.hpp"
#include "libs/graft/program.hpp"

namespace xok::graft {

/// Runs a program by interpretation.
///
/// memory     what it may read and write
/// arguments  r1 to r5
/// steps      in: the most steps it may take; out: what is left of them. An instruction is a step
///            (lddw too), a helper's call costs what the helper says beside. A basic block is
///            charged as a whole when it is entered; a run stopped by OutOfSteps leaves 0
/// reads      whether the inputs' read maps are written; Ignored costs nothing
/// Returns    r0
/// Errors     see Stop
/// Cost       at most `steps` instructions, each some 5 to 20 of the processor's
Outcome run(const Program& program, Memory& memory, const Arguments& arguments,
            std::uint64_t& steps, Reads reads = Reads::Ignored);

}  // namespace xok::graft
