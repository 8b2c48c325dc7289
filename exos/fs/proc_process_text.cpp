// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The files of one process in /proc: proc_pid_stat(5), _statm, _status, _maps.
#include "base/units.hpp"
#include "exos/fs/proc_fs.hpp"

namespace xok::exos {

namespace {

constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};
constexpr int kPriorityOfNiceZero = 20;
constexpr std::uint64_t kKib = 1024;
constexpr std::uint64_t kPageKib = kPageSize / kKib;

std::string_view state_name(char state) {
  switch (state) {
    case 'R':
      return "R (running)";
    case 'S':
      return "S (sleeping)";
    case 'D':
      return "D (disk sleep)";
    case 'T':
      return "T (stopped)";
    case 't':
      return "t (tracing stop)";
    case 'Z':
      return "Z (zombie)";
    case 'X':
      return "X (dead)";
    default:
      return "I (idle)";
  }
}

/// The 52 fields of proc_pid_stat(5), numbered as there. Addresses that we do not tell are 0.
void write_stat(const ProcessInfo& p, TextWindow& text) {
  const auto put = [&text](std::uint64_t value) { text.put(' ').number(value); };
  const auto put_signed = [&text](std::int64_t value) { text.put(' ').signed_number(value); };
  const auto put_zeros = [&put](int count) {
    while (count-- > 0) put(0);
  };
  text.signed_number(p.pid).put(" (").put(p.command).put(") ").put(p.state);  // 1-3
  for (const int id : {p.parent, p.group, p.session, p.tty_device, p.tty_group}) put_signed(id);
  put(0);  // 9 flags
  for (const std::uint64_t faults : {p.minor_faults, std::uint64_t{0}, p.major_faults}) put(faults);
  put(0);  // 13 cmajflt
  for (const std::uint64_t ticks :
       {p.user_ticks, p.system_ticks, p.children_user_ticks, p.children_system_ticks}) {
    put(ticks);
  }
  put_signed(kPriorityOfNiceZero + p.nice);  // 18
  put_signed(p.nice);
  put(p.threads);
  put(0);  // 21 itrealvalue
  put(p.start_ticks);
  put(p.virtual_bytes);
  put(p.resident_pages);
  put(kUnlimited);  // 25 rsslim
  for (const std::uint64_t address : {p.code_start, p.code_end, p.stack_start}) put(address);
  put_zeros(2);  // 29 kstkesp, kstkeip
  for (const std::uint64_t mask :
       {p.pending_signals, p.blocked_signals, p.ignored_signals, p.caught_signals}) {
    put(mask & 0x7fffffff);  // 31-34, obsolete: the low 31 signals only
  }
  put_zeros(3);  // 35 wchan, nswap, cnswap
  put_signed(p.exit_signal);
  put(p.processor);
  put_zeros(13);  // 40 rt_priority ... 52 exit_code
  text.put('\n');
}

void write_statm(const ProcessInfo& p, TextWindow& text) {
  const auto pages = [](std::uint64_t bytes) { return page_ceil(bytes) / kPageSize; };
  text.number(pages(p.virtual_bytes)).put(' ').number(p.resident_pages).put(' ');
  text.number(p.shared_pages).put(' ').number(pages(p.text_bytes)).put(" 0 ");
  text.number(pages(p.data_bytes + p.stack_bytes)).put(" 0\n");
}

void write_ids(std::string_view label, std::initializer_list<std::uint32_t> ids, TextWindow& text) {
  text.put(label);
  for (const std::uint32_t id : ids) text.put('\t').number(id);
  text.put('\n');
}

void write_escaped_command(std::string_view command, TextWindow& text) {
  for (const char character : command) {
    if (character == '\n') {
      text.put("\\n");
    } else if (character == '\\') {
      text.put("\\\\");
    } else {
      text.put(character);
    }
  }
}

void write_status(const ProcessInfo& p, TextWindow& text) {
  const auto number = [&text](std::string_view label, std::int64_t value) {
    text.put(label).put('\t').signed_number(value).put('\n');
  };
  const auto kib = [&text](std::string_view label, std::uint64_t value) {
    text.put(label).put('\t').number(value, 8).put(" kB\n");
  };
  const auto mask = [&text](std::string_view label, std::uint64_t value) {
    text.put(label).put('\t').hex(value, 16).put('\n');
  };
  text.put("Name:\t");
  write_escaped_command(p.command, text);
  text.put("\nUmask:\t").octal(p.umask, 4).put("\nState:\t").put(state_name(p.state)).put('\n');
  number("Tgid:", p.thread_group);
  number("Ngid:", 0);
  number("Pid:", p.pid);
  number("PPid:", p.parent);
  number("TracerPid:", 0);
  write_ids("Uid:", {p.uid, p.effective_uid, p.saved_uid, p.effective_uid}, text);
  write_ids("Gid:", {p.gid, p.effective_gid, p.saved_gid, p.effective_gid}, text);
  number("FDSize:", p.descriptors);
  text.put("Groups:\t");
  for (const std::uint32_t group : p.groups) text.number(group).put(' ');
  text.put(p.groups.empty() ? " \n" : "\n");
  if (p.state != 'Z') {
    kib("VmPeak:", p.virtual_bytes / kKib);
    kib("VmSize:", p.virtual_bytes / kKib);
    kib("VmLck:", 0);
    kib("VmPin:", 0);
    kib("VmHWM:", p.resident_pages * kPageKib);
    kib("VmRSS:", p.resident_pages * kPageKib);
    kib("RssAnon:", (p.resident_pages - p.shared_pages) * kPageKib);
    kib("RssFile:", p.shared_pages * kPageKib);
    kib("RssShmem:", 0);
    kib("VmData:", p.data_bytes / kKib);
    kib("VmStk:", p.stack_bytes / kKib);
    kib("VmExe:", p.text_bytes / kKib);
    kib("VmLib:", 0);
    kib("VmPTE:", 0);
    kib("VmSwap:", 0);
  }
  number("Threads:", p.threads);
  text.put("SigQ:\t0/0\n");
  mask("SigPnd:", p.pending_signals);
  mask("ShdPnd:", 0);
  mask("SigBlk:", p.blocked_signals);
  mask("SigIgn:", p.ignored_signals);
  mask("SigCgt:", p.caught_signals);
  const std::uint64_t capabilities = p.effective_uid == kRootUid ? 0x1ffffffffff : 0;
  mask("CapInh:", 0);
  mask("CapPrm:", capabilities);
  mask("CapEff:", capabilities);
  mask("CapBnd:", 0x1ffffffffff);
  mask("CapAmb:", 0);
  number("NoNewPrivs:", 0);
  number("Seccomp:", 0);
  number("voluntary_ctxt_switches:", static_cast<std::int64_t>(p.voluntary_switches));
  number("nonvoluntary_ctxt_switches:", static_cast<std::int64_t>(p.involuntary_switches));
}

}  // namespace

