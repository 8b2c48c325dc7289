// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Names of local sockets: files, whose nodes point at the socket as long as it is open, and
// abstract names, which are looked for among all sockets.
#include "exos/net/unix_socket.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/process.hpp"
#include "exos/shared.hpp"

namespace xok::exos {
namespace {

UnixSocket* find_abstract(const UnixName& name) {
  for (UnixSocket* other = shared().unix_sockets; other != nullptr; other = other->next) {
    if (other->open && !other->made_by_listener && other->name.text() == name.text()) return other;
  }
  return nullptr;
}

/// A name that Linux, too, would choose: five hexadecimal digits.
UnixName free_name() {
  UnixName name;
  name.length = 6;
  for (std::uint32_t number = 0;; number++) {
    for (std::size_t i = 0; i < 5; i++)
      name.bytes[i + 1] = "0123456789abcdef"[number >> (16 - 4 * i) & 0xf];
    if (find_abstract(name) == nullptr) return name;
  }
}

Outcome<> bind_path(UnixSocket& socket, const UnixName& name) {
  Vfs fs = file_system();
  const Credentials who = credentials();
  const auto permissions = static_cast<std::uint16_t>(0777 & ~process().umask);
  const auto made =
      fs.make_node(caller(who), process().cwd, name.text(), FileType::Socket, permissions, 0);
  if (!made.has_value() && made.error() == FsError::Exists) return std::unexpected{Errc::Overlap};
  if (!made.has_value()) return std::unexpected{made.error()};
  void** const slot = fs.attached(*made);
  if (slot == nullptr) return std::unexpected{FsError::NotPermitted};
  fs.hold(*made);
  *slot = &socket;
  socket.node = *made;
  return {};
}

}  // namespace

Outcome<> bind_unix(OpenFile& file, const UnixName& name) {
  const FileSystemLock lock;
  UnixSocket& socket = *file.unix_socket;
  if (socket.name.length != 0) return std::unexpected{Errc::BadArgument};
  if (name.length == 0) {
    socket.name = free_name();
    return {};
  }
  if (name.is_abstract()) {
    if (find_abstract(name) != nullptr) return std::unexpected{Errc::Overlap};
  } else {
    XOK_TRY(bind_path(socket, name));
  }
  socket.name = name;
  return {};
}

Outcome<UnixSocket*> find_unix(const UnixName& name) {
  if (name.is_abstract()) {
    UnixSocket* const found = find_abstract(name);
    if (found == nullptr) return std::unexpected{Errc::Refused};
    return found;
  }
  Vfs fs = file_system();
  const Credentials who = credentials();
  const Vnode node = XOK_TRY(fs.walk(caller(who), process().cwd, name.text(), Follow::Always));
  XOK_TRY(fs.check_access(who, node, kAccessWrite));
  if (fs.type(node) != FileType::Socket) return std::unexpected{Errc::Refused};
  void** const slot = fs.attached(node);
  if (slot == nullptr || *slot == nullptr) return std::unexpected{Errc::Refused};
  return static_cast<UnixSocket*>(*slot);
}

void forget_unix_name(UnixSocket& socket) {
  if (!socket.node.valid()) return;
  Vfs fs = file_system();
  if (void** const slot = fs.attached(socket.node)) *slot = nullptr;
  fs.release(socket.node);
  socket.node = {};
}

}  // namespace xok::exos
