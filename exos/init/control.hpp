// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <string_view>

#include "exos/proc/proc.hpp"

/// The control port: lines to and from the host (docs/formats/boot.md).
namespace xok::exos {

inline constexpr std::uint32_t kTerminalPort = 1;
inline constexpr std::uint32_t kInputPort = 2;
inline constexpr std::uint32_t kOutputPort = 3;
inline constexpr std::uint32_t kErrorPort = 4;
inline constexpr std::uint32_t kControlPort = 5;
inline constexpr std::uint32_t kTracePort = 6;

bool port_present(std::uint32_t port);

/// Sends a line; nothing without a control port.
void send_control(std::string_view word, std::string_view rest = {});
void send_exit_status(std::uint32_t wait_status);

/// Carries out the lines that have arrived. `job`: the process group that "signal" is for when
/// there is no foreground group.
void pump_control(Pid job);

}  // namespace xok::exos
