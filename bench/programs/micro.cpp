// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The operations that `./exo bench` counts, as an ordinary static Linux program: the same binary
// runs on Xok/ExOS and on Linux.
//
//   micro NAME...     runs the named tests
//
// For each test it prints "BENCH name operations repetitions" and passes kRepetitions pairs of
// markers, in the same order; the driver (bench/measure) joins the two. "BENCH-FAILED name why"
// stands for a test that the system cannot run. Each repetition is preceded by none of its own
// printing, so that the console is not part of what is counted.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <initializer_list>

#include "marks.hpp"

namespace {

constexpr int kRepetitions = 11;
constexpr std::size_t kPageBytes = 4096;
const char* self = nullptr;

/// True when every call of a test did what it must; a failing test is reported, not measured.
bool all_ok = true;
void must(bool ok) { all_ok = all_ok && ok; }

void null_call(int count) {
  for (int i = 0; i < count; i++) must(syscall(SYS_getppid) >= 0);
}

/// Touches fresh pages; mapping and unmapping 1024 at a time is part of the price.
void page_fault(int count) {
  constexpr std::size_t kBatch = 1024;
  for (std::size_t left = static_cast<std::size_t>(count); left > 0;) {
    const std::size_t pages = left < kBatch ? left : kBatch;
    void* memory = mmap(nullptr, pages * kPageBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(memory != MAP_FAILED);
    if (!all_ok) return;
    madvise(memory, pages * kPageBytes, MADV_NOHUGEPAGE);
    auto* bytes = static_cast<volatile char*>(memory);
    for (std::size_t page = 0; page < pages; page++) bytes[page * kPageBytes] = 1;
    must(munmap(memory, pages * kPageBytes) == 0);
    left -= pages;
  }
}

volatile int handled = 0;

void skip_instruction(int /*signal*/, siginfo_t* /*info*/, void* context) {
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += 2;
  handled = handled + 1;
}

/// A write to a read-only page, a handler that steps over the two-byte instruction, and back.
void fault_handler(int count) {
  struct sigaction action{};
  struct sigaction old{};
  action.sa_sigaction = skip_instruction;
  action.sa_flags = SA_SIGINFO;
  must(sigaction(SIGSEGV, &action, &old) == 0);
  void* page = mmap(nullptr, kPageBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(page != MAP_FAILED);
  if (!all_ok) return;
  handled = 0;
  for (int i = 0; i < count; i++) {
    __asm__ volatile("movb %%al, (%%rbx)" ::"b"(page), "a"(i) : "memory");
  }
  must(handled == count);
  munmap(page, kPageBytes);
  sigaction(SIGSEGV, &old, nullptr);
}

void wait_for(pid_t child) {
  int status = -1;
  must(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

void fork_exit_wait(int count) {
  for (int i = 0; i < count && all_ok; i++) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    wait_for(child);
  }
}

void fork_exec_wait(int count) {
  for (int i = 0; i < count && all_ok; i++) {
    const pid_t child = fork();
    if (child == 0) {
      execl(self, self, "--exit", static_cast<char*>(nullptr));
      _exit(1);
    }
    wait_for(child);
  }
}

void bounce(int count, int in, int out, bool first) {
  char byte = 1;
  for (int i = 0; i < count; i++) {
    if (first) must(write(out, &byte, 1) == 1);
    must(read(in, &byte, 1) == 1);
    if (!first) must(write(out, &byte, 1) == 1);
    if (!all_ok) return;
  }
}

/// One byte to another process and back. Starting and collecting that process is a small share.
void pipe_round_trip(int count) {
  int there[2];
  int back[2];
  must(pipe(there) == 0 && pipe(back) == 0);
  if (!all_ok) return;
  const pid_t child = fork();
  if (child == 0) {
    bounce(count, there[0], back[1], false);
    _exit(all_ok ? 0 : 1);
  }
  bounce(count, back[0], there[1], true);
  wait_for(child);
  for (int fd : {there[0], there[1], back[0], back[1]}) close(fd);
}

/// A small file made, written, read and removed.
void file_operations(int count) {
  constexpr const char* kPath = "/tmp/bench-file";
  char bytes[1024] = {};
  for (int i = 0; i < count && all_ok; i++) {
    const int out = open(kPath, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    must(out >= 0 && write(out, bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes));
    must(close(out) == 0);
    const int in = open(kPath, O_RDONLY);
    must(in >= 0 && read(in, bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes));
    must(close(in) == 0 && unlink(kPath) == 0);
  }
}

struct Test {
  const char* name;
  void (*run)(int count);
  int operations;
  std::size_t ballast_mib;  ///< written memory that the process has besides, in pages of 4 KiB
};

constexpr Test kTests[] = {
    {"null_call", null_call, 20000, 0},        {"page_fault", page_fault, 4096, 0},
    {"fault_handler", fault_handler, 2000, 0}, {"fork_exit_wait", fork_exit_wait, 50, 0},
    {"fork_exec_wait", fork_exec_wait, 25, 0}, {"pipe_round_trip", pipe_round_trip, 1000, 0},
    {"fork_1_mib", fork_exit_wait, 50, 1},     {"fork_16_mib", fork_exit_wait, 20, 16},
    {"fork_256_mib", fork_exit_wait, 4, 256},  {"file_operations", file_operations, 500, 0},
};

/// Memory of the size, written once; nullptr for none.
void* load_ballast(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(memory != MAP_FAILED);
  if (!all_ok) return nullptr;
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  auto* pages = static_cast<volatile char*>(memory);
  for (std::size_t at = 0; at < bytes; at += kPageBytes) pages[at] = 1;
  return memory;
}

void measure(const Test& test) {
  all_ok = true;
  const std::size_t ballast_bytes = test.ballast_mib << 20;
  void* ballast = load_ballast(ballast_bytes);
  test.run(test.operations / 10 + 1);  // caches, first touches, lazily built tables
  for (int i = 0; i < kRepetitions && all_ok; i++) {
    XOK_BENCH_MARK(1);
    test.run(test.operations);
    XOK_BENCH_MARK(2);
  }
  if (ballast != nullptr) munmap(ballast, ballast_bytes);
  if (all_ok) {
    std::printf("BENCH %s %d %d\n", test.name, test.operations, kRepetitions);
  } else {
    std::printf("BENCH-FAILED %s a call did not do what it must\n", test.name);
  }
  std::fflush(stdout);
}

bool wanted(const char* name, int argc, char** argv) {
  for (int i = 1; i < argc; i++) {
    if (std::strcmp(argv[i], name) == 0) return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--exit") == 0) _exit(0);
  self = argv[0];
  for (const Test& test : kTests) {
    if (wanted(test.name, argc, argv)) measure(test);
  }
  return 0;
}
