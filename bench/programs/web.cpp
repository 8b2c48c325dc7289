// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A small epoll server of ordinary static files: what a careful programmer can get out of Linux
// without leaving its interface, and so the harder of the two HTTP peers. It answers GET only and
// keeps every file open that it was ever asked for.
//
//   web PORT ROOT
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct File {
  char path[64];
  int fd;
  std::size_t length;
  char head[2][200];  ///< [0] closes, [1] keeps alive
  std::size_t head_length[2];
};

struct Connection {
  int fd;
  std::size_t used;  ///< bytes of `buffer`
  bool closes;
  const File* file;  ///< being sent; nullptr while reading a request
  std::size_t head_sent;
  std::size_t body_sent;
  char buffer[4096];
};

enum class Progress { Done, Blocked, Broken };

constexpr std::size_t kMaxFiles = 64;
File files[kMaxFiles];
std::size_t file_count = 0;
const char* root = "/www";
int poller = -1;

const File* find_file(const char* path) {
  for (std::size_t i = 0; i < file_count; i++) {
    if (std::strcmp(files[i].path, path) == 0) return &files[i];
  }
  if (file_count == kMaxFiles || std::strlen(path) >= sizeof File::path ||
      std::strstr(path, "..") != nullptr) {
    return nullptr;
  }
  char full[256];
  std::snprintf(full, sizeof full, "%s%s", root, path);
  const int fd = open(full, O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    if (fd >= 0) close(fd);
    return nullptr;
  }
  File& file = files[file_count++];
  std::strcpy(file.path, path);
  file.fd = fd;
  file.length = static_cast<std::size_t>(status.st_size);
  for (std::size_t keep = 0; keep < 2; keep++) {
    const int length =
        std::snprintf(file.head[keep], sizeof file.head[keep],
                      "HTTP/1.1 200 OK\r\nServer: web\r\nContent-Type: text/plain\r\n"
                      "Content-Length: %zu\r\nConnection: %s\r\n\r\n",
                      file.length, keep != 0 ? "keep-alive" : "close");
    file.head_length[keep] = static_cast<std::size_t>(length);
  }
  return &file;
}

/// Sends what it can of the answer: the head with MSG_MORE, so that it shares a packet with the
/// body.
Progress send_answer(Connection& connection) {
  const File& file = *connection.file;
  const std::size_t keep = connection.closes ? 0 : 1;
  while (connection.head_sent < file.head_length[keep] || connection.body_sent < file.length) {
    ssize_t sent = 0;
    if (connection.head_sent < file.head_length[keep]) {
      sent = send(connection.fd, file.head[keep] + connection.head_sent,
                  file.head_length[keep] - connection.head_sent, file.length != 0 ? MSG_MORE : 0);
      if (sent > 0) connection.head_sent += static_cast<std::size_t>(sent);
    } else {
      auto offset = static_cast<off_t>(connection.body_sent);
      sent = sendfile(connection.fd, file.fd, &offset, file.length - connection.body_sent);
      if (sent > 0) connection.body_sent += static_cast<std::size_t>(sent);
    }
    if (sent < 0) return errno == EAGAIN ? Progress::Blocked : Progress::Broken;
  }
  return Progress::Done;
}

/// Takes a whole request off the buffer and finds its file.
Progress take_request(Connection& connection) {
  char* end = static_cast<char*>(memmem(connection.buffer, connection.used, "\r\n\r\n", 4));
  if (end == nullptr) {
    const bool full = connection.used == sizeof connection.buffer - 1;
    return full ? Progress::Broken : Progress::Blocked;
  }
  *end = 0;
  char* path = connection.buffer + 4;
  char* version = std::strchr(path, ' ');
  if (std::memcmp(connection.buffer, "GET ", 4) != 0 || version == nullptr) return Progress::Broken;
  *version++ = 0;
  const bool old = std::strncmp(version, "HTTP/1.0", 8) == 0;
  const char* wish = strcasestr(version, "\nconnection:");
  if (wish == nullptr) {
    connection.closes = old;
  } else {
    connection.closes =
        old ? strcasestr(wish, "keep-alive") == nullptr : strcasestr(wish, "close") != nullptr;
  }
  connection.file = find_file(path);
  connection.head_sent = connection.body_sent = 0;
  const auto taken = static_cast<std::size_t>(end + 4 - connection.buffer);
  std::memmove(connection.buffer, connection.buffer + taken, connection.used - taken);
  connection.used -= taken;
  return connection.file != nullptr ? Progress::Done : Progress::Broken;
}

void watch(Connection& connection, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &connection;
  epoll_ctl(poller, operation, connection.fd, &event);
}

/// Returns  false when the connection is to be closed
bool serve(Connection& connection, std::uint32_t events) {
  if (connection.file == nullptr) {
    const ssize_t got = read(connection.fd, connection.buffer + connection.used,
                             sizeof connection.buffer - 1 - connection.used);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
    if (got > 0) connection.used += static_cast<std::size_t>(got);
  }
  for (;;) {
    if (connection.file == nullptr) {
      const Progress request = take_request(connection);
      if (request != Progress::Done) return request == Progress::Blocked;
    }
    const Progress answer = send_answer(connection);
    if (answer == Progress::Blocked) {
      watch(connection, EPOLLOUT, EPOLL_CTL_MOD);
      return true;
    }
    if (answer == Progress::Broken || connection.closes) return false;
    if ((events & EPOLLOUT) != 0) watch(connection, EPOLLIN, EPOLL_CTL_MOD);
    connection.file = nullptr;
  }
}

void accept_all(int listener) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto* connection = static_cast<Connection*>(std::malloc(sizeof(Connection)));
    connection->fd = fd;
    connection->used = 0;
    connection->file = nullptr;
    watch(*connection, EPOLLIN, EPOLL_CTL_ADD);
  }
}

int listen_on(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 1024) != 0) {
    std::perror("web");
    std::exit(1);
  }
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: web PORT ROOT\n", stderr);
    return 2;
  }
  root = argv[2];
  signal(SIGPIPE, SIG_IGN);
  const int listener = listen_on(std::atoi(argv[1]));
  poller = epoll_create1(EPOLL_CLOEXEC);
  epoll_event on_listener{};
  on_listener.events = EPOLLIN;
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &on_listener);
  for (;;) {
    epoll_event events[64];
    const int count = epoll_wait(poller, events, 64, -1);
    for (int i = 0; i < count; i++) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == nullptr) {
        accept_all(listener);
      } else if (!serve(*connection, events[i].events)) {
        close(connection->fd);
        std::free(connection);
      }
    }
  }
}
