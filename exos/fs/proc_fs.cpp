// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The tree of /proc. Fixed names come from one table (proc_node.cpp); below them three directories
// list numbers: the root its processes, `fd` descriptors, `task` threads (which are shown as
// process directories). Cursors of a listing:
//
//   0 `.`   1 `..`   2 + i  the table's entry i   kNumbers + n  numbers from n on
#include "exos/fs/proc_fs.hpp"

#include <algorithm>
#include <limits>

#include "base/units.hpp"

namespace xok::exos {

namespace {

constexpr std::uint32_t kProcMagic = 0x9fa0;
constexpr std::uint64_t kFixed = 2;
constexpr std::uint64_t kNumbers = 1024;
constexpr int kMaxDescriptor = (1 << 24) - 1;

/// A decimal number without sign or leading zero, as the names of processes are.
std::optional<int> parse_number(std::string_view name) {
  constexpr std::size_t kMaxDigits = 9;
  if (name.empty() || name.size() > kMaxDigits || (name[0] == '0' && name.size() > 1)) {
    return std::nullopt;
  }
  int value = 0;
  for (const char digit : name) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + (digit - '0');
  }
  return value;
}

std::string_view format_number(int value, std::span<char> buffer) {
  TextWindow text{buffer, 0};
  text.number(static_cast<std::uint64_t>(value));
  return {buffer.data(), text.stored()};
}

bool lists_numbers(ProcFile file) {
  return file == ProcFile::Root || file == ProcFile::PidFd || file == ProcFile::PidTask;
}

ProcLink link_kind(ProcFile file) {
  if (file == ProcFile::PidExe) return ProcLink::Executable;
  if (file == ProcFile::PidCwd) return ProcLink::Directory;
  if (file == ProcFile::PidRoot) return ProcLink::Root;
  return ProcLink::Descriptor;
}

/// A thread's directory is its process' without `task`: the node's descriptor is 1 there.
constexpr int kSeenAsThread = 1;

bool hidden_in(ProcNode directory, ProcFile file) {
  return file == ProcFile::PidTask && directory.descriptor == kSeenAsThread;
}

bool of_process(ProcFile file) { return file >= ProcFile::Process; }

}  // namespace

bool ProcFs::exists(int pid) const {
  ProcessInfo info;
  return source_ != nullptr && source_->process(pid, info);
}

FsResult<ProcNode> ProcFs::lookup(ProcNode directory, std::string_view name) const {
  if (type(directory) != FileType::Directory) return fs_fail(FsError::NotADirectory);
  if (source_ == nullptr) return fs_fail(FsError::NotFound);
  for (const ProcName& entry : proc_names()) {
    if (entry.directory == directory.file && entry.name == name) {
      if (hidden_in(directory, entry.file)) return fs_fail(FsError::NotFound);
      if (directory.pid != 0 && !exists(directory.pid)) return fs_fail(FsError::NotFound);
      return ProcNode{.file = entry.file, .pid = directory.pid, .descriptor = 0};
    }
  }
  if (lists_numbers(directory.file)) return lookup_number(directory, name);
  return fs_fail(FsError::NotFound);
}

FsResult<ProcNode> ProcFs::lookup_number(ProcNode directory, std::string_view name) const {
  const auto number = parse_number(name);
  if (!number) return fs_fail(FsError::NotFound);
  if (directory.file == ProcFile::PidFd) {
    DescriptorInfo info;
    if (*number > kMaxDescriptor || !source_->descriptor(directory.pid, *number, info)) {
      return fs_fail(FsError::NotFound);
    }
    return ProcNode{.file = ProcFile::Descriptor, .pid = directory.pid, .descriptor = *number};
  }
  const bool of_task = directory.file == ProcFile::PidTask;
  const bool found =
      of_task ? source_->next_thread(directory.pid, *number - 1) == number : exists(*number);
  if (*number == 0 || !found) return fs_fail(FsError::NotFound);
  return ProcNode{
      .file = ProcFile::Process, .pid = *number, .descriptor = of_task ? kSeenAsThread : 0};
}

