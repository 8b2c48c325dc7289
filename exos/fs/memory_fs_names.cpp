// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Names. A DirEntry is in two structures: the file system's one hash table, by which a name is
// found, and its directory's map by sequence number, by which a directory is listed.
//
// Listing goes from the newest entry to the oldest, and a cursor is the sequence number of the
// entry listed last. So a cursor means the same whatever comes and goes, and a loop that renames
// everything it lists ends: the new names have larger numbers. 0 and 1 stand for `.` and `..`, 2
// for "before the newest"; sequence numbers begin above.
#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/units.hpp"
#include "exos/fs/memory_fs.hpp"
#include "exos/fs/names.hpp"

namespace xok::exos {

namespace {

constexpr std::uint64_t kBeforeNewest = 2;
static_assert(kFirstSequence > kBeforeNewest);
constexpr std::uint64_t kBucketsPerPage = kPageSize / sizeof(DirEntry*);

std::uintptr_t word_of(DirEntry* entry) { return reinterpret_cast<std::uintptr_t>(entry); }

std::uint32_t hash_in(const Inode& directory, std::string_view name) {
  return hash_name(name, directory.number);
}

}  // namespace

DirEntry* MemoryFs::find(const Inode& directory, std::string_view name, std::uint32_t hash) const {
  return find_entry(state_->buckets, state_->bucket_count - 1, directory, name, hash);
}

FsResult<Inode*> MemoryFs::lookup(const Inode& directory, std::string_view name) const {
  DirEntry* entry = find(directory, name, hash_in(directory, name));
  if (entry != nullptr) return entry->inode;
  return fs_fail(name.size() > kMaxName ? FsError::NameTooLong : FsError::NotFound);
}

FsResult<void> MemoryFs::check_new_name(const Inode& directory, std::string_view name,
                                        std::uint32_t hash) const {
  XOK_TRY(check_name(name));
  if (directory.links == 0) return fs_fail(FsError::NotFound);
  if (find(directory, name, hash) != nullptr) return fs_fail(FsError::Exists);
  return {};
}

FsResult<Inode*> MemoryFs::create(Inode& directory, std::string_view name, const NewInode& what) {
  const bool is_directory = what.type == FileType::Directory;
  const std::uint32_t hash = hash_in(directory, name);
  if (what.type == FileType::Symlink) return fs_fail(FsError::BadArgument);
  XOK_TRY(check_new_name(directory, name, hash));
  if (is_directory && directory.links >= kMaxLinks) return fs_fail(FsError::TooManyLinks);
  Inode* inode = XOK_TRY(new_inode(what));
  if (auto entry = add_entry(directory, name, hash, *inode); !entry) {
    free_inode(*inode);
    return fs_fail(entry.error());
  }
  inode->links = is_directory ? 2 : 1;
  if (is_directory) {
    inode->parent = &directory;
    ++directory.links;
  }
  return inode;
}

FsResult<Inode*> MemoryFs::create_symlink(Inode& directory, std::string_view name,
                                          std::string_view target, std::uint32_t uid,
                                          std::uint32_t gid) {
  const std::uint32_t hash = hash_in(directory, name);
  if (target.size() > kMaxPath) return fs_fail(FsError::NameTooLong);
  if (target.empty() || std::ranges::find(target, '\0') != target.end()) {
    return fs_fail(FsError::BadArgument);
  }
  XOK_TRY(check_new_name(directory, name, hash));
  Inode* inode =
      XOK_TRY(new_inode({.type = FileType::Symlink, .permissions = 0777, .uid = uid, .gid = gid}));
  inode->size = target.size();
  inode->target = static_cast<char*>(heap_.allocate(target.size()));
  if (inode->target == nullptr || !add_entry(directory, name, hash, *inode)) {
    free_inode(*inode);
    return fs_fail(FsError::NoSpace);
  }
  std::memcpy(inode->target, target.data(), target.size());
  inode->links = 1;
  return inode;
}

FsResult<void> MemoryFs::link(Inode& inode, Inode& directory, std::string_view name) {
  const std::uint32_t hash = hash_in(directory, name);
  if (inode.type == FileType::Directory) return fs_fail(FsError::NotPermitted);
  XOK_TRY(check_new_name(directory, name, hash));
  if (inode.links >= kMaxLinks) return fs_fail(FsError::TooManyLinks);
  XOK_TRY(add_entry(directory, name, hash, inode));
  ++inode.links;
  inode.changed_ns = now_ns_;
  return {};
}

FsResult<void> MemoryFs::unlink(Inode& directory, std::string_view name) {
  if (name.size() > kMaxName) return fs_fail(FsError::NameTooLong);
  DirEntry* entry = find(directory, name, hash_in(directory, name));
  if (entry == nullptr) return fs_fail(FsError::NotFound);
  if (entry->inode->type == FileType::Directory) return fs_fail(FsError::IsADirectory);
  detach(*entry->inode, directory, *entry);
  touch(directory);
  return {};
}

FsResult<void> MemoryFs::remove_directory(Inode& directory, std::string_view name) {
  if (name.size() > kMaxName) return fs_fail(FsError::NameTooLong);
  DirEntry* entry = find(directory, name, hash_in(directory, name));
  if (entry == nullptr) return fs_fail(FsError::NotFound);
  if (entry->inode->type != FileType::Directory) return fs_fail(FsError::NotADirectory);
  if (entry->inode->covered_by != 0) return fs_fail(FsError::Busy);
  if (entry->inode->size != 0) return fs_fail(FsError::NotEmpty);
  detach(*entry->inode, directory, *entry);
  touch(directory);
  return {};
}

std::optional<DirectoryItem> MemoryFs::next_entry(const Inode& directory,
                                                  std::uint64_t cursor) const {
  if (cursor < kBeforeNewest) {
    const bool self = cursor == 0;
    return DirectoryItem{.name = self ? "." : "..",
                         .number = self ? directory.number : directory.parent->number,
                         .type = FileType::Directory,
                         .next_cursor = cursor + 1};
  }
  const std::uint64_t from = cursor == kBeforeNewest ? ~std::uint64_t{0} : cursor - 1;
  const auto item = directory.map.last_until(from);
  if (!item) return std::nullopt;
  const DirEntry& entry = *reinterpret_cast<const DirEntry*>(item->value);
  return DirectoryItem{.name = entry.name(),
                       .number = entry.inode->number,
                       .type = entry.inode->type,
                       .next_cursor = entry.sequence};
}

FsResult<std::string_view> MemoryFs::read_link(const Inode& inode) {
  if (inode.type != FileType::Symlink) return fs_fail(FsError::BadArgument);
  return std::string_view{inode.target, inode.size};
}

/// Enters a name that `check_new_name` has allowed. Counts no link. After an error nothing changed.
FsResult<void> MemoryFs::add_entry(Inode& directory, std::string_view name, std::uint32_t hash,
                                   Inode& inode) {
  void* memory = heap_.allocate(sizeof(DirEntry) + name.size());
  if (memory == nullptr) return fs_fail(FsError::NoSpace);
  auto* entry = new (memory) DirEntry{.directory = &directory,
                                      .inode = &inode,
                                      .sequence = directory.next_sequence,
                                      .hash = hash,
                                      .length = static_cast<std::uint16_t>(name.size())};
  if (!directory.map.set(heap_, entry->sequence, word_of(entry))) {
    heap_.free(memory, sizeof(DirEntry) + name.size());
    return fs_fail(FsError::NoSpace);
  }
  std::memcpy(entry->bytes(), name.data(), name.size());
  ++directory.next_sequence;
  directory.size += kEntrySize;
  touch(directory);
  DirEntry*& bucket = state_->buckets[hash & (state_->bucket_count - 1)];
  entry->next = bucket;
  bucket = entry;
  inode.entry = entry;
  if (++state_->entry_count > state_->bucket_count) resize_table();
  return {};
}

void MemoryFs::remove_entry(DirEntry& entry) {
  Inode& directory = *entry.directory;
  unhash(entry);
  const std::uintptr_t removed = directory.map.take(heap_, entry.sequence);
  XOK_CHECK(removed == word_of(&entry), entry.sequence);
  directory.size -= kEntrySize;
  heap_.free(&entry, sizeof(DirEntry) + entry.length);
  const bool sparse = --state_->entry_count < state_->bucket_count / 8;
  if (sparse && state_->bucket_count > kBucketsPerPage) resize_table();
}

void MemoryFs::unhash(DirEntry& entry) {
  DirEntry** place = &state_->buckets[entry.hash & (state_->bucket_count - 1)];
  while (*place != &entry) place = &(*place)->next;
  *place = entry.next;
}

/// Brings the table to about two buckets an entry. Without memory it stays as it is, only slower.
void MemoryFs::resize_table() {
  std::uint64_t count = kBucketsPerPage;
  while (count < 2 * state_->entry_count) count *= 2;
  const std::uint64_t pages = count / kBucketsPerPage;
  if (count == state_->bucket_count || pages > heap_.available_pages() / 2) return;
  auto** buckets = static_cast<DirEntry**>(heap_.allocate_pages(pages));
  if (buckets == nullptr) return;
  for (std::uint64_t i = 0; i < state_->bucket_count; ++i) {
    DirEntry* next = nullptr;
    for (DirEntry* entry = state_->buckets[i]; entry != nullptr; entry = next) {
      next = entry->next;
      DirEntry*& bucket = buckets[entry->hash & (count - 1)];
      entry->next = bucket;
      bucket = entry;
    }
  }
  heap_.free_pages(state_->buckets, state_->bucket_count / kBucketsPerPage);
  state_->buckets = buckets;
  state_->bucket_count = count;
}

void MemoryFs::forget_name(Inode& inode, const DirEntry& entry) {
  if (inode.entry == &entry) inode.entry = nullptr;
}

/// Takes the name `entry` away from `inode`, and the inode itself when that was the last.
void MemoryFs::detach(Inode& inode, Inode& directory, DirEntry& entry) {
  forget_name(inode, entry);
  remove_entry(entry);
  inode.changed_ns = now_ns_;
  if (inode.type == FileType::Directory) {
    inode.links = 0;
    --directory.links;
    hold(directory);  // `..` of the removed directory; drop_if_unused gives it back
  } else {
    --inode.links;
  }
  drop_if_unused(inode);
}

void MemoryFs::touch(Inode& directory) { directory.modified_ns = directory.changed_ns = now_ns_; }

}  // namespace xok::exos
