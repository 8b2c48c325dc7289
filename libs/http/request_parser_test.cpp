// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/request_parser.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>

namespace xok::http {
namespace {

using State = RequestParser::State;
using std::string_literals::operator""s;

/// All that a parser found, as text.
std::string describe(const RequestParser& parser, State state) {
  const Request& r = parser.request();
  std::ostringstream out;
  if (state == State::NeedMore) return "need more";
  out << (state == State::Error ? "error " : "") << r.status;
  if (state == State::Complete) {
    out << (r.method == Method::Get    ? " GET "
            : r.method == Method::Head ? " HEAD "
                                       : " other ")
        << r.path() << (r.is_http11 ? " 1.1" : " 1.0") << (r.keep_alive ? " keep" : " close");
    if (r.range.kind != ByteRange::Kind::None)
      out << " range " << static_cast<int>(r.range.kind) << ':' << r.range.first << '-'
          << r.range.last;
    if (r.if_modified_since) out << " ims " << *r.if_modified_since;
    if (r.has_if_range) out << " if-range " << r.if_range.value_or(-1);
    if (r.has_if_none_match) out << " inm";
  }
  return out.str();
}

/// Results of all requests in `text`, given in pieces that end at `cuts`.
std::string run(std::string_view text, std::vector<std::size_t> cuts = {}) {
  RequestParser parser;
  std::string out;
  std::size_t at = 0;
  cuts.push_back(text.size());
  for (const std::size_t cut : cuts) {
    while (at < cut) {
      const auto [state, consumed] = parser.feed(text.substr(at, cut - at));
      at += consumed;
      if (state == State::NeedMore) break;
      out += describe(parser, state) + "; ";
      if (state == State::Error) return out;
      parser.reset();
    }
  }
  return out + (parser.idle() ? "idle" : "need more");
}

/// The result of one request, with its connection closed or kept.
std::string one(std::string_view text) {
  const auto out = run(text);
  return out.substr(0, out.find("; "));
}

std::string get(std::string_view headers) {
  return one("GET /x HTTP/1.1\r\nHost: h\r\n" + std::string{headers} + "\r\n\r\n");
}

const std::string kFirefox =
    "GET /images/logo.png?v=3 HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"
    "Accept: image/avif,image/webp,*/*\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Connection: keep-alive\r\n"
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Range: bytes=100-199\r\n"
    "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "\r\n";

const std::pair<std::string, std::string> kTable[] = {
    {"GET / HTTP/1.0\r\n\r\n", "200 GET / 1.0 close"},
    {"GET / HTTP/1.0\n\n", "200 GET / 1.0 close"},
    {"GET / HTTP/1.0\nConnection: Keep-Alive\r\n\n", "200 GET / 1.0 keep"},
    {"HEAD /a HTTP/1.1\r\nhost:h\r\n\r\n", "200 HEAD /a 1.1 keep"},
    {"GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", "200 GET / 1.1 close"},
    {"GET / HTTP/1.1\r\nHost: h\r\nConnection: TE , Close,\r\n\r\n", "200 GET / 1.1 close"},
    {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "200 GET / 1.0 close"},
    {"GET / HTTP/1.9\r\nHost: h\r\n\r\n", "200 GET / 1.1 keep"},
    {"\r\n\r\nGET / HTTP/1.0\r\n\r\n", "200 GET / 1.0 close"},
    {"GET http://h/a/../b HTTP/1.1\r\nHost: h\r\n\r\n", "200 GET /b 1.1 keep"},
    {kFirefox,
     "200 GET /images/logo.png 1.1 keep range 1:100-199 ims 784111777 if-range 784111777"},
    // Methods.
    {"POST / HTTP/1.0\r\n\r\n", "405 other  1.0 close"},
    {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "405 other  1.1 keep"},
    {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", "405 other  1.1 keep"},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "405 other  1.1 keep"},
    {"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", "501 other  1.1 keep"},
    {"get / HTTP/1.1\r\nHost: h\r\n\r\n", "501 other  1.1 keep"},
    // Versions.
    {"GET / HTTP/2.0\r\n", "error 505"},
    {"PRI * HTTP/2.0\r\n", "error 505"},
    {"GET / HTTP/0.9\r\n", "error 505"},
    {"GET /\r\n", "error 400"},
    {"GET / http/1.1\r\n", "error 400"},
    {"GET / HTTP/1.10\r\n", "error 400"},
    {"GET / HTTP/1\r\n", "error 400"},
    {"GET / HTTP/1.1 \r\n", "error 400"},
    // Request lines.
    {"GET  / HTTP/1.1\r\n", "error 400"},
    {" GET / HTTP/1.1\r\n", "error 400"},
    {"GET\t/ HTTP/1.1\r\n", "error 400"},
    {"GET /a b HTTP/1.1\r\n", "error 400"},
    {"GET x HTTP/1.1\r\n", "error 400"},
    {"GET  HTTP/1.1\r\n", "error 400"},
    {"G(T / HTTP/1.1\r\n", "error 400"},
    {"GET / HTTP/1.1\r\r\n", "error 400"},
    {"GET /\rx HTTP/1.1\r\n", "error 400"},
    {"GET /%00 HTTP/1.1\r\n", "error 400"},
    {"GET /\0 HTTP/1.1\r\n"s, "error 400"},
    {"\x16\x03\x01\x02\n", "error 400"},
    {"\n\n\n\n\n\n\n\n\n", "error 400"},
    // Header syntax.
    {"GET / HTTP/1.1\r\n\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n", "error 400"},
    {"GET / HTTP/1.1\r\n Host: a\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nHost : a\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nHost\r\n", "error 400"},
    {"GET / HTTP/1.1\r\n: a\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nA: b\rc\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nA: b\0c\r\n"s, "error 400"},
    {"GET / HTTP/1.1\r\nA:\tb\tc\t\r\nHost:h\r\n\r\n", "200 GET / 1.1 keep"},
    // Bodies.
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "error 501"},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
     "error 400"},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n", "error 413"},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n", "error 413"},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n", "error 400"},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
     "200 GET / 1.1 keep"},
    {"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", "error 417"},
    {"GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n", "200 GET / 1.1 keep"},
};

