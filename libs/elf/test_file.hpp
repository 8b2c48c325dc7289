// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "libs/elf/format.hpp"

/// Builds small ELF files for tests. Host only.
namespace xok::elf::test {

using Bytes = std::vector<std::byte>;

template <class T>
void put(Bytes& file, std::size_t offset, const T& value) {
  if (file.size() < offset + sizeof value) file.resize(offset + sizeof value);
  std::memcpy(file.data() + offset, &value, sizeof value);
}

inline void put_text(Bytes& file, std::size_t offset, std::string_view text) {
  if (file.size() < offset + text.size()) file.resize(offset + text.size());
  std::memcpy(file.data() + offset, text.data(), text.size());
}

/// A program in two segments, text at 0x400000 and data at 0x402000, that tests then break.
struct File {
  FileHeader header{.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                    .type = kTypeExecutable,
                    .machine = kMachineX86_64,
                    .version = 1,
                    .entry = 0x400200,
                    .program_headers = 64,
                    .section_headers = 0,
                    .flags = 0,
                    .header_size = 64,
                    .program_header_size = 56,
                    .program_header_count = 0,  // `bytes` fills it in
                    .section_header_size = 64,
                    .section_header_count = 0,
                    .section_names = 0};
  ProgramHeader text{kPtLoad, kFlagRead | kFlagExecute, 0, 0x400000, 0, 0x1000, 0x1000, 0x1000};
  ProgramHeader data{kPtLoad, kFlagRead | kFlagWrite, 0x1000, 0x402000, 0, 0x80, 0x300, 0x1000};
  std::vector<ProgramHeader> more;
  std::size_t size = 0x2000;

  Bytes bytes() const {
    Bytes out(size);
    FileHeader complete = header;
    if (complete.program_header_count == 0)
      complete.program_header_count = static_cast<std::uint16_t>(2 + more.size());
    put(out, 0, complete);
    std::size_t at = sizeof complete;
    for (const ProgramHeader& entry : {text, data}) put(out, at, entry), at += sizeof entry;
    for (const ProgramHeader& entry : more) put(out, at, entry), at += sizeof entry;
    return out;
  }
};

}  // namespace xok::elf::test
