// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fd/descriptors.hpp"

#include "exos/arena.hpp"
#include "exos/fd/operations.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/process.hpp"

namespace xok::exos {
namespace {

void note_used(std::size_t fd) {
  if (fd >= process().descriptor_end) process().descriptor_end = fd + 1;
}

}  // namespace

OpenFile* open_file(std::uint64_t fd) {
  if (fd >= process().descriptor_end) return nullptr;
  return reinterpret_cast<OpenFile*>(descriptor_word(fd) & ~std::uint64_t{1});
}

std::uint64_t& descriptor_word(std::size_t fd) {
  return reinterpret_cast<std::uint64_t*>(kFdTable)[fd];
}

OpenFile* new_open_file(FileKind kind, std::uint32_t flags) {
  auto* file = pool_new<OpenFile>(shared().open_files);
  if (file == nullptr) return nullptr;
  file->kind = kind;
  file->flags = flags;
  file->references = 1;
  return file;
}

void release_open_file(OpenFile& file) {
  if (--file.references != 0) return;
  close_file(file);
  file.kind = FileKind::Free;
  pool_give(shared().open_files, &file);
}

Result<int> install_descriptor(OpenFile& file, CloseOnExec close_on_exec, std::size_t from) {
  std::uint64_t limit = process().limits[kLimitDescriptors].soft;
  if (limit > kMaxDescriptors) limit = kMaxDescriptors;
  for (std::size_t fd = from; fd < limit; fd++) {
    std::uint64_t& word = descriptor_word(fd);
    if (fd < process().descriptor_end && word != 0) continue;
    word = reinterpret_cast<std::uint64_t>(&file) | (close_on_exec == CloseOnExec::Yes ? 1 : 0);
    note_used(fd);
    return static_cast<int>(fd);
  }
  return fail(Errc::NoSpace);
}

Result<> close_descriptor(std::uint64_t fd) {
  OpenFile* file = open_file(fd);
  if (file == nullptr) return fail(Errc::NotFound);
  descriptor_word(fd) = 0;
  const FileSystemLock lock;
  release_open_file(*file);
  return {};
}

Result<> duplicate_to(std::uint64_t from, std::uint64_t to, CloseOnExec close_on_exec) {
  OpenFile* file = open_file(from);
  if (file == nullptr) return fail(Errc::NotFound);
  if (to >= kMaxDescriptors || to >= process().limits[kLimitDescriptors].soft)
    return fail(Errc::BadArgument);
  const FileSystemLock lock;
  OpenFile* old = open_file(to);
  file->references++;
  note_used(to);
  descriptor_word(to) =
      reinterpret_cast<std::uint64_t>(file) | (close_on_exec == CloseOnExec::Yes ? 1 : 0);
  if (old != nullptr) release_open_file(*old);
  return {};
}

void hold_descriptors() {
  const FileSystemLock lock;
  for (std::size_t fd = 0; fd < process().descriptor_end; fd++)
    if (OpenFile* file = open_file(fd)) file->references++;
}

void close_all_descriptors() {
  for (std::size_t fd = 0; fd < process().descriptor_end; fd++)
    if (descriptor_word(fd) != 0) (void)close_descriptor(fd);
}

void close_marked_descriptors() {
  for (std::size_t fd = 0; fd < process().descriptor_end; fd++)
    if ((descriptor_word(fd) & 1) != 0) (void)close_descriptor(fd);
}

}  // namespace xok::exos
