// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "exos/fs/fs_error.hpp"
#include "exos/fs/vfs.hpp"

namespace xok::exos {

/// Times in /proc are in ticks of 1/100 second, whatever the machine's clock does.
inline constexpr std::uint64_t kTicksPerSecond = 100;

/// Which of a process' symbolic links.
enum class ProcLink : std::uint8_t { Executable, Directory, Root, Descriptor };

/// One process or thread. Text is good until the source's next call.
struct ProcessInfo {
  int pid = 0;           ///< of a thread: its tid
  int thread_group = 0;  ///< the process' pid
  int parent = 0;
  int group = 0;
  int session = 0;
  int tty_device = 0;            ///< Linux' dev_t of the controlling terminal, 0: none
  int tty_group = -1;            ///< its foreground group, -1: none
  char state = 'S';              ///< R S D Z T t X
  std::string_view command;      ///< up to 15 bytes
  std::string_view arguments;    ///< argv, each with its NUL; empty for a zombie
  std::string_view environment;  ///< likewise
  std::uint32_t uid = 0, effective_uid = 0, saved_uid = 0;
  std::uint32_t gid = 0, effective_gid = 0, saved_gid = 0;
  std::span<const std::uint32_t> groups;
  std::uint64_t user_ticks = 0, system_ticks = 0;
  std::uint64_t children_user_ticks = 0, children_system_ticks = 0;
  std::uint64_t start_ticks = 0;  ///< since boot
  std::uint64_t minor_faults = 0, major_faults = 0;
  std::uint64_t voluntary_switches = 0, involuntary_switches = 0;
  int nice = 0;
  unsigned threads = 1;
  unsigned processor = 0;
  unsigned descriptors = 64;  ///< size of the descriptor table
  std::uint32_t umask = 022;
  std::uint64_t virtual_bytes = 0;  ///< mapped address space
  std::uint64_t resident_pages = 0;
  std::uint64_t shared_pages = 0;  ///< of the resident ones, those of files or shared
  std::uint64_t text_bytes = 0, data_bytes = 0, stack_bytes = 0;
  std::uint64_t code_start = 0, code_end = 0, stack_start = 0;
  std::uint64_t pending_signals = 0, blocked_signals = 0, ignored_signals = 0, caught_signals = 0;
  int exit_signal = 17;
};

/// One mapping of an address space.
struct MappingInfo {
  std::uint64_t start = 0, end = 0;
  bool readable = false, writable = false, executable = false, shared = false;
  std::uint64_t offset = 0;  ///< bytes into the file
  std::uint32_t device = 0;  ///< mount id of the file, 0: none
  std::uint64_t inode = 0;
  std::string_view path;  ///< or `[heap]`, `[stack]`; empty: anonymous
};

/// An open descriptor, for the permission bits of its link.
struct DescriptorInfo {
  bool readable = false;
  bool writable = false;
};

struct SystemInfo {
  std::string_view os_name = "Linux";  ///< as `uname` tells the program
  std::string_view release;
  std::string_view version;
  std::string_view host_name;
  std::string_view domain_name = "(none)";
  std::string_view command_line;  ///< of the kernel
  std::uint64_t total_bytes = 0, free_bytes = 0, available_bytes = 0;
  std::uint64_t cached_bytes = 0, buffer_bytes = 0, shared_bytes = 0;
  std::uint64_t uptime_ns = 0, idle_ns = 0;        ///< idle: sum over the processors
  std::uint64_t boot_time_s = 0;                   ///< since 1970
  std::array<std::uint32_t, 3> load_hundredths{};  ///< over 1, 5, 15 minutes
  unsigned running = 0, processes = 0;
  int last_pid = 0;
  std::uint64_t context_switches = 0, forks = 0, interrupts = 0;
  int pid_max = 32768;
};

struct MachineTime {
  std::uint64_t uptime_ns = 0;
  std::uint64_t boot_time_s = 0;  ///< since 1970
};

struct CpuInfo {
  std::uint64_t user_ticks = 0, nice_ticks = 0, system_ticks = 0, idle_ticks = 0;
  std::uint64_t io_ticks = 0, irq_ticks = 0, soft_irq_ticks = 0, steal_ticks = 0;
  std::string_view vendor, model_name, flags;
  unsigned family = 0, model = 0, stepping = 0;
  std::uint64_t khz = 0;
  unsigned cache_kb = 0;
};

struct InterruptInfo {
  std::string_view name;                  ///< the number or a short name, as `4` or `LOC`
  std::string_view device;                ///< what it is for
  std::span<const std::uint64_t> counts;  ///< one per processor; missing ones are 0
};

struct InterfaceInfo {
  std::string_view name;
  std::uint64_t received_bytes = 0, received_packets = 0, receive_errors = 0, receive_drops = 0;
  std::uint64_t sent_bytes = 0, sent_packets = 0, send_errors = 0, send_drops = 0;
};

/// Addresses in memory order (network order as stored), as Linux prints them.
struct RouteInfo {
  std::string_view interface;
  std::uint32_t destination = 0, gateway = 0, mask = 0;
  std::uint32_t flags = 0, metric = 0;
};

enum class SocketTable : std::uint8_t { Tcp, Udp, Raw, Unix };

struct SocketInfo {
  std::uint32_t local_address = 0, remote_address = 0;  ///< as in RouteInfo
  std::uint16_t local_port = 0, remote_port = 0;        ///< host order
  std::uint32_t state = 0;  ///< Linux' number: 1 established, 7 closed, 10 listening, ...
  std::uint64_t send_queue = 0, receive_queue = 0;
  std::uint32_t uid = 0;
  std::uint64_t inode = 0;
  std::uint32_t references = 1, type = 1, flags = 0;  ///< Unix only
  std::string_view path;                              ///< Unix only
};

/// What /proc shows; the process code implements it. Passed per call, never stored.
///
/// `next_x(after)` gives the element with the smallest key greater than `after`, so a listing is
/// stable while elements come and go. A `false` or nothing means that there is none (any more).
class ProcSource {
 public:
  ProcSource() = default;
  ProcSource(const ProcSource&) = delete;
  ProcSource& operator=(const ProcSource&) = delete;

