// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on names: open, directories, links.
#include <array>
#include <charconv>

#include "exos/fd/descriptors.hpp"
#include "exos/fd/operations.hpp"
#include "exos/linux/socket_calls.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/shared.hpp"

namespace xok::exos::linux_abi {
namespace {

/// A path argument with the directory it starts at.
struct Place {
  Vnode start;
  std::string_view path;
};

Outcome<Place> place(int fd, std::uint64_t address) {
  const std::string_view path = XOK_TRY(user_string(address));
  const Vnode start = XOK_TRY(start_directory(fd, path));
  return Place{start, path};
}

/// The descriptor that a path names by number (/dev/fd/N, /dev/stdin, /proc/self/fd/N), or -1: such
/// a path opens what the descriptor refers to, even a pipe, which has no name of its own.
int named_descriptor(std::string_view path) {
  if (path == "/dev/stdin") return 0;
  if (path == "/dev/stdout") return 1;
  if (path == "/dev/stderr") return 2;
  for (const std::string_view prefix : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(prefix)) continue;
    int fd = -1;
    const char* end = path.data() + path.size();
    const auto parsed = std::from_chars(path.data() + prefix.size(), end, fd);
    return parsed.ec == std::errc{} && parsed.ptr == end ? fd : -1;
  }
  return -1;
}

CloseOnExec close_on_exec(std::uint64_t flags) {
  return (flags & kO_CLOEXEC) != 0 ? CloseOnExec::Yes : CloseOnExec::No;
}

std::int64_t install(OpenFile& file, std::uint64_t flags) {
  const auto fd = install_descriptor(file, close_on_exec(flags));
  if (fd.has_value()) return *fd;
  const FileSystemLock lock;
  release_open_file(file);
  return -kEMFILE;
}

std::int64_t reopen(OpenFile& file, std::uint64_t flags) {
  file.references++;
  return install(file, flags);
}

bool is_terminal_device(std::uint64_t device) {
  return device == make_device(5, 0) || device == make_device(5, 1) || device_major(device) == 4;
}

/// Turns an open device node into what it stands for. False: ENXIO.
bool attach_device(OpenFile& file, std::uint64_t device, std::uint64_t flags) {
  constexpr std::uint32_t kMemoryMajor = 1;
  constexpr std::uint32_t kPortMajor = 229;
  if (is_terminal_device(device)) {
    Terminal& terminal = shared().terminal;
    Proc& self = *process().proc;
    if (device == make_device(5, 0) && terminal.session != self.session) return false;
    file.kind = FileKind::Terminal;
    const bool leader = self.session == self.pid && self.has_terminal == 0;
    if (leader && terminal.session == 0 && (flags & kO_NOCTTY) == 0) {
      terminal.session = self.session;
      terminal.foreground = self.group;
      self.has_terminal = 1;
    }
    return true;
  }
  if (device_major(device) == kPortMajor && device_minor(device) < kMaxConsolePorts) {
    file.kind = FileKind::Console;
    file.device = device_minor(device);
    return system_info().consoles[file.device].present != 0;
  }
  if (device_major(device) != kMemoryMajor) return false;
  switch (device_minor(device)) {
    case 3:
      file.kind = FileKind::Null;
      return true;
    case 5:
      file.kind = FileKind::Zero;
      return true;
    case 7:
      file.kind = FileKind::Full;
      return true;
    case 8:
    case 9:
      file.kind = FileKind::Random;
      return true;
    default:
      return false;
  }
}

std::int64_t open_at(int fd, std::uint64_t address, std::uint64_t flags, std::uint64_t mode) {
  const Place at = XOK_LINUX_TRY(place(fd, address));
  if (const int named = named_descriptor(at.path); named >= 0) {
    OpenFile* file = open_file(static_cast<std::uint64_t>(named));
    if (file == nullptr) return -kENOENT;
    if (is_socket(*file)) return -kENXIO;
    if (file->kind != FileKind::Regular) return reopen(*file, flags);
  }
  const std::uint32_t access = flags & kAccessModeMask;
  const OpenRequest request{
      .read = access != kOpenWriteOnly,
      .write = access != kOpenReadOnly,
      .create = (flags & kO_CREAT) != 0,
      .exclusive = (flags & kO_EXCL) != 0,
      .truncate = (flags & kO_TRUNC) != 0,
      .directory = (flags & kO_DIRECTORY) != 0,
      .no_follow = (flags & kO_NOFOLLOW) != 0,
      .permissions = static_cast<std::uint16_t>(mode & kPermissionBits & ~process().umask)};
  OpenFile* file = nullptr;
  FileType type{};
  {
    const FileSystemLock lock;
    const Credentials who = credentials();
    Vfs fs = file_system();
    Vnode node;
    if ((flags & kO_TMPFILE) == kO_TMPFILE) {
      const Vnode directory =
          XOK_LINUX_TRY(fs.walk(caller(who), at.start, at.path, Follow::Always));
      XOK_LINUX_TRY(fs.check_access(who, directory, kAccessWrite | kAccessExecute));
      node = XOK_LINUX_TRY(fs.create_unnamed(directory, {.type = FileType::Regular,
                                                         .permissions = request.permissions,
                                                         .uid = who.uid,
                                                         .gid = who.gid}));
    } else {
      node = XOK_LINUX_TRY(fs.open(caller(who), at.start, at.path, request)).node;
    }
    constexpr std::uint64_t kKept =
        ~std::uint64_t{kO_CREAT | kO_EXCL | kO_NOCTTY | kO_TRUNC | kO_CLOEXEC};
    file =
        new_open_file(FileKind::Regular, static_cast<std::uint32_t>(flags & kKept) | kO_LARGEFILE);
    if (file == nullptr) {
      fs.release(node);
      return -kENFILE;
    }
    file->node = node;
    type = fs.type(node);
    if (type == FileType::CharDevice || type == FileType::BlockDevice) {
      if (!attach_device(*file, fs.attributes(node).device, flags)) {
        file->kind = FileKind::Null;
        release_open_file(*file);
        return -kENXIO;
      }
    }
    if (type == FileType::Socket) {
      release_open_file(*file);
      return -kENXIO;
    }
  }
  if (type == FileType::Fifo) {
    if (const auto attached = attach_fifo(*file); !attached.has_value()) {
      const FileSystemLock lock;
      release_open_file(*file);
      return error_number(attached.error());
    }
  }
  return install(*file, flags);
}

std::int64_t make_node(int fd, std::uint64_t address, FileType type, std::uint64_t mode,
                       std::uint64_t device) {
  const Place at = XOK_LINUX_TRY(place(fd, address));
  const FileSystemLock lock;
  const Credentials who = credentials();
  const auto permissions = static_cast<std::uint16_t>(mode & kPermissionBits & ~process().umask);
  XOK_LINUX_TRY(file_system().make_node(caller(who), at.start, at.path, type, permissions, device));
  return 0;
}

std::int64_t make_special(int fd, std::uint64_t address, std::uint64_t mode, std::uint64_t device) {
  constexpr std::uint64_t kFormat = 0170000;
  const std::uint64_t format = mode & kFormat;
  if (format == 0) return make_node(fd, address, FileType::Regular, mode, 0);
  switch (const auto type = static_cast<FileType>(format >> 12)) {
    case FileType::Regular:
    case FileType::Fifo:
    case FileType::Socket:
      return make_node(fd, address, type, mode, 0);
    case FileType::CharDevice:
    case FileType::BlockDevice:
      return make_node(fd, address, type, mode, device);
    default:
      return -kEINVAL;
  }
}

std::int64_t access_at(int fd, std::uint64_t address, std::uint64_t mode, std::uint64_t flags) {
  if (mode > 7) return -kEINVAL;
  const Place at = XOK_LINUX_TRY(place(fd, address));
  const FileSystemLock lock;
  // access(2) asks for the real ids.
  Credentials who = credentials();
  if ((flags & kAT_EACCESS) == 0) {
    who.uid = process().proc->uid;
    who.gid = process().proc->gid;
  }
  const Follow follow = (flags & kAT_SYMLINK_NOFOLLOW) != 0 ? Follow::ExceptLast : Follow::Always;
  Vfs fs = file_system();
  const Vnode node = XOK_LINUX_TRY(fs.walk(caller(who), at.start, at.path, follow));
  return result_of(fs.check_access(who, node, static_cast<unsigned>(mode)));
}

std::int64_t remove_at(int fd, std::uint64_t address, bool directory) {
  const Place at = XOK_LINUX_TRY(place(fd, address));
  const FileSystemLock lock;
  const Credentials who = credentials();
  Vfs fs = file_system();
  return result_of(directory ? fs.remove_directory(caller(who), at.start, at.path)
                             : fs.unlink(caller(who), at.start, at.path));
}

std::int64_t rename_at(int old_fd, std::uint64_t old_path, int new_fd, std::uint64_t new_path,
                       std::uint64_t flags) {
  RenameMode mode = RenameMode::Replace;
  if (flags == kRENAME_NOREPLACE)
    mode = RenameMode::NoReplace;
  else if (flags == kRENAME_EXCHANGE)
    mode = RenameMode::Exchange;
  else if (flags != 0)
    return -kEINVAL;
  const Place from = XOK_LINUX_TRY(place(old_fd, old_path));
  const Place to = XOK_LINUX_TRY(place(new_fd, new_path));
  const FileSystemLock lock;
  const Credentials who = credentials();
  return result_of(
      file_system().rename(caller(who), from.start, from.path, to.start, to.path, mode));
}

std::int64_t link_at(int old_fd, std::uint64_t old_path, int new_fd, std::uint64_t new_path,
                     std::uint64_t flags) {
  const Place from = XOK_LINUX_TRY(place(old_fd, old_path));
  const Place to = XOK_LINUX_TRY(place(new_fd, new_path));
  const FileSystemLock lock;
  const Credentials who = credentials();
  Vfs fs = file_system();
  Vnode file;
  if (from.path.empty() && (flags & kAT_EMPTY_PATH) != 0) {
    OpenFile* open = XOK_LINUX_TRY(file_at(static_cast<std::uint64_t>(old_fd)));
    file = open->node;
    if (!file.valid()) return -kENOENT;
  } else {
    const Follow follow = (flags & kAT_SYMLINK_FOLLOW) != 0 ? Follow::Always : Follow::ExceptLast;
    file = XOK_LINUX_TRY(fs.walk(caller(who), from.start, from.path, follow));
  }
  return result_of(fs.link(caller(who), file, to.start, to.path));
}

std::int64_t symlink_at(std::uint64_t target, int fd, std::uint64_t address) {
  const std::string_view text = XOK_LINUX_TRY(user_string(target));
  const Place at = XOK_LINUX_TRY(place(fd, address));
  const FileSystemLock lock;
  const Credentials who = credentials();
  const auto made = file_system().make_symlink(caller(who), at.start, at.path, text);
  if (!made.has_value()) return error_number(made.error());
  return 0;
}

std::int64_t read_link_at(int fd, std::uint64_t address, std::uint64_t to, std::uint64_t size) {
  if (size == 0) return -kEINVAL;
  const Place at = XOK_LINUX_TRY(place(fd, address));
  std::array<char, kPATH_MAX> buffer;
  std::string_view text;
  {
    const FileSystemLock lock;
    const Credentials who = credentials();
    Vfs fs = file_system();
    const Vnode node = XOK_LINUX_TRY(fs.walk(caller(who), at.start, at.path, Follow::ExceptLast));
    text = XOK_LINUX_TRY(fs.read_link(who, node, buffer));
    const std::size_t n = text.size() < size ? text.size() : size;
    return copy_out(to, text.data(), n) ? static_cast<std::int64_t>(n) : -kEFAULT;
  }
}

/// Makes `node`, a directory that may be searched, the working directory (or the root).
std::int64_t move_to(Vnode& place_of_process, const Vnode& node) {
  Vfs fs = file_system();
  if (fs.type(node) != FileType::Directory) return -kENOTDIR;
  XOK_LINUX_TRY(fs.check_access(credentials(), node, kAccessExecute));
  fs.hold(node);
  fs.release(place_of_process);
  place_of_process = node;
  return 0;
}

}  // namespace

