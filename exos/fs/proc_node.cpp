// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fs/proc_node.hpp"

#include <array>

namespace xok::exos {

namespace {

constexpr auto kDir = FileType::Directory;
constexpr auto kFile = FileType::Regular;
constexpr auto kLink = FileType::Symlink;

constexpr ProcName kNames[] = {
    {ProcFile::Root, ProcFile::Self, kLink, 0777, "self"},
    {ProcFile::Root, ProcFile::ThreadSelf, kLink, 0777, "thread-self"},
    {ProcFile::Root, ProcFile::CmdLine, kFile, 0444, "cmdline"},
    {ProcFile::Root, ProcFile::CpuInfo, kFile, 0444, "cpuinfo"},
    {ProcFile::Root, ProcFile::Devices, kFile, 0444, "devices"},
    {ProcFile::Root, ProcFile::FileSystems, kFile, 0444, "filesystems"},
    {ProcFile::Root, ProcFile::Interrupts, kFile, 0444, "interrupts"},
    {ProcFile::Root, ProcFile::LoadAvg, kFile, 0444, "loadavg"},
    {ProcFile::Root, ProcFile::MemInfo, kFile, 0444, "meminfo"},
    {ProcFile::Root, ProcFile::Mounts, kLink, 0777, "mounts"},
    {ProcFile::Root, ProcFile::Stat, kFile, 0444, "stat"},
    {ProcFile::Root, ProcFile::Swaps, kFile, 0444, "swaps"},
    {ProcFile::Root, ProcFile::Uptime, kFile, 0444, "uptime"},
    {ProcFile::Root, ProcFile::Version, kFile, 0444, "version"},
    {ProcFile::Root, ProcFile::VmStat, kFile, 0444, "vmstat"},
    {ProcFile::Root, ProcFile::Net, kDir, 0555, "net"},
    {ProcFile::Root, ProcFile::Sys, kDir, 0555, "sys"},
    {ProcFile::Net, ProcFile::NetDev, kFile, 0444, "dev"},
    {ProcFile::Net, ProcFile::NetRoute, kFile, 0444, "route"},
    {ProcFile::Net, ProcFile::NetTcp, kFile, 0444, "tcp"},
    {ProcFile::Net, ProcFile::NetTcp6, kFile, 0444, "tcp6"},
    {ProcFile::Net, ProcFile::NetUdp, kFile, 0444, "udp"},
    {ProcFile::Net, ProcFile::NetUdp6, kFile, 0444, "udp6"},
    {ProcFile::Net, ProcFile::NetRaw, kFile, 0444, "raw"},
    {ProcFile::Net, ProcFile::NetRaw6, kFile, 0444, "raw6"},
    {ProcFile::Net, ProcFile::NetUnix, kFile, 0444, "unix"},
    {ProcFile::Net, ProcFile::NetArp, kFile, 0444, "arp"},
    {ProcFile::Sys, ProcFile::SysKernel, kDir, 0555, "kernel"},
    {ProcFile::Sys, ProcFile::SysVm, kDir, 0555, "vm"},
    {ProcFile::Sys, ProcFile::SysFs, kDir, 0555, "fs"},
    {ProcFile::SysKernel, ProcFile::HostName, kFile, 0444, "hostname"},
    {ProcFile::SysKernel, ProcFile::DomainName, kFile, 0444, "domainname"},
    {ProcFile::SysKernel, ProcFile::OsType, kFile, 0444, "ostype"},
    {ProcFile::SysKernel, ProcFile::OsRelease, kFile, 0444, "osrelease"},
    {ProcFile::SysKernel, ProcFile::OsVersion, kFile, 0444, "version"},
    {ProcFile::SysKernel, ProcFile::PidMax, kFile, 0444, "pid_max"},
    {ProcFile::SysKernel, ProcFile::NgroupsMax, kFile, 0444, "ngroups_max"},
    {ProcFile::SysKernel, ProcFile::CapLast, kFile, 0444, "cap_last_cap"},
    {ProcFile::SysVm, ProcFile::Overcommit, kFile, 0444, "overcommit_memory"},
    {ProcFile::SysFs, ProcFile::FileMax, kFile, 0444, "file-max"},
    {ProcFile::SysFs, ProcFile::PipeMax, kFile, 0444, "pipe-max-size"},
    {ProcFile::Process, ProcFile::PidCmdLine, kFile, 0444, "cmdline"},
    {ProcFile::Process, ProcFile::PidComm, kFile, 0444, "comm"},
    {ProcFile::Process, ProcFile::PidEnviron, kFile, 0400, "environ"},
    {ProcFile::Process, ProcFile::PidMaps, kFile, 0444, "maps"},
    {ProcFile::Process, ProcFile::PidMounts, kFile, 0444, "mounts"},
    {ProcFile::Process, ProcFile::PidMountInfo, kFile, 0444, "mountinfo"},
    {ProcFile::Process, ProcFile::PidStat, kFile, 0444, "stat"},
    {ProcFile::Process, ProcFile::PidStatm, kFile, 0444, "statm"},
    {ProcFile::Process, ProcFile::PidStatus, kFile, 0444, "status"},
    {ProcFile::Process, ProcFile::PidExe, kLink, 0777, "exe"},
    {ProcFile::Process, ProcFile::PidCwd, kLink, 0777, "cwd"},
    {ProcFile::Process, ProcFile::PidRoot, kLink, 0777, "root"},
    {ProcFile::Process, ProcFile::PidFd, kDir, 0500, "fd"},
    {ProcFile::Process, ProcFile::PidTask, kDir, 0555, "task"},
};

/// Where in kNames a file is, plus one.
constexpr auto kPlaces = [] {
  std::array<std::uint8_t, static_cast<std::size_t>(ProcFile::Descriptor) + 1> places{};
  std::uint8_t place = 0;
  for (const ProcName& name : kNames) places[static_cast<std::size_t>(name.file)] = ++place;
  return places;
}();

}  // namespace

std::span<const ProcName> proc_names() { return kNames; }

const ProcName* proc_name_of(ProcFile file) {
  const auto number = static_cast<std::size_t>(file);
  const std::size_t place = number < kPlaces.size() ? kPlaces[number] : 0;
  return place == 0 ? nullptr : &kNames[place - 1];
}

}  // namespace xok::exos
