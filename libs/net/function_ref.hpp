// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace xok::net {

template <class Signature>
class FunctionRef;

/// A borrowed callable: two words, passed by value as a function argument, never stored in state
/// (the code address in it means something in one process only). The callable must outlive it.
///
/// Cost     one indirect call
/// Source   own; the shape of P0792 std::function_ref
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> &&
             std::is_invocable_r_v<R, F&, Args...>)
  FunctionRef(
      F&& callable)  // NOLINT(google-explicit-constructor, bugprone-forwarding-reference-overload)
      : object_{const_cast<void*>(static_cast<const void*>(std::addressof(callable)))},
        call_{[](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }} {}

  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace xok::net
