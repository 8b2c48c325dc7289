// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/response.hpp"

#include <algorithm>

#include "libs/http/content_type.hpp"

namespace xok::http {
namespace {

Response answer(unsigned status, const Request& request) {
  Response out;
  out.status = static_cast<std::uint16_t>(status);
  out.keep_alive = request.keep_alive;
  out.is_http11 = request.is_http11;
  return out;
}

/// An answer with an explanation instead of a file.
Response explain(unsigned status, const Request& request) {
  Response out = answer(status, request);
  const auto page = status_text(status).page;
  out.content_type = "text/html";
  out.content_length = page.size();
  if (request.method != Method::Head) out.text = page;
  return out;
}

bool is_unchanged(const Request& request, const FileInfo& file) {
  return request.if_modified_since && !request.has_if_none_match &&
         file.modified <= *request.if_modified_since;
}

bool range_counts(const Request& request, const FileInfo& file) {
  return request.range.kind != ByteRange::Kind::None && request.method == Method::Get &&
         file.size > 0 && (!request.has_if_range || request.if_range == file.modified);
}

struct Slice {
  std::uint64_t offset, length;
};

/// The bytes of a file that is not empty; length 0 if there are none.
Slice slice_of(const ByteRange& range, std::uint64_t size) {
  if (range.kind == ByteRange::Kind::Suffix) {
    const std::uint64_t length = std::min(range.last, size);
    return {size - length, length};
  }
  if (range.first >= size) return {0, 0};
  const bool open = range.kind == ByteRange::Kind::From;
  const std::uint64_t last = open ? size - 1 : std::min(range.last, size - 1);
  return {range.first, last - range.first + 1};
}

Response send_file(const Request& request, const FileInfo& file) {
  Slice slice{0, file.size};
  Response out = answer(200, request);
  if (range_counts(request, file)) {
    slice = slice_of(request.range, file.size);
    if (slice.length == 0) {
      out = explain(416, request);
      out.file_size = file.size;
      return out;
    }
    out.status = 206;
    out.file_size = file.size;
  }
  out.content_type =
      file.content_type.empty() ? content_type_of(request.path()) : file.content_type;
  out.content_length = slice.length;
  out.last_modified = file.modified;
  out.body_offset = slice.offset;
  if (request.method != Method::Head) out.body_length = slice.length;
  return out;
}

}  // namespace

Response plan(const Request& request, const FileInfo* file) {
  if (request.status != 200) return explain(request.status, request);
  if (file == nullptr) return explain(404, request);
  const bool slash = request.path().back() == '/';
  if (file->kind == FileInfo::Kind::Directory) {
    Response out = explain(slash ? 403 : 301, request);
    if (!slash) out.location = request.path();
    return out;
  }
  if (slash) return explain(404, request);
  if (is_unchanged(request, *file)) {
    Response out = answer(304, request);
    out.last_modified = file->modified;
    return out;
  }
  return send_file(request, *file);
}

Response error_response(unsigned status) {
  if (status_text(status).page.empty()) status = 500;
  const StatusText& text = status_text(status);
  Response out;
  out.status = static_cast<std::uint16_t>(text.status);
  out.content_type = "text/html";
  out.text = text.page;
  out.content_length = out.text.size();
  return out;
}

}  // namespace xok::http
