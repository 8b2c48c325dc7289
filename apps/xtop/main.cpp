// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// xtop: an ordinary static program to ExOS, which starts it like any other. What it shows it reads
// where the kernel has mapped its tables into every environment; the only system calls it makes are
// Linux' write, ioctl (how large is the terminal?), nanosleep and exit_group, and ExOS answers
// them.
#include "abi/exposed.hpp"
#include "apps/xtop/options.hpp"
#include "apps/xtop/picture.hpp"
#include "exos/rt/self.hpp"

namespace xok::xtop {
namespace {

enum LinuxCall : std::uint64_t { kWrite = 1, kIoctl = 16, kNanosleep = 35, kExitGroup = 231 };
constexpr std::uint64_t kGetWindowSize = 0x5413;  // TIOCGWINSZ
constexpr std::int64_t kInterrupted = -4;         // -EINTR

std::int64_t linux_call(LinuxCall number, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  auto result = static_cast<std::int64_t>(number);
  __asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

[[noreturn]] void exit(std::uint64_t status) {
  for (;;) linux_call(kExitGroup, status, 0, 0);
}

/// All of it; false when that cannot be.
bool write(std::uint64_t descriptor, std::string_view text) {
  while (!text.empty()) {
    const std::int64_t n =
        linux_call(kWrite, descriptor, reinterpret_cast<std::uint64_t>(text.data()), text.size());
    if (n == kInterrupted) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Whether standard output is a terminal, and how large it is (0: it does not say).
bool terminal_size(Canvas::Size& size) {
  std::uint16_t window[4] = {};  // rows, columns, pixels
  if (linux_call(kIoctl, 1, kGetWindowSize, reinterpret_cast<std::uint64_t>(window)) != 0)
    return false;
  size = {window[1], window[0]};
  return true;
}

void sleep(std::uint64_t ns) {
  const std::uint64_t time[2] = {ns / kNanosecondsPerSecond, ns % kNanosecondsPerSecond};
  linux_call(kNanosleep, reinterpret_cast<std::uint64_t>(time), 0, 0);
}

Window exposed_window() {
  return {&system_info(), reinterpret_cast<const Env*>(kExposedEnvs),
          reinterpret_cast<const Slice*>(kExposedSlices),
          reinterpret_cast<const FilterRecord*>(kExposedFilters),
          reinterpret_cast<const PageInfo*>(kExposedPages)};
}

/// Our own top-level page table: the entry by which the page-table window maps itself.
std::uint64_t own_table() {
  const auto* const entry =
      reinterpret_cast<const volatile std::uint64_t*>(pml4e_address(kPageTableWindow));
  return (*entry & kPtePageMask) >> kPageShift;
}

/// Kernel calls this environment has made, as the kernel counts them.
std::uint64_t own_calls(const Window& window, std::uint64_t table) {
  for (std::size_t i = 0; i < kMaxEnvironments; i++) {
    const volatile Env& env = window.envs[i];
    if (env.id != 0 && env.table_page == table) return env.calls;
  }
  return 0;
}

char g_buffer[256 * 1024];
Picture g_picture;

/// Draws once. The last line says how many kernel calls that took.
std::string_view draw(Canvas::Size size, bool on_terminal) {
  Canvas canvas{g_buffer, size, on_terminal ? "\x1b[K\n" : "\n"};
  if (on_terminal) canvas.control("\x1b[H");
  const Window window = exposed_window();
  const std::uint64_t table = own_table();
  const std::uint64_t before = own_calls(window, table);
  g_picture.draw(window, rt::cycles(), table, canvas);
  canvas.left("xtop", 10);
  canvas.number(own_calls(window, table) - before);
  canvas.text(" kernel calls to draw this");
  canvas.end_line();
  const std::string_view text = canvas.finish();
  return on_terminal ? canvas.control("\x1b[J") : text;
}

[[noreturn]] void run(const Options& options) {
  Canvas::Size size;
  const bool on_terminal = terminal_size(size);
  // Before anything is counted all our pages are there: their first use is a fault, and ExOS maps
  // them by a kernel call.
  for (std::size_t i = 0; i < sizeof g_buffer; i += kPageSize) g_buffer[i] = ' ';
  (void)draw(size, on_terminal);
  g_picture = {};
  const std::uint64_t count = options.count != 0 ? options.count : on_terminal ? 0 : 1;
  for (std::uint64_t n = 1;; n++) {
    if (!write(1, draw(size, on_terminal))) {
      write(2, "xtop: cannot write\n");
      exit(1);
    }
    if (n == count) exit(0);
    sleep(options.delay_ns);
    if (on_terminal) terminal_size(size);
    if (!on_terminal) write(1, "\n");
  }
}

}  // namespace

extern "C" [[noreturn]] void xtop_main(const std::uint64_t* stack) {
  const auto* const argv = reinterpret_cast<const char* const*>(stack + 1);
  const std::size_t argc = stack[0];
  const Options options = parse_options(std::span{argv, argc}.subspan(argc > 0 ? 1 : 0));
  if (options.help) exit(write(1, kHelp) ? 0 : 1);
  if (!options.error.empty()) {
    for (const std::string_view text :
         {std::string_view{"xtop: "}, options.culprit, std::string_view{": "}, options.error,
          std::string_view{" (see xtop --help)\n"}})
      write(2, text);
    exit(2);
  }
  run(options);
}

}  // namespace xok::xtop
