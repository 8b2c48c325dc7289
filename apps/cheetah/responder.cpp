// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "apps/cheetah/responder.hpp"

#include <array>

namespace xok::cheetah {
namespace {

using Kind = FoundFile::Kind;

/// Whether the whole file is to be sent, whatever it is: the case that heads are remembered for.
bool is_plain(const http::Request& request) {
  return request.method == http::Method::Get && request.status == 200 &&
         request.range.kind == http::ByteRange::Kind::None && !request.if_modified_since &&
         request.path().back() != '/';
}

/// The most text that the answer can have. libs/http: see write_head.
std::size_t text_bound(const http::Response& response) {
  constexpr std::size_t kFixed = 512;
  return kFixed + response.content_type.size() + 3 * response.location.size() +
         response.text.size();
}

Responder::Outcome outcome_of(bool keep_alive) {
  return keep_alive ? Responder::Outcome::KeepAlive : Responder::Outcome::Close;
}

/// What libs/http needs to know of a file or a directory.
http::FileInfo info_of(const FoundFile& file) {
  return {.kind = file.kind == Kind::Directory ? http::FileInfo::Kind::Directory
                                               : http::FileInfo::Kind::Regular,
          .size = file.size,
          .modified = file.modified};
}

}  // namespace

void Responder::attach(FileStore& files, std::span<HeadCache::Entry> heads) {
  files_ = &files;
  heads_.attach(heads);
}

/// The file that the request means: for "/d/" that is its index, if there is one.
FoundFile Responder::find(http::Request& request) {
  FoundFile found = files_->find(request.path());
  if (found.kind != Kind::Directory || request.path().back() != '/') return found;
  request.append_index();
  const FoundFile index = files_->find(request.path());
  if (index.kind != Kind::Missing && index.kind != Kind::Directory) return index;
  request.path_length -= http::kIndexName.size();
  return found;
}

Responder::Outcome Responder::respond(http::Request& request, AnswerQueue& queue) {
  if (request.status != 200) {
    const http::Response response = http::plan(request, nullptr);
    return push(response, nullptr, {}, queue) ? outcome_of(response.keep_alive) : Outcome::NoRoom;
  }
  const std::size_t path_length = request.path_length;
  const FoundFile file = find(request);
  const Outcome outcome = respond_with(request, file, queue);
  if (outcome == Outcome::NoRoom) request.path_length = path_length;
  return outcome;
}

/// Answers with what was found; passes its handle to the queue or gives it back.
Responder::Outcome Responder::respond_with(const http::Request& request, const FoundFile& file,
                                           AnswerQueue& queue) {
  if (file.kind == Kind::Regular && is_plain(request) && push_known(request, file, queue))
    return outcome_of(request.keep_alive);
  http::Response response;
  if (file.kind == Kind::Exhausted) {
    response = http::error_response(503);
  } else if (file.kind == Kind::Forbidden) {
    // As a directory without index is refused, and the connection kept if the client wants it.
    response = http::error_response(403);
    response.keep_alive = request.keep_alive;
    response.is_http11 = request.is_http11;
    if (request.method == http::Method::Head) response.text = {};
  } else {
    const http::FileInfo info = info_of(file);
    response = http::plan(request, file.kind == Kind::Missing ? nullptr : &info);
  }
  const FileSlice slice{.handle = file.handle,
                        .version = file.version,
                        .offset = response.body_offset,
                        .length = response.body_length};
  const bool cacheable = response.status == 200 && is_plain(request);
  const bool pushed = push(response, cacheable ? &file : nullptr, slice, queue);
  if (file.kind == Kind::Regular && (!pushed || slice.length == 0)) files_->release(file.handle);
  return pushed ? outcome_of(response.keep_alive) : Outcome::NoRoom;
}

/// Answers with the whole file, if its head is remembered and there is room.
bool Responder::push_known(const http::Request& request, const FoundFile& file,
                           AnswerQueue& queue) {
  const std::string_view head = heads_.find(file.version, head_form(request), date_);
  if (head.empty() || !queue.has_room(head.size())) return false;
  queue.push(head, {}, {.handle = file.handle, .version = file.version, .length = file.size});
  if (file.size == 0) files_->release(file.handle);
  return true;
}

bool Responder::push(const http::Response& response, const FoundFile* to_cache,
                     const FileSlice& slice, AnswerQueue& queue) {
  if (!queue.has_room(text_bound(response))) return false;
  std::array<char, http::kMaxResponseHead> buffer;
  const auto head = http::write_head(response, date_.text(), buffer);
  if (!head) return false;  // never: the buffer holds any head
  const std::string_view text{buffer.data(), head->size};
  if (to_cache != nullptr)
    heads_.put(to_cache->version, head_form(response), text, head->date_offset, date_);
  queue.push(text, response.text, slice);
  return true;
}

bool Responder::refuse(unsigned status, AnswerQueue& queue) {
  return push(http::error_response(status), nullptr, {}, queue);
}

}  // namespace xok::cheetah
