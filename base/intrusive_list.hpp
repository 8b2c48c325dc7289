// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>

namespace xok {

/// A doubly linked list whose links live in the elements: no allocation, O(1) removal.
/// An element derives from `ListNode<Tag>`; the list never owns its elements.
template <class Tag>
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  [[nodiscard]] bool linked() const { return next_ != nullptr; }

 private:
  template <class T, class U>
  friend class IntrusiveList;
  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

template <class T, class Tag = T>
class IntrusiveList {
 public:
  using Node = ListNode<Tag>;

  IntrusiveList() { head_.next_ = head_.previous_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  [[nodiscard]] bool empty() const { return head_.next_ == &head_; }
  [[nodiscard]] T* front() { return empty() ? nullptr : element(head_.next_); }

  void push_back(T& item) { insert(item, head_.previous_, &head_); }
  void push_front(T& item) { insert(item, &head_, head_.next_); }

  /// Takes the element out. It must be in this list.
  void remove(T& item) {
    Node& node = item;
    node.previous_->next_ = node.next_;
    node.next_->previous_ = node.previous_;
    node.next_ = node.previous_ = nullptr;
  }

  /// The element after `item`, or nullptr at the end.
  [[nodiscard]] T* next(T& item) {
    Node& node = item;
    return node.next_ == &head_ ? nullptr : element(node.next_);
  }

 private:
  static T* element(Node* node) { return static_cast<T*>(node); }
  static void insert(T& item, Node* before, Node* after) {
    Node& node = item;
    node.previous_ = before;
    node.next_ = after;
    before->next_ = &node;
    after->previous_ = &node;
  }

  Node head_;
};

}  // namespace xok
