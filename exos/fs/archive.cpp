// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Unpacking, in three passes over the archive: check every entry, make the files, set the
// directories' times (which making files in them has changed).
//
// Names of one file (hard links) share inode number and device in the archive. `LinkTable`
// remembers and holds the first such inode; the content comes with whichever entry has some.
#include "exos/fs/archive.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "exos/fs/names.hpp"

namespace xok::exos {

namespace {

constexpr std::uint16_t kParentPermissions = 0755;

/// Inodes that further names may be linked to, by their number in the archive.
class LinkTable {
 public:
  explicit LinkTable(MemoryFs& fs) : fs_{fs} {}
  LinkTable(const LinkTable&) = delete;
  LinkTable& operator=(const LinkTable&) = delete;
  ~LinkTable() {
    while (const auto item = map_.first_from(0)) {
      map_.take(fs_.heap(), item->key);
      Record* record = reinterpret_cast<Record*>(item->value);
      while (record != nullptr) {
        Record* next = record->next;
        fs_.release(*record->inode);
        fs_.heap().destroy(record);
        record = next;
      }
    }
  }

  /// The inode of an earlier entry for the same file, nullptr if there is none or it was replaced.
  [[nodiscard]] Inode* find(const ArchiveEntry& entry) const {
    auto* record = reinterpret_cast<Record*>(map_.get(entry.number));
    while (record != nullptr && record->device != entry.source_device) record = record->next;
    return record != nullptr && record->inode->links > 0 ? record->inode : nullptr;
  }

  FsResult<void> add(const ArchiveEntry& entry, Inode& inode) {
    auto* next = reinterpret_cast<Record*>(map_.get(entry.number));
    auto* record = fs_.heap().make<Record>(entry.source_device, &inode, next);
    if (record == nullptr) return fs_fail(FsError::NoSpace);
    if (!map_.set(fs_.heap(), entry.number, reinterpret_cast<std::uintptr_t>(record))) {
      fs_.heap().destroy(record);
      return fs_fail(FsError::NoSpace);
    }
    fs_.hold(inode);
    return {};
  }

 private:
  struct Record {
    std::uint64_t device;
    Inode* inode;
    Record* next;
  };

  MemoryFs& fs_;
  RadixMap map_;
};

class Unpacker {
 public:
  Unpacker(MemoryFs& fs, const std::byte* archive_end)
      : fs_{fs}, archive_end_{archive_end}, links_{fs} {}

  FsResult<void> unpack(const ArchiveEntry& entry);
  FsResult<void> restore_time(const ArchiveEntry& entry);
  [[nodiscard]] const UnpackReport& report() const { return report_; }

 private:
  /// Where an entry goes: its directory and name; the empty name is the root itself.
  struct Place {
    Inode* directory;
    std::string_view name;
  };

  FsResult<Place> find_place(std::string_view path);
  FsResult<Inode*> enter(Inode& directory, std::string_view name);
  FsResult<void> clear_name(const Place& place, const ArchiveEntry& entry);
  FsResult<Inode*> make(const Place& place, const ArchiveEntry& entry);
  FsResult<Inode*> make_linked(const Place& place, const ArchiveEntry& entry);
  FsResult<void> fill(Inode& file, std::span<const std::byte> data);
  FsResult<void> fill_page(Inode& file, std::uint64_t index, std::span<const std::byte> data);
  void set_attributes(Inode& inode, const ArchiveEntry& entry);

