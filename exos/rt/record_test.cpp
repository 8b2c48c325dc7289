// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/rt/record.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

/// Copy-modify-replace among threads; also built with ThreadSanitizer (preset host-tsan), which
/// finds what is shared and not atomic.
namespace xok::rt {
namespace {

constexpr std::size_t kWriters = 4;
constexpr std::size_t kCollider = 3;  ///< the writer that is not to be trusted
constexpr std::size_t kPlaces = 8;

/// What each writer has added, and their sum: a torn copy shows. `place` is used as an index.
struct Tally {
  std::array<std::uint64_t, kWriters> added;
  std::uint64_t sum;
  std::uint32_t place;
  std::uint32_t turns;
};

struct IsTally {
  bool operator()(const Tally& t) const {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : t.added) sum += n;
    return sum == t.sum && t.place < kPlaces;
  }
};

using Tallies = Record<Tally, kWriters>;
using Reader = RecordReader<Tallies, IsTally>;
using Writer = RecordWriter<Tallies, IsTally>;

void add_one(Tally& t, std::size_t writer) {
  t.added[writer]++;
  t.sum++;
  t.place = (t.place + 1) % kPlaces;
  t.turns++;
}

constexpr Errc kNone{};

/// kNone for success.
Errc error_of(const auto& result) { return result.has_value() ? kNone : result.error(); }

std::uint64_t word_of(std::uint64_t version, std::uint64_t copy) { return version << 16 | copy; }

class RecordTest : public ::testing::Test {
 protected:
  std::unique_ptr<Tallies> shared = std::make_unique<Tallies>();
  Reader reader{*shared};
  Writer first{*shared, 0};
  Writer second{*shared, 1};
};

TEST_F(RecordTest, ZeroesAreTheFirstVersion) {
  ASSERT_TRUE(reader.read().has_value());
  EXPECT_EQ(reader.read()->sum, 0u);
}

TEST_F(RecordTest, EachUpdateStartsFromTheNewestVersionOfAnybody) {
  for (int i = 0; i < 3; i++) {
    ASSERT_TRUE(first.update([](Tally& t) { add_one(t, 0); }).has_value());
    ASSERT_TRUE(second.update([](Tally& t) { add_one(t, 1); }).has_value());
    ASSERT_TRUE(second.update([](Tally& t) { add_one(t, 1); }).has_value());
  }
  const auto now = reader.read();
  ASSERT_TRUE(now.has_value());
  EXPECT_EQ(now->added[0], 3u);
  EXPECT_EQ(now->added[1], 6u);
}

TEST_F(RecordTest, TheEventChangesWithEachVersion) {
  std::uint64_t last = reader.event();
  for (int i = 0; i < 4; i++) {
    ASSERT_TRUE(first.update([](Tally& t) { add_one(t, 0); }).has_value());
    EXPECT_NE(reader.event(), last);
    last = reader.event();
  }
}

TEST_F(RecordTest, AnUpdateThatWasOvertakenStartsAgain) {
  int tries = 0;
  const auto done = first.update([&](Tally& t) {
    if (tries++ == 0) {
      EXPECT_TRUE(second.update([](Tally& u) { add_one(u, 1); }).has_value());
    }
    add_one(t, 0);
  });
  EXPECT_TRUE(done.has_value());
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(reader.read()->added[0], 1u);
  EXPECT_EQ(reader.read()->added[1], 1u);
}

TEST_F(RecordTest, AnUpdateThatIsOvertakenEachTimeIsBusy) {
  unsigned tries = 0;
  const auto done = first.update([&](Tally& t) {
    tries++;
    EXPECT_TRUE(second.update([](Tally& u) { add_one(u, 1); }).has_value());
    add_one(t, 0);
  });
  EXPECT_EQ(error_of(done), Errc::Busy);
  EXPECT_EQ(tries, kRecordTries);
  EXPECT_EQ(reader.read()->added[0], 0u);
  EXPECT_EQ(reader.read()->sum, kRecordTries);
}

TEST_F(RecordTest, WhatTheCheckRefusesIsNotPublished) {
  EXPECT_EQ(error_of(first.update([](Tally& t) { t.sum++; })), Errc::BadArgument);
  EXPECT_EQ(error_of(first.replace({.added = {}, .sum = 1, .place = 0, .turns = 0})),
            Errc::BadArgument);
  EXPECT_EQ(reader.read()->sum, 0u);
}

TEST_F(RecordTest, AChangeThatGivesUpPublishesNothing) {
  const auto give_up = [](Tally& t) -> Result<> {
    add_one(t, 0);
    return fail(Errc::NotFound);
  };
  EXPECT_EQ(error_of(first.update(give_up)), Errc::NotFound);
  EXPECT_EQ(reader.read()->sum, 0u);
}

TEST_F(RecordTest, AWordThatNamesNoCopyIsBadFormat) {
  for (const std::uint64_t copy : {Tallies::kCopies, std::size_t{0x7fff}, std::size_t{0xffff}}) {
    shared->newest = word_of(7, copy);
    EXPECT_EQ(error_of(reader.read()), Errc::BadFormat) << copy;
    EXPECT_EQ(error_of(first.update([](Tally& t) { add_one(t, 0); })), Errc::BadFormat);
  }
}

TEST_F(RecordTest, ACopyThatTheCheckRefusesIsBadFormatUntilSomebodyReplacesIt) {
  ASSERT_TRUE(first.update([](Tally& t) { add_one(t, 0); }).has_value());
  const Tally good = *reader.read();
  auto& copy = shared->writers[kCollider].copies[1];
  copy.words.fill(~std::uint64_t{0});
  shared->newest = word_of(9, 2 * kCollider + 1);
  EXPECT_EQ(error_of(reader.read()), Errc::BadFormat);
  EXPECT_EQ(error_of(second.update([](Tally& t) { add_one(t, 1); })), Errc::BadFormat);
  ASSERT_TRUE(second.replace(good).has_value());
  EXPECT_EQ(reader.read()->sum, 1u);
  EXPECT_GT(shared->newest, word_of(9, 0xffff));
}

TEST_F(RecordTest, WhatWasReadStaysWhateverBecomesOfTheSharedMemory) {
  ASSERT_TRUE(first.update([](Tally& t) { add_one(t, 0); }).has_value());
  const Tally mine = *reader.read();
  std::memset(static_cast<void*>(shared.get()), 0xff, sizeof *shared);
  EXPECT_TRUE(IsTally{}(mine));
}

TEST_F(RecordTest, WhoStopsInTheMiddleHasChangedNothing) {
  ASSERT_TRUE(first.update([](Tally& t) { add_one(t, 0); }).has_value());
  shared->writers[1].copies[0].words[0] = ~std::uint64_t{0};  // half a store of the second writer
  EXPECT_EQ(reader.read()->sum, 1u);
  ASSERT_TRUE(first.update([](Tally& t) { add_one(t, 0); }).has_value());
  EXPECT_EQ(reader.read()->sum, 2u);
}

TEST_F(RecordTest, TheLastVersionIsFollowedByTheFirst) {
  shared->newest = word_of(0xffff'ffff'ffff, 0);
  ASSERT_TRUE(second.update([](Tally& t) { add_one(t, 1); }).has_value());
  EXPECT_EQ(shared->newest, word_of(0, 2));
  EXPECT_EQ(reader.read()->sum, 1u);
}

TEST(Record, ATypeOfAnySizeFitsAndItsCopiesAreApart) {
  struct Small {
    std::uint8_t bytes[3];
  };
  struct Any {
    bool operator()(const Small& /*small*/) const { return true; }
  };
  using Smalls = Record<Small, 2, 64>;
  static_assert(sizeof(Smalls) == std::size_t{5} * 64);
  static_assert(offsetof(Tallies, writers) == kPageSize && alignof(Tallies::Writer) == kPageSize);
  auto shared = std::make_unique<Smalls>();
  RecordWriter<Smalls, Any> writer{*shared, 1};
  ASSERT_TRUE(writer.update([](Small& s) { s.bytes[2] = 7; }).has_value());
  EXPECT_EQ(writer.read()->bytes[2], 7);
}

// -- Several threads

constexpr std::uint64_t kRounds = 20'000;
constexpr std::uint64_t kInTheWay = 100;

TEST(RecordThreads, NoUpdateOfHonestWritersIsLostAndNoReaderSeesHalfOfOne) {
  auto shared = std::make_unique<Tallies>();
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (std::size_t w = 0; w < kWriters; w++) {
    writers.emplace_back([&, w] {
      Writer writer{*shared, w};
      for (std::uint64_t done = 0; done < kRounds;) {
        const auto result = writer.update([&](Tally& t) { add_one(t, w); });
        done += result.has_value() ? 1 : 0;
        refused += result.has_value() || result.error() == Errc::Busy ? 0 : 1;
      }
    });
  }
  std::thread looking{[&] {
    const Reader reader{*shared};
    for (std::uint64_t last = 0; !stop;) {
      const auto now = reader.read();
      if (now.has_value()) {
        refused += now->sum < last ? 1 : 0;
        last = now->sum;
      } else {
        refused += now.error() != Errc::Busy ? 1 : 0;
      }
    }
  }};
  for (std::thread& writer : writers) writer.join();
  stop = true;
  looking.join();
  EXPECT_EQ(refused, 0u);
  for (std::size_t w = 0; w < kWriters; w++)
    EXPECT_EQ(Reader{*shared}.read()->added[w], kRounds) << w;
}

/// Does all that one who may write the memory can do, by stores as a program makes them.
class Collider {
 public:
  explicit Collider(Tallies& shared, std::uint64_t seed) : shared_{shared}, random_{seed} {}