TEST(HttpParser, TableOfRequests) {
  for (const auto& [text, expected] : kTable) EXPECT_EQ(one(text), expected) << text;
}

TEST(HttpParser, EveryCutGivesTheSameResult) {
  for (const auto& [text, expected] : kTable) {
    const auto whole = run(text);
    std::vector<std::size_t> all;
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      ASSERT_EQ(run(text, {cut}), whole) << text << " cut at " << cut;
      ASSERT_EQ(run(text, {cut / 2, cut}), whole) << text << " cut at " << cut;
      all.push_back(cut);
    }
    ASSERT_EQ(run(text, all), whole) << text << " byte by byte";
  }
}

TEST(HttpParser, PipelinedRequestsComeOutOneByOne) {
  const std::string text =
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\nGET /no HTTP/1.0\r\n\r\n"
      "\r\nHEAD /3 HTTP/1.1\r\nHost: h\r\nRange: bytes=-5\r\n\r\n"
      "GET /4 HTTP/1.0\r\n\r\nGE";
  const auto expected =
      "200 GET /1 1.1 keep; 405 other  1.1 keep; 200 HEAD /3 1.1 keep range 3:0-5; "
      "200 GET /4 1.0 close; need more";
  EXPECT_EQ(run(text), expected);
  for (std::size_t cut = 0; cut < text.size(); ++cut) ASSERT_EQ(run(text, {cut}), expected);
}

TEST(HttpParser, TakesNothingAfterTheEndUntilReset) {
  RequestParser parser;
  const std::string_view text = "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(parser.feed(text).consumed, text.size() / 2);
  EXPECT_EQ(parser.feed(text).consumed, 0u);
  EXPECT_EQ(parser.feed(text).state, State::Complete);
}

TEST(HttpParser, KnowsWhetherARequestHasBegun) {
  RequestParser parser;
  EXPECT_TRUE(parser.idle());
  EXPECT_EQ(parser.feed({}).state, State::NeedMore);
  EXPECT_TRUE(parser.idle());
  parser.feed(std::string_view{"G"});
  EXPECT_FALSE(parser.idle());
  parser.reset();
  EXPECT_TRUE(parser.idle());
}

