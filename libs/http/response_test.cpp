// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/response.hpp"

#include <gtest/gtest.h>

#include <string>

#include "libs/http/content_type.hpp"
#include "libs/http/request_parser.hpp"

namespace xok::http {
namespace {

constexpr std::string_view kNow = "Tue, 15 Nov 1994 08:12:31 GMT";
constexpr FileInfo kFile{.size = 1000, .modified = 784111777};
constexpr FileInfo kDirectory{.kind = FileInfo::Kind::Directory};

struct Answer {
  Response response;
  std::string head;
};

Answer answer(std::string_view text, const FileInfo* file = &kFile) {
  static RequestParser parser;  // responses point into it
  parser.reset();
  EXPECT_NE(parser.feed(text).state, RequestParser::State::NeedMore) << text;
  Answer out{plan(parser.request(), file), {}};
  std::array<char, kMaxResponseHead> head;
  const auto written = write_head(out.response, kNow, head);
  EXPECT_TRUE(written.has_value());
  out.head.assign(head.data(), written->size);
  EXPECT_EQ(out.head.substr(written->date_offset, kDateSize), kNow);
  EXPECT_TRUE(out.head.ends_with("\r\n\r\n"));
  return out;
}

Answer get(const std::string& headers, const FileInfo* file = &kFile,
           const std::string& path = "/x.html") {
  return answer("GET " + path + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n", file);
}

bool has(const Answer& a, std::string_view line) {
  return a.head.find("\r\n" + std::string{line} + "\r\n") != std::string::npos;
}

TEST(HttpResponse, SendsAFile) {
  const auto a = get("");
  EXPECT_EQ(a.head,
            "HTTP/1.1 200 OK\r\n"
            "Server: Cheetah\r\n"
            "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"
            "Accept-Ranges: bytes\r\n"
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/html\r\n"
            "Content-Length: 1000\r\n"
            "\r\n");
  EXPECT_EQ(a.response.body_offset, 0u);
  EXPECT_EQ(a.response.body_length, 1000u);
  EXPECT_TRUE(a.response.text.empty());
  EXPECT_TRUE(a.response.keep_alive);
}

TEST(HttpResponse, SaysWhetherTheConnectionStays) {
  EXPECT_FALSE(has(answer("GET /x HTTP/1.0\r\n\r\n"), "Connection: keep-alive"));
  EXPECT_TRUE(has(answer("GET /x HTTP/1.0\r\n\r\n"), "Connection: close"));
  EXPECT_TRUE(
      has(answer("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "Connection: keep-alive"));
  EXPECT_TRUE(has(get("Connection: close\r\n"), "Connection: close"));
  EXPECT_TRUE(has(answer("GET /x\r\n"), "Connection: close"));
}

TEST(HttpResponse, HeadHasTheLengthButNoBody) {
  const auto a = answer("HEAD /x.png HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9\r\n\r\n");
  EXPECT_EQ(a.response.status, 200) << "a range counts for GET only";
  EXPECT_TRUE(has(a, "Content-Length: 1000"));
  EXPECT_TRUE(has(a, "Content-Type: image/png"));
  EXPECT_EQ(a.response.body_length, 0u);
  const auto none = answer("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", nullptr);
  EXPECT_EQ(none.response.status, 404);
  EXPECT_GT(none.response.content_length, 0u);
  EXPECT_TRUE(none.response.text.empty());
}

TEST(HttpResponse, NotModifiedHasNoBody) {
  const auto a = get("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(a.response.status, 304);
  EXPECT_EQ(a.response.body_length + a.response.text.size(), 0u);
  EXPECT_TRUE(a.head.starts_with("HTTP/1.1 304 Not Modified\r\n"));
  EXPECT_EQ(a.head.find("Content-"), std::string::npos);
  EXPECT_EQ(get("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n").response.status, 200);
  EXPECT_EQ(get("If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT\r\n").response.status, 304);
  EXPECT_EQ(get("If-None-Match: \"a\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT\r\n")
                .response.status,
            200);
}

TEST(HttpResponse, Ranges) {
  struct Case {
    std::string range;
    unsigned status;
    std::uint64_t offset, length;
    std::string header;
  };
  const Case table[] = {
      {"0-0", 206, 0, 1, "Content-Range: bytes 0-0/1000"},
      {"10-19", 206, 10, 10, "Content-Range: bytes 10-19/1000"},
      {"990-5000", 206, 990, 10, "Content-Range: bytes 990-999/1000"},
      {"999-", 206, 999, 1, "Content-Range: bytes 999-999/1000"},
      {"0-", 206, 0, 1000, "Content-Range: bytes 0-999/1000"},
      {"-1", 206, 999, 1, "Content-Range: bytes 999-999/1000"},
      {"-1000", 206, 0, 1000, "Content-Range: bytes 0-999/1000"},
      {"-2000", 206, 0, 1000, "Content-Range: bytes 0-999/1000"},
      {"0-18446744073709551615", 206, 0, 1000, "Content-Range: bytes 0-999/1000"},
      {"1000-", 416, 0, 0, "Content-Range: bytes */1000"},
      {"1000-1001", 416, 0, 0, "Content-Range: bytes */1000"},
      {"-0", 416, 0, 0, "Content-Range: bytes */1000"},
      {"0-1,3-4", 200, 0, 1000, "Content-Length: 1000"},
  };
  for (const Case& c : table) {
    const auto a = get("Range: bytes=" + c.range + "\r\n");
    EXPECT_EQ(a.response.status, c.status) << c.range;
    EXPECT_EQ(a.response.body_offset, c.offset) << c.range;
    EXPECT_EQ(a.response.body_length, c.length) << c.range;
    EXPECT_TRUE(has(a, c.header)) << a.head;
    EXPECT_EQ(has(a, "Content-Length: " + std::to_string(c.length)), c.status != 416);
  }
  constexpr FileInfo kEmpty{.size = 0};
  EXPECT_EQ(get("Range: bytes=0-\r\n", &kEmpty).response.status, 200);
}

TEST(HttpResponse, IfRangeNeedsTheExactTime) {
  const std::string range = "Range: bytes=0-9\r\nIf-Range: ";
  EXPECT_EQ(get(range + "Sun, 06 Nov 1994 08:49:37 GMT\r\n").response.status, 206);
  EXPECT_EQ(get(range + "Sun, 06 Nov 1994 08:49:38 GMT\r\n").response.status, 200);
  EXPECT_EQ(get(range + "\"tag\"\r\n").response.status, 200);
}

TEST(HttpResponse, Directories) {
  const auto a = get("", &kDirectory, "/d%20e/f%0");
  EXPECT_EQ(a.response.status, 400);
  const auto moved = get("", &kDirectory, "/d%20e/%c3%a4?q");
  EXPECT_EQ(moved.response.status, 301);
  EXPECT_TRUE(has(moved, "Location: /d%20e/%C3%A4/")) << moved.head;
  EXPECT_EQ(get("", &kDirectory, "/d/").response.status, 403);
  EXPECT_EQ(get("", &kFile, "/d/").response.status, 404);
  RequestParser parser;
  parser.feed(std::string_view{"GET /d/ HTTP/1.0\r\n\r\n"});
  parser.request().append_index();
  EXPECT_EQ(plan(parser.request(), &kFile).content_type, "text/html");
}

TEST(HttpResponse, Refusals) {
  const auto status = [](std::string_view text) { return answer(text).response.status; };
  EXPECT_EQ(status("POST / HTTP/1.0\r\n\r\n"), 405);
  EXPECT_TRUE(has(answer("POST / HTTP/1.0\r\n\r\n"), "Allow: GET, HEAD"));
  EXPECT_EQ(status("BREW / HTTP/1.0\r\n\r\n"), 501);
  EXPECT_EQ(status("GET / HTTP/3.0\r\n"), 505);
  EXPECT_EQ(get("", nullptr).response.status, 404);
  const auto a = get("", nullptr);
  EXPECT_NE(a.response.text.find("404 Not Found"), std::string_view::npos);
  EXPECT_TRUE(has(a, "Content-Length: " + std::to_string(a.response.text.size())));
  EXPECT_TRUE(a.response.keep_alive);
}

TEST(HttpResponse, ErrorsWithoutARequest) {
  for (const unsigned status : {400u, 408u, 413u, 414u, 417u, 431u, 500u, 501u, 503u, 505u}) {
    const auto response = error_response(status);
    EXPECT_EQ(response.status, status);
    EXPECT_FALSE(response.keep_alive);
    EXPECT_TRUE(status_text(status).line.starts_with("HTTP/1.1 " + std::to_string(status)));
    EXPECT_FALSE(response.text.empty());
  }
  EXPECT_EQ(error_response(299).status, 500);
  EXPECT_EQ(error_response(200).status, 500);
}

TEST(HttpResponse, TheHeadMustFit) {
  std::array<char, kMaxResponseHead> out;
  const auto response = error_response(408);
  EXPECT_EQ(write_head(response, "now", out).error(), Errc::BadArgument);
  EXPECT_EQ(write_head(response, kNow, std::span{out}.first(511)).error(), Errc::NoSpace);
  EXPECT_EQ(write_head(response, kNow, std::span{out}.first(520)).error(), Errc::NoSpace);
  EXPECT_TRUE(write_head(response, kNow, std::span{out}.first(521)).has_value());
  Response longest = error_response(500);
  const std::string path(kMaxPath, '\xff');
  longest.location = path;
  longest.keep_alive = true;
  longest.is_http11 = false;
  longest.last_modified = 0;
  EXPECT_TRUE(write_head(longest, kNow, out).has_value());
}

TEST(HttpContentType, BySuffixInAnyCase) {
  EXPECT_EQ(content_type_of("/a.html"), "text/html");
  EXPECT_EQ(content_type_of("/a.HTM"), "text/html");
  EXPECT_EQ(content_type_of("/a.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type_of("/a.woff2"), "font/woff2");
  EXPECT_EQ(content_type_of("/a.avif"), "image/avif");
  EXPECT_EQ(content_type_of("/a.zip"), "application/zip");
  EXPECT_EQ(content_type_of("/a.c"), "text/plain");
  for (const auto* unknown : {"/", "/a", "/a.", "/.html", "/d.html/a", "/a.htmlx", "/a.verylongone",
                              "/a.eightchr", "x", ""})
    EXPECT_EQ(content_type_of(unknown), "application/octet-stream") << unknown;
}

}  // namespace
}  // namespace xok::http
