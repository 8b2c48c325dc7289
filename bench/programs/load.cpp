// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The client of the HTTP benchmarks; runs on the host. Each connection has one request under way;
// an answer that is not 200 with its whole body is an error.
//
//   load PORT PATH CONNECTIONS REQUESTS keep|close
//
// Prints "DONE requests errors" and leaves with 0 when there was no error. It sends the same bytes
// to every server, and says nothing about time: the guest's instructions are the measure.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct Client {
  int fd = -1;
  std::string answer;
};

struct Load {
  int port;
  std::string request;
  bool keeps;
  long wanted;  ///< requests to be answered
  long sent = 0;
  long answered = 0;
  long errors = 0;
  int poller = -1;
};

constexpr int kStalledMs = 20'000;
constexpr int kConnectMs = 5;
constexpr int kConnectAttempts = 4000;

/// Connects to the server through QEMU's user network, whose listening socket holds two
/// connections. The host drops further SYNs and would send them again after a second; on this
/// machine's loopback a connection that is not there at once was dropped, so it is given up and
/// tried again.
int connect_to(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int attempt = 0; attempt < kConnectAttempts; attempt++) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    pollfd waiting{fd, POLLOUT, 0};
    int error = 1;
    socklen_t length = sizeof error;
    if (errno == EINPROGRESS && poll(&waiting, 1, kConnectMs) == 1 &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0) {
      return fd;
    }
    close(fd);
  }
  return -1;
}

bool connect_client(Load& load, Client& client) {
  client.fd = connect_to(load.port);
  if (client.fd < 0) return false;
  const int on = 1;
  setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &client;
  return epoll_ctl(load.poller, EPOLL_CTL_ADD, client.fd, &event) == 0;
}

void disconnect(Client& client) {
  if (client.fd >= 0) close(client.fd);
  client.fd = -1;
  client.answer.clear();
}

/// Sends the next request, on a new connection if need be.
void send_request(Load& load, Client& client) {
  if (load.sent == load.wanted) return disconnect(client);
  load.sent++;
  client.answer.clear();
  if (client.fd < 0 && !connect_client(load, client)) {
    load.errors++;
    load.answered++;
    return disconnect(client);
  }
  const auto length = static_cast<ssize_t>(load.request.size());
  if (send(client.fd, load.request.data(), load.request.size(), MSG_NOSIGNAL) != length) {
    load.errors++;
    load.answered++;
    disconnect(client);
  }
}

/// Returns  1 for a whole good answer, 0 for an unfinished one, -1 for a bad one
int judge(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  if (answer.compare(0, 9, "HTTP/1.1 ") != 0 || answer.compare(9, 3, "200") != 0) return -1;
  const char* length = strcasestr(answer.c_str(), "\ncontent-length:");
  if (length == nullptr || length > answer.c_str() + end) return -1;
  const std::size_t wanted = end + 4 + std::strtoul(length + 16, nullptr, 10);
  if (answer.size() > wanted) return -1;
  return answer.size() == wanted ? 1 : 0;
}

void receive(Load& load, Client& client) {
  char buffer[65536];
  const ssize_t got = recv(client.fd, buffer, sizeof buffer, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got > 0) client.answer.append(buffer, static_cast<std::size_t>(got));
  const int verdict = got > 0 ? judge(client.answer) : -1;
  if (verdict == 0) return;
  load.answered++;
  if (verdict < 0) load.errors++;
  if (verdict < 0 || !load.keeps) disconnect(client);
  send_request(load, client);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: load PORT PATH CONNECTIONS REQUESTS keep|close\n", stderr);
    return 2;
  }
  const bool keeps = std::strcmp(argv[5], "keep") == 0;
  Load load{.port = std::atoi(argv[1]),
            .request = std::string{"GET "} + argv[2] + " HTTP/1.1\r\nHost: bench\r\n" +
                       (keeps ? "" : "Connection: close\r\n") + "\r\n",
            .keeps = keeps,
            .wanted = std::atol(argv[4])};
  load.poller = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Client> clients(static_cast<std::size_t>(std::atoi(argv[3])));
  for (Client& client : clients) send_request(load, client);
  while (load.answered < load.wanted) {
    epoll_event events[64];
    const int count = epoll_wait(load.poller, events, 64, kStalledMs);
    if (count <= 0) {
      load.errors += load.wanted - load.answered;
      break;
    }
    for (int i = 0; i < count; i++) receive(load, *static_cast<Client*>(events[i].data.ptr));
  }
  std::printf("DONE %ld %ld\n", load.answered, load.errors);
  return load.errors == 0 ? 0 : 1;
}
