// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/linux/trace.hpp"

#include <gtest/gtest.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "exos/linux/trace_names.hpp"

namespace xok::exos::trace {
namespace {

using linux_abi::Call;
using Words = std::array<std::uint64_t, 6>;

constexpr std::uint64_t kUnreadable = 0x1000;
constexpr auto kCwd = static_cast<std::uint64_t>(std::int64_t{linux_abi::kAT_FDCWD});

/// The test's own memory, read the way a tracer reads another's: what is not mapped is not read.
std::size_t read_own(void* /*context*/, std::uint64_t address, std::span<std::uint8_t> to) {
  iovec local{to.data(), to.size()};
  iovec remote{reinterpret_cast<void*>(address), to.size()};
  const ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

template <class T>
std::uint64_t at(const T* address) {
  return reinterpret_cast<std::uint64_t>(address);
}

std::string trace(Call call, const Words& words, std::int64_t result) {
  char line[kLineBytes];
  CallTrace trace{{read_own, nullptr}, line};
  trace.begin(static_cast<std::uint32_t>(call), words);
  return std::string{trace.finish(result)};
}

constexpr std::int64_t kFailed = -linux_abi::kENOENT;

TEST(CallTrace, ShortCallsAlignTheirResult) {
  EXPECT_EQ(trace(Call::close, {3}, 0), "close(3)                                = 0\n");
  EXPECT_EQ(trace(Call::getppid, {}, 7), "getppid()                               = 7\n");
}

TEST(CallTrace, OpenShowsItsModeOnlyWhenItCreates) {
  const char path[] = "/etc/passwd";
  EXPECT_EQ(trace(Call::openat, {kCwd, at(path), 02000000}, 3),
            "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3\n");
  EXPECT_EQ(trace(Call::openat, {kCwd, at(path), 01102, 0644}, kFailed),
            "openat(AT_FDCWD, \"/etc/passwd\", O_RDWR|O_CREAT|O_TRUNC, 0644) = -1 ENOENT "
            "(No such file or directory)\n");
}

TEST(CallTrace, DataIsQuotedAndCutOffAt32Bytes) {
  const char text[] = "root:x:0:0:root:/root:/bin/bash\nmore";
  EXPECT_EQ(trace(Call::read, {3, at(text), 4096}, 36),
            "read(3, \"root:x:0:0:root:/root:/bin/bash\\n\"..., 4096) = 36\n");
  const char odd[] = "hi\n\t\1\"\\\xff z\0k\0012";
  EXPECT_EQ(trace(Call::write, {1, at(odd), 13}, 13),
            "write(1, \"hi\\n\\t\\1\\\"\\\\\\377 z\\0k\\1\", 13) = 13\n");
  EXPECT_EQ(trace(Call::write, {1, at(odd), 14}, 14),
            "write(1, \"hi\\n\\t\\1\\\"\\\\\\377 z\\0k\\0012\", 14) = 14\n");
}

TEST(CallTrace, UnreadableMemoryShowsAsItsAddress) {
  EXPECT_EQ(trace(Call::open, {kUnreadable, 0}, -linux_abi::kEFAULT),
            "open(0x1000, O_RDONLY)                  = -1 EFAULT (Bad address)\n");
  EXPECT_EQ(trace(Call::write, {1, kUnreadable, 5}, 5),
            "write(1, 0x1000, 5)                     = 5\n");
  EXPECT_EQ(trace(Call::fstat, {1, kUnreadable}, 0),
            "fstat(1, 0x1000)                        = 0\n");
}

TEST(CallTrace, ExecShowsItsWordsAndCountsItsEnvironment) {
  const char path[] = "/bin/ls";
  const char first[] = "ls";
  const char second[] = "-l\n";
  const std::uint64_t words[] = {at(first), at(second), 0};
  const std::uint64_t environment[] = {at(path), 0};
  char expected[200];
  std::snprintf(expected, sizeof expected,
                "execve(\"/bin/ls\", [\"ls\", \"-l\\n\"], %p /* 1 var */) = 0\n",
                static_cast<const void*>(environment));
  EXPECT_EQ(trace(Call::execve, {at(path), at(words), at(environment)}, 0), expected);
}

TEST(CallTrace, MmapNamesProtectionAndFlags) {
  EXPECT_EQ(trace(Call::mmap, {0, 8192, 3, 0x22, ~0ull, 0}, 0x7f0000001000),
            "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
            "0x7f0000001000\n");
  EXPECT_EQ(trace(Call::mprotect, {0x1000, 4096, 0}, 0),
            "mprotect(0x1000, 4096, PROT_NONE)       = 0\n");
}

TEST(CallTrace, StatShowsModeAndSizeOrDevice) {
  linux_abi::Stat stat{};
  stat.st_mode = 0100644;
  stat.st_size = 1221;
  const char path[] = "/x";
  EXPECT_EQ(trace(Call::newfstatat, {kCwd, at(path), at(&stat), 0x100}, 0),
            "newfstatat(AT_FDCWD, \"/x\", {st_mode=S_IFREG|0644, st_size=1221, ...}, "
            "AT_SYMLINK_NOFOLLOW) = 0\n");
  stat.st_mode = 0020666;
  stat.st_rdev = linux_abi::make_device(1, 3);
  EXPECT_EQ(trace(Call::fstat, {0, at(&stat)}, 0),
            "fstat(0, {st_mode=S_IFCHR|0666, st_rdev=makedev(0x1, 0x3), ...}) = 0\n");
}

TEST(CallTrace, SignalsAreNamed) {
  const linux_abi::Sigaction action{0x401615, 0x14000000, 0x4093e0, 0x400000800};
  EXPECT_EQ(trace(Call::rt_sigaction, {2, at(&action), 0, 8}, 0),
            "rt_sigaction(SIGINT, {sa_handler=0x401615, sa_mask=[USR2 RT_3], "
            "sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x4093e0}, NULL, 8) = 0\n");
  const std::uint64_t most = ~std::uint64_t{0x180000000};
  const std::uint64_t child = 1 << 16;
  EXPECT_EQ(trace(Call::rt_sigprocmask, {2, at(&most), at(&child), 8}, 0),
            "rt_sigprocmask(SIG_SETMASK, ~[RTMIN RT_1], [CHLD], 8) = 0\n");
  EXPECT_EQ(trace(Call::kill, {static_cast<std::uint64_t>(-5), 15}, 0),
            "kill(-5, SIGTERM)                       = 0\n");
}

TEST(CallTrace, WaitExplainsTheStatus) {
  std::uint32_t status = linux_abi::exited_status(3);
  EXPECT_EQ(trace(Call::wait4, {~0ull, at(&status), 0, 0}, 9605),
            "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 9605\n");
  status = linux_abi::killed_status(9);
  EXPECT_EQ(trace(Call::wait4, {~0ull, at(&status), 2, 0}, 9605),
            "wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], WSTOPPED, NULL) = 9605\n");
  EXPECT_EQ(trace(Call::wait4, {~0ull, kUnreadable, 1, 0}, 0),
            "wait4(-1, 0x1000, WNOHANG, NULL)        = 0\n");
}

TEST(CallTrace, CloneShowsWhatItsFlagsGiveAMeaning) {
  EXPECT_EQ(trace(Call::clone, {0x1200011, 0, 0, 0x1234, 0}, 9605),
            "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, "
            "child_tidptr=0x1234) = 9605\n");
  EXPECT_EQ(trace(Call::vfork, {}, 4), "vfork()                                 = 4\n");
}

TEST(CallTrace, PollShowsRequestAndAnswer) {
  const linux_abi::Pollfd fds[] = {{6, 1, 0}, {7, 5, 4}, {-1, 1, 0}};
  EXPECT_EQ(trace(Call::poll, {at(fds), 3, 0}, 1),
            "poll([{fd=6, events=POLLIN}, {fd=7, events=POLLIN|POLLOUT}, {fd=-1}], 3, 0) = 1 "
            "([{fd=7, revents=POLLOUT}])\n");
  EXPECT_EQ(trace(Call::poll, {0, 0, 1}, 0),
            "poll(NULL, 0, 1)                        = 0 (Timeout)\n");
}

TEST(CallTrace, TerminalCallsShowTheirStructures) {
  const linux_abi::Termios termios = default_termios();
  EXPECT_EQ(trace(Call::ioctl, {0, 0x5401, at(&termios)}, 0),
            "ioctl(0, TCGETS, {c_iflag=ICRNL|IXON|IUTF8, "
            "c_oflag=NL0|CR0|TAB0|BS0|VT0|FF0|OPOST|ONLCR, c_cflag=B38400|CS8|CREAD|HUPCL, "
            "c_lflag=ISIG|ICANON|ECHO|ECHOE|ECHOK|IEXTEN|ECHOCTL|ECHOKE, ...}) = 0\n");
  EXPECT_EQ(trace(Call::ioctl, {6, 0x5401, kUnreadable}, -linux_abi::kENOTTY),
            "ioctl(6, TCGETS, 0x1000)                = -1 ENOTTY (Inappropriate ioctl for "
            "device)\n");
  const linux_abi::WindowSize size{24, 80, 0, 0};
  EXPECT_EQ(trace(Call::ioctl, {0, 0x5413, at(&size)}, 0),
            "ioctl(0, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0\n");
  EXPECT_EQ(trace(Call::ioctl, {9, 0x12345678, 5}, 0),
            "ioctl(9, _IOC(_IOC_NONE, 0x56, 0x78, 0x1234), 0x5) = 0\n");
}

TEST(CallTrace, SocketsShowAddresses) {
  const linux_abi::SockaddrIn address{2, 0xd711, 0x0100007f, {}};  // port 4567, 127.0.0.1
  EXPECT_EQ(trace(Call::bind, {8, at(&address), 16}, 0),
            "bind(8, {sa_family=AF_INET, sin_port=htons(4567), sin_addr=inet_addr(\"127.0.0.1\")}, "
            "16) = 0\n");
  const std::uint32_t length = 16;
  EXPECT_EQ(trace(Call::accept4, {8, at(&address), at(&length), 0x800}, 11),
            "accept4(8, {sa_family=AF_INET, sin_port=htons(4567), "
            "sin_addr=inet_addr(\"127.0.0.1\")}, [16], SOCK_NONBLOCK) = 11\n");
}

TEST(CallTrace, ExitHasNoResult) {
  char line[kLineBytes];
  CallTrace trace{{read_own, nullptr}, line};
  trace.begin(static_cast<std::uint32_t>(Call::exit_group), {3});
  EXPECT_EQ(trace.finish_without_result(), "exit_group(3)                           = ?\n");
}

TEST(CallTrace, UnknownCallsShowSixWords) {
  EXPECT_EQ(trace(Call{500}, {1, 2, 3, 4, 5, 6}, -linux_abi::kENOSYS),
            "syscall_0x1f4(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS (Function not implemented)\n");
}

TEST(CallTrace, WhatIsReadIsShownAsItWasWhenTheCallBegan) {
  char path[] = "/old";
  char line[kLineBytes];
  CallTrace trace{{read_own, nullptr}, line};
  trace.begin(static_cast<std::uint32_t>(Call::chdir), {at(path)});
  std::strcpy(path, "/new");
  EXPECT_EQ(trace.finish(0), "chdir(\"/old\")                           = 0\n");
}

TEST(CallTrace, ALineThatDoesNotFitEndsWithANewline) {
  const std::string path(3000, 'p');
  char line[100];
  CallTrace trace{{read_own, nullptr}, line};
  trace.begin(static_cast<std::uint32_t>(Call::chdir), {at(path.c_str())});
  const std::string text{trace.finish(0)};
  EXPECT_EQ(text.size(), sizeof line);
  EXPECT_EQ(text.back(), '\n');
}

TEST(SignalLine, SaysWhoSentItOrWhatHappened) {
  char line[kLineBytes];
  linux_abi::Siginfo info{};
  info.si_signo = 17;
  info.si_code = 1;
  info.child = {9605, 0, 3, 0, 0, 0};
  EXPECT_EQ(signal_line(line, info),
            "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=9605, si_uid=0, "
            "si_status=3, si_utime=0, si_stime=0} ---\n");
  info = {};
  info.si_signo = 13;
  info.process = {9604, 0, 0};
  EXPECT_EQ(signal_line(line, info),
            "--- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=9604, si_uid=0} ---\n");
  info = {};
  info.si_signo = 11;
  info.si_code = 1;
  EXPECT_EQ(signal_line(line, info),
            "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---\n");
}

TEST(EndLine, SaysHowTheProcessEnded) {
  char line[kLineBytes];
  EXPECT_EQ(end_line(line, linux_abi::exited_status(3)), "+++ exited with 3 +++\n");
  EXPECT_EQ(end_line(line, linux_abi::killed_status(13)), "+++ killed by SIGPIPE +++\n");
}

/// Every call with every word unreadable: no printer may touch memory but through the reader.
TEST(CallTrace, NoCallReadsMemoryByItself) {
  for (std::uint32_t number = 0; number < 460; number++) {
    for (std::uint64_t word : {std::uint64_t{0}, kUnreadable, ~std::uint64_t{0}}) {
      const std::string text = trace(Call{number}, {word, word, word, word, word, word}, 1);
      EXPECT_EQ(text.back(), '\n');
    }
  }
}

}  // namespace
}  // namespace xok::exos::trace
