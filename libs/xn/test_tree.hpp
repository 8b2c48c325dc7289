// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/byte_order.hpp"
#include "libs/xn/test_volume.hpp"

/// Files made by random operations of the test file system, and a walk over a disk's image that
/// knows its layout and nothing of XN.
namespace xok::xn::test {

inline constexpr std::uint64_t kStampMagic = 0x1234567890abcdef;

/// What lies at the start of each data block.
struct Stamp {
  std::uint64_t magic = kStampMagic;
  std::uint64_t file = 0;
  std::uint64_t version = 0;
  auto operator<=>(const Stamp&) const = default;
};

inline std::uint64_t word(const Block& block, std::size_t offset) {
  return load<std::uint64_t>(block.data() + offset);
}

/// What is reachable on an image.
struct Found {
  std::map<std::uint64_t, std::vector<Stamp>> files;  ///< by their ids; stamps in file order
  std::set<BlockNumber> blocks;
  std::string wrong;  ///< the first thing that must not be
};

class Walk {
 public:
  enum class Stamps : bool { Checked, Ignored };

  Walk(const std::vector<Block>& image, const std::vector<VoidEdge>& voids,
       Stamps stamps = Stamps::Checked)
      : image_{image}, voids_{voids}, stamps_{stamps} {}

  Found from(BlockNumber root) {
    found_ = {};
    links_.clear();
    enter(0, root);
    directory(root);
    for (const auto& [inode, count] : links_)
      if (word(image_[inode], kLinks) + 1 < count && !known_miscounted(inode))
        wrong("too few links counted", inode);
    return found_;
  }

 private:
  void wrong(const char* what, BlockNumber block) {
    if (found_.wrong.empty()) found_.wrong = std::string{what} + " " + std::to_string(block);
  }
  bool is_void(BlockNumber parent, BlockNumber block) const {
    return std::ranges::any_of(voids_, [&](const VoidEdge& e) {
      return e.parent == parent && e.parent != 0 && e.block == block;
    });
  }
  bool known_miscounted(BlockNumber block) const {
    return std::ranges::any_of(
        voids_, [&](const VoidEdge& e) { return e.parent == 0 && e.block == block; });
  }
  /// Whether to go on to the block.
  bool enter(BlockNumber parent, BlockNumber block) {
    if (parent != 0 && is_void(parent, block)) return false;
    if (block >= image_.size()) {
      wrong("a pointer outside", block);
      return false;
    }
    if (!found_.blocks.insert(block).second) {
      wrong("owned twice", block);
      return false;
    }
    return true;
  }
  void directory(BlockNumber block) {
    for (std::size_t s = 0; s < 8; ++s)
      for (std::size_t i = 0; i < 32; ++i)
        if (const auto to = word(image_[block], s * 512 + i * 8); to != 0) node(block, to);
  }
  void node(BlockNumber parent, BlockNumber block) {
    if (is_void(parent, block)) return;
    if (links_.contains(block)) {
      ++links_[block];
      return;
    }
    if (!enter(parent, block)) return;
    const auto tag = std::to_integer<int>(image_[block][kTag]);
    if (tag == 2) {
      directory(block);
    } else if (tag == 1) {
      links_[block] = 1;
      inode(block);
    } else if (tag != 0) {
      wrong("no node", block);
    }
  }
  void inode(BlockNumber block) {
    const std::uint64_t id = word(image_[block], kId);
    std::vector<Stamp>& stamps = found_.files[id];
    for (std::size_t i = 0; i < 16; ++i) data(block, word(image_[block], i * 8), id, stamps);
    const BlockNumber indirect = word(image_[block], kIndirect);
    if (indirect == 0 || !enter(block, indirect)) return;
    for (std::size_t i = 0; i < 512; ++i) data(indirect, word(image_[indirect], i * 8), id, stamps);
  }
  void data(BlockNumber parent, BlockNumber block, std::uint64_t id, std::vector<Stamp>& stamps) {
    if (block == 0 || !enter(parent, block)) return;
    if (stamps_ == Stamps::Ignored) return;
    const auto stamp = load<Stamp>(image_[block].data());
    if (stamp.magic != kStampMagic) wrong("uninitialised data in", block);
    if (stamp.file != id) wrong("another file's data in", block);
    stamps.push_back(stamp);
  }

