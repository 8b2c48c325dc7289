// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "libs/xn/services.hpp"

/// A disk, pages, a clock for tests, and a recording of all that happened to the disk.
namespace xok::xn::test {

using Block = std::array<std::byte, kBlockSize>;

/// Pages of the host's memory. A limit makes allocations fail; `live()` finds leaks.
class TestPages final : public PageSource {
 public:
  Result<PageNumber> allocate() override {
    if (limit == live()) return fail(Errc::NoMemory);
    const PageNumber number{next_++};
    pages_[number.value].bytes = std::make_unique<Block>();
    pages_[number.value].bytes->fill(std::byte{0});
    pages_[number.value].holders = 1;
    return number;
  }
  Result<> hold(PageNumber page) override {
    const auto at = pages_.find(page.value);
    if (at == pages_.end()) return fail(Errc::BadArgument);
    ++at->second.holders;
    return {};
  }
  void release(PageNumber page) override {
    if (--pages_.at(page.value).holders == 0) pages_.erase(page.value);
  }
  std::byte* bytes(PageNumber page) override { return pages_.at(page.value).bytes->data(); }
  std::size_t live() const { return pages_.size(); }

  std::size_t limit = ~std::size_t{0};

 private:
  struct Page {
    std::unique_ptr<Block> bytes;
    int holders = 0;
  };
  std::map<std::uint64_t, Page> pages_;
  std::uint64_t next_ = 100;
};

/// What happened, in order. A write is in the disk's cache from Submit on; it is durable when a
/// flush that was submitted after its Complete has completed.
struct DiskEvent {
  enum class Kind : std::uint8_t { Submit, Complete, FlushSubmit, FlushComplete } kind;
  std::size_t id;  ///< of the write or flush
  BlockNumber block = 0;
  std::shared_ptr<Block> bytes;  ///< of a Submit: as it is written
};

class TestDisk final : public Disk {
 public:
  TestDisk(TestPages& pages, std::size_t blocks, bool durable = false)
      : pages_{pages}, durable_{durable}, image_(blocks) {
    for (Block& block : image_) block.fill(kForeign);
  }

  /// What is on a disk that nobody has formatted.
  static constexpr std::byte kForeign{0xee};

  std::uint64_t blocks() const override { return image_.size(); }
  bool durable_on_completion() const override { return durable_; }

  Result<> submit(const Transfer& transfer) override {
    if (gone) return fail(Errc::Device);
    if (queue_.size() >= queue_limit) return fail(Errc::WouldBlock);
    Request request{transfer.kind, transfer.block, transfer.tag, {}, {}, next_id_++};
    request.pages.assign(transfer.pages.begin(), transfer.pages.end());
    if (transfer.kind == Kind::Write) {
      for (std::size_t i = 0; i < request.pages.size(); ++i) {
        request.ids.push_back(next_id_);
        record(DiskEvent::Kind::Submit, next_id_++, transfer.block + i,
               pages_.bytes(request.pages[i]));
      }
    }
    if (transfer.kind == Kind::Flush) record(DiskEvent::Kind::FlushSubmit, request.id);
    queue_.push_back(std::move(request));
    return {};
  }

  Result<> read_now(BlockNumber block, std::span<std::byte, kBlockSize> bytes) override {
    if (gone || block >= image_.size() || bad(block)) return fail(Errc::Device);
    std::memcpy(bytes.data(), image_[block].data(), kBlockSize);
    return {};
  }
  Result<> write_now(BlockNumber block, std::span<const std::byte, kBlockSize> bytes) override {
    if (gone || block >= image_.size() || bad(block)) return fail(Errc::Device);
    record(DiskEvent::Kind::Submit, next_id_, block, bytes.data());
    record(DiskEvent::Kind::Complete, next_id_++);
    std::memcpy(image_[block].data(), bytes.data(), kBlockSize);
    return {};
  }
  Result<> flush_now() override {
    if (gone) return fail(Errc::Device);
    record(DiskEvent::Kind::FlushSubmit, next_id_);
    record(DiskEvent::Kind::FlushComplete, next_id_++);
    return {};
  }

  std::size_t queued() const { return queue_.size(); }
  /// Completes the request at `position` of the queue by telling `completed(tag, result)`.
  template <class Completed>
  void complete(std::size_t position, Completed&& completed) {
    const Request request = queue_[position];
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(position));
    Result<> result{};
    if (gone) result = fail(Errc::Device);
    for (std::size_t i = 0; i < request.pages.size() && result; ++i) {
      const BlockNumber block = request.block + i;
      if (bad(block)) {
        result = fail(Errc::Device);
      } else if (request.kind == Kind::Read) {
        std::memcpy(pages_.bytes(request.pages[i]), image_[block].data(), kBlockSize);
      } else {
        std::memcpy(image_[block].data(), pages_.bytes(request.pages[i]), kBlockSize);
        record(DiskEvent::Kind::Complete, request.ids[i]);
      }
    }
    if (request.kind == Kind::Flush && result) record(DiskEvent::Kind::FlushComplete, request.id);
    completed(request.tag, result);
  }

  Block& at(BlockNumber block) { return image_[block]; }
  std::vector<Block>& image() { return image_; }

  bool gone = false;
  std::size_t queue_limit = 64;
  std::function<bool(BlockNumber)> bad = [](BlockNumber) { return false; };
  bool recording = false;
  std::vector<DiskEvent> events;

 private:
  struct Request {
    Kind kind;
    BlockNumber block;
    std::uint64_t tag;
    std::vector<PageNumber> pages;
    std::vector<std::size_t> ids;
    std::size_t id;
  };

  void record(DiskEvent::Kind kind, std::size_t id, BlockNumber block = 0,
              const std::byte* bytes = nullptr) {
    if (!recording) return;
    DiskEvent event{kind, id, block, nullptr};
    if (bytes != nullptr) {
      event.bytes = std::make_shared<Block>();
      std::memcpy(event.bytes->data(), bytes, kBlockSize);
    }
    events.push_back(std::move(event));
  }

  TestPages& pages_;
  bool durable_;
  std::vector<Block> image_;
  std::deque<Request> queue_;
  std::size_t next_id_ = 0;
};

class TestClock final : public Clock {
 public:
  std::uint64_t now_ns() override { return now; }
  std::uint64_t now = 1;
};

class TestCompletions final : public Completions {
 public:
  void transfer_done(std::uint64_t cookie, Result<> result) override {
    done.push_back({cookie, result});
  }
  struct Done {
    std::uint64_t cookie;
    Result<> result;
  };
  std::vector<Done> done;
};

}  // namespace xok::xn::test
