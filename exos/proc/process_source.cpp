// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/proc/process_source.hpp"

#include <algorithm>
#include <cstring>

#include "base/byte_order.hpp"
#include "exos/arena.hpp"
#include "exos/fd/descriptors.hpp"
#include "exos/fs/text_window.hpp"
#include "exos/linux/identity.hpp"
#include "exos/net/packet_io.hpp"
#include "exos/net/unix_socket.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"
#include "exos/vm/memory.hpp"

// Another process' private memory (descriptors, regions, directories) is not ours to read: of
// others /proc shows what the shared table and the kernel's exposed records tell.
namespace xok::exos {
namespace {

constexpr int kTerminalDevice = 5 << 8 | 1;

std::uint64_t ticks_of_ns(std::uint64_t ns) { return ns / (kNanosecondsPerSecond / 100); }
std::uint64_t ticks_of_cycles(std::uint64_t cycles) {
  return ticks_of_ns(rt::cycles_to_ns(xok::system_info().tsc_boot + cycles));
}

char state_of(const Proc& proc) {
  if (proc.state == ProcState::Zombie) return 'Z';
  if (proc.state == ProcState::Stopped) return 'T';
  if (proc.borrowed_env == 0 && proc.env != 0 &&
      rt::env_record(proc.env).status == EnvStatus::Sleeping)
    return 'S';
  return 'R';
}

class SharedTableSource final : public ProcSource {
 public:
  int self() override { return exos::process().proc->pid; }
  int self_thread() override { return self(); }

  std::optional<int> next_process(int after) override {
    std::optional<int> best;
    for (const Proc& proc : shared().procs) {
      if (proc.state == ProcState::Free || proc.pid <= after) continue;
      if (!best.has_value() || proc.pid < *best) best = proc.pid;
    }
    return best;
  }

  std::optional<int> next_thread(int pid, int after) override {
    return after < pid && find_proc(pid) != nullptr ? std::optional<int>{pid} : std::nullopt;
  }

  bool process(int pid, ProcessInfo& out) override {
    const Proc* proc = find_proc(pid);
    if (proc == nullptr) return false;
    out = {};
    out.pid = out.thread_group = proc->pid;
    out.parent = proc->parent;
    out.group = proc->group;
    out.session = proc->session;
    const Terminal& terminal = shared().terminal;
    if (terminal.session != 0 && terminal.session == proc->session) {
      out.tty_device = kTerminalDevice;
      out.tty_group = terminal.foreground;
    }
    out.state = state_of(*proc);
    out.command = {proc->comm.data(), strnlen(proc->comm.data(), proc->comm.size())};
    if (proc->state != ProcState::Zombie)
      out.arguments = {proc->command.data(), proc->command_length};
    out.uid = proc->uid;
    out.effective_uid = proc->euid;
    out.saved_uid = proc->suid;
    out.gid = proc->gid;
    out.effective_gid = proc->egid;
    out.saved_gid = proc->sgid;
    out.user_ticks = ticks_of_cycles(run_cycles(*proc));
    out.children_user_ticks = ticks_of_cycles(proc->child_cycles);
    out.start_ticks = ticks_of_ns(proc->start_ns);
    out.nice = proc->nice;
    out.pending_signals = proc->pending;
    out.blocked_signals = proc->blocked;
    out.ignored_signals = proc->ignored;
    if (proc->env != 0 && proc->state != ProcState::Zombie) {
      const volatile Env& record = rt::env_record(proc->env);
      out.minor_faults = record.faults;
      out.voluntary_switches = record.switches;
      out.processor = record.processor;
      out.resident_pages = record.mapped_pages;
      out.virtual_bytes =
          proc->virtual_bytes != 0 ? proc->virtual_bytes : record.mapped_pages * kPageSize;
    }
    return true;
  }

  std::optional<int> next_descriptor(int pid, int after) override {
    if (pid != self()) return std::nullopt;
    for (std::size_t fd = after < 0 ? 0 : static_cast<std::size_t>(after) + 1;
         fd < exos::process().descriptor_end; fd++)
      if (open_file(fd) != nullptr) return static_cast<int>(fd);
    return std::nullopt;
  }

  bool descriptor(int pid, int number, DescriptorInfo& out) override {
    const OpenFile* file = own_file(pid, number);
    if (file == nullptr) return false;
    out = {.readable = readable_mode(*file), .writable = writable_mode(*file)};
    return true;
  }

  bool next_mapping(int pid, std::uint64_t from, MappingInfo& out) override {
    if (pid != self()) return false;
    for (const Region& region : regions().all()) {
      if (region.start < from) continue;
      out = {};
      out.start = region.start;
      out.end = region.end;
      out.readable = (region.protection & kProtRead) != 0;
      out.writable = (region.protection & kProtWrite) != 0;
      out.executable = (region.protection & kProtExecute) != 0;
      out.shared = region.shared();
      if (region.file.valid()) {
        out.offset = region.first_page << kPageShift;
        out.device = region.file.mount->id;
        out.inode = file_system().attributes(region.file).number;
        const auto path = file_system().path_of(region.file, exos::process().root, path_);
        if (path.has_value()) out.path = *path;
      } else if ((region.flags & kRegionHeap) != 0) {
        out.path = "[heap]";
      } else if ((region.flags & kRegionGrowsDown) != 0) {
        out.path = "[stack]";
      }
      return true;
    }
    return false;
  }