  const std::vector<Block>& image_;
  const std::vector<VoidEdge>& voids_;
  Stamps stamps_;
  Found found_;
  std::map<BlockNumber, std::uint64_t> links_;
};

/// Random operations. Errors that the rules of order cause (WouldBlock, Busy) are no failures:
/// the operation is not done.
class RandomTree {
 public:
  struct Name {
    BlockNumber directory;
    std::size_t slot;
  };
  struct File {
    std::uint64_t id;
    BlockNumber inode;
    std::vector<Name> names;
    std::vector<BlockNumber> direct;
    BlockNumber indirect = 0;
    std::vector<BlockNumber> indirect_data;
    std::vector<Stamp> stamps;  ///< of direct
  };

  RandomTree(Machine& machine, std::uint64_t seed) : m{machine}, random{seed} {
    directories_.push_back(m.top);
  }

  /// Ids of files whose contents must be found from event `at` on, until touched.
  struct Synced {
    std::size_t at;
    std::map<std::uint64_t, std::vector<Stamp>> files;
    std::map<std::uint64_t, std::size_t> touched;  ///< when, in events
  };
  std::vector<Synced> synced;
  std::size_t done = 0;
  bool moves = true;
  bool links = true;

  void step() {
    switch (random() % 14) {
      case 0:
      case 1:
        return note(create());
      case 2:
      case 3:
      case 4:
        return note(append());
      case 5:
        return note(truncate());
      case 6:
        return note(unlink());
      case 7:
        return note(make_directory());
      case 8:
        return note(remove_directory());
      case 9:
        return note(overwrite());
      case 10:
        return note(links ? link() : append());
      case 11:
        return note(!moves ? truncate() : random() % 3 == 0 ? rename_directory() : rename());
      case 12:
        return some_writes();
      default:
        return note(indirect_append());
    }
  }

  /// Tries to write dirty blocks, whichever; some transfers end now and some later.
  void some_writes() {
    const auto records = m.volume->buffers();
    const std::size_t start = pick(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      const XnBuffer& b = records[(start + i) % records.size()];
      if (b.block == 0 || !b.is(XnFlag::Dirty) || random() % 3 == 0) continue;
      const auto started = m.volume->write_back(m.alice, std::span{&b.block, 1}, 1);
      EXPECT_TRUE(started || started.error() == Errc::Tainted ||
                  started.error() == Errc::WouldBlock || started.error() == Errc::Busy ||
                  started.error() == Errc::NotFound);
    }
    if (random() % 2 == 0) {
      if (const auto flushing = m.volume->flush(2); !flushing) {
        EXPECT_EQ(flushing.error(), Errc::WouldBlock);
      }
    }
    while (m.disk.queued() != 0 && random() % 8 != 0) complete_one();
  }
  void complete_one() {
    m.disk.complete(pick(m.disk.queued()),
                    [this](std::uint64_t tag, Result<> r) { m.volume->completed(tag, r); });
  }

  void sync() {
    m.settle();
    ASSERT_TRUE(m.sync(m.alice));
    ASSERT_EQ(m.volume->info().dirty, 0u) << "blocks that wait for each other";
    Synced now{m.disk.events.size(), {}, {}};
    for (const File& f : files_) {
      std::vector<Stamp> all = f.stamps;
      for (std::size_t i = 0; i < f.indirect_data.size(); ++i)
        all.push_back({kStampMagic, f.id, 0});
      now.files[f.id] = all;
    }
    synced.push_back(now);
  }

  const std::vector<File>& files() const { return files_; }

 private:
  void note(Result<> result) {
    if (result) {
      ++done;
      return;
    }
    const Errc e = result.error();
    EXPECT_TRUE(e == Errc::WouldBlock || e == Errc::Busy || e == Errc::NoSpace ||
                e == Errc::NotFound)
        << "error " << static_cast<int>(e);
  }
  void touch(const File& file) {
    if (!synced.empty()) synced.back().touched.try_emplace(file.id, m.disk.events.size());
  }
  std::size_t pick(std::size_t count) { return static_cast<std::size_t>(random() % count); }
  std::size_t free_slot(BlockNumber directory) {
    const auto taken = [&](std::size_t slot) {
      return std::ranges::any_of(
          used_slots_, [&](const Name& n) { return n.directory == directory && n.slot == slot; });
    };
    std::size_t slot = 0;
    do {
      slot = pick(8) * 64 + pick(32);
    } while (taken(slot));
    return slot;
  }
  void forget(const Name& name) {
    std::erase_if(used_slots_, [&](const Name& n) {
      return n.directory == name.directory && n.slot == name.slot;
    });
  }