  void act() {
    switch (random_() % 8) {
      case 0:  // a word that leads anywhere
        set_newest(random_());
        break;
      case 1:  // to a copy that nobody has published, or an old one
        set_newest((newest() | 0xffff) + 1 + random_() % Tallies::kCopies);
        break;
      case 2:  // the same version again, so that half a copy looks whole
        set_newest(kept_);
        kept_ = newest();
        break;
      case 3:  // others' copies, while they are copied and after
        __atomic_store_n(any_word(), random_(), __ATOMIC_RELAXED);
        break;
      case 4:  // garbage, published properly
        for (std::uint64_t& word : mine().words)
          __atomic_store_n(&word, random_(), __ATOMIC_RELAXED);
        swap_in();
        break;
      case 5:  // an index out of range in a version that is sound otherwise
        forge(kPlaces + random_() % 1000);
        break;
      case 6:  // what the check admits, again and again: nobody keeps up
        for (int i = 0; i < 200; i++) forge(random_() % kPlaces);
        break;
      default:  // stops in the middle
        __atomic_store_n(mine().words.data(), random_(), __ATOMIC_RELAXED);
        std::this_thread::yield();
    }
  }

 private:
  std::uint64_t newest() { return __atomic_load_n(&shared_.newest, __ATOMIC_RELAXED); }
  void set_newest(std::uint64_t to) { __atomic_store_n(&shared_.newest, to, __ATOMIC_RELAXED); }
  Tallies::Copy& mine() { return shared_.writers[kCollider].copies[0]; }
  std::uint64_t* any_word() {
    return &shared_.writers[random_() % kWriters]
                .copies[random_() % 2]
                .words[random_() % Tallies::kWords];
  }
  void swap_in() { set_newest((newest() | 0xffff) + 1 + 2 * kCollider); }
  void forge(std::uint64_t place) {
    Tally t{};
    t.added[kCollider] = t.sum = random_();
    t.place = static_cast<std::uint32_t>(place);
    std::array<std::uint64_t, Tallies::kWords> words{};
    std::memcpy(words.data(), &t, sizeof t);
    for (std::size_t i = 0; i < words.size(); i++)
      __atomic_store_n(&mine().words[i], words[i], __ATOMIC_RELAXED);
    swap_in();
  }