ProcNode ProcFs::parent(ProcNode node) const {
  if (node.file == ProcFile::Process) {
    if (node.descriptor != kSeenAsThread) return root();
    ProcessInfo info;
    const bool known = source_ != nullptr && source_->process(node.pid, info);
    return {
        .file = ProcFile::PidTask, .pid = known ? info.thread_group : node.pid, .descriptor = 0};
  }
  const ProcName* name = proc_name_of(node.file);
  const ProcFile file = node.file == ProcFile::Descriptor ? ProcFile::PidFd
                        : name == nullptr                 ? ProcFile::Root
                                                          : name->directory;
  return {.file = file, .pid = node.pid, .descriptor = 0};
}

std::string_view ProcFs::name_of(ProcNode node, std::span<char, 16> buffer) const {
  if (node.file == ProcFile::Process) return format_number(node.pid, buffer);
  if (node.file == ProcFile::Descriptor) return format_number(node.descriptor, buffer);
  const ProcName* name = proc_name_of(node.file);
  return name == nullptr ? std::string_view{} : name->name;
}

std::optional<int> ProcFs::next_number(ProcNode directory, int after) const {
  if (directory.file == ProcFile::Root) return source_->next_process(after);
  if (directory.file == ProcFile::PidFd) return source_->next_descriptor(directory.pid, after);
  return source_->next_thread(directory.pid, after);
}

std::optional<DirectoryItem> ProcFs::next_entry(ProcNode directory, std::uint64_t cursor,
                                                std::span<char> buffer) const {
  if (cursor < kFixed) {
    return DirectoryItem{.name = cursor == 0 ? "." : "..",
                         .number = cursor == 0 ? directory.pack() : parent(directory).pack(),
                         .type = FileType::Directory,
                         .next_cursor = cursor + 1};
  }
  if (source_ == nullptr) return std::nullopt;
  const auto names = proc_names();
  for (std::uint64_t i = cursor - kFixed; i < names.size(); ++i) {
    if (names[i].directory != directory.file) continue;
    if (hidden_in(directory, names[i].file)) continue;
    const ProcNode node{.file = names[i].file, .pid = directory.pid, .descriptor = 0};
    return DirectoryItem{.name = names[i].name,
                         .number = node.pack(),
                         .type = names[i].type,
                         .next_cursor = kFixed + i + 1};
  }
  if (!lists_numbers(directory.file)) return std::nullopt;
  const std::uint64_t from = cursor < kNumbers ? 0 : cursor - kNumbers;
  if (from > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) return std::nullopt;
  const auto number = next_number(directory, static_cast<int>(from) - 1);
  if (!number) return std::nullopt;
  ProcNode node{.file = ProcFile::Process, .pid = *number, .descriptor = 0};
  if (directory.file == ProcFile::PidFd)
    node = {.file = ProcFile::Descriptor, .pid = directory.pid, .descriptor = *number};
  if (directory.file == ProcFile::PidTask) node.descriptor = kSeenAsThread;
  return DirectoryItem{.name = format_number(*number, buffer),
                       .number = node.pack(),
                       .type = type(node),
                       .next_cursor = kNumbers + static_cast<std::uint64_t>(*number) + 1};
}

FileType ProcFs::type(ProcNode node) const {
  if (node.file == ProcFile::Descriptor) return FileType::Symlink;
  const ProcName* name = proc_name_of(node.file);
  return name == nullptr ? FileType::Directory : name->type;
}