void write_maps(ProcSource& source, int pid, TextWindow& text) {
  constexpr std::size_t kPathColumn = 73;
  std::uint64_t from = 0;
  for (MappingInfo map; source.next_mapping(pid, from, map); map = {}) {
    const std::uint64_t line = text.length();
    text.hex(map.start, 8).put('-').hex(map.end, 8).put(' ');
    text.put(map.readable ? 'r' : '-').put(map.writable ? 'w' : '-');
    text.put(map.executable ? 'x' : '-').put(map.shared ? 's' : 'p').put(' ');
    text.hex(map.offset, 8).put(' ').hex(map.device >> 8, 2).put(':').hex(map.device & 0xff, 2);
    text.put(' ').number(map.inode).put(' ');
    if (!map.path.empty()) {
      const std::uint64_t used = text.length() - line;
      if (used < kPathColumn) text.spaces(kPathColumn - used);
      text.put(map.path);
    }
    text.put('\n');
    if (map.end <= from) break;  // a source that does not advance must not hang us
    from = map.end;
  }
}

void write_process_text(ProcFile file, const ProcessInfo& process, TextWindow& text) {
  switch (file) {
    case ProcFile::PidCmdLine:
      text.put(process.arguments);
      break;
    case ProcFile::PidComm:
      text.put(process.command).put('\n');
      break;
    case ProcFile::PidEnviron:
      text.put(process.environment);
      break;
    case ProcFile::PidStat:
      write_stat(process, text);
      break;
    case ProcFile::PidStatm:
      write_statm(process, text);
      break;
    case ProcFile::PidStatus:
      write_status(process, text);
      break;
    default:
      break;
  }
}

}  // namespace xok::exos