  Tallies& shared_;
  std::mt19937_64 random_;
  std::uint64_t kept_ = 0;
};

/// What honest ones saw.
struct Seen {
  std::atomic<std::uint64_t> good = 0, bad_format = 0, busy = 0, wrong = 0;

  void note(Errc error) {
    (error == Errc::BadFormat ? bad_format : error == Errc::Busy ? busy : wrong)++;
  }
};

TEST(RecordThreads, AColliderNeitherCrashesNorHoldsUpNorMisleadsAnybody) {
  auto shared = std::make_unique<Tallies>();
  Seen seen;
  std::atomic<bool> stop = false;
  std::thread collider{[&] {
    Collider it{*shared, 1};
    while (!stop) it.act();
  }};
  std::vector<std::thread> honest;
  for (std::size_t w = 0; w < kCollider; w++) {
    honest.emplace_back([&, w] {
      Writer writer{*shared, w};
      Tally good{};
      // Until the collider was in the way often enough, whoever ran when.
      for (std::uint64_t i = 0; i < kRounds || seen.bad_format < kInTheWay; i++) {
        const auto written = writer.update([&](Tally& t) { add_one(t, w); });
        if (!written.has_value()) seen.note(written.error());
        const auto now = writer.read();
        if (now.has_value()) {
          good = *now;
          seen.good++;
          seen.wrong += IsTally{}(good) ? 0 : 1;
        } else {
          seen.note(now.error());
          const auto repaired = writer.replace(good);
          if (!repaired.has_value()) seen.note(repaired.error());
        }
      }
    });
  }
  for (std::thread& one : honest) one.join();
  stop = true;
  collider.join();
  EXPECT_EQ(seen.wrong, 0u);
  EXPECT_GT(seen.good, 0u);
  // And when it is gone, all is as ever.
  Writer writer{*shared, 0};
  ASSERT_TRUE(writer.replace({}).has_value());
  ASSERT_TRUE(writer.update([](Tally& t) { add_one(t, 0); }).has_value());
  EXPECT_EQ(writer.read()->sum, 1u);
}

}  // namespace
}  // namespace xok::rt