TEST(HttpParser, Limits) {
  const std::string end = " HTTP/1.0\r\n\r\n";
  const auto line_of = [&](std::size_t length) {  // with its CR
    const std::string start = "GET /?";
    return start + std::string(length - start.size() - 10, 'q') + end;
  };
  const auto header = [](std::size_t length) {
    return "A: " + std::string(length - 4, 'v') + "\r\n";
  };
  const std::string start = "GET / HTTP/1.0\r\n";
  std::string hundred = start;
  for (unsigned i = 0; i < kMaxHeaders; ++i) hundred += "A: b\r\n";
  const std::pair<std::string, std::string> table[] = {
      {line_of(kMaxLine), "200 GET / 1.0 close"},
      {line_of(kMaxLine + 1), "error 414"},
      {"GET /" + std::string(kMaxPath - 1, 'x') + end,
       "200 GET /" + std::string(kMaxPath - 1, 'x') + " 1.0 close"},
      {"GET /" + std::string(kMaxPath, 'x') + end, "error 414"},
      {std::string(kMaxLine + 1, 'x'), "error 414"},
      {start + header(kMaxLine) + "\r\n", "200 GET / 1.0 close"},
      {start + header(kMaxLine + 1) + "\r\n", "error 431"},
      {start + header(8000) + header(8000) + "\r\n", "200 GET / 1.0 close"},
      {start + header(8000) + header(8000) + header(364) + "\r\n", "200 GET / 1.0 close"},
      {start + header(8000) + header(8000) + header(365) + "\r\n", "error 431"},
      {start + header(8000) + header(8000) + header(8000) + "\r\n", "error 431"},
      {hundred + "\r\n", "200 GET / 1.0 close"},
      {hundred + "A: b\r\n\r\n", "error 431"},
  };
  for (const auto& [text, expected] : table) {
    EXPECT_EQ(one(text), expected);
    std::vector<std::size_t> all;
    for (std::size_t cut = 1; cut < text.size(); ++cut) all.push_back(cut);
    EXPECT_EQ(run(text, all), run(text));
  }
}

TEST(HttpParser, Ranges) {
  const auto range = [](std::string_view value) {
    return get("Range: " + std::string{value})
        .substr(std::string_view{"200 GET /x 1.1 keep"}.size());
  };
  EXPECT_EQ(range("bytes=0-0"), " range 1:0-0");
  EXPECT_EQ(range("Bytes=5-9"), " range 1:5-9");
  EXPECT_EQ(range("bytes=5-"), " range 2:5-0");
  EXPECT_EQ(range("bytes=-5"), " range 3:0-5");
  EXPECT_EQ(range("bytes=-0"), " range 3:0-0");
  EXPECT_EQ(range("bytes=7-99999999999999999999"), " range 1:7-18446744073709551615");
  for (const auto* ignored : {"bytes=9-5", "bytes=0-1,4-5", "bytes=", "bytes=-", "bytes=a-b", "5-9",
                              "lines=1-2", "bytes=1-2-3", "bytes= 1-2", "bytes=+1-2", ""})
    EXPECT_EQ(range(ignored), "") << ignored;
  EXPECT_EQ(get("Range: bytes=1-2\r\nRange: bytes=1-2"), "200 GET /x 1.1 keep");
}

TEST(HttpParser, Conditions) {
  EXPECT_EQ(get("If-Modified-Since: yesterday"), "200 GET /x 1.1 keep");
  EXPECT_EQ(get("IF-MODIFIED-SINCE:Sunday, 06-Nov-94 08:49:37 GMT"),
            "200 GET /x 1.1 keep ims 784111777");
  EXPECT_EQ(get("If-None-Match: \"x\""), "200 GET /x 1.1 keep inm");
  EXPECT_EQ(get("If-Range: \"tag\""), "200 GET /x 1.1 keep if-range -1");
}

TEST(HttpParser, ResetForgetsEverything) {
  RequestParser parser;
  parser.feed(std::string_view{kFirefox});
  parser.reset();
  const auto [state, consumed] = parser.feed(std::string_view{"GET /y HTTP/1.0\r\n\r\n"});
  EXPECT_EQ(describe(parser, state), "200 GET /y 1.0 close");
}

TEST(HttpParserDeathTest, OnlyADirectoryHasAnIndex) {
  RequestParser parser;
  parser.feed(std::string_view{"GET /d/ HTTP/1.0\r\n\r\n"});
  parser.request().append_index();
  EXPECT_EQ(parser.request().path(), "/d/index.html");
  EXPECT_DEATH(parser.request().append_index(), "");
}

}  // namespace
}  // namespace xok::http