std::int64_t call_open(const Arguments& a) { return open_at(kAT_FDCWD, a[0], a[1], a[2]); }
std::int64_t call_openat(const Arguments& a) { return open_at(a.as_int(0), a[1], a[2], a[3]); }
std::int64_t call_creat(const Arguments& a) {
  return open_at(kAT_FDCWD, a[0], kO_CREAT | kO_WRONLY | kO_TRUNC, a[1]);
}

std::int64_t call_access(const Arguments& a) { return access_at(kAT_FDCWD, a[0], a[1], 0); }
std::int64_t call_faccessat(const Arguments& a) { return access_at(a.as_int(0), a[1], a[2], 0); }
std::int64_t call_faccessat2(const Arguments& a) {
  return access_at(a.as_int(0), a[1], a[2], a[3]);
}

std::int64_t call_mkdir(const Arguments& a) {
  return make_node(kAT_FDCWD, a[0], FileType::Directory, a[1], 0);
}
std::int64_t call_mkdirat(const Arguments& a) {
  return make_node(a.as_int(0), a[1], FileType::Directory, a[2], 0);
}
std::int64_t call_mknod(const Arguments& a) { return make_special(kAT_FDCWD, a[0], a[1], a[2]); }
std::int64_t call_mknodat(const Arguments& a) {
  return make_special(a.as_int(0), a[1], a[2], a[3]);
}
std::int64_t call_rmdir(const Arguments& a) { return remove_at(kAT_FDCWD, a[0], true); }
std::int64_t call_unlink(const Arguments& a) { return remove_at(kAT_FDCWD, a[0], false); }
std::int64_t call_unlinkat(const Arguments& a) {
  return remove_at(a.as_int(0), a[1], (a[2] & kAT_REMOVEDIR) != 0);
}
std::int64_t call_rename(const Arguments& a) {
  return rename_at(kAT_FDCWD, a[0], kAT_FDCWD, a[1], 0);
}
std::int64_t call_renameat(const Arguments& a) {
  return rename_at(a.as_int(0), a[1], a.as_int(2), a[3], 0);
}
std::int64_t call_renameat2(const Arguments& a) {
  return rename_at(a.as_int(0), a[1], a.as_int(2), a[3], a[4]);
}
std::int64_t call_link(const Arguments& a) { return link_at(kAT_FDCWD, a[0], kAT_FDCWD, a[1], 0); }
std::int64_t call_linkat(const Arguments& a) {
  return link_at(a.as_int(0), a[1], a.as_int(2), a[3], a[4]);
}
std::int64_t call_symlink(const Arguments& a) { return symlink_at(a[0], kAT_FDCWD, a[1]); }
std::int64_t call_symlinkat(const Arguments& a) { return symlink_at(a[0], a.as_int(1), a[2]); }
std::int64_t call_readlink(const Arguments& a) { return read_link_at(kAT_FDCWD, a[0], a[1], a[2]); }
std::int64_t call_readlinkat(const Arguments& a) {
  return read_link_at(a.as_int(0), a[1], a[2], a[3]);
}

