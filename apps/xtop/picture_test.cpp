// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "apps/xtop/picture.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace xok::xtop {
namespace {

constexpr std::uint64_t kHz = 1'000'000'000;

/// A machine of 128 pages with two environments, an account and a filter.
class XtopPicture : public ::testing::Test {
 protected:
  XtopPicture() {
    info_->processors = 1;
    info_->page_count = pages_.size();
    info_->tsc_hz = kHz;
    info_->tsc_boot = 5 * kHz;
    info_->idle_cycles = kHz;  // of 2 s
    info_->environments = 2;
    info_->deaths = 3;
    for (std::size_t i = 0; i < pages_.size(); i++) {
      const PageStatus status = i < 2    ? PageStatus::Absent
                                : i < 6  ? PageStatus::Kernel
                                : i < 16 ? PageStatus::User
                                : i < 20 ? PageStatus::BootModule
                                         : PageStatus::Free;
      pages_[i].status = status;
    }
    for (std::size_t i = 6; i < 9; i++) pages_[i].acl[0] = kRootCapability;
    for (std::size_t i = 9; i < 16; i++)
      pages_[i].acl[0] = Capability::make({50, 2}, Permission::Write);
    for (std::size_t i = 16; i < 20; i++) pages_[i].acl[0] = kRootCapability;
    pages_[21].status = PageStatus::User;  // half of a stretch
    pages_[21].acl[0] = Capability::make({50, 2});
    set(1, 1025, EnvStatus::Runnable, 70, kHz / 2, kRootCapability);
    set(9, 2057, EnvStatus::Sleeping, 71, kHz / 4, Capability::make({50, 2}));
    slices_[0].owner = slices_[2].owner = 1025;
    slices_[1].owner = 2057;
    slices_[130].owner = 2057;
    info_->accounts[2] = {.limit = 40,
                          .used = 12,
                          .members = 1,
                          .parent = 0,
                          .depth = 1,
                          .children = 0,
                          .reserved = 0};
    filters_[7] = {.owner = 2057, .ring = 4, .guard = {}, .packets = 99, .dropped = 1};
  }
  void set(std::size_t i, EnvId id, EnvStatus status, std::uint64_t table, std::uint64_t cycles,
           Capability name) {
    Env& env = envs_[i];
    env.id = id;
    env.status = status;
    env.table_page = table;
    env.run_cycles = cycles;
    env.mapped_pages = 100 + i;
    env.table_pages = 4;
    env.slices = 2;
    env.calls = 5000;
    env.faults = 6;
    env.switches = 7;
    env.processor = 3;
    env.account = i == 9 ? 2 : 0;
    env.capabilities[0] = name;
  }
  std::string draw(Canvas::Size size = {}, std::uint64_t now = 7 * kHz) {
    std::vector<char> buffer(1 << 18);
    Canvas canvas{buffer, size, "\n"};
    picture_.draw({info_.get(), envs_.data(), slices_.data(), filters_.data(), pages_.data()}, now,
                  71, canvas);
    return std::string{canvas.finish()};
  }

  std::unique_ptr<SystemInfo> info_ = std::make_unique<SystemInfo>();
  std::vector<Env> envs_{kMaxEnvironments};
  std::vector<Slice> slices_{kMaxProcessors * kSlicesPerProcessor};
  std::vector<FilterRecord> filters_{kMaxFilters};
  std::vector<PageInfo> pages_{128};
  Picture picture_;
};

TEST_F(XtopPicture, ShowsEverythingThereIs) {
  const std::string dots(61, '.');
  EXPECT_EQ(
      draw(),
      "machine   up 2.0 s  processors 1  idle 50.0 %  environments 2  ended 3\n"
      "pages          126  free 107  user 11  kernel 4  boot 4\n"
      "memory     kkuuuuubbu" +
          std::string(53, '.') +
          "  2 pages each\n"
          "owners           8 pages of 50.2\n"
          "                 7 pages of root\n"
          "account          2 under 0: 12 pages of 40, environments 1\n"
          "slices 0  aba" +
          dots +
          "  from 0\n"
          "slices 0  ..b" +
          dots +
          "  from 128\n"
          "    id      status   on   time %    pages  tables  slices       calls    faults  "
          "switches"
          "  account  name\n"
          "a   1025    ready     3    25.0      101       4       2        5000         6         7"
          "        0  root\n"
          "b   2057    drawing   3    12.5      109       4       2        5000         6         7"
          "        2  50.2\n"
          "filter           7 of 2057, ring 4: packets 99, dropped 1\n");
}

TEST_F(XtopPicture, LaterSharesAreThoseSinceTheLastTime) {
  draw();
  envs_[1].run_cycles += kHz / 10;
  info_->idle_cycles += kHz * 8 / 10;
  const std::string later = draw({}, 8 * kHz);
  EXPECT_NE(later.find("idle 80.0 %"), std::string::npos) << later;
  EXPECT_NE(later.find("ready     3    10.0"), std::string::npos) << later;
  EXPECT_NE(later.find("drawing   3     0.0"), std::string::npos) << later;
}

TEST_F(XtopPicture, NobodyHasMoreThanAllTheTime) {
  draw();
  envs_[1].run_cycles += 3 * kHz;  // a long stretch that has just ended
  const std::string later = draw({}, 8 * kHz);
  EXPECT_NE(later.find("ready     3   100.0"), std::string::npos) << later;
}

TEST_F(XtopPicture, ASlotUsedAnewStartsFromNothing) {
  draw();
  set(9, 3081, EnvStatus::Dead, 72, kHz / 5, kRootCapability);
  const std::string later = draw({}, 8 * kHz);
  EXPECT_NE(later.find("b   3081    dead      3    20.0"), std::string::npos) << later;
  EXPECT_NE(later.find("slices 0  a?a"), std::string::npos)
      << "a slice of one that is gone: " << later;
}

TEST_F(XtopPicture, NoLineIsWiderThanTheTerminal) {
  for (const std::size_t columns : {1U, 10U, 39U, 80U}) {
    const std::string text = draw({columns, 0});
    std::size_t longest = 0;
    std::size_t column = 0;
    for (const char c : text) {
      column = c == '\n' ? 0 : column + 1;
      longest = std::max(longest, column);
    }
    EXPECT_EQ(longest, columns);
  }
}

TEST_F(XtopPicture, LinesBelowTheLastRowAreCounted) {
  EXPECT_NE(draw({0, 6}).find("\n... 7 more lines\n"), std::string::npos);
  for (const std::size_t rows : {1U, 2U, 6U, 12U, 13U}) {
    const std::string text = draw({0, rows});
    EXPECT_LE(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')), rows);
  }
  EXPECT_EQ(draw({0, 13}).find("more line"), std::string::npos);
}

TEST_F(XtopPicture, AFullTableOfEverythingFits) {
  for (std::size_t i = 0; i < kMaxEnvironments; i++)
    set(i, static_cast<EnvId>(i + 1024), EnvStatus::Runnable, i, ~std::uint64_t{0},
        kRootCapability);
  for (std::size_t i = 0; i < pages_.size(); i++) {
    pages_[i].status = PageStatus::User;
    pages_[i].acl[0] = Capability::make({static_cast<std::uint8_t>(i)});
  }
  for (Slice& slice : slices_) slice.owner = 1025;
  const std::string text = draw();
  EXPECT_NE(text.find("104 pages of others"), std::string::npos);
  EXPECT_NE(text.find("\n+   2047"), std::string::npos);
}

}  // namespace
}  // namespace xok::xtop
