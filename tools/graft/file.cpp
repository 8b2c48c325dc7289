// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "tools/graft/file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "libs/graft/instruction.hpp"
#include "libs/graft/object_file.hpp"

namespace xok::tools {
namespace {

bool looks_like_object_file(const std::vector<std::byte>& bytes) {
  constexpr char kMagic[] = {0x7f, 'E', 'L', 'F'};
  return bytes.size() >= sizeof kMagic && std::memcmp(bytes.data(), kMagic, sizeof kMagic) == 0;
}

constexpr const char* kRefersElsewhere =
    "refers to a variable, or to a function of another section (XOK_GRAFT_INLINE and "
    "XOK_GRAFT_PART in abi/graft.h help)";

}  // namespace

void give_up(const std::string& path, const std::string& what) {
  std::fflush(stdout);
  std::fprintf(stderr, "exo: %s: %s\n", path.c_str(), what.c_str());
  std::exit(1);
}

std::vector<std::byte> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"),
                                                             std::fclose};
  if (!file) give_up(path, std::strerror(errno));
  std::vector<std::byte> out;
  std::byte buffer[65536];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, file.get()))
    out.insert(out.end(), buffer, buffer + count);
  if (std::ferror(file.get()) != 0) give_up(path, std::strerror(errno));
  return out;
}

std::vector<NamedCode> grafts_of(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  if (!looks_like_object_file(bytes)) {
    if (bytes.empty() || bytes.size() % sizeof(graft::Instruction) != 0)
      give_up(path, "neither an object file nor instructions of 8 bytes each");
    return {{path, bytes, ""}};
  }
  const auto object = graft::ObjectFile::open(bytes);
  if (!object) give_up(path, "not an object file for BPF, or a broken one");
  std::vector<NamedCode> out;
  const auto listed = object->for_each([&](const graft::ObjectFile::Graft& graft) {
    const auto found = object->find(graft.name);
    const bool elsewhere = !found && found.error() == Errc::NotSupported;
    out.push_back({std::string{graft.name},
                   {graft.code.begin(), graft.code.end()},
                   elsewhere ? kRefersElsewhere : ""});
  });
  if (!listed) give_up(path, "a broken object file");
  if (out.empty()) give_up(path, "holds no code");
  return out;
}

NamedCode graft_of(const std::string& path, const std::string& name) {
  std::vector<NamedCode> all = grafts_of(path);
  std::string names;
  for (NamedCode& graft : all) {
    if (graft.name == name || (name.empty() && all.size() == 1)) return std::move(graft);
    names += " " + graft.name;
  }
  give_up(path,
          (name.empty() ? "which graft? It holds:" : "no graft " + name + "; it holds:") + names);
}

}  // namespace xok::tools
