// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <algorithm>

#include "libs/xn/volume.hpp"

/// The type catalogue and the root catalogue. A record lies in one sector: the disk has it as it
/// was or as it is. What a record needs (code, a root block of zeros) is durable before it is
/// written.
namespace xok::xn {
namespace {

/// Cuts the concatenated code of a type into functions, as its blocks come by.
class CodeReader {
 public:
  CodeReader(const TypeRecord& record, std::span<std::byte> room) : record_{record}, room_{room} {}

  /// Calls `load(function, code)` for each function that ends in these bytes.
  template <class Load>
  Result<> feed(std::span<const std::byte> bytes, Load&& load) {
    while (function_ < kXnFunctions) {
      const std::size_t length = record_.code_bytes[function_];
      if (length > room_.size()) return fail(Errc::NoSpace);
      const std::size_t taken = std::min(length - filled_, bytes.size());
      if (taken != 0) __builtin_memcpy(room_.data() + filled_, bytes.data(), taken);
      filled_ += taken;
      bytes = bytes.subspan(taken);
      if (filled_ < length) return {};
      if (length != 0) XOK_TRY(load(function_, room_.first(length)));
      ++function_;
      filled_ = 0;
    }
    return {};
  }

 private:
  const TypeRecord& record_;
  std::span<std::byte> room_;
  std::size_t function_ = 0;
  std::size_t filled_ = 0;
};

XnTypeInfo describe(const Type& type, XnTypeId id) {
  XnTypeInfo out{type.name, id, type.kind, type.partitions, type.members, 0};
  for (std::size_t f = 0; f < kXnFunctions; ++f)
    if (type.functions[f]) out.functions = static_cast<std::uint8_t>(out.functions | 1u << f);
  return out;
}

TypeRecord record_of(const Type& type) {
  TypeRecord r{};
  r.kind = type.kind;
  r.partitions = type.partitions;
  r.members = type.members;
  r.max_owned = type.max_owned;
  r.name = type.name;
  r.owner = type.owner;
  r.member = type.member;
  r.windows = type.windows;
  return r;
}

}  // namespace

Result<> Volume::load_type(XnTypeId id, const TypeRecord& record) {
  Type& type = memory_.types[id - 1];
  type.known = true;
  type.name = record.name;
  type.owner = record.owner;
  code_used_ = std::max(code_used_, record.code_block + record.code_blocks);
  if (code_used_ > layout_.code_blocks) return fail(Errc::BadFormat);
  if (record.kind == XnTypeKind::None) return {};
  type.partitions = record.partitions;
  type.members = record.members;
  type.max_owned = record.max_owned;
  type.member = record.member;
  type.windows = record.windows;
  CodeReader reader{record, memory_.code};
  const auto load = [&](std::size_t f, std::span<const std::byte> code) -> Result<> {
    auto program = load_program(code, free_slots_);
    if (!program) return fail(program.error());
    type.functions[f].emplace(*program);
    return {};
  };
  std::uint64_t sum = 0;
  XOK_TRY(reader.feed({}, load));
  for (std::uint32_t i = 0; i < record.code_blocks; ++i) {
    XOK_TRY(read_block(layout_.code_start() + record.code_block + i));
    sum = checksum(block_, sum);
    if (auto fed = reader.feed(block_, load); !fed)
      return fail(fed.error() == Errc::NoSpace ? Errc::NoSpace : Errc::BadFormat);
  }
  type.kind = record.kind;
  if (sum != record.code_checksum || !check_shape(type) || !runner_.trace(type))
    return fail(Errc::BadFormat);
  compile_functions(type);
  return {};
}

/// Those that cannot be compiled, for want of room, are interpreted.
void Volume::compile_functions(Type& type) {
  if (code_ == nullptr) return;
  for (std::size_t f = 0; f < kXnFunctions; ++f) {
    const auto& program = type.functions[f];
    if (!program || program->slots().size() > memory_.notes.size()) continue;
    const auto length = graft::compile(*program, memory_.machine_code, memory_.notes);
    if (!length) continue;
    const auto placed = code_->place(memory_.machine_code.first(*length));
    if (placed) type.compiled[f].emplace(*program, graft::Reads::Ignored, *placed);
  }
}

Result<> Volume::load_types() {
  for (std::uint32_t b = 0; b < layout_.type_blocks; ++b) {
    // Loading a type uses block_.
    XOK_TRY(disk_.read_now(layout_.types_start() + b, scratch_));
    for (std::size_t i = 0; i < kTypesPerBlock; ++i) {
      TypeRecord record{};
      if (!XOK_TRY(parse_type(scratch_, i, record))) continue;
      const std::size_t index = b * kTypesPerBlock + i;
      if (index >= memory_.types.size()) return fail(Errc::NoSpace);
      XOK_TRY(load_type(static_cast<XnTypeId>(index + 1), record));
    }
  }
  for (const Type& type : memory_.types)
    for (const XnTypeId member : std::span{type.member}.first(type.members))
      if (usable_type(member) == nullptr || usable_type(member)->kind != XnTypeKind::Metadata)
        return fail(Errc::BadFormat);
  return {};
}

Result<> Volume::write_type(XnTypeId id, const TypeRecord& record) {
  const std::size_t index = id - 1;
  const BlockNumber place = layout_.types_start() + index / kTypesPerBlock;
  XOK_TRY(read_block(place));
  store_type(block_, index % kTypesPerBlock, record);
  XOK_TRY(write_block(place));
  return disk_.flush_now();
}

Result<XnTypeId> Volume::reserve_type(const Caller& caller, std::string_view name) {
  if (!open_) return fail(Errc::BadArgument);
  const auto text = XOK_TRY(make_name(name));
  const Capability owner = XOK_TRY(require(caller, guard_, Permission::Allocate));
  const auto taken = [&](const Type& type) { return type.known && type.name == text; };
  if (std::ranges::any_of(memory_.types, taken)) return fail(Errc::Exists);
  const auto free = std::ranges::find_if(memory_.types, [](const Type& t) { return !t.known; });
  const auto index = static_cast<std::size_t>(free - memory_.types.begin());
  if (index >= info().max_types) return fail(Errc::NoSpace);
  Type type{};
  type.known = true;
  type.name = text;
  type.owner = owner;
  const auto id = static_cast<XnTypeId>(index + 1);
  XOK_TRY(write_type(id, record_of(type)));
  *free = type;
  return id;
}

Result<> Volume::store_code(const TypeSource& source, TypeRecord& record) {
  std::uint64_t bytes = 0;
  for (std::size_t f = 0; f < kXnFunctions; ++f) {
    record.code_bytes[f] = static_cast<std::uint32_t>(source.functions[f].size());
    bytes += source.functions[f].size();
  }
  record.code_block = code_used_;
  record.code_blocks = static_cast<std::uint32_t>((bytes + kBlockSize - 1) / kBlockSize);
  if (record.code_blocks > layout_.code_blocks - code_used_) return fail(Errc::NoSpace);
  std::size_t function = 0;
  std::size_t done = 0;
  for (std::uint32_t i = 0; i < record.code_blocks; ++i) {
    block_ = {};
    for (std::size_t filled = 0; filled < kBlockSize && function < kXnFunctions;) {
      const auto rest = source.functions[function].subspan(done);
      const std::size_t taken = std::min(rest.size(), kBlockSize - filled);
      if (taken != 0) __builtin_memcpy(block_.data() + filled, rest.data(), taken);
      filled += taken;
      done += taken;
      if (taken != rest.size()) continue;
      ++function;
      done = 0;
    }
    record.code_checksum = checksum(block_, record.code_checksum);
    XOK_TRY(write_block(layout_.code_start() + record.code_block + i));
  }
  return disk_.flush_now();
}

Result<> Volume::import_type(const Caller& caller, XnTypeId id, const TypeSource& source) {
  if (!open_) return fail(Errc::BadArgument);
  if (id == 0 || id > memory_.types.size() || !memory_.types[id - 1].known)
    return fail(Errc::NotFound);
  Type& reserved = memory_.types[id - 1];
  if (reserved.kind != XnTypeKind::None) return fail(Errc::Exists);
  (void)XOK_TRY(require(caller, reserved.owner, Permission::Allocate));
  if (source.members.size() > kXnMaxMembers) return fail(Errc::BadArgument);

  Type type = reserved;
  type.kind = source.kind;
  type.partitions = source.partitions;
  type.max_owned = source.max_owned;
  type.windows = source.windows;
  type.members = static_cast<std::uint8_t>(source.members.size());
  for (std::size_t i = 0; i < source.members.size(); ++i) {
    type.member[i] = source.members[i];
    const Type* member = usable_type(source.members[i]);
    if (member == nullptr || member->kind != XnTypeKind::Metadata) return fail(Errc::BadArgument);
  }
  // Slots are taken only if all goes well.
  std::span<graft::Program::Slot> slots = free_slots_;
  for (std::size_t f = 0; f < kXnFunctions; ++f) {
    if (source.functions[f].empty()) continue;
    if (source.functions[f].size() > memory_.code.size()) return fail(Errc::NoSpace);
    auto program = load_program(source.functions[f], slots);
    if (!program) return fail(program.error());
    type.functions[f].emplace(*program);
  }
  XOK_TRY(check_shape(type));
  XOK_TRY(runner_.trace(type));
  TypeRecord record = record_of(type);
  XOK_TRY(store_code(source, record));
  XOK_TRY(write_type(id, record));
  code_used_ += record.code_blocks;
  free_slots_ = slots;
  reserved = type;
  compile_functions(reserved);
  return {};
}

Result<XnTypeId> Volume::mount_type(std::string_view name) const {
  for (std::size_t i = 0; i < memory_.types.size(); ++i) {
    const Type& type = memory_.types[i];
    if (type.kind != XnTypeKind::None && name_of(type.name) == name)
      return static_cast<XnTypeId>(i + 1);
  }
  return fail(Errc::NotFound);
}

Result<XnTypeInfo> Volume::type_info(XnTypeId id) const {
  if (id == 0 || id > memory_.types.size() || !memory_.types[id - 1].known)
    return fail(Errc::NotFound);
  return describe(memory_.types[id - 1], id);
}

Result<> Volume::load_roots() {
  std::size_t next = 0;
  for (std::uint32_t b = 0; b < layout_.root_blocks; ++b) {
    XOK_TRY(read_block(layout_.roots_start() + b));
    for (std::size_t i = 0; i < kRootsPerBlock; ++i) {
      RootRecord r{};
      if (!XOK_TRY(parse_root(block_, i, r))) continue;
      const Type* type = usable_type(r.type);
      if (!in_data({r.block, 1, r.type}) || type == nullptr || type->kind == XnTypeKind::Data ||
          find_root(name_of(r.name)) != nullptr || is_root(r.block))
        return fail(Errc::BadFormat);
      if (next == memory_.roots.size()) return fail(Errc::NoSpace);
      memory_.roots[next++] = {r.name, r.block, r.type, r.owner, false};
    }
  }
  return {};
}

Root* Volume::find_root(std::string_view name) {
  for (Root& root : memory_.roots)
    if (root.block != 0 && name_of(root.name) == name) return &root;
  return nullptr;
}

bool Volume::is_root(BlockNumber block) const {
  return std::ranges::any_of(memory_.roots, [&](const Root& r) { return r.block == block; });
}

/// Puts a root into the catalogue on disk, or takes it out.
Result<> Volume::write_root(const Root& root, bool present) {
  for (std::uint32_t b = 0; b < layout_.root_blocks; ++b) {
    const BlockNumber place = layout_.roots_start() + b;
    XOK_TRY(read_block(place));
    for (std::size_t i = 0; i < kRootsPerBlock; ++i) {
      RootRecord r{};
      const bool taken = XOK_TRY(parse_root(block_, i, r));
      if (present ? taken : !taken || r.name != root.name) continue;
      if (present) {
        r.type = root.type;
        r.name = root.name;
        r.block = root.block;
        r.owner = root.owner;
        store_root(block_, i, r);
      } else {
        clear_root(block_, i);
      }
      XOK_TRY(write_block(place));
      return disk_.flush_now();
    }
  }
  return fail(Errc::NoSpace);
}

XnRootInfo Volume::show(const Root& root) {
  return {root.name, root.block, root.type, static_cast<std::uint8_t>(root.temporary ? 1 : 0), {}};
}

Result<> Volume::install_root(const Caller& caller, std::string_view name, XnTypeId type_id,
                              BlockNumber block, bool temporary) {
  if (!open_) return fail(Errc::BadArgument);
  const auto text = XOK_TRY(make_name(name));
  const Capability owner = XOK_TRY(require(caller, guard_, Permission::Allocate));
  if (find_root(name) != nullptr) return fail(Errc::Exists);
  XOK_TRY(check_free_blocks({block, 1, type_id}));
  const Type* type = usable_type(type_id);
  if (type->kind == XnTypeKind::Data) return fail(Errc::WrongType);
  const auto free = std::ranges::find_if(memory_.roots, [](const Root& r) { return r.block == 0; });
  if (free == memory_.roots.end()) return fail(Errc::NoSpace);
  XOK_TRY(make_room(1));
  const PageNumber page = XOK_TRY(new_page());
  const Root root{text, block, type_id, owner, temporary};
  if (!temporary) {
    // First the zeros, then the pointer to them.
    block_ = {};
    Result<> written = write_block(block);
    if (written) written = disk_.flush_now();
    if (written) written = write_root(root, true);
    if (!written) {
      pages_.release(page);
      return written;
    }
  }
  if (XnBuffer* raw = registry_.find(block)) drop(*raw);
  XnBuffer* buffer = *registry_.insert(block);  // make_room
  buffer->type = type_id;
  buffer->page = page.value;
  buffer->flags = bit(XnFlag::Present) | bit(XnFlag::Root);
  if (temporary) {
    buffer->set(XnFlag::Temporary);
    buffer->set(XnFlag::Dirty);  // nothing of it is on the disk
    temporary_.set(block);
  }
  registry_.settle(*buffer);
  used_.set(block);
  *free = root;
  return {};
}

Result<XnRootInfo> Volume::mount_root(std::string_view name) {
  if (!open_) return fail(Errc::BadArgument);
  const Root* root = find_root(name);
  if (root == nullptr) return fail(Errc::NotFound);
  XnBuffer* buffer = registry_.find(root->block);
  if (buffer != nullptr && buffer->is_any(bit(XnFlag::ComingIn))) return fail(Errc::Busy);
  if (buffer == nullptr) {
    XOK_TRY(make_room(1));
    const PageNumber page = XOK_TRY(new_page());
    const BlockBytes bytes{pages_.bytes(page), kBlockSize};
    if (auto read = disk_.read_now(root->block, bytes); !read) {
      pages_.release(page);
      return fail(read.error());
    }
    buffer = *registry_.insert(root->block);  // make_room
    buffer->page = page.value;
    buffer->set(XnFlag::Present);
    buffer->durable = ++time_;
  }
  buffer->clear(XnFlag::UnknownType);
  buffer->type = root->type;
  buffer->set(XnFlag::Root);
  if (root->temporary) buffer->set(XnFlag::Temporary);
  registry_.settle(*buffer);
  return show(*root);
}

Result<> Volume::uninstall_root(const Caller& caller, std::string_view name) {
  if (!open_) return fail(Errc::BadArgument);
  Root* root = find_root(name);
  if (root == nullptr) return fail(Errc::NotFound);
  if (!require(caller, root->owner, Permission::Write))
    (void)XOK_TRY(require(caller, guard_, Permission::Write));
  XnBuffer* buffer = XOK_TRY(settled(caller, root->block));
  if (buffer->users != 0 || waiting(*buffer)) return fail(Errc::Busy);
  const auto type = structure_type(*buffer);
  if (!type && type.error() != Errc::WrongType) return fail(type.error());
  if (type && !XOK_TRY(owns_nothing(buffer->block, **type, bytes_of(*buffer))))
    return fail(Errc::Busy);
  if (!root->temporary) XOK_TRY(write_root(*root, false));
  // The catalogue no longer points to it, on disk, nor to what it pointed to.
  std::uint32_t chain = buffer->stale;
  drop(*buffer);
  will_free_.resolve_all(chain, [this](BlockNumber b, std::uint32_t n) { release_blocks(b, n); });
  release_blocks(root->block, 1);
  *root = {};
  return {};
}

Result<XnRootInfo> Volume::root_info(std::size_t index) const {
  std::size_t seen = 0;
  for (const Root& root : memory_.roots)
    if (root.block != 0 && seen++ == index) return show(root);
  return fail(Errc::NotFound);
}

}  // namespace xok::xn
