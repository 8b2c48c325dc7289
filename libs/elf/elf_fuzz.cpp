// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Any bytes as a file. Property: whatever is returned lies in the file and between the limits,
// segments ascend and share no page, the entry is in one of them, names lie in the file.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/units.hpp"
#include "libs/elf/image.hpp"
#include "libs/elf/symbols.hpp"
#include "libs/elf/test_file.hpp"

namespace {

using namespace xok;
using namespace xok::elf;

constexpr Limits kLimits{0x10000, 0x8000'0000};

void require(bool condition) {
  if (!condition) std::abort();
}

void require_inside(FileRange range, std::size_t size) {
  require(range.offset <= size && range.size <= size - range.offset);
}

void check(std::span<const std::byte> file) {
  if (const auto symbols = Symbols::find(file)) {
    for (const std::uint64_t address : {0ull, 0x1000ull, 0x400200ull}) {
      const auto match = symbols->at(address);
      if (!match) continue;
      const auto* name = reinterpret_cast<const std::byte*>(match->name.data());
      require(name >= file.data() && name + match->name.size() < file.data() + file.size());
    }
  }
  const auto image = parse(file, kLimits);
  if (!image) return;
  const bool fixed = image->type == Type::Executable;
  const std::uint64_t lowest = fixed ? kLimits.lowest : 0;
  const std::uint64_t end = fixed ? kLimits.end : kLimits.end - kLimits.lowest;
  std::uint64_t free_from = lowest;
  bool entry_found = !fixed && image->entry == 0;
  require(!image->segments().empty());
  for (const Segment& segment : image->segments()) {
    require_inside(segment.file, file.size());
    require(segment.memory_size > 0 && segment.file.size <= segment.memory_size);
    require(page_floor(segment.address) >= free_from);
    require(segment.address < end && segment.memory_size <= end - segment.address);
    require((segment.address - segment.file.offset) % kPageSize == 0);
    free_from = page_ceil(segment.end());
    if (image->entry >= segment.address && image->entry < segment.end() && segment.executable)
      entry_found = true;
  }
  require(entry_found);
  if (image->program_headers) require(*image->program_headers < end);
  if (image->thread_local_storage) require_inside(image->thread_local_storage->file, file.size());
  if (image->interpreter) {
    require_inside(*image->interpreter, file.size());
    const auto path =
        interpreter_path(file.subspan(image->interpreter->offset, image->interpreter->size));
    require(!path || (!path->empty() && path->size() <= kMaxInterpreter &&
                      path->find('\0') == std::string_view::npos));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check(std::as_bytes(std::span{data, size}));
  // Changes to a good file: triples of offset (2 bytes) and value.
  auto file = test::File{}.bytes();
  for (; size >= 3; data += 3, size -= 3)
    file[static_cast<std::size_t>(data[0] | data[1] << 8) % 0x400] = std::byte{data[2]};
  check(file);
  return 0;
}
