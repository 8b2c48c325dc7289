// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Structures that calls take and fill: one printer each, then a table of which kind takes which.
#include <algorithm>

#include "exos/linux/trace_args.hpp"
#include "exos/linux/trace_names.hpp"

namespace xok::exos::trace {

using namespace linux_abi;
using namespace std::string_view_literals;

namespace {

void put(Text& text, const Stat& stat) {
  text.put("{st_mode=");
  put_file_mode(text, stat.st_mode);
  const std::uint32_t type = stat.st_mode & 0170000;
  if (type == kS_IFCHR || type == kS_IFBLK) {
    text.put(", st_rdev=makedev(").hex(device_major(stat.st_rdev)).put(", ");
    text.hex(device_minor(stat.st_rdev)).put(')');
  } else {
    text.put(", st_size=").decimal(stat.st_size);
  }
  text.put(", ...}");
}

void put(Text& text, const Statx& statx) {
  text.put("{stx_mask=");
  put_flags(text, Group::StatxMask, statx.stx_mask);
  text.put(", stx_attributes=");
  put_flags(text, Group::StatxAttribute, static_cast<std::uint32_t>(statx.stx_attributes));
  text.put(", stx_mode=");
  put_file_mode(text, statx.stx_mode);
  text.put(", stx_size=").unsigned_decimal(statx.stx_size).put(", ...}");
}

void put(Text& text, const Statfs& statfs) {
  text.put("{f_type=");
  switch (statfs.f_type) {
    case kTMPFS_MAGIC:
      text.put("TMPFS_MAGIC");
      break;
    case kPROC_SUPER_MAGIC:
      text.put("PROC_SUPER_MAGIC");
      break;
    case kEXT2_SUPER_MAGIC:
      text.put("EXT2_SUPER_MAGIC");
      break;
    default:
      text.hex(static_cast<std::uint64_t>(statfs.f_type));
  }
  text.put(", f_bsize=").decimal(statfs.f_bsize);
  text.put(", f_blocks=").unsigned_decimal(statfs.f_blocks);
  text.put(", f_bfree=").unsigned_decimal(statfs.f_bfree).put(", ...}");
}

void put(Text& text, const Sigaction& action) {
  text.put("{sa_handler=");
  const auto name = action.handler > 1
                        ? std::string_view{}
                        : name_of(Group::SigHandler, static_cast<std::uint32_t>(action.handler));
  if (name.empty()) {
    text.hex(action.handler);
  } else {
    text.put(name);
  }
  text.put(", sa_mask=");
  put_signal_set(text, action.sa_mask);
  text.put(", sa_flags=");
  put_flags(text, Group::SigAction, static_cast<std::uint32_t>(action.sa_flags));
  if ((action.sa_flags & kSA_RESTORER) != 0) {
    text.put(", sa_restorer=").pointer(action.sa_restorer);
  }
  text.put('}');
}

void put(Text& text, const Stack& stack) {
  text.put("{ss_sp=").pointer(stack.ss_sp).put(", ss_flags=");
  put_flags(text, Group::SigStack, static_cast<std::uint32_t>(stack.ss_flags));
  text.put(", ss_size=").unsigned_decimal(stack.ss_size).put('}');
}

void put(Text& text, const Timespec& time) { put_timespec(text, time); }
void put(Text& text, const Timeval& time) { put_timeval(text, time); }

void put(Text& text, const Itimerval& timer) {
  text.put("{it_interval=");
  put_timeval(text, timer.it_interval);
  text.put(", it_value=");
  put_timeval(text, timer.it_value);
  text.put('}');
}

void put(Text& text, const Rusage& usage) {
  text.put("{ru_utime=");
  put_timeval(text, usage.ru_utime);
  text.put(", ru_stime=");
  put_timeval(text, usage.ru_stime);
  text.put(", ...}");
}

void put_limit(Text& text, std::uint64_t limit) {
  if (limit == kRLIM_INFINITY) {
    text.put("RLIM64_INFINITY");
  } else if (limit > 1024 && limit % 1024 == 0) {
    text.unsigned_decimal(limit / 1024).put("*1024");
  } else {
    text.unsigned_decimal(limit);
  }
}

void put(Text& text, const Rlimit& limit) {
  text.put("{rlim_cur=");
  put_limit(text, limit.rlim_cur);
  text.put(", rlim_max=");
  put_limit(text, limit.rlim_max);
  text.put('}');
}

void put_array(Text& text, std::string_view name, const char (&characters)[65]) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(characters);
  const auto* end = std::find(bytes, bytes + sizeof characters, 0);
  text.put(name).quoted({bytes, end});
}

void put(Text& text, const Utsname& names) {
  put_array(text, "{sysname=", names.sysname);
  put_array(text, ", nodename=", names.nodename);
  text.put(", ...}");
}

void put(Text& text, const Sysinfo& info) {
  text.put("{uptime=").decimal(info.uptime).put(", loads=[");
  for (std::size_t i = 0; i < 3; i++)
    text.put(i == 0 ? ""sv : ", "sv).unsigned_decimal(info.loads[i]);
  text.put("], totalram=").unsigned_decimal(info.totalram);
  text.put(", freeram=").unsigned_decimal(info.freeram);
  text.put(", sharedram=").unsigned_decimal(info.sharedram);
  text.put(", bufferram=").unsigned_decimal(info.bufferram);
  text.put(", totalswap=").unsigned_decimal(info.totalswap);
  text.put(", freeswap=").unsigned_decimal(info.freeswap);
  text.put(", procs=").unsigned_decimal(info.procs);
  text.put(", totalhigh=").unsigned_decimal(info.totalhigh);
  text.put(", freehigh=").unsigned_decimal(info.freehigh);
  text.put(", mem_unit=").unsigned_decimal(info.mem_unit).put('}');
}

void put(Text& text, const Tms& times) {
  text.put("{tms_utime=").decimal(times.tms_utime).put(", tms_stime=").decimal(times.tms_stime);
  text.put(", tms_cutime=").decimal(times.tms_cutime);
  text.put(", tms_cstime=").decimal(times.tms_cstime).put('}');
}

/// A structure the call reads, or has filled in: its printer's text, or its address.
template <class T>
bool put_read(const CallView& view, std::size_t index) {
  const auto value = view.load<T>(view.arguments[index]);
  if (value.has_value()) {
    put(view.text, *value);
  } else {
    view.text.pointer(view.arguments[index]);
  }
  return true;
}

template <class T>
bool put_filled(const CallView& view, std::size_t index) {
  if (view.succeeded()) return put_read<T>(view, index);
  view.text.pointer(view.arguments[index]);
  return true;
}

void put_wait_status(Text& text, std::uint32_t status) {
  const auto code = (status >> 8) & 0xff;
  if (status == kContinuedStatus) {
    text.put("{WIFCONTINUED(s)}");
  } else if ((status & 0xff) == 0x7f) {
    text.put("{WIFSTOPPED(s) && WSTOPSIG(s) == ");
    put_signal(text, static_cast<int>(code));
    text.put('}');
  } else if ((status & 0x7f) == 0) {
    text.put("{WIFEXITED(s) && WEXITSTATUS(s) == ").unsigned_decimal(code).put('}');
  } else {
    text.put("{WIFSIGNALED(s) && WTERMSIG(s) == ");
    put_signal(text, static_cast<int>(status & 0x7f));
    if ((status & kCoreDumpedStatus) != 0) text.put(" && WCOREDUMP(s)");
    text.put('}');
  }
}

bool put_wait_result(const CallView& view, std::size_t index) {
  const auto status = view.load<std::uint32_t>(view.arguments[index]);
  if (!view.succeeded() || view.result == 0 || !status.has_value()) {
    view.text.pointer(view.arguments[index]);
  } else {
    view.text.put('[');
    put_wait_status(view.text, *status);
    view.text.put(']');
  }
  return true;
}

bool put_signal_set_at(const CallView& view, std::uint64_t address) {
  const auto set = view.load<std::uint64_t>(address);
  if (set.has_value()) {
    put_signal_set(view.text, *set);
  } else {
    view.text.pointer(address);
  }
  return true;
}

/// pselect6's last argument: where the mask is, and its size.
bool put_mask_pair(const CallView& view, std::size_t index) {
  const auto pair = view.load<std::array<std::uint64_t, 2>>(view.arguments[index]);
  if (!pair.has_value()) {
    view.text.pointer(view.arguments[index]);
    return true;
  }
  view.text.put("{sigmask=");
  put_signal_set_at(view, (*pair)[0]);
  view.text.put(", sigsetsize=").unsigned_decimal((*pair)[1]).put('}');
  return true;
}

/// utimensat's two times.
bool put_two_times(const CallView& view, std::size_t index) {
  const auto times = view.load<std::array<Timespec, 2>>(view.arguments[index]);
  if (!times.has_value()) {
    view.text.pointer(view.arguments[index]);
    return true;
  }
  view.text.put('[');
  for (std::size_t i = 0; i < 2; i++) {
    if (i != 0) view.text.put(", ");
    const std::int64_t ns = (*times)[i].tv_nsec;
    if (ns == kUTIME_NOW || ns == kUTIME_OMIT) {
      view.text.put(ns == kUTIME_NOW ? "UTIME_NOW"sv : "UTIME_OMIT"sv);
    } else {
      put_timespec(view.text, (*times)[i]);
    }
  }
  view.text.put(']');
  return true;
}

bool put_integers(const CallView& view, std::size_t index, std::size_t count) {
  const std::uint64_t address = view.arguments[index];
  if (!view.succeeded() || !view.load<std::uint32_t>(address).has_value()) {
    view.text.pointer(address);
    return true;
  }
  view.text.put('[');
  for (std::size_t i = 0; i < count; i++) {
    if (i != 0) view.text.put(", ");
    view.text.decimal(view.load<std::int32_t>(address + i * 4).value_or(0));
  }
  view.text.put(']');
  return true;
}

bool put_offset(const CallView& view, std::size_t index) {
  const auto offset = view.load<std::int64_t>(view.arguments[index]);
  if (offset.has_value()) {
    view.text.put('[').decimal(*offset).put(']');
  } else {
    view.text.pointer(view.arguments[index]);
  }
  return true;
}

}  // namespace

