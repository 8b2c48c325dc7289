// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/characters.hpp"
#include "libs/http/response.hpp"

namespace xok::http {
namespace {

#define XOK_HTTP_LINE(number, reason) "HTTP/1.1 " #number " " reason "\r\nServer: Cheetah\r\nDate: "
#define XOK_HTTP_STATUS(number, reason)     \
  {number, XOK_HTTP_LINE(number, reason),   \
   "<html><head><title>" #number " " reason \
   "</title></head><body>"                  \
   "<h1>" #number " " reason "</h1></body></html>\n"}

constexpr StatusText kStatuses[] = {
    {200, XOK_HTTP_LINE(200, "OK"), {}},
    {304, XOK_HTTP_LINE(304, "Not Modified"), {}},
    {206, XOK_HTTP_LINE(206, "Partial Content"), {}},
    XOK_HTTP_STATUS(404, "Not Found"),
    XOK_HTTP_STATUS(301, "Moved Permanently"),
    XOK_HTTP_STATUS(400, "Bad Request"),
    XOK_HTTP_STATUS(403, "Forbidden"),
    XOK_HTTP_STATUS(405, "Method Not Allowed"),
    XOK_HTTP_STATUS(408, "Request Timeout"),
    XOK_HTTP_STATUS(413, "Content Too Large"),
    XOK_HTTP_STATUS(414, "URI Too Long"),
    XOK_HTTP_STATUS(416, "Range Not Satisfiable"),
    XOK_HTTP_STATUS(417, "Expectation Failed"),
    XOK_HTTP_STATUS(431, "Request Header Fields Too Large"),
    XOK_HTTP_STATUS(501, "Not Implemented"),
    XOK_HTTP_STATUS(503, "Service Unavailable"),
    XOK_HTTP_STATUS(505, "HTTP Version Not Supported"),
    XOK_HTTP_STATUS(500, "Internal Server Error"),  // last: the one for all others
};

#undef XOK_HTTP_STATUS
#undef XOK_HTTP_LINE

/// Everything in a head but the content type and the location fits into this.
constexpr std::size_t kFixedPart = 512;

/// Appends to a buffer that is known to be big enough.
class Writer {
 public:
  explicit Writer(char* start) : start_{start}, at_{start} {}

  void text(std::string_view bytes) {
    __builtin_memcpy(at_, bytes.data(), bytes.size());  // inline where the size is constant
    at_ += bytes.size();
  }

  void number(std::uint64_t value) {
    char digits[20];
    char* first = digits + sizeof digits;
    do {
      *--first = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    text({first, static_cast<std::size_t>(digits + sizeof digits - first)});
  }

  void date(Seconds time) {
    format_date(time, std::span<char, kDateSize>{at_, kDateSize});
    at_ += kDateSize;
  }

  /// A path as a URI: whatever could mean something else becomes %xx.
  void path(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (const char c : bytes) {
      if (is(c, kUnreserved)) {
        *at_++ = c;
        continue;
      }
      *at_++ = '%';
      *at_++ = kDigits[static_cast<unsigned char>(c) >> 4];
      *at_++ = kDigits[static_cast<unsigned char>(c) & 15];
    }
  }

  std::size_t size() const { return static_cast<std::size_t>(at_ - start_); }

 private:
  char* start_;
  char* at_;
};

void write_range(Writer& out, const Response& response) {
  out.text("\r\nContent-Range: bytes ");
  if (response.status == 206) {
    out.number(response.body_offset);
    out.text("-");
    out.number(response.body_offset + response.content_length - 1);
  } else {
    out.text("*");
  }
  out.text("/");
  out.number(response.file_size);
}

}  // namespace

Result<Head> write_head(const Response& response, std::string_view date, std::span<char> out) {
  if (date.size() != kDateSize) return fail(Errc::BadArgument);
  const std::size_t variable = response.content_type.size() + 3 * response.location.size();
  if (out.size() < kFixedPart || out.size() - kFixedPart < variable) return fail(Errc::NoSpace);
  Writer head{out.data()};
  head.text(status_text(response.status).line);
  const std::size_t date_offset = head.size();
  head.text(date);
  if (response.last_modified) {
    head.text("\r\nAccept-Ranges: bytes\r\nLast-Modified: ");
    head.date(*response.last_modified);
  }
  if (response.status != 304) {
    head.text("\r\nContent-Type: ");
    head.text(response.content_type);
    head.text("\r\nContent-Length: ");
    head.number(response.content_length);
  }
  if (response.status == 206 || response.status == 416) write_range(head, response);
  if (response.status == 405) head.text("\r\nAllow: GET, HEAD");
  if (!response.location.empty()) {
    head.text("\r\nLocation: ");
    head.path(response.location);
    head.text("/");
  }
  if (!response.keep_alive) {
    head.text("\r\nConnection: close");
  } else if (!response.is_http11) {
    head.text("\r\nConnection: keep-alive");
  }
  head.text("\r\n\r\n");
  return Head{head.size(), date_offset};
}

const StatusText& status_text(unsigned status) {
  const StatusText* entry = kStatuses;
  while (entry->status != status && entry->status != 500) ++entry;
  return *entry;
}

}  // namespace xok::http
