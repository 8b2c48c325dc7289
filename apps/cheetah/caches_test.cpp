// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <memory>

#include "apps/cheetah/server_test_support.hpp"

namespace xok::cheetah {
namespace {

TEST(ChecksumCache, TellsASumOnlyForTheSameRunOfTheSameVersion) {
  std::array<ChecksumCache::Entry, 16> memory{};
  ChecksumCache cache;
  cache.attach(memory);
  cache.put({.version = 1, .offset = 4096, .length = 100}, 0x1234);
  const std::uint16_t* const sum = cache.find({.version = 1, .offset = 4096, .length = 100});
  ASSERT_NE(sum, nullptr);
  EXPECT_EQ(*sum, 0x1234);
  EXPECT_EQ(cache.find({.version = 2, .offset = 4096, .length = 100}), nullptr);
  EXPECT_EQ(cache.find({.version = 1, .offset = 4097, .length = 100}), nullptr);
  EXPECT_EQ(cache.find({.version = 1, .offset = 4096, .length = 99}), nullptr);
}

TEST(ChecksumCache, WithoutMemoryKnowsNothing) {
  ChecksumCache cache;
  cache.put({.version = 1, .offset = 0, .length = 1}, 1);
  EXPECT_EQ(cache.find({.version = 1, .offset = 0, .length = 1}), nullptr);
}

TEST(HeadCache, BringsTheDateUpToDate) {
  std::array<HeadCache::Entry, 4> memory{};
  HeadCache cache;
  cache.attach(memory);
  DateText date;
  date.set(784'111'777);
  const std::string head = "HTTP/1.1 200 OK\r\nDate: " + std::string{date.text()} + "\r\n\r\n";
  cache.put(5, HeadForm::Close, head, 23, date);
  EXPECT_EQ(cache.find(5, HeadForm::Close, date), head);
  EXPECT_EQ(cache.find(5, HeadForm::Http11KeepAlive, date), "");
  EXPECT_EQ(cache.find(6, HeadForm::Close, date), "");
  date.set(784'111'778);
  EXPECT_EQ(cache.find(5, HeadForm::Close, date),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\n\r\n");
}

TEST(HeadCache, DoesNotKeepWhatIsTooLong) {
  std::array<HeadCache::Entry, 1> memory{};
  HeadCache cache;
  cache.attach(memory);
  DateText date;
  date.set(0);
  cache.put(5, HeadForm::Close, std::string(300, 'x'), 0, date);
  EXPECT_EQ(cache.find(5, HeadForm::Close, date), "");
}

class Queue : public ::testing::Test {
 protected:
  Queue() {
    sums.attach(memory);
    queue->start();
    files.put("/f", data);
  }
  FileSlice slice() {
    const FoundFile file = files.find("/f");
    return {.handle = file.handle, .version = file.version, .offset = 0, .length = file.size};
  }
  std::string gather(std::uint64_t offset, std::uint32_t length) {
    std::array<net::PayloadPiece, net::kMaxPieces> pieces;
    const std::size_t count = queue->gather(files, sums, offset, length, pieces);
    files.sent();
    std::string out;
    for (const net::PayloadPiece& piece : std::span{pieces}.first(count)) {
      out.append(reinterpret_cast<const char*>(piece.data), piece.length);
      if (!piece.has_checksum) continue;
      last_sum = piece.checksum;
      EXPECT_TRUE(tolerate_wrong_sums ||
                  piece.checksum == net::checksum_partial({piece.data, piece.length}));
    }
    return out;
  }

  const std::string data = std::string(5000, 'a') + std::string(5000, 'b');
  testing::TestFiles files;
  std::array<ChecksumCache::Entry, 64> memory{};
  ChecksumCache sums;
  std::unique_ptr<AnswerQueue> queue = std::make_unique<AnswerQueue>();
  std::uint16_t last_sum = 0;
  bool tolerate_wrong_sums = false;
};

TEST_F(Queue, AnySliceOfTheStreamIsWhatWasPushed) {
  queue->push("head1", "page1", {});
  queue->push("head2", "", slice());
  queue->push("head3", "", slice());
  const std::string whole = "head1page1head2" + data + "head3" + data;
  ASSERT_EQ(queue->end(), whole.size());
  for (std::uint32_t length : {1u, 7u, 1460u, 4096u, 9000u})
    for (std::uint64_t at = 0; at + length <= whole.size(); at += 997)
      ASSERT_EQ(gather(at, length), whole.substr(at, length)) << at << " " << length;
  EXPECT_FALSE(queue->is_broken());
  queue->clear(files);
  EXPECT_EQ(files.open, 0);
}

TEST_F(Queue, ReleaseGivesFilesBackWhenTheirLastByteIsAcknowledged) {
  queue->push("head", "", slice());
  queue->release(files, data.size() + 3);
  EXPECT_EQ(files.open, 1);
  queue->release(files, data.size() + 4);
  EXPECT_EQ(files.open, 0);
  EXPECT_TRUE(queue->empty());
}

TEST_F(Queue, HasRoomForEightAnswersAndTheirTexts) {
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(queue->has_room(100));
    queue->push(std::string(100, 'x'), "", {});
  }
  EXPECT_FALSE(queue->has_room(1));
  queue->release(files, 800);
  EXPECT_TRUE(queue->has_room(AnswerQueue::kTextBytes));
  queue->push(std::string(4000, 'y'), "", {});
  EXPECT_FALSE(queue->has_room(97));
  EXPECT_EQ(gather(800, 4000), std::string(4000, 'y'));
}

TEST_F(Queue, AShorterFileBreaksTheStream) {
  queue->push("head", "", slice());
  files.files["/f"].data.resize(4500);
  EXPECT_EQ(gather(4 + 4000, 1000).size(), 500u);
  EXPECT_TRUE(queue->is_broken());
  queue->clear(files);
}

TEST_F(Queue, ARetransmissionSumsTheBytesAnewAndCorrectsTheCache) {
  queue->push("", "", slice());
  gather(0, 1000);
  const std::uint16_t old_sum = last_sum;
  files.files["/f"].data[10] = 'z';  // through a mapping: no new version
  gather(0, 1000);                   // again: computed
  const std::uint16_t new_sum = last_sum;
  EXPECT_NE(new_sum, old_sum);
  queue->push("", "", slice());
  gather(data.size(), 1000);  // another answer, for the first time: from the cache
  EXPECT_EQ(last_sum, new_sum);
  queue->clear(files);
}

}  // namespace
}  // namespace xok::cheetah