  Result<> create() {
    if (files_.size() >= 8) return {};
    const BlockNumber directory = directories_[pick(directories_.size())];
    const Name name{directory, free_slot(directory)};
    const BlockNumber inode = XOK_TRY(m.make_node(directory, name.slot, 1));
    const std::uint64_t id = next_id_++;
    EXPECT_TRUE(m.volume->write_bytes(m.alice, inode, Change{{kId, id}}));
    used_slots_.push_back(name);
    files_.push_back({id, inode, {name}, {}, 0, {}, {}});
    return {};
  }
  Result<BlockNumber> new_data(BlockNumber parent, std::size_t slot, const Stamp& stamp) {
    const BlockNumber block = XOK_TRY(m.volume->find_free(0, 1));
    const XnExtent extent{block, 1, m.types.data};
    XOK_TRY(m.volume->allocate(m.alice, parent, Change{{slot * 8, block}}, extent));
    const PageNumber page = XOK_TRY(m.pages.allocate());
    std::memcpy(m.pages.bytes(page), &stamp, sizeof stamp);
    EXPECT_TRUE(m.volume->insert_attribute(m.alice, parent, extent, page));
    m.pages.release(page);
    return block;
  }
  Result<> append() {
    if (files_.empty()) return {};
    File& file = files_[pick(files_.size())];
    if (file.direct.size() == 16) return {};
    const Stamp stamp{kStampMagic, file.id, next_version_++};
    const BlockNumber block = XOK_TRY(new_data(file.inode, file.direct.size(), stamp));
    touch(file);
    file.direct.push_back(block);
    file.stamps.push_back(stamp);
    return {};
  }
  Result<> indirect_append() {
    if (files_.empty()) return {};
    File& file = files_[pick(files_.size())];
    if (file.indirect == 0) {
      const BlockNumber block = XOK_TRY(m.volume->find_free(0, 1));
      const XnExtent extent{block, 1, m.types.indirect};
      XOK_TRY(m.volume->allocate(m.alice, file.inode, Change{{kIndirect, block}}, extent));
      EXPECT_TRUE(m.volume->insert_attribute(m.alice, file.inode, extent, std::nullopt));
      touch(file);
      file.indirect = block;
      return {};
    }
    if (file.indirect_data.size() == 8) return {};
    const std::size_t slot = file.indirect_data.size() * 60;
    const BlockNumber block = XOK_TRY(new_data(file.indirect, slot, {kStampMagic, file.id, 0}));
    touch(file);
    file.indirect_data.push_back(block);
    return {};
  }
  Result<> truncate() {
    if (files_.empty()) return {};
    return truncate(files_[pick(files_.size())]);
  }
  Result<> truncate(File& file) {
    if (file.direct.empty()) return {};
    const std::size_t slot = file.direct.size() - 1;
    XOK_TRY(m.volume->free(m.alice, file.inode, Change{{slot * 8, 0}},
                           {file.direct.back(), 1, m.types.data}));
    touch(file);
    file.direct.pop_back();
    file.stamps.pop_back();
    return {};
  }
  Result<> overwrite() {
    if (files_.empty()) return {};
    File& file = files_[pick(files_.size())];
    if (file.direct.empty()) return {};
    const std::size_t i = pick(file.direct.size());
    const std::uint64_t version = next_version_++;
    XOK_TRY(m.volume->write_bytes(m.alice, file.direct[i], Change{{16, version}}));
    touch(file);
    file.stamps[i].version = version;
    return {};
  }
  Result<> unlink() {
    if (files_.empty()) return {};
    const std::size_t which = pick(files_.size());
    File& file = files_[which];
    if (file.names.size() > 1) {
      const Name name = file.names.back();
      const std::uint64_t extra = file.names.size() - 2;
      XOK_TRY(m.volume->free(m.alice, name.directory, Change{{name.slot * 8, 0}},
                             {file.inode, 1, m.types.node}, Change{{kLinks, extra}}));
      touch(file);  // the other name may be younger than the last sync: that order is not XN's
      forget(name);
      file.names.pop_back();
      return rebind(file);
    }
    while (!file.direct.empty()) XOK_TRY(truncate(file));
    while (!file.indirect_data.empty()) {
      const std::size_t slot = (file.indirect_data.size() - 1) * 60;
      XOK_TRY(m.volume->free(m.alice, file.indirect, Change{{slot * 8, 0}},
                             {file.indirect_data.back(), 1, m.types.data}));
      touch(file);
      file.indirect_data.pop_back();
    }
    if (file.indirect != 0) {
      XOK_TRY(m.volume->free(m.alice, file.inode, Change{{kIndirect, 0}},
                             {file.indirect, 1, m.types.indirect}));
      touch(file);
      file.indirect = 0;
    }
    const Name name = file.names[0];
    XOK_TRY(m.volume->free(m.alice, name.directory, Change{{name.slot * 8, 0}},
                           {file.inode, 1, m.types.node}));
    touch(file);
    forget(name);
    files_.erase(files_.begin() + static_cast<std::ptrdiff_t>(which));
    return {};
  }
  /// The block's record may have lost its parent with the name.
  Result<> rebind(const File& file) {
    if (m.attribute(file.inode).parent == 0)
      return m.volume->insert_attribute(m.alice, file.names[0].directory,
                                        {file.inode, 1, m.types.node}, std::nullopt);
    return {};
  }
  Result<> link() {
    if (files_.empty()) return {};
    File& file = files_[pick(files_.size())];
    if (file.names.size() == 3) return {};
    const BlockNumber directory = directories_[pick(directories_.size())];
    const Name name{directory, free_slot(directory)};
    XOK_TRY(m.volume->add_edge(m.alice, directory, Change{{name.slot * 8, file.inode}},
                               {file.inode, 1, m.types.node}, Change{{kLinks, file.names.size()}}));
    used_slots_.push_back(name);
    file.names.push_back(name);
    return {};
  }
  Result<> rename() {
    if (files_.empty()) return {};
    File& file = files_[pick(files_.size())];
    const Name from = file.names[0];
    const BlockNumber directory = directories_[pick(directories_.size())];
    if (directory == from.directory) return {};
    const Name to{directory, free_slot(directory)};
    XOK_TRY(m.volume->move(m.alice, from.directory, Change{{from.slot * 8, 0}}, directory,
                           Change{{to.slot * 8, file.inode}}, {file.inode, 1, m.types.node}));
    forget(from);
    used_slots_.push_back(to);
    file.names[0] = to;
    return {};
  }
  /// Whether `block` is `directory` or below it.
  bool below(BlockNumber directory, BlockNumber block) const {
    while (block != directory && directory_names_.contains(block))
      block = directory_names_.at(block).directory;
    return block == directory;
  }
  Result<> rename_directory() {
    if (directories_.size() == 1) return {};
    const BlockNumber which = directories_[1 + pick(directories_.size() - 1)];
    const BlockNumber into = directories_[pick(directories_.size())];
    const Name from = directory_names_[which];
    if (into == from.directory || below(which, into)) return {};
    const Name to{into, free_slot(into)};
    XOK_TRY(m.volume->move(m.alice, from.directory, Change{{from.slot * 8, 0}}, into,
                           Change{{to.slot * 8, which}}, {which, 1, m.types.node}));
    forget(from);
    used_slots_.push_back(to);
    directory_names_[which] = to;
    return {};
  }
  Result<> make_directory() {
    if (directories_.size() >= 4) return {};
    const BlockNumber parent = directories_[pick(directories_.size())];
    const Name name{parent, free_slot(parent)};
    const BlockNumber block = XOK_TRY(m.make_node(parent, name.slot, 2));
    used_slots_.push_back(name);
    directories_.push_back(block);
    directory_names_[block] = name;
    return {};
  }
  Result<> remove_directory() {
    if (directories_.size() == 1) return {};
    const BlockNumber block = directories_.back();
    const Name name = directory_names_[block];
    XOK_TRY(m.volume->free(m.alice, name.directory, Change{{name.slot * 8, 0}},
                           {block, 1, m.types.node}));
    forget(name);
    directories_.pop_back();
    return {};
  }

  Machine& m;
  std::mt19937_64 random;
  std::vector<BlockNumber> directories_;
  std::map<BlockNumber, Name> directory_names_;
  std::vector<Name> used_slots_;
  std::vector<File> files_;
  std::uint64_t next_id_ = 1;
  std::uint64_t next_version_ = 1;
};

}  // namespace xok::xn::test
