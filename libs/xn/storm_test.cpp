// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/test_tree.hpp"

/// Calls with arguments that nobody sensible would pass, by somebody without rights over a victim's
/// file. After each step all is derived anew from the bytes: no block has two owners, what is owned
/// or will be free is not free, and the victim's bytes are as they were.
namespace xok::xn::test {
namespace {

class Storm {
 public:
  explicit Storm(std::uint64_t seed) : m{80}, random_{seed} {
    m.start();
    victim_ = m.make_node(m.top, 0, 1).value_or(0);
    secret_ = m.make_data(victim_, 0, std::byte{0x5e}).value_or(0);
    EXPECT_TRUE(m.volume->write_bytes(m.alice, victim_, Change{{kOwner, kBob.bits()}}));
    for (std::size_t i = 1; i < 4; ++i) {
      const BlockNumber inode = m.make_node(m.top, i, 1).value_or(0);
      EXPECT_TRUE(m.make_data(inode, 0, std::byte{1}));
    }
    const BlockNumber directory = m.make_node(m.top, 5, 2).value_or(0);
    EXPECT_TRUE(m.make_node(directory, 0, 1));
    EXPECT_TRUE(m.sync(m.alice));
    before_ = {bytes(victim_), bytes(secret_)};
  }

  bool step() {
    const std::size_t kind = pick(16);
    switch (kind) {
      case 0:
      case 1:
      case 2:
        return ok(m.volume->allocate(m.alice, block(), change(), extent()));
      case 3:
      case 4:
        return ok(m.volume->free(m.alice, block(), change(), extent(), count_change()));
      case 5:
        return ok(m.volume->add_edge(m.alice, block(), change(), extent(), count_change()));
      case 6: {
        const Change from = change();
        return ok(m.volume->move(m.alice, block(), from, block(), change(), extent()));
      }
      case 7:
        return ok(m.volume->set_type(m.alice, block(),
                                     Change{}.add(kTag, static_cast<std::uint8_t>(pick(4))),
                                     static_cast<XnTypeId>(pick(7))));
      case 8:
        return ok(m.volume->write_bytes(m.alice, block(), change()));
      case 9:
        return ok(m.volume->insert_attribute(m.alice, block(), extent(), std::nullopt));
      case 10:
        return ok(m.volume->read_and_insert(pick(3) == 0 ? 0 : block(), extent(), 0));
      case 11:
        return ok(m.volume->delete_attribute(block()));
      case 12: {
        const std::array<BlockNumber, 2> list{block(), block()};
        return m.volume->write_back(m.alice, std::span{list}.first(1 + pick(2)), 0).has_value();
      }
      case 13:
        return ok(m.volume->flush(0));
      case 14:
        return ok(pick(2) == 0 ? m.volume->lock(m.bob, block()) : m.volume->unlock(m.bob, block()));
      default:
        while (m.disk.queued() != 0 && pick(6) != 0)
          m.disk.complete(pick(m.disk.queued()),
                          [this](std::uint64_t tag, Result<> r) { m.volume->completed(tag, r); });
        return true;
    }
  }

  /// What is wrong; empty: nothing.
  std::string judge() {
    std::vector<Block> image(m.disk.blocks());
    for (BlockNumber b = 0; b < image.size(); ++b) image[b] = bytes(b);
    const std::vector<VoidEdge> none;
    const Found found = Walk{image, none, Walk::Stamps::Ignored}.from(m.top);
    if (!found.wrong.empty()) return found.wrong;
    const XnInfo info = m.volume->info();
    for (const BlockNumber b : found.blocks)
      if (!m.volume->used_map().test(b)) return "owned, and free: " + std::to_string(b);
    const std::uint64_t used = info.blocks - info.free_blocks - info.first_data_block;
    // There may be more: a directory that was moved below itself is lost to all, and used.
    if (used < found.blocks.size() + info.will_free_blocks)
      return "free, and on the will-free list";
    if (bytes(victim_) != before_[0] || bytes(secret_) != before_[1]) return "the victim's bytes";
    return "";
  }

 private:
  static bool ok(const Result<>& result) { return result.has_value(); }
  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  BlockNumber block() {
    const auto& odd = kOdd[pick(std::size(kOdd))];
    return pick(12) == 0 ? odd : m.top + pick(24);
  }
  XnExtent extent() {
    return {last_ = pick(3) == 0 ? last_ : block(),
            static_cast<std::uint32_t>(pick(20) == 0 ? pick(4) : 1),
            static_cast<XnTypeId>(pick(3) != 0 ? (pick(2) != 0 ? m.types.node : m.types.data)
                                               : pick(7))};
  }
  /// Mostly one pointer, to the block of the extent to come, or none.
  Change change() {
    Change out;
    last_ = block();
    const std::size_t words = pick(10) == 0 ? 1 + pick(3) : 1;
    for (std::size_t i = 0; i < words; ++i) {
      const std::size_t at = pick(30) == 0 ? pick(511) : pick(8) == 0 ? 16 : pick(6);
      out.add(at * 8, std::uint64_t{pick(3) == 0 ? 0 : pick(10) == 0 ? block() : last_});
    }
    return out;
  }
  Change count_change() { return Change{{kLinks, pick(3)}}; }

  Block bytes(BlockNumber b) {
    const XnBuffer buffer = m.attribute(b);
    if (buffer.block == 0 || !buffer.is(XnFlag::Present) || buffer.is(XnFlag::UnknownType)) {
      // Allocated and never bound, it is zeros.
      if (buffer.is(XnFlag::Uninitialised)) return {};
      return m.disk.at(b);
    }
    Block out;
    std::memcpy(out.data(), m.pages.bytes(PageNumber{buffer.page}), kBlockSize);
    return out;
  }

  static constexpr BlockNumber kOdd[] = {0, 1, 11, 79, 80, ~std::uint64_t{0}};

  Machine m;
  std::mt19937_64 random_;
  BlockNumber victim_ = 0;
  BlockNumber secret_ = 0;
  BlockNumber last_ = 0;
  std::array<Block, 2> before_{};
};

TEST(XnStorm, NoSequenceOfCallsBreaksTheRules) {
  std::size_t succeeded = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Storm storm{seed};
    for (int i = 0; i < 3000; ++i) {
      if (!storm.step()) continue;
      ++succeeded;
      const std::string wrong = storm.judge();
      ASSERT_TRUE(wrong.empty()) << "seed " << seed << " step " << i << ": " << wrong;
    }
  }
  EXPECT_GT(succeeded, 5000u);
}

}  // namespace
}  // namespace xok::xn::test
