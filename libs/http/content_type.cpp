// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/content_type.hpp"

#include <cstddef>
#include <cstdint>

#include "libs/http/characters.hpp"

namespace xok::http {
namespace {

/// Up to 8 characters as one number that orders as they do; letters in lower case.
constexpr std::uint64_t pack(std::string_view suffix) {
  std::uint64_t out = 0;
  for (char c : suffix) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    out = out << 8 | static_cast<unsigned char>(c);
  }
  return out << 8 * (8 - suffix.size()) % 64;
}

struct Entry {
  std::uint64_t suffix;
  std::string_view type;
};

constexpr Entry kTypes[] = {
    {pack("avif"), "image/avif"},
    {pack("bin"), "application/octet-stream"},
    {pack("bmp"), "image/bmp"},
    {pack("c"), "text/plain"},
    {pack("cpp"), "text/plain"},
    {pack("css"), "text/css"},
    {pack("csv"), "text/csv"},
    {pack("gif"), "image/gif"},
    {pack("gz"), "application/gzip"},
    {pack("h"), "text/plain"},
    {pack("hpp"), "text/plain"},
    {pack("htm"), "text/html"},
    {pack("html"), "text/html"},
    {pack("ico"), "image/x-icon"},
    {pack("jpeg"), "image/jpeg"},
    {pack("jpg"), "image/jpeg"},
    {pack("js"), "text/javascript"},
    {pack("json"), "application/json"},
    {pack("md"), "text/markdown"},
    {pack("mjs"), "text/javascript"},
    {pack("mp3"), "audio/mpeg"},
    {pack("mp4"), "video/mp4"},
    {pack("ogg"), "audio/ogg"},
    {pack("pdf"), "application/pdf"},
    {pack("png"), "image/png"},
    {pack("ps"), "application/postscript"},
    {pack("svg"), "image/svg+xml"},
    {pack("tar"), "application/x-tar"},
    {pack("ttf"), "font/ttf"},
    {pack("txt"), "text/plain"},
    {pack("wasm"), "application/wasm"},
    {pack("wav"), "audio/wav"},
    {pack("webm"), "video/webm"},
    {pack("webp"), "image/webp"},
    {pack("woff"), "font/woff"},
    {pack("woff2"), "font/woff2"},
    {pack("xhtml"), "application/xhtml+xml"},
    {pack("xml"), "application/xml"},
    {pack("xz"), "application/x-xz"},
    {pack("zip"), "application/zip"},
};
constexpr std::size_t kTypeCount = sizeof kTypes / sizeof kTypes[0];

constexpr bool is_sorted() {
  for (std::size_t i = 1; i < kTypeCount; ++i)
    if (kTypes[i - 1].suffix >= kTypes[i].suffix) return false;
  return true;
}
static_assert(is_sorted());

/// What follows the last '.'; empty if there is none, it begins the name, or 8 do not hold it.
std::string_view suffix_of(std::string_view path) {
  for (std::size_t i = path.size(); i > 1 && path.size() - i <= 8; --i) {
    if (path[i - 1] == '/') break;
    if (path[i - 1] == '.') return path[i - 2] == '/' ? std::string_view{} : after(path, i);
  }
  return {};
}

}  // namespace

std::string_view content_type_of(std::string_view path) {
  constexpr std::string_view kUnknown = "application/octet-stream";
  const auto suffix = suffix_of(path);
  if (suffix.empty()) return kUnknown;
  const std::uint64_t wanted = pack(suffix);
  std::size_t low = 0;
  for (std::size_t count = kTypeCount; count > 0;) {
    const std::size_t half = count / 2;
    const bool above = kTypes[low + half].suffix < wanted;
    low = above ? low + half + 1 : low;
    count = above ? count - half - 1 : half;
  }
  return low < kTypeCount && kTypes[low].suffix == wanted ? kTypes[low].type : kUnknown;
}

}  // namespace xok::http
