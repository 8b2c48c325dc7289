// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/vcode/executable.hpp"
#include "libs/xn/test_disk.hpp"
#include "libs/xn/test_types.hpp"
#include "libs/xn/volume.hpp"

/// A volume with its memory, and a tiny file system on it.
namespace xok::xn::test {

/// Memory for a volume, sizes small.
struct TestMemory {
  explicit TestMemory(std::size_t blocks, std::size_t buffer_count = 128)
      : buffers(buffer_count),
        heads(64),
        used(BlockMap::words_for(blocks)),
        temporary(used.size()),
        uninitialised(used.size()),
        will_free(32),
        types(16),
        slots(4096),
        code(65536),
        roots(8),
        transfers(16),
        log(64),
        voids(64),
        walk(256),
        counts(64) {}

  VolumeMemory view() {
    return {buffers, heads,     used, temporary, uninitialised, will_free, types, slots,       code,
            roots,   transfers, log,  voids,     walk,          counts,    notes, machine_code};
  }

  std::vector<XnBuffer> buffers;
  std::vector<std::uint32_t> heads;
  std::vector<std::uint64_t> used, temporary, uninitialised;
  std::vector<WillFree::Entry> will_free;
  std::vector<Type> types;
  std::vector<graft::Program::Slot> slots;
  std::vector<std::byte> code;
  std::vector<Root> roots;
  std::vector<TransferState> transfers;
  std::vector<XnLogEntry> log;
  std::vector<VoidEdge> voids;
  std::vector<WalkItem> walk;
  std::vector<CountItem> counts;
  std::vector<graft::CompileNote> notes = std::vector<graft::CompileNote>(1024);
  std::vector<std::byte> machine_code = std::vector<std::byte>(graft::code_room(1024));
};

/// Byte ranges with the data they hold.
class Change {
 public:
  Change() = default;
  Change(std::initializer_list<std::pair<std::size_t, std::uint64_t>> words) {
    for (const auto& [offset, value] : words) add(offset, value);
  }
  template <class T = std::uint64_t>
  Change& add(std::size_t offset, T value) {
    ranges_.push_back({static_cast<std::uint16_t>(offset), sizeof value});
    const auto* from = reinterpret_cast<const std::byte*>(&value);  // NOLINT
    data_.insert(data_.end(), from, from + sizeof value);
    return *this;
  }
  operator Modifications() const { return {ranges_, data_}; }  // NOLINT: a view of it

 private:
  std::vector<XnRange> ranges_;
  std::vector<std::byte> data_;
};

inline constexpr Capability kDisk = Capability::make({kDiskName, 0});
inline constexpr Capability kAlice = Capability::make({1, 0, 1});
inline constexpr Capability kBob = Capability::make({1, 0, 2});

/// The test file system.
///
///   directory  8 partitions; in sector s: 32 pointers to nodes at 512 s, a word at 4088 that names
///              who may change it, 0 for all
///   node       a union: tag (byte 500) 1 an inode, 2 a directory. Whoever has neither: all
///   inode      partition 0: 16 pointers to data at 0; partition 1: an indirect block's at 128;
///              extra links (byte 264), an id (word 272), its owner's capability (word 280)
///   indirect   8 partitions of 64 pointers to data
struct Types {
  XnTypeId data = 0, indirect = 0, inode = 0, directory = 0, node = 0;
};

inline constexpr std::size_t kTag = 500;
inline constexpr std::size_t kIndirect = 128;
inline constexpr std::size_t kLinks = 264;
inline constexpr std::size_t kId = 272;
inline constexpr std::size_t kOwner = 280;
inline constexpr std::size_t kDirectoryOwner = 4080;

/// Machine code, in memory of its own.
class TestCode final : public CodeSpace {
 public:
  Result<const std::byte*> place(std::span<const std::byte> code) override {
    pieces_.push_back(std::make_unique<vcode::Executable>(code));
    return pieces_.back()->start();
  }
  void clear() override { pieces_.clear(); }
  std::size_t placed() const { return pieces_.size(); }

