// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/init/job.hpp"

namespace xok::exos {
namespace {

void apply(std::string_view key, std::string_view value, Job& job) {
  if (key == "MODE") {
    job.mode = value == "batch" ? JobMode::Batch : JobMode::Shell;
    if (job.mode == JobMode::Batch) job.cheetah = false;
  } else if (key == "ARG") {
    if (job.argument_count < Job::kMaxStrings) job.arguments[job.argument_count++] = value;
  } else if (key == "ENV") {
    if (job.environment_count < Job::kMaxStrings) job.environment[job.environment_count++] = value;
  } else if (key == "DIR") {
    job.directory = value;
  } else if (key == "NET") {
    job.network = value;
  } else if (key == "TRACE") {
    job.trace = value;
  } else if (key == "CHEETAH") {
    job.cheetah = value == "1";
  } else if (key == "QUIET") {
    job.quiet = value == "1";
  }
}

}  // namespace

void parse_job(std::span<const char> bytes, Job& job) {
  std::string_view rest{bytes.data(), bytes.size()};
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return;  // not terminated: cut off
    const std::string_view line{rest.data(), end};
    rest.remove_prefix(end + 1);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    apply({line.data(), equals}, {line.data() + equals + 1, line.size() - equals - 1}, job);
  }
}

}  // namespace xok::exos
