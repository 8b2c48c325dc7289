// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// What this boot is for: the bundle's part "job" (docs/formats/boot.md). Pure.
namespace xok::exos {

enum class JobMode : std::uint8_t { Shell, Batch };

struct Job {
  static constexpr std::size_t kMaxStrings = 256;

  JobMode mode = JobMode::Shell;
  std::array<std::string_view, kMaxStrings> arguments;
  std::size_t argument_count = 0;
  std::array<std::string_view, kMaxStrings> environment;
  std::size_t environment_count = 0;
  std::string_view directory = "/";
  std::string_view network = "dhcp";
  std::string_view trace;
  bool cheetah = true;
  bool quiet = false;
};

/// Reads the strings KEY=VALUE; unknown keys and strings beyond the limits are left out. Values
/// point into `bytes`, each ends with a NUL there. An empty job is an interactive shell.
void parse_job(std::span<const char> bytes, Job& job);

}  // namespace xok::exos
