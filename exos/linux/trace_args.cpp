// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// put_argument: numbers and names here, the rest by subject in the other trace_*.cpp files.
#include "exos/linux/trace_args.hpp"

#include "exos/linux/trace_names.hpp"

namespace xok::exos::trace {

using namespace linux_abi;

namespace {

/// The kinds that are just a value or flags of one group.
struct NamedKind {
  ArgKind kind;
  Group group;
  enum : std::uint8_t { OneOf, Flags } form;
};

constexpr NamedKind kNamedKinds[] = {
    {ArgKind::AccessMode, Group::Access, NamedKind::Flags},
    {ArgKind::Whence, Group::Whence, NamedKind::OneOf},
    {ArgKind::Protection, Group::Protection, NamedKind::Flags},
    {ArgKind::MremapFlags, Group::Mremap, NamedKind::Flags},
    {ArgKind::MsyncFlags, Group::Msync, NamedKind::Flags},
    {ArgKind::Advice, Group::Advice, NamedKind::OneOf},
    {ArgKind::FileAdvice, Group::FileAdvice, NamedKind::OneOf},
    {ArgKind::SigHow, Group::SigHow, NamedKind::OneOf},
    {ArgKind::WaitOptions, Group::Wait, NamedKind::Flags},
    {ArgKind::WaitIdType, Group::WaitId, NamedKind::OneOf},
    {ArgKind::LimitName, Group::Limit, NamedKind::OneOf},
    {ArgKind::RusageWho, Group::Usage, NamedKind::OneOf},
    {ArgKind::ItimerName, Group::Timer, NamedKind::OneOf},
    {ArgKind::ClockName, Group::Clock, NamedKind::OneOf},
    {ArgKind::TimerFlags, Group::ClockFlag, NamedKind::Flags},
    {ArgKind::FlockOperation, Group::Flock, NamedKind::Flags},
    {ArgKind::RenameFlags, Group::Rename, NamedKind::Flags},
    {ArgKind::UnlinkFlags, Group::At, NamedKind::Flags},
    {ArgKind::LinkFlags, Group::At, NamedKind::Flags},
    {ArgKind::AtFlags, Group::At, NamedKind::Flags},
    {ArgKind::AccessFlags, Group::AccessAt, NamedKind::Flags},
    {ArgKind::StatxMask, Group::StatxMask, NamedKind::Flags},
    {ArgKind::DescriptorFlags, Group::Open, NamedKind::Flags},
    {ArgKind::EpollFlags, Group::EpollCreate, NamedKind::Flags},
    {ArgKind::EventFlags, Group::EventFd, NamedKind::Flags},
    {ArgKind::TimerFdFlags, Group::TimerFd, NamedKind::Flags},
    {ArgKind::SignalFdFlags, Group::SignalFd, NamedKind::Flags},
    {ArgKind::InotifyFlags, Group::Inotify, NamedKind::Flags},
    {ArgKind::MemfdFlags, Group::MemFd, NamedKind::Flags},
    {ArgKind::RandomFlags, Group::Random, NamedKind::Flags},
    {ArgKind::CloneFlags, Group::Clone, NamedKind::Flags},
    {ArgKind::ArchOption, Group::ArchOption, NamedKind::OneOf},
    {ArgKind::SocketFamily, Group::SocketFamily, NamedKind::OneOf},
    {ArgKind::SocketFlags, Group::SocketFlag, NamedKind::Flags},
    {ArgKind::SocketLevel, Group::SocketLevel, NamedKind::OneOf},
    {ArgKind::MessageFlags, Group::Message, NamedKind::Flags},
    {ArgKind::ShutdownHow, Group::Shutdown, NamedKind::OneOf},
    {ArgKind::EpollOperation, Group::EpollOperation, NamedKind::OneOf},
};

bool put_named(const CallView& view, ArgKind kind, std::size_t index) {
  const auto value = static_cast<std::uint32_t>(view.arguments[index]);
  for (const NamedKind& named : kNamedKinds) {
    if (named.kind != kind) continue;
    if (named.form == NamedKind::OneOf) {
      put_one_of(view.text, named.group, value);
    } else {
      put_flags(view.text, named.group, value);
    }
    return true;
  }
  return false;
}

void put_open_flags(Text& text, std::uint32_t flags) {
  put_one_of(text, Group::OpenMode, flags & kO_ACCMODE);
  put_more_flags(text, Group::Open, flags & ~kO_ACCMODE);
}

void put_map_flags(Text& text, std::uint32_t flags) {
  constexpr std::uint32_t kMapKindMask = 0xf;
  put_one_of(text, Group::MapKind, flags & kMapKindMask);
  put_more_flags(text, Group::Map, flags & ~kMapKindMask);
}

void put_statx_flags(Text& text, std::uint32_t flags) {
  constexpr std::uint32_t kSyncMask = 0x6000;
  put_one_of(text, Group::StatxSync, flags & kSyncMask);
  put_more_flags(text, Group::At, flags & ~kSyncMask);
}

/// The flags in the argument before an open mode make the mode matter.
bool creates(std::uint64_t open_flags) {
  const auto flags = static_cast<std::uint32_t>(open_flags);
  return (flags & kO_CREAT) != 0 || (flags & kO_TMPFILE) == kO_TMPFILE;
}

bool is_device(std::uint64_t mode) {
  const std::uint64_t type = mode & 0170000;
  return type == kS_IFCHR || type == kS_IFBLK;
}

void put_directory(Text& text, std::int32_t fd) {
  if (fd == kAT_FDCWD) {
    text.put("AT_FDCWD");
  } else {
    text.decimal(fd);
  }
}

bool put_number(const CallView& view, ArgKind kind, std::size_t index) {
  const std::uint64_t value = view.arguments[index];
  Text& text = view.text;
  switch (kind) {
    case ArgKind::Int:
    case ArgKind::Fd:
      text.decimal(static_cast<std::int32_t>(value));
      return true;
    case ArgKind::UInt:
      text.unsigned_decimal(static_cast<std::uint32_t>(value));
      return true;
    case ArgKind::Long:
      text.decimal(static_cast<std::int64_t>(value));
      return true;
    case ArgKind::Size:
      text.unsigned_decimal(value);
      return true;
    case ArgKind::Hex:
      text.hex(value);
      return true;
    case ArgKind::Pointer:
      text.pointer(value);
      return true;
    case ArgKind::DirFd:
      put_directory(text, static_cast<std::int32_t>(value));
      return true;
    case ArgKind::Mode:
      text.octal_mode(value & 0177777);
      return true;
    case ArgKind::FileMode:
      put_file_mode(text, static_cast<std::uint32_t>(value));
      return true;
    case ArgKind::Signal:
      put_signal(text, static_cast<std::int32_t>(value));
      return true;
    case ArgKind::OpenFlags:
      put_open_flags(text, static_cast<std::uint32_t>(value));
      return true;
    case ArgKind::MapFlags:
      put_map_flags(text, static_cast<std::uint32_t>(value));
      return true;
    case ArgKind::StatxFlags:
      put_statx_flags(text, static_cast<std::uint32_t>(value));
      return true;
    default:
      return false;
  }
}

bool put_all_words(const CallView& view) {
  for (std::size_t i = 0; i < view.arguments.size(); i++) {
    if (i != 0) view.text.put(", ");
    view.text.hex(view.arguments[i]);
  }
  return true;
}

}  // namespace

bool is_output(ArgKind kind) {
  switch (kind) {
    case ArgKind::PathOut:
    case ArgKind::OutData:
    case ArgKind::OutPath:
    case ArgKind::RandomOut:
    case ArgKind::VectorsOut:
    case ArgKind::EntriesOut:
    case ArgKind::IoctlArgument:
    case ArgKind::FcntlArgument:
    case ArgKind::ArchAddress:
    case ArgKind::PrctlArguments:
    case ArgKind::CloneArguments:
    case ArgKind::StatOut:
    case ArgKind::StatxOut:
    case ArgKind::StatfsOut:
    case ArgKind::SigActionOut:
    case ArgKind::SigSetOut:
    case ArgKind::StackOut:
    case ArgKind::TimespecOut:
    case ArgKind::RemainingOut:
    case ArgKind::TimevalOut:
    case ArgKind::ItimerOut:
    case ArgKind::WaitStatusOut:
    case ArgKind::RusageOut:
    case ArgKind::LimitOut:
    case ArgKind::UtsnameOut:
    case ArgKind::SysinfoOut:
    case ArgKind::TmsOut:
    case ArgKind::FdPairOut:
    case ArgKind::IntOut:
    case ArgKind::OptionOut:
    case ArgKind::MessageOut:
    case ArgKind::AddressOut:
    case ArgKind::LengthInOut:
    case ArgKind::EpollEventsOut:
      return true;
    default:
      return false;
  }
}

bool put_argument(const CallView& view, ArgKind kind, std::size_t index) {
  switch (kind) {
    case ArgKind::NoArguments:
      return false;
    case ArgKind::Unknown:
      return put_all_words(view);
    case ArgKind::OpenMode:
      if (!creates(view.arguments[index - 1])) return false;
      view.text.octal_mode(view.arguments[index] & 07777);
      return true;
    case ArgKind::Device:
      if (!is_device(view.arguments[index - 1])) return false;
      view.text.put("makedev(").hex(device_major(view.arguments[index])).put(", ");
      view.text.hex(device_minor(view.arguments[index])).put(')');
      return true;
    case ArgKind::MremapAddress:
      if ((view.arguments[index - 1] & (kMREMAP_FIXED | kMREMAP_DONTUNMAP)) == 0) return false;
      view.text.pointer(view.arguments[index]);
      return true;
    default:
      break;
  }
  const std::size_t before = view.text.size();
  const bool known = put_named(view, kind, index) || put_number(view, kind, index) ||
                     put_data(view, kind, index) || put_structure(view, kind, index) ||
                     put_socket(view, kind, index) || put_event(view, kind, index) ||
                     put_command(view, kind, index);
  if (!known) view.text.hex(view.arguments[index]);
  return view.text.size() != before;
}

}  // namespace xok::exos::trace
