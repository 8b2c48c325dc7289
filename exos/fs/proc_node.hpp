// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "exos/fs/inode.hpp"
#include "exos/fs/proc_source.hpp"

namespace xok::exos {

/// Every kind of file in /proc.
enum class ProcFile : std::uint8_t {
  Root = 1,
  Self,
  ThreadSelf,
  CmdLine,
  CpuInfo,
  Devices,
  FileSystems,
  Interrupts,
  LoadAvg,
  MemInfo,
  Mounts,
  Stat,
  Swaps,
  Uptime,
  Version,
  VmStat,
  Net,
  NetDev,
  NetRoute,
  NetTcp,
  NetTcp6,
  NetUdp,
  NetUdp6,
  NetRaw,
  NetRaw6,
  NetUnix,
  NetArp,
  Sys,
  SysKernel,
  HostName,
  DomainName,
  OsType,
  OsRelease,
  OsVersion,
  PidMax,
  NgroupsMax,
  CapLast,
  SysVm,
  Overcommit,
  SysFs,
  FileMax,
  PipeMax,
  Process,
  PidCmdLine,
  PidComm,
  PidEnviron,
  PidMaps,
  PidMounts,
  PidMountInfo,
  PidStat,
  PidStatm,
  PidStatus,
  PidExe,
  PidCwd,
  PidRoot,
  PidFd,
  PidTask,
  Descriptor,
};

/// A file of /proc, as a value: which kind, of which process, which descriptor. Nothing is stored,
/// so it may name what has ceased to exist; every operation looks again.
struct ProcNode {
  ProcFile file = ProcFile::Root;
  int pid = 0;
  int descriptor = 0;  ///< below 2^24

  /// The form in a Vnode, which is the inode number too.
  [[nodiscard]] std::uint64_t pack() const {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(pid)) << 32 |
           static_cast<std::uint64_t>(static_cast<std::uint32_t>(descriptor)) << 8 |
           static_cast<std::uint64_t>(file);
  }
  static ProcNode unpack(std::uint64_t word) {
    return {.file = static_cast<ProcFile>(word & 0xff),
            .pid = static_cast<int>(word >> 32),
            .descriptor = static_cast<int>((word >> 8) & 0xffffff)};
  }
};

/// A fixed name in one of /proc's directories.
struct ProcName {
  ProcFile directory;
  ProcFile file;
  FileType type;
  std::uint16_t permissions;
  std::string_view name;
};

/// All fixed names, and the one that leads to `file`; nullptr for processes and descriptors.
std::span<const ProcName> proc_names();
const ProcName* proc_name_of(ProcFile file);

}  // namespace xok::exos
