// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on what a file is: stat and its kin, modes, owners, times.
#include <optional>

#include "exos/linux/socket_calls.hpp"
#include "exos/proc/file_system.hpp"

namespace xok::exos::linux_abi {
namespace {

/// The file a call means: by path, or by descriptor when the path is empty and may be.
/// Holds the lock as long as the caller does.
struct Target {
  OpenFile* file = nullptr;  ///< given by descriptor: perhaps without a vnode
  Vnode node;
};

Outcome<Target> target_at(int fd, std::uint64_t address, std::uint64_t flags) {
  const std::string_view path = XOK_TRY(user_string(address));
  if (path.empty() && (flags & kAT_EMPTY_PATH) != 0) {
    if (fd == kAT_FDCWD) return Target{.node = process().cwd};
    OpenFile* file = XOK_TRY(file_at(static_cast<std::uint64_t>(fd)));
    return Target{.file = file, .node = file->node};
  }
  const Vnode start = XOK_TRY(start_directory(fd, path));
  const Follow follow = (flags & kAT_SYMLINK_NOFOLLOW) != 0 ? Follow::ExceptLast : Follow::Always;
  const Credentials who = credentials();
  return Target{.node = XOK_TRY(file_system().walk(caller(who), start, path, follow))};
}

Outcome<Target> target_of(std::uint64_t fd) {
  OpenFile* file = XOK_TRY(file_at(fd));
  return Target{.file = file, .node = file->node};
}

/// Attributes of files that are in no file system: pipes, sockets and console streams.
Attributes unnamed_attributes(const OpenFile& file) {
  Attributes out;
  out.type = is_socket(file) ? FileType::Socket : FileType::Fifo;
  out.permissions = is_socket(file) ? 0777 : 0600;
  out.links = 1;
  out.number = unnamed_number(file);
  out.uid = process().proc->euid;
  out.gid = process().proc->egid;
  return out;
}

Attributes attributes_of(const Target& target) {
  return target.node.valid() ? file_system().attributes(target.node)
                             : unnamed_attributes(*target.file);
}

Stat stat_of(const Attributes& from) {
  Stat out{};
  out.st_dev = from.mount_id;
  out.st_ino = from.number;
  out.st_nlink = from.links;
  out.st_mode = from.mode();
  out.st_uid = from.uid;
  out.st_gid = from.gid;
  out.st_rdev = from.device;
  out.st_size = static_cast<std::int64_t>(from.size);
  out.st_blksize = kPageSize;
  out.st_blocks = static_cast<std::int64_t>(from.pages * (kPageSize / 512));
  out.st_atim = to_timespec(from.accessed_ns);
  out.st_mtim = to_timespec(from.modified_ns);
  out.st_ctim = to_timespec(from.changed_ns);
  return out;
}

StatxTimestamp statx_time(std::int64_t ns) {
  const Timespec time = to_timespec(ns);
  return {
      .tv_sec = time.tv_sec, .tv_nsec = static_cast<std::uint32_t>(time.tv_nsec), .reserved = 0};
}

Statx statx_of(const Attributes& from) {
  Statx out{};
  out.stx_mask = kSTATX_BASIC_STATS | kSTATX_BTIME;
  out.stx_blksize = kPageSize;
  out.stx_nlink = from.links;
  out.stx_uid = from.uid;
  out.stx_gid = from.gid;
  out.stx_mode = static_cast<std::uint16_t>(from.mode());
  out.stx_ino = from.number;
  out.stx_size = from.size;
  out.stx_blocks = from.pages * (kPageSize / 512);
  out.stx_atime = statx_time(from.accessed_ns);
  out.stx_btime = statx_time(from.created_ns);
  out.stx_ctime = statx_time(from.changed_ns);
  out.stx_mtime = statx_time(from.modified_ns);
  out.stx_rdev_major = device_major(from.device);
  out.stx_rdev_minor = device_minor(from.device);
  out.stx_dev_minor = from.mount_id;
  return out;
}

std::int64_t stat_at(int fd, std::uint64_t path, std::uint64_t out, std::uint64_t flags) {
  const FileSystemLock lock;
  const Target target = XOK_LINUX_TRY(target_at(fd, path, flags));
  return put(out, stat_of(attributes_of(target))) ? 0 : -kEFAULT;
}

std::int64_t put_statistics(const Target& target, std::uint64_t out) {
  Statfs to{};
  if (!target.node.valid()) return -kENOSYS;
  const Statistics from = file_system().statistics(target.node);
  to.f_type = from.magic;
  to.f_bsize = to.f_frsize = kPageSize;
  to.f_blocks = from.total_pages;
  to.f_bfree = to.f_bavail = from.free_pages;
  to.f_files = from.total_inodes;
  to.f_ffree = from.free_inodes;
  to.f_namelen = kNAME_MAX;
  return put(out, to) ? 0 : -kEFAULT;
}

std::int64_t change_mode(const Outcome<Target>& found, std::uint64_t mode) {
  const Target target = XOK_LINUX_TRY(found);
  if (!target.node.valid()) return 0;
  return result_of(file_system().set_permissions(
      credentials(), target.node, static_cast<std::uint16_t>(mode & kPermissionBits)));
}

std::int64_t change_owner(const Outcome<Target>& found, std::uint32_t uid, std::uint32_t gid) {
  constexpr std::uint32_t kKeep = ~std::uint32_t{0};
  const Target target = XOK_LINUX_TRY(found);
  if (!target.node.valid()) return 0;
  const auto wanted = [](std::uint32_t id) {
    return id == kKeep ? std::optional<std::uint32_t>{} : id;
  };
  return result_of(file_system().set_owner(credentials(), target.node, wanted(uid), wanted(gid)));
}

Outcome<TimeChange> time_change(const Timespec& time) {
  if (time.tv_nsec == kUTIME_NOW) return TimeChange{.kind = TimeChange::Kind::Now};
  if (time.tv_nsec == kUTIME_OMIT) return TimeChange{.kind = TimeChange::Kind::Keep};
  constexpr auto kSecond = static_cast<std::int64_t>(kNanosecondsPerSecond);
  if (time.tv_nsec < 0 || time.tv_nsec >= kSecond) return std::unexpected{Errc::BadArgument};
  return TimeChange{.kind = TimeChange::Kind::Set, .time_ns = time.tv_sec * kSecond + time.tv_nsec};
}

std::int64_t change_times(const Outcome<Target>& found, const Timespec& accessed,
                          const Timespec& modified) {
  const TimeChange a = XOK_LINUX_TRY(time_change(accessed));
  const TimeChange m = XOK_LINUX_TRY(time_change(modified));
  const Target target = XOK_LINUX_TRY(found);
  if (!target.node.valid()) return 0;
  return result_of(file_system().set_times(credentials(), target.node, a, m));
}

constexpr Timespec kNow{.tv_sec = 0, .tv_nsec = kUTIME_NOW};

std::int64_t change_times_by_timeval(int fd, std::uint64_t path, std::uint64_t times) {
  Timespec accessed = kNow;
  Timespec modified = kNow;
  if (times != 0) {
    Timeval pair[2] = {};
    if (!get(times, pair)) return -kEFAULT;
    for (const Timeval& value : pair)
      if (value.tv_usec < 0 || value.tv_usec >= 1'000'000) return -kEINVAL;
    accessed = {.tv_sec = pair[0].tv_sec, .tv_nsec = pair[0].tv_usec * 1000};
    modified = {.tv_sec = pair[1].tv_sec, .tv_nsec = pair[1].tv_usec * 1000};
  }
  const FileSystemLock lock;
  return change_times(target_at(fd, path, 0), accessed, modified);
}

}  // namespace

std::int64_t call_stat(const Arguments& a) { return stat_at(kAT_FDCWD, a[0], a[1], 0); }
std::int64_t call_lstat(const Arguments& a) {
  return stat_at(kAT_FDCWD, a[0], a[1], kAT_SYMLINK_NOFOLLOW);
}
std::int64_t call_newfstatat(const Arguments& a) { return stat_at(a.as_int(0), a[1], a[2], a[3]); }

std::int64_t call_fstat(const Arguments& a) {
  const FileSystemLock lock;
  const Target target = XOK_LINUX_TRY(target_of(a[0]));
  return put(a[1], stat_of(attributes_of(target))) ? 0 : -kEFAULT;
}

std::int64_t call_statx(const Arguments& a) {
  const FileSystemLock lock;
  const Target target = XOK_LINUX_TRY(target_at(a.as_int(0), a[1], a[2]));
  return put(a[4], statx_of(attributes_of(target))) ? 0 : -kEFAULT;
}

std::int64_t call_statfs(const Arguments& a) {
  const FileSystemLock lock;
  return put_statistics(XOK_LINUX_TRY(target_at(kAT_FDCWD, a[0], 0)), a[1]);
}
std::int64_t call_fstatfs(const Arguments& a) {
  const FileSystemLock lock;
  return put_statistics(XOK_LINUX_TRY(target_of(a[0])), a[1]);
}

std::int64_t call_chmod(const Arguments& a) {
  const FileSystemLock lock;
  return change_mode(target_at(kAT_FDCWD, a[0], 0), a[1]);
}
std::int64_t call_fchmod(const Arguments& a) {
  const FileSystemLock lock;
  return change_mode(target_of(a[0]), a[1]);
}
std::int64_t call_fchmodat(const Arguments& a) {
  const FileSystemLock lock;
  return change_mode(target_at(a.as_int(0), a[1], 0), a[2]);
}

std::int64_t call_chown(const Arguments& a) {
  const FileSystemLock lock;
  return change_owner(target_at(kAT_FDCWD, a[0], 0), a.as_u32(1), a.as_u32(2));
}
std::int64_t call_lchown(const Arguments& a) {
  const FileSystemLock lock;
  return change_owner(target_at(kAT_FDCWD, a[0], kAT_SYMLINK_NOFOLLOW), a.as_u32(1), a.as_u32(2));
}
std::int64_t call_fchown(const Arguments& a) {
  const FileSystemLock lock;
  return change_owner(target_of(a[0]), a.as_u32(1), a.as_u32(2));
}
std::int64_t call_fchownat(const Arguments& a) {
  const FileSystemLock lock;
  return change_owner(target_at(a.as_int(0), a[1], a[4]), a.as_u32(2), a.as_u32(3));
}

std::int64_t call_utime(const Arguments& a) {
  Timespec accessed = kNow;
  Timespec modified = kNow;
  if (a[1] != 0) {
    std::int64_t seconds[2] = {};
    if (!get(a[1], seconds)) return -kEFAULT;
    accessed = {.tv_sec = seconds[0], .tv_nsec = 0};
    modified = {.tv_sec = seconds[1], .tv_nsec = 0};
  }
  const FileSystemLock lock;
  return change_times(target_at(kAT_FDCWD, a[0], 0), accessed, modified);
}
std::int64_t call_utimes(const Arguments& a) {
  return change_times_by_timeval(kAT_FDCWD, a[0], a[1]);
}
std::int64_t call_futimesat(const Arguments& a) {
  return change_times_by_timeval(a.as_int(0), a[1], a[2]);
}
std::int64_t call_utimensat(const Arguments& a) {
  Timespec times[2] = {kNow, kNow};
  if (a[2] != 0 && !get(a[2], times)) return -kEFAULT;
  const FileSystemLock lock;
  if (a[1] == 0) return change_times(target_of(a[0]), times[0], times[1]);
  return change_times(target_at(a.as_int(0), a[1], a[3]), times[0], times[1]);
}

std::int64_t call_umask(const Arguments& a) {
  const std::uint32_t old = process().umask;
  process().umask = a.as_u32(0) & 0777;
  return old;
}

}  // namespace xok::exos::linux_abi