  FsResult<std::string_view> link_text(int pid, ProcLink link, int descriptor,
                                       std::span<char> buffer) override {
    const Vnode target = link_target(pid, link, descriptor);
    if (target.valid()) return file_system().path_of(target, exos::process().root, buffer);
    const OpenFile* file = link == ProcLink::Descriptor ? own_file(pid, descriptor) : nullptr;
    if (file == nullptr) return fs_fail(FsError::NotFound);
    TextWindow text{buffer, 0};
    const bool socket = file->kind == FileKind::Socket || file->kind == FileKind::UnixSocket;
    text.put(socket ? "socket:[" : "pipe:[");
    text.number(unnamed_number(*file)).put(']');
    if (text.length() > buffer.size()) return fs_fail(FsError::NoBuffer);
    return std::string_view{buffer.data(), text.length()};
  }

  Vnode link_target(int pid, ProcLink link, int descriptor) override {
    if (pid != self()) return {};
    const Process& p = exos::process();
    switch (link) {
      case ProcLink::Executable:
        return p.executable;
      case ProcLink::Directory:
        return p.cwd;
      case ProcLink::Root:
        return p.root;
      case ProcLink::Descriptor: {
        const OpenFile* file = own_file(pid, descriptor);
        return file == nullptr ? Vnode{} : file->node;
      }
    }
    return {};
  }

  void system(exos::SystemInfo& out) override {
    const xok::SystemInfo& info = xok::system_info();
    out = {};
    out.os_name = kSystemName;
    out.release = kSystemRelease;
    out.version = kSystemVersion;
    out.host_name = shared().host_name.data();
    out.command_line = info.command_line.data();
    out.total_bytes = info.usable_pages * kPageSize;
    out.free_bytes = out.available_bytes = info.free_pages * kPageSize;
    out.cached_bytes = out.shared_bytes = shared().arena_used * kPageSize;
    out.uptime_ns = time().uptime_ns;
    out.idle_ns = rt::cycles_to_ns(info.tsc_boot + info.idle_cycles);
    out.boot_time_s = time().boot_time_s;
    for (const Proc& proc : shared().procs) {
      if (proc.state == ProcState::Free) continue;
      out.processes++;
      if (state_of(proc) == 'R') out.running++;
    }
    out.last_pid = shared().last_pid;
    out.forks = shared().total_forks;
    out.interrupts = info.ticks;
    out.pid_max = kMaxPid;
  }

  MachineTime time() override {
    return {.uptime_ns = rt::monotonic_ns(),
            .boot_time_s = xok::system_info().boot_wall_ns / kNanosecondsPerSecond};
  }

  bool cpu(unsigned index, CpuInfo& out) override {
    const xok::SystemInfo& info = xok::system_info();
    if (index >= info.processors) return false;
    out = {};
    const std::uint64_t total = rt::monotonic_ns();
    const std::uint64_t idle = rt::cycles_to_ns(info.tsc_boot + info.idle_cycles);
    out.idle_ticks = ticks_of_ns(idle);
    out.user_ticks = ticks_of_ns(total > idle ? total - idle : 0);
    out.model_name = info.processor_name.data();
    out.khz = info.tsc_hz / 1000;
    return true;
  }

  bool interface(unsigned index, exos::InterfaceInfo& out) override {
    const std::uint32_t number = index == 0 ? kLoopbackInterface : kCardInterface;
    const xok::InterfaceInfo& info = xok::system_info().interfaces[number];
    if (index > 1 || (number == kCardInterface && info.present == 0)) return false;
    out = {};
    out.name = number == kLoopbackInterface ? "lo" : "eth0";
    out.received_packets = info.received;
    out.receive_drops = info.receive_dropped;
    out.sent_packets = info.sent;
    out.send_drops = info.send_dropped;
    return true;
  }

  /// The way out, then the network the card is on.
  bool route(unsigned index, RouteInfo& out) override {
    constexpr std::uint32_t kUp = 1;
    constexpr std::uint32_t kGateway = 2;
    const NetworkConfig network = network_config();
    if (network.phase != NetworkPhase::Up) return false;
    const net::Ipv4Interface& card = network.interface;
    out = {.interface = "eth0", .flags = kUp};
    if (!card.gateway.is_zero() && index-- == 0) {
      out.gateway = big_endian(card.gateway.value);
      out.flags = kUp | kGateway;
      return true;
    }
    out.destination = big_endian(card.address.value & card.mask.value);
    out.mask = big_endian(card.mask.value);
    return index == 0;
  }

  bool socket(SocketTable table, unsigned index, SocketInfo& out) override {
    if (table != SocketTable::Unix) return false;
    const UnixSocket* found = shared().unix_sockets;
    while (found != nullptr && index-- != 0) found = found->next;
    if (found == nullptr) return false;
    constexpr std::uint32_t kAcceptsConnections = 0x10000;
    constexpr std::uint32_t kUnconnected = 1;
    constexpr std::uint32_t kConnected = 3;
    out = {};
    out.state = found->peer != nullptr ? kConnected : kUnconnected;
    out.inode = reinterpret_cast<std::uint64_t>(found) >> 4 & 0xffffffff;
    out.references = found->references + 1;
    out.type = found->type == SocketType::Stream ? 1 : 2;
    out.flags = found->listening ? kAcceptsConnections : 0;
    const std::string_view name = found->name.text();
    std::copy(name.begin(), name.end(), path_.begin());
    if (found->name.is_abstract()) path_[0] = '@';
    out.path = {path_.data(), name.size()};
    return true;
  }

 private:
  const OpenFile* own_file(int pid, int number) {
    return pid == self() && number >= 0 ? open_file(static_cast<std::uint64_t>(number)) : nullptr;
  }

  std::array<char, 256> path_{};
};

}  // namespace

ProcSource& process_source() {
  static constinit SharedTableSource source;
  return source;
}

}  // namespace xok::exos
