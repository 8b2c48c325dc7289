// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "exos/fs/proc_source.hpp"

namespace xok::exos {

/// A made-up machine with a few processes, for tests of /proc.
class TestProcesses final : public ProcSource {
 public:
  struct Process {
    ProcessInfo info;
    std::vector<int> threads;
    std::map<int, DescriptorInfo> descriptors;
    std::map<int, Vnode> targets;
    std::vector<MappingInfo> maps;
    Vnode executable;
  };

  int self() override { return caller; }
  int self_thread() override { return caller + 1; }
  std::optional<int> next_process(int after) override { return next_key(processes, after); }
  std::optional<int> next_thread(int pid, int after) override {
    for (const int tid : processes[pid].threads) {
      if (tid > after) return tid;
    }
    return std::nullopt;
  }
  bool process(int pid, ProcessInfo& out) override {
    for (const auto& [id, process] : processes) {
      const bool thread = std::ranges::find(process.threads, pid) != process.threads.end();
      if (id != pid && !thread) continue;
      out = process.info;
      out.pid = pid;
      return true;
    }
    return false;
  }
  std::optional<int> next_descriptor(int pid, int after) override {
    return next_key(processes[pid].descriptors, after);
  }
  bool descriptor(int pid, int number, DescriptorInfo& out) override {
    const auto& all = processes[pid].descriptors;
    const auto found = all.find(number);
    if (found != all.end()) out = found->second;
    return found != all.end();
  }
  bool next_mapping(int pid, std::uint64_t from, MappingInfo& out) override {
    for (const MappingInfo& map : processes[pid].maps) {
      if (map.start < from) continue;
      out = map;
      return true;
    }
    return false;
  }
  FsResult<std::string_view> link_text(int pid, ProcLink link, int number,
                                       std::span<char>) override {
    if (link == ProcLink::Executable) return "/bin/busybox";
    if (link != ProcLink::Descriptor) return "/";
    if (!processes[pid].descriptors.contains(number)) return fs_fail(FsError::NotFound);
    return "pipe:[77]";
  }
  Vnode link_target(int pid, ProcLink link, int number) override {
    if (link == ProcLink::Executable) return processes[pid].executable;
    return link == ProcLink::Descriptor ? processes[pid].targets[number] : Vnode{};
  }
  void system(SystemInfo& out) override { out = machine; }
  MachineTime time() override {
    return {.uptime_ns = machine.uptime_ns, .boot_time_s = machine.boot_time_s};
  }
  bool cpu(unsigned index, CpuInfo& out) override {
    if (index < cpus.size()) out = cpus[index];
    return index < cpus.size();
  }
  bool interrupt(unsigned index, InterruptInfo& out) override {
    static constexpr std::uint64_t kCounts[] = {12, 3};
    out = {.name = "4", .device = "IO-APIC   4-edge      ttyS0", .counts = kCounts};
    return index == 0;
  }
  bool interface(unsigned index, InterfaceInfo& out) override {
    out = {};
    out.name = "eth0";
    out.received_bytes = 60475855;
    out.received_packets = 1754;
    out.sent_bytes = 74350;
    out.sent_packets = 1001;
    return index == 0;
  }
  bool route(unsigned index, RouteInfo& out) override {
    out = {.interface = "eth0",
           .destination = 0,
           .gateway = 0x010200C0,
           .mask = 0,
           .flags = 3,
           .metric = 0};
    return index == 0;
  }
  bool socket(SocketTable table, unsigned index, SocketInfo& out) override {
    out = {};
    out.local_port = 2024;
    out.state = 10;
    out.inode = 552;
    out.path = "/run/socket";
    return index == 0 && (table == SocketTable::Tcp || table == SocketTable::Unix);
  }

  std::map<int, Process> processes;
  SystemInfo machine;
  std::vector<CpuInfo> cpus;
  int caller = 1;

 private:
  template <class T>
  static std::optional<int> next_key(const std::map<int, T>& from, int after) {
    const auto next = from.upper_bound(after);
    return next == from.end() ? std::nullopt : std::optional{next->first};
  }
};

}  // namespace xok::exos
