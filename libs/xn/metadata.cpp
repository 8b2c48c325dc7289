// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <algorithm>

#include "base/check.hpp"
#include "libs/xn/volume.hpp"

/// Blocks change hands: allocate, free, add_edge, move; and set_type.
///
/// The rules of order, for what is reachable from a persistent root:
///   - A block is "on the disk" when a version of it is durable there. Nothing on the disk points
///   to
///     one that is not: its parents are tainted until then. So a pointer to such a block, or in
///     such a block, can vanish with no trace, and the block is free at once.
///     A parent counts as on the disk as soon as a write of it was started.
///   - Otherwise the pointer that was given up is still on the disk. An entry of the will-free list
///     hangs at the parent until the parent's new version is durable.
///   - A move, or a reference given up, leaves such an entry, too, for blocks that keep an owner:
///   as
///     long as it exists they cannot be freed.
///   - The block that gives a moved pointer up waits for the one that takes it; who gains a
///   reference
///     waits for the counted block, and that one for who gives a reference up. So the disk may
///     count a pointer twice, and count too many, but never loses one and never counts too few.
namespace xok::xn {

class Volume::Pin {
 public:
  Pin(Registry& registry, XnBuffer& buffer) : registry_{registry}, buffer_{buffer} {
    ++buffer_.users;
    registry_.settle(buffer_);
  }
  ~Pin() {
    --buffer_.users;
    registry_.settle(buffer_);
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

 private:
  Registry& registry_;
  XnBuffer& buffer_;
};

void Volume::commit(XnBuffer& buffer, const Modifications& changes) {
  apply(bytes_of(buffer), changes);
  dirty(buffer);
  if (void_count_ == 0) return;
  // A repair: partitions whose function failed and no longer does.
  const Type* type = usable_type(buffer.member);
  for (std::size_t p = 0; type != nullptr && p < type->partitions; ++p)
    if (const VoidEdge* failing = find_failing(buffer.block, p);
        failing != nullptr && runner_.owns(*type, p, bytes_of(buffer), before_))
      remove_void(*failing);
}

bool Volume::pointed_to_on_disk(const XnExtent& extent) const {
  return !temporary_.test(extent.block) && !uninitialised_.all(extent.block, extent.count);
}

bool Volume::may_be_on_disk(const XnBuffer& buffer) {
  return !buffer.is(XnFlag::Temporary) &&
         (!buffer.is(XnFlag::Uninitialised) || buffer.first_epoch != 0);
}

void Volume::release_blocks(BlockNumber block, std::uint32_t count) {
  used_.clear(block, count);
  uninitialised_.clear(block, count);
  temporary_.clear(block, count);
}

void Volume::gain_children(XnBuffer& parent, const XnExtent& extent) {
  for (BlockNumber b = extent.block; b < extent.block + extent.count; ++b) {
    XnBuffer* child = registry_.find(b);
    if (child != nullptr) {
      child->parent = parent.block;
      child->bound = ++time_;
    }
    if (parent.is(XnFlag::Temporary) || !uninitialised_.test(b)) continue;
    ++parent.uninitialised_children;
    parent.set(XnFlag::Tainted);
  }
}

void Volume::lose_children(XnBuffer& parent, const XnExtent& extent) {
  if (parent.is(XnFlag::Temporary)) return;
  for (BlockNumber b = extent.block; b < extent.block + extent.count; ++b) {
    if (!uninitialised_.test(b)) continue;
    const XnBuffer* child = registry_.find(b);
    if (child == nullptr || child->parent != parent.block || parent.uninitialised_children == 0) {
      parent.set(XnFlag::RecountTaint);
    } else {
      --parent.uninitialised_children;
    }
  }
  if (parent.uninitialised_children == 0 && !parent.is(XnFlag::RecountTaint))
    parent.clear(XnFlag::Tainted);
}

Result<> Volume::may_wait(const XnBuffer& waiter, XnBuffer& other) {
  if (waiter.waits_for != other.block && waiting(waiter)) return fail(Errc::WouldBlock);
  return may_depend(waiter, other);
}

/// Whether `waiter` may wait for `other`: it must not come about that two blocks wait for each
/// other. A block waits for `waits_for`, and for its children that are not initialised. Found by a
/// search from `other`, of bounded length; beyond it the answer is no.
Result<> Volume::may_depend(const XnBuffer& waiter, XnBuffer& other) {
  constexpr std::size_t kMaxSearch = 64;
  std::array<XnBuffer*, kMaxSearch> found;  // NOLINT: filled as far as it is read
  std::size_t count = 0;
  found[count++] = &other;
  const auto add = [&](BlockNumber block) {
    XnBuffer* next = registry_.find(block);
    const bool waits =
        next != nullptr && (next == &waiter || waiting(*next) || next->is(XnFlag::Tainted));
    if (!waits) return true;
    if (count == kMaxSearch) return false;
    found[count++] = next;
    return true;
  };
  for (std::size_t i = 0; i < count; ++i) {
    XnBuffer& b = *found[i];
    if (&b == &waiter) return fail(Errc::WouldBlock);
    if (waiting(b) && !add(b.waits_for)) return fail(Errc::WouldBlock);
    if (!XOK_TRY(tainted(b))) continue;
    const Type* type = XOK_TRY(structure_type(b));
    for (std::size_t p = 0; p < type->partitions; ++p) {
      XOK_TRY(owned(b.block, *type, p, bytes_of(b), before_));
      for (const XnExtent& e : before_.all())
        for (BlockNumber child = e.block; in_data(e) && child < e.block + e.count; ++child)
          if (uninitialised_.test(child) && !add(child)) return fail(Errc::WouldBlock);
    }
  }
  return {};
}

/// Whether a path of pointers from a root leads to the block on the disk. It does when its parent's
/// durable version was written after the parent got the pointer, and such a path leads to the
/// parent. A parent that is not cached was recycled, which needs just that.
bool Volume::linked(XnBuffer& buffer) {
  constexpr int kMaxDepth = 64;
  const XnBuffer* b = &buffer;
  for (int depth = 0; b != nullptr && b->is(XnFlag::Unlinked); ++depth) {
    if (depth == kMaxDepth || b->parent == 0 || b->is(XnFlag::Uninitialised)) return false;
    const XnBuffer* parent = registry_.find(b->parent);
    if (parent != nullptr && parent->durable <= b->bound) return false;
    b = parent;
  }
  for (XnBuffer* x = &buffer; x != nullptr && x->is(XnFlag::Unlinked);
       x = registry_.find(x->parent))
    x->clear(XnFlag::Unlinked);
  return true;
}

Result<> Volume::check_free_blocks(const XnExtent& extent) const {
  if (!in_data(extent)) return fail(Errc::BadArgument);
  if (usable_type(extent.type) == nullptr) return fail(Errc::WrongType);
  if (used_.any(extent.block, extent.count))
    return fail(will_free_.contains(extent.block, extent.count) ? Errc::WouldBlock : Errc::Exists);
  for (BlockNumber b = extent.block; b < extent.block + extent.count; ++b) {
    const XnBuffer* raw = registry_.find(b);
    if (raw != nullptr && (raw->users != 0 || raw->locker != 0 || raw->is(XnFlag::ComingIn)))
      return fail(Errc::Busy);
  }
  return {};
}

Result<> Volume::allocate(const Caller& caller, BlockNumber parent_block,
                          const Modifications& changes, const XnExtent& extent) {
  if (!open_) return fail(Errc::BadArgument);
  XOK_TRY(check_ranges(changes));
  XnBuffer* parent = XOK_TRY(structure(caller, parent_block));
  XOK_TRY(check_free_blocks(extent));
  XOK_TRY(ask(caller, *parent, XnOperation::Allocate, extent, changes));
  XOK_TRY(check_change(*parent, changes, &extent, nullptr, {}));
  {
    const Pin pin{registry_, *parent};
    XOK_TRY(make_room(extent.count));
  }

  const bool temporary = parent->is(XnFlag::Temporary);
  const bool metadata = usable_type(extent.type)->kind != XnTypeKind::Data;
  used_.set(extent.block, extent.count);
  uninitialised_.set(extent.block, extent.count);
  if (temporary) temporary_.set(extent.block, extent.count);
  for (BlockNumber b = extent.block; b < extent.block + extent.count; ++b) {
    if (XnBuffer* raw = registry_.find(b)) drop(*raw);
    auto child = registry_.insert(b);
    XOK_CHECK(child.has_value(), b);  // make_room
    (*child)->type = extent.type;
    (*child)->set(XnFlag::Uninitialised);
    if (temporary) (*child)->set(XnFlag::Temporary);
    if (!temporary && metadata) (*child)->set(XnFlag::Unlinked);
  }
  gain_children(*parent, extent);
  commit(*parent, changes);
  return {};
}

Result<> Volume::check_dying_data(const Caller& caller, const XnExtent& extent) {
  if (!used_.all(extent.block, extent.count)) return fail(Errc::BadFormat);
  if (will_free_.elsewhere(extent.block, extent.count)) return fail(Errc::WouldBlock);
  for (BlockNumber b = extent.block; b < extent.block + extent.count; ++b)
    if (registry_.find(b) != nullptr) (void)XOK_TRY(settled(caller, b));
  return {};
}

/// Whether the pointer to a metadata block can be given up; `last`: and the block with it.
Result<> Volume::check_dying(const Caller& caller, XnBuffer& child, const Type& type,
                             const Modifications& count_changes, bool& last) {
  last = true;
  if (child.page == 0) return {};  // never written, never bound: zeros
  if (child.is(XnFlag::UnknownType)) return fail(Errc::NotFound);
  XOK_TRY(check_ranges(count_changes));
  const auto found = structure_type(child);
  if (!found && type.kind == XnTypeKind::Union && found.error() == Errc::WrongType) return {};
  const Type* structure = XOK_TRY(Result<const Type*>{found});
  if (structure->has(XnFunction::RefCount)) {
    last = XOK_TRY(runner_.reference_count(*structure, bytes_of(child))) <= 1;
    XOK_TRY(
        ask(caller, child, XnOperation::Reference, {child.block, 1, child.type}, count_changes));
    if (!last)
      XOK_TRY(check_change(child, count_changes, nullptr, nullptr, {Counting::Kind::Down}));
  }
  if (last && !XOK_TRY(owns_nothing(child.block, *structure, bytes_of(child))))
    return fail(Errc::Busy);
  if (last && waiting(child)) return fail(Errc::WouldBlock);
  return {};
}

/// The blocks have no owner any more: their records go, and they are free now or later.
void Volume::let_go(XnBuffer& parent, const XnExtent& extent) {
  const bool later = pointed_to_on_disk(extent) && may_be_on_disk(parent);
  std::uint32_t inner = kXnNone;
  for (BlockNumber b = extent.block; b < extent.block + extent.count; ++b) {
    XnBuffer* child = registry_.find(b);
    if (child == nullptr) continue;
    if (child->stale != kXnNone) inner = child->stale;  // metadata: the only block of the extent
    drop(*child);
  }
  if (later) {
    will_free_.add(parent.stale, extent.block, extent.count, inner, false);
    return;
  }
  const auto release = [this](BlockNumber b, std::uint32_t n) { release_blocks(b, n); };
  will_free_.resolve_all(inner, release);
  release_blocks(extent.block, extent.count);
}

void Volume::give_up_reference(XnBuffer& parent, XnBuffer& child) {
  if (child.parent == parent.block) {
    child.parent = 0;
    if (!child.is(XnFlag::Temporary)) child.set(XnFlag::Unlinked);  // until bound by another
  }
  if (parent.waits_for == child.block && parent.waits_for_count != 0) parent.waits_for = 0;
  if (!may_be_on_disk(child) || !may_be_on_disk(parent)) return;
  will_free_.add(parent.stale, child.block, 1, kXnNone, true);
  child.waits_for_count = child.waits_for == parent.block ? child.waits_for_count : 0;
  child.waits_for = parent.block;
}

Result<> Volume::free(const Caller& caller, BlockNumber parent_block, const Modifications& changes,
                      const XnExtent& extent, const Modifications& count_changes) {
  if (!open_) return fail(Errc::BadArgument);
  XOK_TRY(check_ranges(changes));
  if (extent.count == 0) return fail(Errc::BadArgument);
  XnBuffer* parent = XOK_TRY(structure(caller, parent_block));
  XOK_TRY(ask(caller, *parent, XnOperation::Free, extent, changes));
  XOK_TRY(check_change(*parent, changes, nullptr, &extent, {}));

  // A pointer that never counted is only taken out.
  if (const VoidEdge* edge = find_void(parent_block, extent)) {
    if (edge->block != extent.block || edge->count != extent.count) return fail(Errc::BadFormat);
    remove_void(*edge);
    commit(*parent, changes);
    return {};
  }
  if (find_void(0, extent) != nullptr || !in_data(extent)) return fail(Errc::BadFormat);
  const Type* type = usable_type(extent.type);
  if (type == nullptr) return fail(Errc::WrongType);
  XOK_TRY(check_dying_data(caller, extent));
  if (will_free_.full()) return fail(Errc::NoSpace);
  XnBuffer* child = nullptr;
  bool last = true;
  if (type->kind != XnTypeKind::Data) {
    if (extent.count != 1) return fail(Errc::BadArgument);
    child = registry_.find(extent.block);
    if (child == nullptr) return fail(Errc::NotFound);
    if (child == parent) return fail(Errc::Busy);
    XOK_TRY(check_dying(caller, *child, *type, count_changes, last));
    if (!last && may_be_on_disk(*child)) XOK_TRY(may_wait(*child, *parent));
  }

  lose_children(*parent, extent);
  commit(*parent, changes);
  if (last) {
    let_go(*parent, extent);
  } else {
    commit(*child, count_changes);
    give_up_reference(*parent, *child);
  }
  return {};
}

Result<> Volume::add_edge(const Caller& caller, BlockNumber parent_block,
                          const Modifications& changes, const XnExtent& extent,
                          const Modifications& count_changes) {
  if (!open_) return fail(Errc::BadArgument);
  XOK_TRY(check_ranges(changes));
  XOK_TRY(check_ranges(count_changes));
  XnBuffer* parent = XOK_TRY(structure(caller, parent_block));
  XnBuffer* child = XOK_TRY(structure(caller, extent.block));
  if (extent.count != 1 || parent == child ||
      parent->is(XnFlag::Temporary) != child->is(XnFlag::Temporary))
    return fail(Errc::BadArgument);
  if (extent.type != child->type || !usable_type(child->member)->has(XnFunction::RefCount))
    return fail(Errc::WrongType);
  if (!used_.test(child->block) || find_void(0, extent) != nullptr) return fail(Errc::BadFormat);
  const bool ordered = !parent->is(XnFlag::Temporary);
  if (ordered) XOK_TRY(may_wait(*parent, *child));
  XOK_TRY(ask(caller, *parent, XnOperation::AddEdge, extent, changes));
  XOK_TRY(ask(caller, *child, XnOperation::Reference, extent, count_changes));
  XOK_TRY(check_change(*parent, changes, &extent, nullptr, {}));
  XOK_TRY(check_change(*child, count_changes, nullptr, nullptr, {Counting::Kind::Up}));

  if (ordered) {
    const bool waits_already = parent->waits_for == child->block && waiting(*parent);
    if (!waits_already) parent->waits_for_count = 1;
    parent->waits_for = child->block;
    if (uninitialised_.test(child->block)) {
      parent->set(XnFlag::RecountTaint);
      parent->set(XnFlag::Tainted);
    }
  }
  commit(*child, count_changes);
  commit(*parent, changes);
  return {};
}

Result<> Volume::move(const Caller& caller, BlockNumber from_block,
                      const Modifications& from_changes, BlockNumber to_block,
                      const Modifications& to_changes, const XnExtent& extent) {
  if (!open_) return fail(Errc::BadArgument);
  XOK_TRY(check_ranges(from_changes));
  XOK_TRY(check_ranges(to_changes));
  XnBuffer* from = XOK_TRY(structure(caller, from_block));
  XnBuffer* to = XOK_TRY(structure(caller, to_block));
  if (from == to || from->is(XnFlag::Temporary) != to->is(XnFlag::Temporary) || !in_data(extent) ||
      overlap(extent.block, extent.count, to_block, 1))
    return fail(Errc::BadArgument);
  if (!used_.all(extent.block, extent.count) || find_void(from_block, extent) != nullptr)
    return fail(Errc::BadFormat);
  XOK_TRY(ask(caller, *from, XnOperation::MoveOut, extent, from_changes));
  XOK_TRY(ask(caller, *to, XnOperation::MoveIn, extent, to_changes));
  XOK_TRY(check_change(*from, from_changes, nullptr, &extent, {}));
  XOK_TRY(check_change(*to, to_changes, &extent, nullptr, {}));
  const bool ordered = pointed_to_on_disk(extent) && may_be_on_disk(*from);
  if (ordered) XOK_TRY(may_wait(*from, *to));
  if (ordered && !linked(*to)) return fail(Errc::WouldBlock);
  if (ordered && will_free_.full()) return fail(Errc::NoSpace);
  if (!to->is(XnFlag::Temporary)) {
    for (BlockNumber b = extent.block; b < extent.block + extent.count; ++b)
      if (XnBuffer* child = registry_.find(b); child != nullptr && uninitialised_.test(b))
        XOK_TRY(may_depend(*to, *child));
  }

  lose_children(*from, extent);
  gain_children(*to, extent);
  if (ordered) {
    will_free_.add(from->stale, extent.block, extent.count, kXnNone, true);
    from->waits_for = to_block;
    from->waits_for_count = 0;
  }
  commit(*to, to_changes);
  commit(*from, from_changes);
  return {};
}

Result<> Volume::set_type(const Caller& caller, BlockNumber block, const Modifications& changes,
                          XnTypeId member) {
  if (!open_) return fail(Errc::BadArgument);
  XOK_TRY(check_ranges(changes));
  XnBuffer* buffer = XOK_TRY(settled(caller, block));
  if (buffer->is(XnFlag::UnknownType)) return fail(Errc::WrongType);
  if (!buffer->is(XnFlag::Present)) return fail(Errc::NotFound);
  const Type* type = usable_type(buffer->type);
  const Type* becomes = usable_type(member);
  if (type == nullptr || becomes == nullptr || type->kind != XnTypeKind::Union)
    return fail(Errc::WrongType);
  if (buffer->member != 0 || XOK_TRY(runner_.select(*type, bytes_of(*buffer))) != 0)
    return fail(Errc::WrongType);
  const auto members = std::span{type->member}.first(type->members);
  if (std::ranges::find(members, member) == members.end()) return fail(Errc::WrongType);
  XOK_TRY(ask(caller, *buffer, XnOperation::SetType, {block, 1, member}, changes));

  constexpr Window kAll{0, kBlockSize};
  overlay(kAll, bytes_of(*buffer), changes);
  if (XOK_TRY(runner_.select(*type, scratch_.data())) != member) return fail(Errc::WrongOwns);
  if (!XOK_TRY(owns_nothing(0, *becomes, scratch_.data()))) return fail(Errc::WrongOwns);
  if (becomes->has(XnFunction::RefCount) &&
      XOK_TRY(runner_.reference_count(*becomes, scratch_.data())) != 1)
    return fail(Errc::WrongOwns);
  (void)XOK_TRY(runner_.size(*becomes, scratch_.data()));
  buffer->member = member;
  commit(*buffer, changes);
  return {};
}

Result<> Volume::repair_count(const Caller& caller, BlockNumber block,
                              const Modifications& changes) {
  if (!open_) return fail(Errc::BadArgument);
  XOK_TRY(check_ranges(changes));
  XnBuffer* buffer = XOK_TRY(structure(caller, block));
  const VoidEdge* edge = find_void(0, {block, 1, 0});
  if (edge == nullptr) return fail(Errc::NotFound);
  if (!require(caller, guard_, Permission::Write))
    XOK_TRY(ask(caller, *buffer, XnOperation::Reference, {block, 1, buffer->type}, changes));
  XOK_TRY(check_change(*buffer, changes, nullptr, nullptr, {Counting::Kind::To, edge->count}));
  remove_void(*edge);
  commit(*buffer, changes);
  return {};
}

}  // namespace xok::xn
