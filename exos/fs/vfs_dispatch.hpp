// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/fs/memory_fs.hpp"
#include "exos/fs/proc_fs.hpp"
#include "exos/fs/vfs.hpp"

namespace xok::exos {

/// The seam between `Vfs` and the kinds of file system. A new kind takes: a value in `FsKind`, a
/// pointer to its state in `Mount`, a handle made here, and one more body in `on`, which the
/// compiler then asks for at every use. Private to the vfs_*.cpp files.
struct VfsDispatch {
  static MemoryFs memory(const Vfs& vfs, const Mount& mount) {
    return {*mount.memory, *vfs.pages_, vfs.now_ns_};
  }
  static MemoryFs memory(const Vfs& vfs, const Vnode& node) { return memory(vfs, *node.mount); }
  static ProcFs proc(const Vfs& vfs) { return {vfs.processes_, vfs}; }

  static bool in_memory(const Vnode& node) { return node.mount->kind == FsKind::Memory; }
  /// Only where `in_memory`.
  static Inode& inode(const Vnode& node) { return *reinterpret_cast<Inode*>(node.node); }
  static Protection protection(const Inode& inode) {
    return {inode.type, inode.permissions, inode.uid, inode.gid};
  }
  static Vnode vnode(Mount* mount, const Inode& inode) {
    return {.mount = mount, .node = reinterpret_cast<std::uint64_t>(&inode)};
  }
  static Vnode vnode(Mount* mount, ProcNode node) { return {.mount = mount, .node = node.pack()}; }

  /// Calls the body for the node's kind: `in_memory(MemoryFs, Inode&)`, `in_proc(ProcFs,
  /// ProcNode)`.
  template <class InMemory, class InProc>
  static auto on(const Vfs& vfs, const Vnode& node, InMemory in_memory, InProc in_proc) {
    return node.mount->kind == FsKind::Memory ? in_memory(memory(vfs, node), inode(node))
                                              : in_proc(proc(vfs), ProcNode::unpack(node.node));
  }
};

}  // namespace xok::exos
