// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Appel and Li's measurements (protection.hpp) with mprotect and SIGSEGV: what an ordinary program
// has on Linux. Prints as micro.cpp does.
//
//   protection NAME...     runs the named tests
#include "protection.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "marks.hpp"

namespace {

using xok::bench::kFaults;
using xok::bench::kProtectedPages;
using xok::bench::page_of_access;

constexpr int kRepetitions = 11;
constexpr std::size_t kPageBytes = 4096;
constexpr int kChanges = 1000;

char* array = nullptr;
char* writable = nullptr;  // appel1: the page that is not protected
volatile int faults = 0;
int pagemap = -1;

enum class OnFault { Skip, ProtectAnother, Unprotect };
OnFault on_fault = OnFault::Skip;

char* page_address(std::size_t page) { return array + page * kPageBytes; }
bool protect(char* from, std::size_t pages) {
  return mprotect(from, pages * kPageBytes, PROT_READ) == 0;
}
bool unprotect(char* from, std::size_t pages) {
  return mprotect(from, pages * kPageBytes, PROT_READ | PROT_WRITE) == 0;
}
void protect_all() { protect(array, kProtectedPages); }
void unprotect_all() { unprotect(array, kProtectedPages); }

void write_to(char* address) {
  __asm__ volatile("movb %%al, (%%rbx)" : : "b"(address), "a"(1) : "memory");
}

void handle(int /*signal*/, siginfo_t* info, void* context) {
  auto* page = reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(info->si_addr) & ~0xfffull);
  faults = faults + 1;
  switch (on_fault) {
    case OnFault::Skip:
      static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += 2;
      break;
    case OnFault::ProtectAnother:
      protect(writable, 1);
      writable = page;
      unprotect(page, 1);
      break;
    case OnFault::Unprotect:
      unprotect(page, 1);
      break;
  }
}

// -- dirty: Linux' own means, the soft-dirty bit of /proc/PID/pagemap. Every other page is written

void write_half() {
  unprotect_all();
  const int clear = open("/proc/self/clear_refs", O_WRONLY);
  if (write(clear, "4", 1) != 1) std::perror("clear_refs");
  close(clear);
  for (std::size_t i = 0; i < kProtectedPages; i += 2) write_to(page_address(i));
}

bool ask_dirty() {
  std::size_t dirty = 0;
  for (std::size_t i = 0; i < kProtectedPages; i++) {
    std::uint64_t entry = 0;
    const auto page =
        reinterpret_cast<std::uintptr_t>(page_address(page_of_access(i))) / kPageBytes;
    if (pread(pagemap, &entry, sizeof entry, static_cast<off_t>(page * sizeof entry)) != 8)
      return false;
    dirty += entry >> 55 & 1;
  }
  return dirty == kProtectedPages / 2;
}

// -- changing protection

bool change_one() {
  bool good = true;
  for (int i = 0; i < kChanges; i += 2) good = protect(array, 1) && unprotect(array, 1) && good;
  return good;
}

/// One page in a mapping of its own: the cheapest case, nothing is split or joined.
void single_page() {
  if (mprotect(array + kPageBytes, kPageBytes, PROT_NONE) != 0) std::perror("mprotect");
  unprotect(array, 1);
}

bool protect_100() { return protect(array, kProtectedPages); }
bool unprotect_100() { return unprotect(array, kProtectedPages); }

// -- with faults

void prepare_trap() {
  protect_all();
  on_fault = OnFault::Skip;
}

bool access(std::size_t count) {
  faults = 0;
  for (std::size_t i = 0; i < count; i++) write_to(page_address(page_of_access(i)));
  return faults == static_cast<int>(count);
}

bool trap() { return access(kFaults); }

void prepare_appel1() {
  protect_all();
  on_fault = OnFault::ProtectAnother;
  writable = page_address(page_of_access(kFaults - 1));
  unprotect(writable, 1);
}

bool appel1() { return access(kFaults); }

void prepare_appel2() {
  unprotect_all();
  on_fault = OnFault::Unprotect;
}

bool appel2() { return protect(array, kProtectedPages) && access(kProtectedPages); }

struct Test {
  const char* name;
  void (*prepare)();
  bool (*run)();
  int operations;
};

constexpr Test kTests[] = {
    {"dirty", write_half, ask_dirty, kProtectedPages},
    {"prot1", single_page, change_one, kChanges},
    {"prot100", unprotect_all, protect_100, 1},
    {"unprot100", protect_all, unprotect_100, 1},
    {"trap", prepare_trap, trap, kFaults},
    {"appel1", prepare_appel1, appel1, kFaults},
    {"appel2", prepare_appel2, appel2, kProtectedPages},
};

void measure(const Test& test) {
  bool good = true;
  for (int i = 0; i <= kRepetitions && good; i++) {
    test.prepare();
    if (i == 0) {
      good = test.run();  // caches, first touches
      continue;
    }
    XOK_BENCH_MARK(1);
    good = test.run();
    XOK_BENCH_MARK(2);
  }
  if (good) {
    std::printf("BENCH %s %d %d\n", test.name, test.operations, kRepetitions);
  } else {
    std::printf("BENCH-FAILED %s a call did not do what it must\n", test.name);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::size_t kBytes = kProtectedPages * kPageBytes;
  // Two pages that nobody may touch keep other mappings apart.
  void* memory =
      mmap(nullptr, kBytes + 2 * kPageBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  if (memory == MAP_FAILED || pagemap < 0) {
    std::perror("protection");
    return 1;
  }
  array = static_cast<char*>(memory) + kPageBytes;
  unprotect_all();
  madvise(array, kBytes, MADV_NOHUGEPAGE);
  std::memset(array, 1, kBytes);
  struct sigaction action{};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
  for (const Test& test : kTests) {
    for (int i = 1; i < argc; i++) {
      if (std::strcmp(argv[i], test.name) == 0) measure(test);
    }
  }
  return 0;
}