Attributes ProcFs::attributes(ProcNode node) const {
  Attributes out{.number = node.pack(), .type = type(node), .permissions = 0555};
  out.links = out.type == FileType::Directory ? 2 : 1;
  if (const ProcName* name = proc_name_of(node.file)) out.permissions = name->permissions;
  if (source_ == nullptr) return out;
  const MachineTime time = source_->time();
  const std::uint64_t boot_ns = time.boot_time_s * kNanosecondsPerSecond;
  out.accessed_ns = out.modified_ns = out.changed_ns = out.created_ns =
      static_cast<std::int64_t>(boot_ns + time.uptime_ns);
  ProcessInfo process;
  if (of_process(node.file) && source_->process(node.pid, process)) {
    out.uid = process.effective_uid;
    out.gid = process.effective_gid;
    // Killing by age (`killall -y`) and `lsof` look at this one.
    out.changed_ns = out.modified_ns = static_cast<std::int64_t>(
        boot_ns + process.start_ticks * (kNanosecondsPerSecond / kTicksPerSecond));
  }
  DescriptorInfo info;
  if (node.file == ProcFile::Descriptor && source_->descriptor(node.pid, node.descriptor, info)) {
    const unsigned bits = 0100U | (info.readable ? 0400U : 0U) | (info.writable ? 0200U : 0U);
    out.permissions = static_cast<std::uint16_t>(bits);
    out.size = 64;
  }
  return out;
}

Statistics ProcFs::statistics() { return {.magic = kProcMagic}; }

FsResult<std::string_view> ProcFs::read_link(ProcNode link, std::span<char> buffer) const {
  if (type(link) != FileType::Symlink) return fs_fail(FsError::BadArgument);
  if (source_ == nullptr) return fs_fail(FsError::NotFound);
  if (link.file == ProcFile::Mounts) return std::string_view{"self/mounts"};
  if (is_direct_link(link)) {
    return source_->link_text(link.pid, link_kind(link.file), link.descriptor, buffer);
  }
  TextWindow text{buffer, 0};
  text.number(static_cast<std::uint64_t>(source_->self()));
  if (link.file == ProcFile::ThreadSelf) {
    text.put("/task/").number(static_cast<std::uint64_t>(source_->self_thread()));
  }
  if (text.length() > text.stored()) return fs_fail(FsError::NoBuffer);
  return std::string_view{buffer.data(), text.stored()};
}

bool ProcFs::is_direct_link(ProcNode node) {
  return node.file == ProcFile::PidExe || node.file == ProcFile::PidCwd ||
         node.file == ProcFile::PidRoot || node.file == ProcFile::Descriptor;
}

Vnode ProcFs::link_target(ProcNode link) const {
  if (source_ == nullptr) return {};
  return source_->link_target(link.pid, link_kind(link.file), link.descriptor);
}

FsResult<std::size_t> ProcFs::read(ProcNode file, std::uint64_t offset, std::span<std::byte> out,
                                   GeneratedText* known) const {
  if (type(file) == FileType::Directory) return fs_fail(FsError::IsADirectory);
  if (type(file) != FileType::Regular) return fs_fail(FsError::BadArgument);
  TextWindow text{{reinterpret_cast<char*>(out.data()), out.size()}, offset};
  XOK_TRY(generate(file, text));
  if (known == nullptr) return text.stored();
  if (offset == 0 || !known->known) *known = {.length = text.length(), .known = true};
  const std::uint64_t left = known->length > offset ? known->length - offset : 0;
  return std::min<std::uint64_t>(text.stored(), left);
}

FsResult<void> ProcFs::generate(ProcNode file, TextWindow& text) const {
  if (source_ == nullptr) return fs_fail(FsError::NotFound);
  if (!of_process(file.file)) {
    const bool net = file.file > ProcFile::Net && file.file < ProcFile::Sys;
    net ? write_net_text(file.file, *source_, text) : write_system_text(file.file, *source_, text);
    return {};
  }
  ProcessInfo process;
  if (!source_->process(file.pid, process)) return fs_fail(FsError::NotFound);
  if (file.file == ProcFile::PidMaps) {
    write_maps(*source_, file.pid, text);
  } else if (file.file == ProcFile::PidMounts) {
    write_mounts(*vfs_, text);
  } else if (file.file == ProcFile::PidMountInfo) {
    write_mount_info(*vfs_, text);
  } else {
    write_process_text(file.file, process, text);
  }
  return {};
}

}  // namespace xok::exos