void put_timespec(Text& text, const Timespec& time) {
  text.put("{tv_sec=").decimal(time.tv_sec).put(", tv_nsec=").decimal(time.tv_nsec).put('}');
}

void put_timeval(Text& text, const Timeval& time) {
  text.put("{tv_sec=").decimal(time.tv_sec).put(", tv_usec=").decimal(time.tv_usec).put('}');
}

void put_file_mode(Text& text, std::uint32_t mode) {
  const std::string_view type = name_of(Group::FileType, mode & 0170000);
  if (!type.empty()) text.put(type).put('|');
  if ((mode & 04000) != 0) text.put("S_ISUID|");
  if ((mode & 02000) != 0) text.put("S_ISGID|");
  if ((mode & 01000) != 0) text.put("S_ISVTX|");
  text.octal_mode(mode & 0777);
}

bool put_structure(const CallView& view, ArgKind kind, std::size_t index) {
  switch (kind) {
    case ArgKind::StatOut:
      return put_filled<Stat>(view, index);
    case ArgKind::StatxOut:
      return put_filled<Statx>(view, index);
    case ArgKind::StatfsOut:
      return put_filled<Statfs>(view, index);
    case ArgKind::SigActionIn:
      return put_read<Sigaction>(view, index);
    case ArgKind::SigActionOut:
      return put_filled<Sigaction>(view, index);
    case ArgKind::StackIn:
      return put_read<Stack>(view, index);
    case ArgKind::StackOut:
      return put_filled<Stack>(view, index);
    case ArgKind::TimespecIn:
      return put_read<Timespec>(view, index);
    case ArgKind::TimespecOut:
      return put_filled<Timespec>(view, index);
    case ArgKind::RemainingOut:  // written only when a signal cut the sleep short
      if (view.result == -kEINTR) return put_read<Timespec>(view, index);
      view.text.pointer(view.arguments[index]);
      return true;
    case ArgKind::TimespecPair:
      return put_two_times(view, index);
    case ArgKind::TimevalIn:
      return put_read<Timeval>(view, index);
    case ArgKind::TimevalOut:
      return put_filled<Timeval>(view, index);
    case ArgKind::ItimerIn:
      return put_read<Itimerval>(view, index);
    case ArgKind::ItimerOut:
      return put_filled<Itimerval>(view, index);
    case ArgKind::RusageOut:
      return put_filled<Rusage>(view, index);
    case ArgKind::LimitIn:
      return put_read<Rlimit>(view, index);
    case ArgKind::LimitOut:
      return put_filled<Rlimit>(view, index);
    case ArgKind::UtsnameOut:
      return put_filled<Utsname>(view, index);
    case ArgKind::SysinfoOut:
      return put_filled<Sysinfo>(view, index);
    case ArgKind::TmsOut:
      return put_filled<Tms>(view, index);
    case ArgKind::WaitStatusOut:
      return put_wait_result(view, index);
    case ArgKind::SigSetIn:
      return put_signal_set_at(view, view.arguments[index]);
    case ArgKind::SigSetOut:
      if (view.succeeded()) return put_signal_set_at(view, view.arguments[index]);
      view.text.pointer(view.arguments[index]);
      return true;
    case ArgKind::MaskPair:
      return put_mask_pair(view, index);
    case ArgKind::FdPairOut:
      return put_integers(view, index, 2);
    case ArgKind::IntOut:
      return put_integers(view, index, 1);
    case ArgKind::OffsetIn:
      return put_offset(view, index);
    default:
      return false;
  }
}

}  // namespace xok::exos::trace
