// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Process 1 of the Linux guest: does the least that lets one program run, so that the peer's boot
// is as short as Linux allows, then powers the machine off.
//
//   bench.net=1          on the kernel's command line: loads the network modules of /modules.txt,
//                        in order, and sets eth0 to QEMU's user network, 10.0.2.15/24
//   bench.run=a,b,c      the program and its arguments
//
// The exit status is printed as "BENCH-STATUS n".
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kDeviceWaitMs = 2000;

/// The value of `key=` on the command line, in a buffer of this function's; nullptr without.
char* option(const char* key) {
  static char line[2048];
  std::FILE* file = std::fopen("/proc/cmdline", "r");
  if (file == nullptr || std::fgets(line, sizeof line, file) == nullptr) return nullptr;
  std::fclose(file);
  char* value = std::strstr(line, key);
  if (value == nullptr) return nullptr;
  value += std::strlen(key);
  value[std::strcspn(value, " \n")] = 0;
  return value;
}

void load_modules() {
  std::FILE* list = std::fopen("/modules.txt", "r");
  if (list == nullptr) return;
  char name[128];
  while (std::fgets(name, sizeof name, list) != nullptr) {
    name[std::strcspn(name, "\n")] = 0;
    const int fd = open(name, O_RDONLY);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0) std::perror(name);
    close(fd);
  }
  std::fclose(list);
}

bool set_address(int fd, ifreq& request, unsigned long what, const char* address) {
  sockaddr_in internet{};
  internet.sin_family = AF_INET;
  inet_pton(AF_INET, address, &internet.sin_addr);
  std::memcpy(&request.ifr_addr, &internet, sizeof internet);
  return ioctl(fd, what, &request) == 0;
}

bool raise(int fd, const char* name, const char* address, const char* mask) {
  ifreq request{};
  std::strcpy(request.ifr_name, name);
  if (!set_address(fd, request, SIOCSIFADDR, address)) return false;
  if (!set_address(fd, request, SIOCSIFNETMASK, mask)) return false;
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

void start_network() {
  load_modules();
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  raise(fd, "lo", "127.0.0.1", "255.0.0.0");
  for (int ms = 0; ms < kDeviceWaitMs; ms += 10) {
    if (raise(fd, "eth0", "10.0.2.15", "255.255.255.0")) break;
    usleep(10'000);
  }
  close(fd);
}

int run(char* words) {
  char* arguments[32] = {};
  std::size_t count = 0;
  for (char* word = std::strtok(words, ","); word != nullptr && count < 31;
       word = std::strtok(nullptr, ",")) {
    arguments[count++] = word;
  }
  const pid_t child = fork();
  if (child == 0) {
    execv(arguments[0], arguments);
    std::perror(arguments[0]);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main() {
  mount("proc", "/proc", "proc", 0, nullptr);
  mount("dev", "/dev", "devtmpfs", 0, nullptr);
  const int console = open("/dev/console", O_RDWR);
  for (int fd = 0; console >= 0 && fd < 3; fd++) dup2(console, fd);
  if (option("bench.net=") != nullptr) start_network();
  char* words = option("bench.run=");
  if (words != nullptr) std::printf("BENCH-STATUS %d\n", run(words));
  std::fflush(stdout);
  reboot(RB_POWER_OFF);
}
