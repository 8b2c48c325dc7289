// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A memory file system's life, its inodes' lives, and their attributes. Names are in
// memory_fs_names.cpp and memory_fs_rename.cpp, file data in memory_fs_data.cpp.
//
//   MemoryFsState --> root Inode --map--> DirEntry --inode--> Inode --map--> pages
//                 \-> buckets --> DirEntry chains (all directories' names in one hash table)
//
// An inode lives while links > 0 or references > 0. A removed directory (links 0) that is still
// held keeps a reference to its parent, so that `..` leads somewhere; freeing it may free the
// parent, and so on, which `drop_if_unused` does in a loop.
#include "exos/fs/memory_fs.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/units.hpp"

namespace xok::exos {

namespace {
constexpr std::uint32_t kTmpfsMagic = 0x01021994;
constexpr std::uint16_t kRootPermissions = 0755;
}  // namespace

FsResult<MemoryFsState*> MemoryFs::create(PageSource& source, Limits limits, std::int64_t now_ns) {
  if (limits.pages == 0) return fs_fail(FsError::NoSpace);
  void* page = source.allocate_pages(1);
  if (page == nullptr) return fs_fail(FsError::NoSpace);
  auto* state = new (page) MemoryFsState{};
  static_assert(sizeof(MemoryFsState) <= kPageSize);
  state->heap.limit_pages = limits.pages;
  state->heap.used_pages = 1;
  state->inode_limit = limits.inodes;
  MemoryFs fs{*state, source, now_ns};
  state->zero_page = fs.heap_.allocate_pages(1);
  state->buckets = static_cast<DirEntry**>(fs.heap_.allocate_pages(1));
  state->bucket_count = kPageSize / sizeof(DirEntry*);
  if (state->zero_page != nullptr && state->buckets != nullptr) {
    if (auto root = fs.new_inode({.type = FileType::Directory, .permissions = kRootPermissions})) {
      (*root)->links = 2;
      (*root)->parent = *root;
      state->root = *root;
      return state;
    }
  }
  (void)destroy(state, source);
  return fs_fail(FsError::NoSpace);
}

FsResult<void> MemoryFs::destroy(MemoryFsState* state, PageSource& source) {
  if (state->references != 0) return fs_fail(FsError::Busy);
  MemoryFs fs{*state, source, 0};
  // Bottom up without recursion: empty the directory at hand, then go on in its parent.
  Inode* directory = state->root;
  while (directory != nullptr) {
    const auto item = directory->map.last_until(~std::uint64_t{0});
    if (!item) {
      if (directory == state->root) break;
      DirEntry& entry = *directory->entry;
      Inode* parent = directory->parent;
      fs.detach(*directory, *parent, entry);
      directory = parent;
      continue;
    }
    DirEntry& entry = *reinterpret_cast<DirEntry*>(item->value);
    if (entry.inode->type == FileType::Directory) {
      entry.inode->entry = &entry;
      directory = entry.inode;
    } else {
      fs.detach(*entry.inode, *directory, entry);
    }
  }
  if (state->root != nullptr) fs.free_inode(*state->root);
  if (state->buckets != nullptr) {
    fs.heap_.free_pages(state->buckets, state->bucket_count * sizeof(DirEntry*) / kPageSize);
  }
  if (state->zero_page != nullptr) fs.heap_.free_pages(state->zero_page, 1);
  fs.heap_.trim();
  XOK_CHECK(state->heap.used_pages == 1, state->heap.used_pages);
  source.free_pages(state, 1);
  return {};
}

FsResult<Inode*> MemoryFs::new_inode(const NewInode& what) {
  if (state_->inode_count >= state_->inode_limit) return fs_fail(FsError::NoSpace);
  auto* inode = heap_.make<Inode>();
  if (inode == nullptr) return fs_fail(FsError::NoSpace);
  ++state_->inode_count;
  inode->number = state_->next_number++;
  inode->type = what.type;
  inode->permissions = what.permissions & kPermissionBits;
  inode->uid = what.uid;
  inode->gid = what.gid;
  inode->device = what.device;
  inode->accessed_ns = inode->modified_ns = inode->changed_ns = inode->created_ns = now_ns_;
  inode->next_sequence = kFirstSequence;
  return inode;
}

FsResult<Inode*> MemoryFs::create_unnamed(const NewInode& what) {
  if (what.type == FileType::Directory || what.type == FileType::Symlink) {
    return fs_fail(FsError::BadArgument);
  }
  Inode* inode = XOK_TRY(new_inode(what));
  hold(*inode);
  return inode;
}

void MemoryFs::free_inode(Inode& inode) {
  if (inode.type == FileType::Regular) drop_pages(inode, 0, ~std::uint64_t{0});
  if (inode.target != nullptr) heap_.free(inode.target, inode.size);
  --state_->inode_count;
  heap_.destroy(&inode);
}

void MemoryFs::hold(Inode& inode) {
  ++inode.references;
  ++state_->references;
}

void MemoryFs::release(Inode& inode) {
  XOK_CHECK(inode.references > 0, inode.number);
  --inode.references;
  --state_->references;
  drop_if_unused(inode);
}

void MemoryFs::drop_if_unused(Inode& inode) {
  Inode* current = &inode;
  while (current != nullptr && current->links == 0 && current->references == 0) {
    Inode* parent = current->type == FileType::Directory ? current->parent : nullptr;
    free_inode(*current);
    current = parent;
    if (current != nullptr) {
      --current->references;
      --state_->references;
    }
  }
}

Attributes MemoryFs::attributes(const Inode& inode) {
  return {.number = inode.number,
          .type = inode.type,
          .permissions = inode.permissions,
          .uid = inode.uid,
          .gid = inode.gid,
          .links = inode.links,
          .size = inode.size,
          .pages = inode.pages,
          .device = inode.device,
          .mount_id = 0,
          .accessed_ns = inode.accessed_ns,
          .modified_ns = inode.modified_ns,
          .changed_ns = inode.changed_ns,
          .created_ns = inode.created_ns};
}

void MemoryFs::set_permissions(Inode& inode, std::uint16_t permissions) {
  inode.permissions = permissions & kPermissionBits;
  inode.changed_ns = now_ns_;
}

void MemoryFs::set_owner(Inode& inode, std::uint32_t uid, std::uint32_t gid) {
  inode.uid = uid;
  inode.gid = gid;
  inode.changed_ns = now_ns_;
}

void MemoryFs::set_times(Inode& inode, std::int64_t accessed_ns, std::int64_t modified_ns) {
  inode.accessed_ns = accessed_ns;
  inode.modified_ns = modified_ns;
  inode.changed_ns = now_ns_;
}

Statistics MemoryFs::statistics() const {
  return {.magic = kTmpfsMagic,
          .total_pages = state_->heap.limit_pages,
          .free_pages = heap_.available_pages(),
          .total_inodes = state_->inode_limit,
          .free_inodes = state_->inode_limit - state_->inode_count};
}

}  // namespace xok::exos