 private:
  std::vector<std::unique_ptr<vcode::Executable>> pieces_;
};

class Machine {
 public:
  explicit Machine(std::size_t blocks = 128, bool durable = false, std::size_t buffers = 128,
                   bool compiled = false)
      : disk(pages, blocks, durable),
        memory(blocks, buffers),
        volume(std::make_unique<Volume>(
            Services{disk, pages, clock, completions, compiled ? &code_space : nullptr},
            memory.view())) {}

  /// Over a copy of another machine's disk.
  explicit Machine(const std::vector<Block>& image) : Machine(image.size()) {
    disk.image() = image;
  }

  Result<> format(const FormatOptions& options = {1, 1, 8}) {
    Block room;
    return Volume::format(disk, options, room);
  }
  Result<> init() { return volume->init(kDisk); }

  /// Ends all transfers, in order.
  void settle() {
    while (disk.queued() != 0)
      disk.complete(0, [this](std::uint64_t tag, Result<> r) { volume->completed(tag, r); });
  }
  Result<> write(std::initializer_list<BlockNumber> blocks, const Caller& who) {
    auto started = volume->write_back(who, std::vector<BlockNumber>{blocks}, 1);
    settle();
    if (!started) return fail(started.error());
    return {};
  }
  Result<> flush() {
    auto started = volume->flush(2);
    settle();
    return started;
  }
  /// Writes until nothing is dirty: what file systems' syncers do.
  Result<> sync(const Caller& who) {
    if (auto out = flush(); !out) return out;
    int idle = 0;  // the flush of an idle round may make more writable
    for (int round = 0; round < 40; ++round) {
      std::array<BlockNumber, 16> list{};
      std::size_t cursor = 0;
      bool any = false;
      while (const std::size_t n = volume->list_writable(cursor, list)) {
        any = true;
        auto started = volume->write_back(who, std::span{list}.first(n), 3);
        settle();
        if (!started) return fail(started.error());
      }
      if (auto out = flush(); !out) return out;
      idle = any ? 0 : idle + 1;
      if (idle == 2) return {};
    }
    return fail(Errc::TimedOut);
  }

  /// Registers a type made of these functions.
  Result<XnTypeId> import(std::string_view name, XnTypeKind kind, std::uint8_t partitions,
                          std::uint8_t max_owned,
                          const std::vector<std::pair<XnFunction, Code>>& functions,
                          const std::vector<XnTypeId>& members = {}) {
    const auto id = volume->reserve_type(root, name);
    if (!id) return id;
    if (auto out = fill(*id, kind, partitions, max_owned, functions, members); !out)
      return fail(out.error());
    return id;
  }
  Result<> fill(XnTypeId id, XnTypeKind kind, std::uint8_t partitions, std::uint8_t max_owned,
                const std::vector<std::pair<XnFunction, Code>>& functions,
                const std::vector<XnTypeId>& members = {}) {
    TypeSource source{kind, partitions, max_owned, members, {}};
    for (const auto& [f, code] : functions)
      source.functions[static_cast<std::size_t>(f)] = bytes(code);
    return volume->import_type(root, id, source);
  }

  Result<Types> import_file_system() {
    Types t;
    const Code everybody = returns(1);
    t.data = XOK_TRY(import("data", XnTypeKind::Data, 0, 0, {}));
    std::vector<std::vector<Pointers>> sectors;
    for (int s = 0; s < 8; ++s) sectors.push_back({{s * 512, 64, t.data}});
    t.indirect = XOK_TRY(import("indirect", XnTypeKind::Metadata, 8, 64,
                                {{XnFunction::Owns, owns(sectors)}, {XnFunction::Acl, everybody}}));
    t.inode =
        XOK_TRY(import("inode", XnTypeKind::Metadata, 2, 16,
                       {{XnFunction::Owns, owns({{{0, 16, t.data}}, {{kIndirect, 1, t.indirect}}})},
                        {XnFunction::RefCount, field(8, kLinks, 1)},
                        {XnFunction::Acl, owner_word(kOwner)}}));
    // A directory points to nodes, whose id is the one after its own.
    t.node = t.inode + 2;
    sectors.clear();
    for (int s = 0; s < 8; ++s) sectors.push_back({{s * 512, 32, t.node}});
    t.directory = XOK_TRY(import(
        "directory", XnTypeKind::Metadata, 8, 32,
        {{XnFunction::Owns, owns(sectors)}, {XnFunction::Acl, owner_word(kDirectoryOwner)}}));
    const XnTypeId node =
        XOK_TRY(import("node", XnTypeKind::Union, 0, 0,
                       {{XnFunction::Select, field(1, kTag, -1)}, {XnFunction::Acl, everybody}},
                       {t.inode, t.directory}));
    EXPECT_EQ(node, t.node);
    return t;
  }