  MemoryFs& fs_;
  const std::byte* archive_end_;
  LinkTable links_;
  UnpackReport report_;
};

/// Takes the first component off `path`; empty at the end. `.` and doubled slashes are passed over.
std::string_view take_component(std::string_view& path) {
  for (;;) {
    while (!path.empty() && path.front() == '/') path.remove_prefix(1);
    const std::string_view component{path.data(), component_length(path)};
    path.remove_prefix(component.size());
    if (component != ".") return component;
  }
}

std::int64_t time_of(const ArchiveEntry& entry) {
  return static_cast<std::int64_t>(entry.modified_s * kNanosecondsPerSecond);
}

/// Whether the memory page that begins with `page` (a page of data, or the file's last part) may be
/// shown as it is: it is aligned, lies within the archive, and is zero behind the data.
bool is_showable(std::span<const std::byte> page, const std::byte* archive_end) {
  if (reinterpret_cast<std::uintptr_t>(page.data()) % kPageSize != 0) return false;
  const std::size_t padding = kPageSize - page.size();
  const std::byte* end = page.data() + page.size();
  if (static_cast<std::size_t>(archive_end - end) < padding) return false;
  return std::all_of(end, end + padding, [](std::byte byte) { return byte == std::byte{0}; });
}

FsResult<void> Unpacker::unpack(const ArchiveEntry& entry) {
  const Place place = XOK_TRY(find_place(entry.name));
  ++report_.entries;
  if (place.name.empty()) {
    if (entry.type != FileType::Directory) return fs_fail(FsError::BadFormat);
    set_attributes(*place.directory, entry);
    return {};
  }
  Inode* inode = XOK_TRY(make(place, entry));
  // Of several names the one with content comes last or first: an empty one changes nothing.
  const bool linked = entry.links > 1 && inode->links > 1;
  if (entry.type == FileType::Regular && (!linked || !entry.data.empty())) {
    XOK_TRY(fill(*inode, entry.data));
  }
  set_attributes(*inode, entry);
  return {};
}

FsResult<Unpacker::Place> Unpacker::find_place(std::string_view path) {
  Inode* directory = &fs_.root();
  std::string_view name = take_component(path);
  for (;;) {
    const std::string_view next = take_component(path);
    if (next.empty()) return Place{.directory = directory, .name = name};
    directory = XOK_TRY(enter(*directory, name));
    name = next;
  }
}

/// The directory `name`, made if it is missing.
FsResult<Inode*> Unpacker::enter(Inode& directory, std::string_view name) {
  auto found = fs_.lookup(directory, name);
  if (!found) {
    return fs_.create(directory, name,
                      {.type = FileType::Directory, .permissions = kParentPermissions});
  }
  if ((*found)->type != FileType::Directory) return fs_fail(FsError::BadFormat);
  return *found;
}

/// Removes what an earlier entry put at the place.
FsResult<void> Unpacker::clear_name(const Place& place, const ArchiveEntry& entry) {
  const auto found = fs_.lookup(*place.directory, place.name);
  if (!found) return {};
  if ((*found)->type != FileType::Directory) return fs_.unlink(*place.directory, place.name);
  if (entry.type != FileType::Directory && (*found)->size != 0) {
    return fs_fail(FsError::BadFormat);
  }
  return fs_.remove_directory(*place.directory, place.name);
}

/// The inode for an entry, at its place: an existing directory, a further name, or a new one.
FsResult<Inode*> Unpacker::make(const Place& place, const ArchiveEntry& entry) {
  const auto found = fs_.lookup(*place.directory, place.name);
  const bool is_directory = entry.type == FileType::Directory;
  if (found && is_directory && (*found)->type == FileType::Directory) return *found;
  if (!is_directory && entry.links > 1) return make_linked(place, entry);
  XOK_TRY(clear_name(place, entry));
  if (entry.type == FileType::Symlink) {
    const std::string_view text{reinterpret_cast<const char*>(entry.data.data()),
                                entry.data.size()};
    return fs_.create_symlink(*place.directory, place.name, text, entry.uid, entry.gid);
  }
  return fs_.create(*place.directory, place.name, {.type = entry.type, .device = entry.device});
}

FsResult<Inode*> Unpacker::make_linked(const Place& place, const ArchiveEntry& entry) {
  Inode* known = links_.find(entry);
  if (known == nullptr || known->type != entry.type) {
    ArchiveEntry single = entry;
    single.links = 1;
    Inode* inode = XOK_TRY(make(place, single));
    XOK_TRY(links_.add(entry, *inode));
    return inode;
  }
  const auto found = fs_.lookup(*place.directory, place.name);
  if (found && *found == known) return known;
  XOK_TRY(clear_name(place, entry));
  XOK_TRY(fs_.link(*known, *place.directory, place.name));
  return known;
}

FsResult<void> Unpacker::fill(Inode& file, std::span<const std::byte> data) {
  XOK_TRY(fs_.resize(file, 0));
  XOK_TRY(fs_.resize(file, data.size()));
  for (std::uint64_t index = 0; index * kPageSize < data.size(); ++index) {
    const std::size_t begin = index * kPageSize;
    const std::size_t length = std::min(kPageSize, data.size() - begin);
    XOK_TRY(fill_page(file, index, data.subspan(begin, length)));
  }
  return {};
}

FsResult<void> Unpacker::fill_page(Inode& file, std::uint64_t index,
                                   std::span<const std::byte> data) {
  if (is_showable(data, archive_end_)) {
    ++report_.external_pages;
    return fs_.add_external_page(file, index, data.data());
  }
  ++report_.copied_pages;
  (void)XOK_TRY(fs_.write(file, index * kPageSize, data));  // within one page: all or nothing
  return {};
}

void Unpacker::set_attributes(Inode& inode, const ArchiveEntry& entry) {
  fs_.set_owner(inode, entry.uid, entry.gid);
  if (entry.type != FileType::Symlink) fs_.set_permissions(inode, entry.permissions);
  fs_.set_times(inode, time_of(entry), time_of(entry));
}

FsResult<void> Unpacker::restore_time(const ArchiveEntry& entry) {
  if (entry.type != FileType::Directory) return {};
  const Place place = XOK_TRY(find_place(entry.name));
  Inode* inode = place.directory;
  if (!place.name.empty()) inode = XOK_TRY(fs_.lookup(*place.directory, place.name));
  if (inode->type == FileType::Directory) {
    fs_.set_times(*inode, time_of(entry), time_of(entry));
  }
  return {};
}

/// Calls `body` for every entry. Errors  BadFormat, or what `body` returns
template <class Body>
FsResult<void> for_each_entry(std::span<const std::byte> archive, Body body) {
  ArchiveReader reader{archive};
  for (;;) {
    const std::optional<ArchiveEntry> entry = XOK_TRY(reader.next());
    if (!entry) return {};
    XOK_TRY(body(*entry));
  }
}

}  // namespace

FsResult<UnpackReport> unpack_archive(std::span<const std::byte> archive, MemoryFs& fs) {
  XOK_TRY(for_each_entry(archive, [](const ArchiveEntry&) { return FsResult<void>{}; }));
  Unpacker unpacker{fs, archive.data() + archive.size()};
  XOK_TRY(for_each_entry(archive, [&](const ArchiveEntry& e) { return unpacker.unpack(e); }));
  XOK_TRY(for_each_entry(archive, [&](const ArchiveEntry& e) { return unpacker.restore_time(e); }));
  return unpacker.report();
}

}  // namespace xok::exos
