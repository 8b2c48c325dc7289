// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/init/file_tree.hpp"

#include <cstring>
#include <string_view>

#include "abi/boot_bundle.hpp"
#include "base/checked.hpp"
#include "exos/arena.hpp"
#include "exos/fs/archive.hpp"
#include "exos/init/control.hpp"
#include "exos/linux/abi_files.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/process.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"
#include "exos/vm/tables.hpp"

namespace xok::exos {
namespace {

/// Lets the trust domain map a page of the bundle, read-only.
bool open_bundle_page(std::uint64_t page) {
  const Capability readers = Capability::make({1}, Permission::None);
  return sys::page_set_acl(kCapRoot, page, 1, readers.bits()) >= 0;
}

std::span<const std::byte> find_part(const BundleHeader& header, std::string_view name,
                                     std::uint64_t length) {
  for (std::size_t i = 0; i < header.part_count && i < header.parts.size(); i++) {
    const BundlePart& part = header.parts[i];
    if (std::string_view{part.name.data(), strnlen(part.name.data(), part.name.size())} != name)
      continue;
    if (!range_fits(part.offset, part.length, length)) return {};
    return {reinterpret_cast<const std::byte*>(kBundleBase) + part.offset, part.length};
  }
  return {};
}

struct DeviceNode {
  const char* path;
  std::uint32_t major, minor;
  std::uint16_t permissions;
};

constexpr DeviceNode kDevices[] = {
    {"/dev/null", 1, 3, 0666},    {"/dev/zero", 1, 5, 0666},    {"/dev/full", 1, 7, 0666},
    {"/dev/random", 1, 8, 0666},  {"/dev/urandom", 1, 9, 0666}, {"/dev/tty", 5, 0, 0666},
    {"/dev/console", 5, 1, 0600}, {"/dev/tty1", 4, 1, 0620},
};
constexpr const char* kPortNames[] = {nullptr,           nullptr,           "/dev/xok.stdin",
                                      "/dev/xok.stdout", "/dev/xok.stderr", nullptr,
                                      "/dev/xok.trace"};
constexpr std::uint32_t kPortMajor = 229;

void make_directory(Vfs& fs, const Caller& who, const char* path, std::uint16_t permissions) {
  // One that the archive made stays as it is.
  (void)fs.make_node(who, process().root, path, FileType::Directory, permissions, 0);
}

void make_devices(Vfs& fs, const Caller& who) {
  make_directory(fs, who, "/dev", 0755);
  for (const DeviceNode& node : kDevices) {
    (void)fs.make_node(who, process().root, node.path, FileType::CharDevice, node.permissions,
                       linux_abi::make_device(node.major, node.minor));
  }
  for (std::uint32_t port = 0; port < std::size(kPortNames); port++) {
    if (kPortNames[port] == nullptr || !port_present(port)) continue;
    (void)fs.make_node(who, process().root, kPortNames[port], FileType::CharDevice, 0600,
                       linux_abi::make_device(kPortMajor, port));
  }
  (void)fs.make_symlink(who, process().root, "/dev/fd", "/proc/self/fd");
  (void)fs.make_symlink(who, process().root, "/dev/stdin", "/proc/self/fd/0");
  (void)fs.make_symlink(who, process().root, "/dev/stdout", "/proc/self/fd/1");
  (void)fs.make_symlink(who, process().root, "/dev/stderr", "/proc/self/fd/2");
}

}  // namespace

Result<Bundle> share_bundle(std::uint64_t length) {
  const std::uint64_t pages = page_ceil(length) >> kPageShift;
  constexpr std::size_t kRun = 64;
  for (std::uint64_t i = 0; i < pages;) {
    std::uint64_t entries[kRun];
    std::size_t n = 0;
    for (; n < kRun && i + n < pages; n++) {
      const std::uint64_t entry = pte_of(kInitBundleAddress + (i + n) * kPageSize);
      if (!open_bundle_page((entry & kPtePageMask) >> kPageShift)) return fail(Errc::Denied);
      entries[n] = (entry & kPtePageMask) | kPtePresent | kPteUser | kPteNoExecute;
    }
    std::uint64_t done = 0;
    const std::int64_t mapped = sys::pte_insert_range(
        kCapRoot, reinterpret_cast<std::uint64_t>(entries), n, kBundleBase + i * kPageSize,
        reinterpret_cast<std::uint64_t>(&done), kSelf);
    if (mapped < 0) return fail(static_cast<Errc>(-mapped));
    i += n;
  }
  const auto& header = *reinterpret_cast<const BundleHeader*>(kBundleBase);
  if (length < kPageSize || header.magic != BundleHeader::kMagic) return fail(Errc::BadFormat);
  const auto job = find_part(header, "job", length);
  return Bundle{.root = find_part(header, "root", length),
                .extra = find_part(header, "extra", length),
                .job = {reinterpret_cast<const char*>(job.data()), job.size()}};
}

Result<> make_file_tree(const Bundle& bundle) {
  const FileSystemLock lock;
  const auto now = static_cast<std::int64_t>(rt::wall_ns());
  const std::uint64_t usable = system_info().usable_pages;
  const auto state =
      MemoryFs::create(arena(), {.pages = usable - usable / 4, .inodes = usable}, now);
  if (!state.has_value()) return fail(Errc::NoMemory);
  Vfs fs = file_system();
  const auto root = fs.mount_root(**state, "rootfs");
  if (!root.has_value()) return fail(Errc::NoMemory);
  process().root = process().cwd = *root;
  fs.hold(*root);
  fs.hold(*root);
  MemoryFs memory{**state, arena(), now};
  for (const auto archive : {bundle.root, bundle.extra}) {
    if (archive.empty()) continue;
    if (!unpack_archive(archive, memory).has_value()) return fail(Errc::BadFormat);
  }
  const Credentials who = credentials();
  const Caller self = caller(who);
  make_devices(fs, self);
  make_directory(fs, self, "/tmp", 01777);
  make_directory(fs, self, "/proc", 0555);
  if (const auto proc = fs.walk(self, *root, "/proc", Follow::Always); proc.has_value())
    (void)fs.mount_proc(*proc, "proc");
  return {};
}

}  // namespace xok::exos