std::int64_t call_truncate(const Arguments& a) {
  if (a.as_i64(1) < 0) return -kEINVAL;
  const Place at = XOK_LINUX_TRY(place(kAT_FDCWD, a[0]));
  const FileSystemLock lock;
  const Credentials who = credentials();
  Vfs fs = file_system();
  const Vnode node = XOK_LINUX_TRY(fs.walk(caller(who), at.start, at.path, Follow::Always));
  if (fs.type(node) == FileType::Directory) return -kEISDIR;
  XOK_LINUX_TRY(fs.check_access(who, node, kAccessWrite));
  return result_of(fs.resize(who, node, a[1]));
}

std::int64_t call_getcwd(const Arguments& a) {
  std::array<char, kPATH_MAX> buffer;
  const FileSystemLock lock;
  const std::string_view path =
      XOK_LINUX_TRY(file_system().path_of(process().cwd, process().root, buffer));
  if (path.size() + 1 > a[1]) return -kERANGE;
  const char end = 0;
  if (!copy_out(a[0], path.data(), path.size()) || !copy_out(a[0] + path.size(), &end, 1))
    return -kEFAULT;
  return static_cast<std::int64_t>(path.size()) + 1;
}

std::int64_t call_chdir(const Arguments& a) {
  const Place at = XOK_LINUX_TRY(place(kAT_FDCWD, a[0]));
  const FileSystemLock lock;
  const Credentials who = credentials();
  const Vnode node =
      XOK_LINUX_TRY(file_system().walk(caller(who), at.start, at.path, Follow::Always));
  return move_to(process().cwd, node);
}