  /// A formatted and opened volume with the types and a root directory.
  Types start(bool temporary = false) {
    EXPECT_TRUE(format());
    EXPECT_TRUE(init());
    const auto imported = import_file_system();
    EXPECT_TRUE(imported) << static_cast<int>(imported.error());
    types = imported.value_or(Types{});
    top = volume->find_free(0, 1).value_or(0);
    EXPECT_TRUE(volume->install_root(root, "fs", types.directory, top, temporary));
    return types;
  }

  /// A new node in `slot` of a directory: tag 1 an inode, 2 a directory. Its block.
  Result<BlockNumber> make_node(BlockNumber directory, std::size_t slot, std::uint8_t tag) {
    const BlockNumber block = XOK_TRY(volume->find_free(0, 1));
    return make_node_at(directory, slot, tag, block);
  }
  Result<BlockNumber> make_node_at(BlockNumber directory, std::size_t slot, std::uint8_t tag,
                                   BlockNumber block) {
    const XnExtent extent{block, 1, types.node};
    XOK_TRY(volume->allocate(alice, directory, Change{{slot * 8, block}}, extent));
    XOK_TRY(volume->insert_attribute(alice, directory, extent, std::nullopt));
    XOK_TRY(volume->set_type(alice, block, Change{}.add<std::uint8_t>(kTag, tag),
                             tag == 1 ? types.inode : types.directory));
    return block;
  }
  /// A data block, full of `fill`, in `slot` of an inode.
  Result<BlockNumber> make_data(BlockNumber inode, std::size_t slot, std::byte fill) {
    const BlockNumber block = XOK_TRY(volume->find_free(0, 1));
    const XnExtent extent{block, 1, types.data};
    XOK_TRY(volume->allocate(alice, inode, Change{{slot * 8, block}}, extent));
    const PageNumber page = XOK_TRY(pages.allocate());
    std::memset(pages.bytes(page), std::to_integer<int>(fill), kBlockSize);
    const auto bound = volume->insert_attribute(alice, inode, extent, page);
    pages.release(page);
    if (!bound) return fail(bound.error());
    return block;
  }
  /// Reads a block in and waits.
  Result<> load(BlockNumber parent, const XnExtent& extent) {
    auto started = volume->read_and_insert(parent, extent, 4);
    settle();
    return started;
  }

  XnBuffer attribute(BlockNumber block) const {
    return volume->read_attribute(block).value_or(XnBuffer{});
  }

  std::vector<Capability> root_list{kRootCapability};
  std::vector<Capability> alice_list{kAlice};
  std::vector<Capability> bob_list{kBob};
  Caller root{1, root_list};
  Caller alice{2, alice_list};
  Caller bob{3, bob_list};

  TestPages pages;
  TestDisk disk;
  TestClock clock;
  TestCompletions completions;
  TestCode code_space;
  TestMemory memory;
  std::unique_ptr<Volume> volume;
  Types types;
  BlockNumber top = 0;
};

/// The number of the error in a result; 0: there is none.
template <class T>
int error_in(const Result<T>& result) {
  return result.has_value() ? 0 : static_cast<int>(result.error());
}

#define EXPECT_ERROR(expression, expected) \
  EXPECT_EQ(error_in(expression), static_cast<int>(expected)) << #expression << ' '

}  // namespace xok::xn::test
