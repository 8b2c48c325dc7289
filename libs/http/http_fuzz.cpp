// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Any bytes as a connection's stream. Properties: the results do not depend on how the bytes are
// cut; a path is normal (no "..", ".", empty component or NUL); a slice lies in the file; a head
// ends in an empty line and has no other.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "libs/http/request_parser.hpp"
#include "libs/http/response.hpp"

namespace {

using namespace xok::http;
using State = RequestParser::State;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_path(std::string_view path) {
  require(!path.empty() && path[0] == '/' && path.size() <= kMaxPath);
  require(path.find('\0') == std::string_view::npos);
  const std::string closed = std::string{path} + "/";
  require(closed.find("/../") == std::string::npos && closed.find("/./") == std::string::npos);
  require(path.find("//") == std::string_view::npos);
}

void check_answer(Request& request, const FileInfo* file, std::string& log) {
  const Response response = plan(request, file);
  if (file != nullptr)
    require(response.body_offset <= file->size &&
            response.body_length <= file->size - response.body_offset);
  require(file != nullptr || response.body_length == 0);
  require(response.body_length == 0 || response.text.empty());
  if (request.method == Method::Head) require(response.body_length + response.text.size() == 0);
  if (response.status != 304 && request.method != Method::Head)
    require(response.content_length == response.body_length + response.text.size());
  std::vector<char> buffer(kMaxResponseHead);
  const auto head = write_head(response, "Sun, 06 Nov 1994 08:49:37 GMT", buffer);
  require(head.has_value());
  const std::string_view text{buffer.data(), head->size};
  require(text.find("\r\n\r\n") == text.size() - 4);
  log += text;
}

std::string run(std::string_view text, std::size_t piece) {
  constexpr FileInfo kFile{.size = 1000, .modified = 784111777};
  constexpr FileInfo kDirectory{.kind = FileInfo::Kind::Directory};
  auto parser = std::make_unique<RequestParser>();
  std::string log;
  while (!text.empty()) {
    // A copy of its own, so that the sanitizer sees reads past the piece.
    const std::vector<char> bytes(text.begin(),
                                  text.begin() + static_cast<long>(std::min(piece, text.size())));
    const auto [state, consumed] = parser->feed(bytes);
    require(consumed <= bytes.size() && (state != State::NeedMore || consumed == bytes.size()));
    text.remove_prefix(consumed);
    if (state == State::NeedMore) continue;
    Request& request = parser->request();
    if (request.status == 200) check_path(request.path());
    for (const FileInfo* file : {&kFile, &kDirectory, static_cast<const FileInfo*>(nullptr)})
      check_answer(request, file, log);
    if (state == State::Error) return log;
    parser->reset();
  }
  return log + (parser->idle() ? "idle" : "begun");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto whole = run(text, size);
  require(run(text, 1) == whole);
  require(run(text, 7) == whole);
  return 0;
}