std::int64_t call_fchdir(const Arguments& a) {
  OpenFile* file = XOK_LINUX_TRY(file_at(a[0]));
  if (!file->node.valid()) return -kENOTDIR;
  const FileSystemLock lock;
  return move_to(process().cwd, file->node);
}

std::int64_t call_chroot(const Arguments& a) {
  if (process().proc->euid != 0) return -kEPERM;
  const Place at = XOK_LINUX_TRY(place(kAT_FDCWD, a[0]));
  const FileSystemLock lock;
  const Credentials who = credentials();
  const Vnode node =
      XOK_LINUX_TRY(file_system().walk(caller(who), at.start, at.path, Follow::Always));
  return move_to(process().root, node);
}

std::int64_t call_mount(const Arguments& a) {
  constexpr std::uint64_t kReadOnly = 1;
  if (process().proc->euid != 0) return -kEPERM;
  const Place at = XOK_LINUX_TRY(place(kAT_FDCWD, a[1]));
  const std::string_view type = XOK_LINUX_TRY(user_string(a[2]));
  std::string_view source = type;
  if (a[0] != 0) source = XOK_LINUX_TRY(user_string(a[0]));
  const FileSystemLock lock;
  const Credentials who = credentials();
  Vfs fs = file_system();
  const Vnode directory = XOK_LINUX_TRY(fs.walk(caller(who), at.start, at.path, Follow::Always));
  if (type == "proc") {
    XOK_LINUX_TRY(fs.mount_proc(directory, source));
    return 0;
  }
  if (type != "tmpfs") return -kENODEV;
  const MountMode mode = (a[3] & kReadOnly) != 0 ? MountMode::ReadOnly : MountMode::ReadWrite;
  const std::uint64_t half = system_info().usable_pages / 2;
  XOK_LINUX_TRY(fs.mount_new_memory(directory, {.pages = half, .inodes = half}, source, mode));
  return 0;
}

std::int64_t call_umount2(const Arguments& a) {
  if (process().proc->euid != 0) return -kEPERM;
  const Place at = XOK_LINUX_TRY(place(kAT_FDCWD, a[0]));
  const FileSystemLock lock;
  const Credentials who = credentials();
  Vfs fs = file_system();
  const Vnode node = XOK_LINUX_TRY(fs.walk(caller(who), at.start, at.path, Follow::Always));
  return result_of(fs.unmount(node));
}

}  // namespace xok::exos::linux_abi
