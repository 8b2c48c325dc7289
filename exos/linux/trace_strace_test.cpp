// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The same program once under the host's strace and once under ptrace with our printer: every line
// must be equal. Skipped where strace is not installed or tracing is not allowed.
// Ours first: the C library has macros with the names of siginfo's members.
#include "exos/linux/trace.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace xok::exos::trace {
namespace {

std::size_t read_child(void* context, std::uint64_t address, std::span<std::uint8_t> destination) {
  const pid_t child = *static_cast<pid_t*>(context);
  std::size_t done = 0;
  while (done < destination.size()) {
    const std::size_t piece =
        std::min<std::size_t>(destination.size() - done, 4096 - (address + done) % 4096);
    iovec local{destination.data() + done, piece};
    iovec remote{reinterpret_cast<void*>(address + done), piece};
    const ssize_t got = process_vm_readv(child, &local, 1, &remote, 1, 0);
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

[[noreturn]] void become(const std::vector<std::string>& command) {
  personality(ADDR_NO_RANDOMIZE);
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  close(null);
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execv(words[0], words.data());
  _exit(127);
}

/// Runs `command` and returns its calls in our words.
std::vector<std::string> trace_with_ours(const std::vector<std::string>& command) {
  pid_t child = fork();
  if (child == 0) become(command);
  std::vector<std::string> lines;
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return lines;
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  char line[kLineBytes];
  CallTrace call{{read_child, &child}, line};
  bool inside = false;
  for (long signal = 0;; signal = 0) {
    ptrace(PTRACE_SYSCALL, child, 0, signal);
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) break;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, child, 0, &registers);
    if (!inside) {
      call.begin(
          static_cast<std::uint32_t>(registers.orig_rax),
          {registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9});
    } else {
      lines.emplace_back(call.finish(static_cast<std::int64_t>(registers.rax)));
    }
    inside = !inside;
  }
  if (inside) lines.emplace_back(call.finish_without_result());
  lines.emplace_back(end_line(line, static_cast<std::uint32_t>(status)));
  return lines;
}

std::vector<std::string> trace_with_strace(const std::vector<std::string>& command) {
  const std::string file = testing::TempDir() + "xok_strace." + std::to_string(getpid());
  std::string line = "setarch -R strace -o " + file;
  for (const std::string& word : command) line += " '" + word + "'";
  if (std::system((line + " </dev/null >/dev/null 2>&1").c_str()) < 0) return {};
  std::vector<std::string> lines;
  std::ifstream in{file};
  for (std::string text; std::getline(in, text);) lines.push_back(text + "\n");
  std::remove(file.c_str());
  // The first call is the execve of strace's own child; ours begins behind it.
  if (!lines.empty()) lines.erase(lines.begin());
  return lines;
}

/// Lines that differ from run to run: process numbers and random bytes.
bool is_different_each_time(const std::string& line) {
  return line.starts_with("set_tid_address(") || line.starts_with("getrandom(");
}

/// Stack and library addresses depend on the length of the environment: strace's child and ours
/// need not agree on them.
std::string without_high_addresses(std::string line) {
  for (std::size_t at = line.find("0x7f"); at != std::string::npos;
       at = line.find("0x7f", at + 1)) {
    const std::size_t end = line.find_first_not_of("0123456789abcdef", at + 2);
    const std::size_t length = (end == std::string::npos ? line.size() : end) - at;
    if (length == 14) line.replace(at, length, "0x7f..........");
  }
  return line;
}

TEST(StraceComparison, EveryLineOfAProgramIsEqual) {
  const std::vector<std::string> command = {"/bin/ls", "-l", "/usr"};
  if (std::system("strace -V >/dev/null 2>&1") != 0) GTEST_SKIP() << "strace is not installed";
  const auto expected = trace_with_strace(command);
  if (expected.size() < 3) GTEST_SKIP() << "strace may not trace here";
  const auto ours = trace_with_ours(command);
  ASSERT_GT(ours.size(), 3u);
  for (std::size_t i = 0; i < std::min(ours.size(), expected.size()); i++) {
    if (is_different_each_time(expected[i])) continue;
    EXPECT_EQ(without_high_addresses(ours[i]), without_high_addresses(expected[i]));
  }
  EXPECT_EQ(ours.size(), expected.size());
}

}  // namespace
}  // namespace xok::exos::trace
