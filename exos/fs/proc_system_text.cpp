// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The files of /proc that tell about the whole machine: proc_stat(5), proc_meminfo(5), ...
#include "base/units.hpp"
#include "exos/fs/proc_fs.hpp"

namespace xok::exos {

namespace {

constexpr std::uint64_t kKib = 1024;
constexpr std::uint64_t kNsPerHundredth = kNanosecondsPerSecond / 100;

SystemInfo system_of(ProcSource& source) {
  SystemInfo system;
  source.system(system);
  return system;
}

void put_ticks(const CpuInfo& cpu, TextWindow& text) {
  for (const std::uint64_t ticks :
       {cpu.user_ticks, cpu.nice_ticks, cpu.system_ticks, cpu.idle_ticks, cpu.io_ticks,
        cpu.irq_ticks, cpu.soft_irq_ticks, cpu.steal_ticks}) {
    text.put(' ').number(ticks);
  }
  text.put(" 0 0\n");  // guest, guest_nice
}

void write_stat(ProcSource& source, TextWindow& text) {
  CpuInfo sum;
  CpuInfo cpu;
  for (unsigned i = 0; source.cpu(i, cpu); ++i) {
    sum.user_ticks += cpu.user_ticks;
    sum.nice_ticks += cpu.nice_ticks;
    sum.system_ticks += cpu.system_ticks;
    sum.idle_ticks += cpu.idle_ticks;
    sum.io_ticks += cpu.io_ticks;
    sum.irq_ticks += cpu.irq_ticks;
    sum.soft_irq_ticks += cpu.soft_irq_ticks;
    sum.steal_ticks += cpu.steal_ticks;
  }
  text.put("cpu ");
  put_ticks(sum, text);
  for (unsigned i = 0; source.cpu(i, cpu); ++i) {
    text.put("cpu").number(i);
    put_ticks(cpu, text);
  }
  const SystemInfo system = system_of(source);
  text.put("intr ").number(system.interrupts).put("\nctxt ").number(system.context_switches);
  text.put("\nbtime ").number(system.boot_time_s).put("\nprocesses ").number(system.forks);
  text.put("\nprocs_running ").number(system.running).put("\nprocs_blocked 0\nsoftirq 0\n");
}

void write_memory(const SystemInfo& system, TextWindow& text) {
  constexpr std::size_t kLabelWidth = 16;
  const auto line = [&text](std::string_view label, std::uint64_t bytes) {
    text.left(label, kLabelWidth).number(bytes / kKib, 8).put(" kB\n");
  };
  const std::uint64_t file_bytes = system.cached_bytes + system.buffer_bytes;
  line("MemTotal:", system.total_bytes);
  line("MemFree:", system.free_bytes);
  line("MemAvailable:", system.available_bytes);
  line("Buffers:", system.buffer_bytes);
  line("Cached:", system.cached_bytes);
  line("SwapCached:", 0);
  line("Active:", 0);
  line("Inactive:", file_bytes);
  line("SwapTotal:", 0);
  line("SwapFree:", 0);
  line("Dirty:", 0);
  line("Writeback:", 0);
  const std::uint64_t known = system.free_bytes + file_bytes;
  line("AnonPages:", system.total_bytes > known ? system.total_bytes - known : 0);
  line("Mapped:", 0);
  line("Shmem:", system.shared_bytes);
  line("Slab:", 0);
  line("SReclaimable:", 0);
  line("SUnreclaim:", 0);
  line("CommitLimit:", system.total_bytes);
  line("Committed_AS:", system.total_bytes - system.free_bytes);
}

void write_load(const SystemInfo& system, TextWindow& text) {
  for (const std::uint32_t load : system.load_hundredths) text.hundredths(load).put(' ');
  text.number(system.running).put('/').number(system.processes).put(' ');
  text.signed_number(system.last_pid).put('\n');
}

void write_cpus(ProcSource& source, TextWindow& text) {
  CpuInfo cpu;
  for (unsigned i = 0; source.cpu(i, cpu); ++i) {
    text.put("processor\t: ").number(i).put("\nvendor_id\t: ").put(cpu.vendor);
    text.put("\ncpu family\t: ").number(cpu.family).put("\nmodel\t\t: ").number(cpu.model);
    text.put("\nmodel name\t: ").put(cpu.model_name).put("\nstepping\t: ").number(cpu.stepping);
    text.put("\ncpu MHz\t\t: ").number(cpu.khz / 1000).put('.');
    const std::uint64_t thousandths = cpu.khz % 1000;
    text.number(thousandths / 100).number(thousandths / 10 % 10).number(thousandths % 10);
    text.put("\ncache size\t: ").number(cpu.cache_kb).put(" KB\nphysical id\t: 0\ncore id\t\t: ");
    text.number(i).put("\nfpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\nflags\t\t: ");
    text.put(cpu.flags).put("\nbogomips\t: ").hundredths(cpu.khz / 5);  // 2 per MHz
    text.put("\nclflush size\t: 64\ncache_alignment\t: 64\n");
    text.put("address sizes\t: 48 bits physical, 48 bits virtual\npower management:\n\n");
  }
}

void write_interrupts(ProcSource& source, TextWindow& text) {
  constexpr std::size_t kColumn = 10;
  CpuInfo cpu;
  unsigned cpus = 0;
  text.spaces(4);
  for (; source.cpu(cpus, cpu); ++cpus) {
    text.spaces(cpus < 10 ? 7 : 6).put("CPU").number(cpus);
  }
  text.put('\n');
  InterruptInfo interrupt;
  for (unsigned i = 0; source.interrupt(i, interrupt); ++i) {
    text.right(interrupt.name, 3).put(':');
    for (unsigned c = 0; c < cpus; ++c) {
      text.put(' ').number(c < interrupt.counts.size() ? interrupt.counts[c] : 0, kColumn);
    }
    text.put("   ").put(interrupt.device).put('\n');
  }
}

void write_uptime(const SystemInfo& system, TextWindow& text) {
  text.hundredths(system.uptime_ns / kNsPerHundredth).put(' ');
  text.hundredths(system.idle_ns / kNsPerHundredth).put('\n');
}

void write_version(const SystemInfo& system, TextWindow& text) {
  text.put(system.os_name).put(" version ").put(system.release).put(" (xok@exos) (Xok/ExOS) ");
  text.put(system.version).put('\n');
}

}  // namespace

void write_system_text(ProcFile file, ProcSource& source, TextWindow& text) {
  const SystemInfo system = system_of(source);
  const auto line = [&text](std::string_view words) { text.put(words).put('\n'); };
  switch (file) {
    case ProcFile::CmdLine:
      return line(system.command_line);
    case ProcFile::CpuInfo:
      return write_cpus(source, text);
    case ProcFile::Devices:
      return line("Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n136 pts\n\nBlock devices:");
    case ProcFile::FileSystems:
      return line("nodev\ttmpfs\nnodev\tproc");
    case ProcFile::Interrupts:
      return write_interrupts(source, text);
    case ProcFile::LoadAvg:
      return write_load(system, text);
    case ProcFile::MemInfo:
      return write_memory(system, text);
    case ProcFile::Stat:
      return write_stat(source, text);
    case ProcFile::Swaps:
      return line("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority");
    case ProcFile::Uptime:
      return write_uptime(system, text);
    case ProcFile::Version:
      return write_version(system, text);
    case ProcFile::VmStat:
      text.put("nr_free_pages ").number(system.free_bytes / kPageSize);
      text.put("\nnr_file_pages ").number(system.cached_bytes / kPageSize);
      return line("\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0");
    case ProcFile::HostName:
      return line(system.host_name);
    case ProcFile::DomainName:
      return line(system.domain_name);
    case ProcFile::OsType:
      return line(system.os_name);
    case ProcFile::OsRelease:
      return line(system.release);
    case ProcFile::OsVersion:
      return line(system.version);
    case ProcFile::PidMax:
      text.signed_number(system.pid_max).put('\n');
      return;
    case ProcFile::NgroupsMax:
      return line("65536");
    case ProcFile::CapLast:
      return line("40");
    case ProcFile::Overcommit:
      return line("0");
    case ProcFile::FileMax:
      return line("1048576");
    case ProcFile::PipeMax:
      return line("1048576");
    default:
      return;
  }
}

}  // namespace xok::exos
