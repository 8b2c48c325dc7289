// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// What is answered to which request.
#include <gtest/gtest.h>

#include "apps/cheetah/server_test_support.hpp"

namespace xok::cheetah {
namespace {

using testing::Client;

class Requests : public testing::Web {
 protected:
  Requests() {
    using Kind = FoundFile::Kind;
    files.put("/", Kind::Directory);
    files.put("/index.html", "<html>hello</html>");
    files.put("/d", Kind::Directory);
    files.put("/d/", Kind::Directory);
    files.put("/d/x", "x");
    files.put("/secret", Kind::Forbidden);
    files.put("/many", Kind::Exhausted);
    files.put("/f.txt", text);
    files.put("/empty", "");
  }
  std::string close_after(const std::string& path, const std::string& more = {}) {
    return ask(get(path, more + "Connection: close\r\n"));
  }

  const std::string text = bytes(1024);
};

TEST_F(Requests, AFileIsSentWholeWithItsHead) {
  const std::string answer = close_after("/f.txt");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_TRUE(body_of(answer) == text);
  for (const char* line :
       {"Content-Length: 1024\r\n", "Content-Type: text/plain", "Connection: close\r\n",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        "Date: Sun, 09 Sep 2001 01:48:20 GMT\r\n"})
    EXPECT_NE(answer.find(line), std::string::npos) << line << answer.substr(0, 400);
}

TEST_F(Requests, TheDateAdvancesInRememberedHeads) {
  close_after("/f.txt");
  now = (now / net::kSecond + 61) * net::kSecond;
  const std::string answer = close_after("/f.txt");
  EXPECT_NE(answer.find("Date: Sun, 09 Sep 2001 01:49:21 GMT\r\n"), std::string::npos);
  EXPECT_TRUE(body_of(answer) == text);
}

TEST_F(Requests, RememberedHeadsDifferByWhatHappensToTheConnection) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_NE(close_after("/f.txt").find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(ask(get("/f.txt")).find("Connection:"), std::string::npos);
    EXPECT_NE(ask("GET /f.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                  .find("Connection: keep-alive\r\n"),
              std::string::npos);
    EXPECT_NE(ask("GET /f.txt HTTP/1.0\r\n\r\n").find("Connection: close\r\n"), std::string::npos);
  }
}

TEST_F(Requests, AChangedFileGetsANewHeadAndNewSums) {
  close_after("/f.txt");
  files.put("/f.txt", bytes(2000, 9));
  const std::string answer = close_after("/f.txt");
  EXPECT_TRUE(body_of(answer) == bytes(2000, 9));
  EXPECT_NE(answer.find("Content-Length: 2000\r\n"), std::string::npos);
}

TEST_F(Requests, AnEmptyFileHasAnEmptyBody) {
  for (int i = 0; i < 2; ++i) {
    const std::string answer = close_after("/empty");
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_EQ(body_of(answer), "");
  }
}

TEST_F(Requests, ADirectoryIsItsIndexOrRefusedOrRedirected) {
  EXPECT_EQ(body_of(close_after("/")), "<html>hello</html>");
  EXPECT_EQ(status_of(close_after("/d/")), 403);
  const std::string moved = close_after("/d");
  EXPECT_EQ(status_of(moved), 301);
  EXPECT_NE(moved.find("Location: /d/\r\n"), std::string::npos);
}

TEST_F(Requests, WhatCannotBeReadOrIsNotThereIsRefused) {
  EXPECT_EQ(status_of(close_after("/secret")), 403);
  EXPECT_EQ(status_of(close_after("/nothing")), 404);
  EXPECT_EQ(status_of(close_after("/many")), 503);
  EXPECT_EQ(status_of(close_after("/f.txt/")), 404);
}

TEST_F(Requests, RefusalsForFilesKeepTheConnection) {
  Client& client = connect_and_wait();
  say(client, get("/secret") + get("/nothing") + get("/f.txt"));
  run_for(100 * net::kMillisecond);
  EXPECT_TRUE(client.is_open());
  EXPECT_FALSE(client.ended());
  EXPECT_EQ(status_of(client.received), 403);
  EXPECT_TRUE(client.received.ends_with(text));
}

TEST_F(Requests, HeadSendsNoBody) {
  const std::string answer = ask("HEAD /f.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 1024\r\n"), std::string::npos);
  EXPECT_EQ(body_of(answer), "");
  EXPECT_EQ(body_of(ask("HEAD /secret HTTP/1.0\r\n\r\n")), "");
}

TEST_F(Requests, RangesAndDates) {
  const std::string part = close_after("/f.txt", "Range: bytes=10-19\r\n");
  EXPECT_EQ(status_of(part), 206);
  EXPECT_EQ(body_of(part), text.substr(10, 10));
  EXPECT_EQ(body_of(close_after("/f.txt", "Range: bytes=-5\r\n")), text.substr(1019));
  EXPECT_EQ(status_of(close_after("/f.txt", "Range: bytes=1024-\r\n")), 416);
  const std::string same =
      close_after("/f.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(status_of(same), 304);
  EXPECT_EQ(body_of(same), "");
}

TEST_F(Requests, BadRequestsGetTheirStatus) {
  const std::pair<std::string, int> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"NONSENSE\r\n\r\n", 400},
      {std::string("GET /\0 HTTP/1.0\r\n\r\n", 19), 400},
      {"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405},
      {"BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 501},
      {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
      {"GET /" + std::string(20000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(100000, 'y') + "\r\n\r\n", 431},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n" + std::string(99999, 'z'),
       413}};
  for (const auto& [request, status] : cases) {
    EXPECT_EQ(status_of(ask(request)), status) << request.substr(0, 60);
    EXPECT_FALSE(clients.back().host.connection.error().has_value()) << "reset, not closed";
  }
}

TEST_F(Requests, APipelineIsAnsweredInOrder) {
  Client& client = connect_and_wait();
  std::string requests;
  for (int i = 0; i < 40; ++i) requests += get(i % 2 == 0 ? "/f.txt" : "/d/x");
  say(client, requests + get("/empty", "Connection: close\r\n"));
  run_for(2 * net::kSecond);
  ASSERT_TRUE(client.ended());
  std::string rest = client.received;
  for (int i = 0; i < 40; ++i) {
    const std::string body = i % 2 == 0 ? text : "x";
    ASSERT_EQ(status_of(rest), 200) << i;
    rest = body_of(rest);
    ASSERT_TRUE(rest.substr(0, body.size()) == body) << i;
    rest.erase(0, body.size());
  }
  EXPECT_EQ(body_of(rest), "");
  EXPECT_EQ(server().counters().requests, 41u);
}

TEST_F(Requests, RequestsMayComeInPiecesOfAnySize) {
  Client& client = connect_and_wait();
  client.host.config.nagle = false;
  for (const char c : get("/f.txt")) {
    say(client, std::string(1, c));
    run_for(5 * net::kMillisecond);
  }
  EXPECT_TRUE(body_of(client.received) == text);
}

TEST_F(Requests, ARepeatedRequestMeansTheSameAgain) {
  Client& client = connect_and_wait();
  for (const std::string path : {"/", "/d/", "/f.txt", "/nothing", "/d"}) {
    std::string first;
    for (int i = 0; i < 4; ++i) {
      client.received.clear();
      say(client, get(path));
      run_for(10 * net::kMillisecond);
      if (i == 0) first = client.received;
      EXPECT_TRUE(!first.empty() && client.received == first) << path << i;
    }
  }
  files.files.erase("/index.html");
  client.received.clear();
  say(client, get("/") + get("/"));
  run_for(10 * net::kMillisecond);
  EXPECT_EQ(status_of(client.received), 403);
  EXPECT_EQ(client.received.size() % 2, 0u);
}

TEST_F(Requests, ARequestThatOnlyBeginsLikeTheLastIsReadAnew) {
  Client& client = connect_and_wait();
  say(client, get("/f.txt"));
  run_for(10 * net::kMillisecond);
  client.received.clear();
  say(client, get("/f.txt", "Range: bytes=0-0\r\n"));
  run_for(10 * net::kMillisecond);
  EXPECT_EQ(status_of(client.received), 206);
  client.received.clear();
  say(client, get("/f.txt").substr(0, 30));
  run_for(10 * net::kMillisecond);
  say(client, get("/f.txt").substr(30));
  run_for(100 * net::kMillisecond);  // the client waits for an acknowledgement (RFC 896)
  EXPECT_TRUE(body_of(client.received) == text);
}

TEST_F(Requests, TheLongestRedirectFits) {
  const std::string path = "/" + std::string(1000, '!');
  files.put(path, FoundFile::Kind::Directory);
  const std::string answer = close_after(path);
  EXPECT_EQ(status_of(answer), 301);
  EXPECT_EQ(answer.find("Location: /%21%21") != std::string::npos, true);
}

TEST_F(Requests, AClientThatClosesItsSideIsStillAnswered) {
  Client& client = connect_and_wait();
  say(client, get("/f.txt") + get("/d/x"), net::Finish::Yes);
  run_for(net::kSecond);
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(client.received.ends_with("\r\n\r\nx"));
  EXPECT_EQ(server().connection_count(), 0u);
}

TEST_F(Requests, AWholeExchangeTakesFewFrames) {
  close_after("/f.txt");
  // SYN+ACK; answer with acknowledgement and FIN; acknowledgement of the client's FIN.
  EXPECT_EQ(server_frames, 3u);
}

TEST_F(Requests, AKeptConnectionTakesOneFrameForEachAnswer) {
  Client& client = connect_and_wait();
  const std::uint64_t before = server_frames;
  for (int i = 0; i < 10; ++i) {
    say(client, get("/f.txt"));
    run_for(10 * net::kMillisecond);
  }
  EXPECT_EQ(server_frames - before, 10u);
}

}  // namespace
}  // namespace xok::cheetah