  virtual int self() = 0;         ///< pid of the caller
  virtual int self_thread() = 0;  ///< tid of the caller
  virtual std::optional<int> next_process(int after) = 0;
  virtual std::optional<int> next_thread(int pid, int after) = 0;
  virtual bool process(int pid, ProcessInfo& out) = 0;  ///< also threads, by their tid

  virtual std::optional<int> next_descriptor(int pid, int after) = 0;
  virtual bool descriptor(int pid, int number, DescriptorInfo& out) = 0;
  /// The mapping with the smallest start >= `from`.
  virtual bool next_mapping(int pid, std::uint64_t from, MappingInfo& out) = 0;

  /// What `readlink` shows; may be written into `buffer`. Errors  NotFound
  virtual FsResult<std::string_view> link_text(int pid, ProcLink link, int descriptor,
                                               std::span<char> buffer) = 0;
  /// The very file behind a link; invalid if it is none of the Vfs.
  virtual Vnode link_target(int pid, ProcLink link, int descriptor) = 0;

  virtual void system(SystemInfo& out) = 0;            ///< looks at all processes
  virtual MachineTime time() = 0;                      ///< the same as there
  virtual bool cpu(unsigned index, CpuInfo& out) = 0;  ///< 0, 1, ... until false
  virtual bool interrupt(unsigned, InterruptInfo&) { return false; }
  virtual bool interface(unsigned, InterfaceInfo&) { return false; }
  virtual bool route(unsigned, RouteInfo&) { return false; }
  virtual bool socket(SocketTable, unsigned, SocketInfo&) { return false; }

 protected:
  ~ProcSource() = default;
};

}  // namespace xok::exos
