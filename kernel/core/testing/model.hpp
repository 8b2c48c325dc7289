// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {

/// The kernel as its documentation describes it, in sets and maps: who holds which capability, what
/// each page is and what guards it, what each address space maps, who has which slice. It predicts
/// the result of a call, or the exact error, and all that changes. It shares no code with the
/// kernel but the numbers of calls and errors.
///
/// Modelled: cap_forge, cap_acquire, cap_release, pte_insert, pte_insert_range,
/// pte_modify_range, page_set_acl, env_alloc, env_free, slice_alloc, slice_free, slice_transfer;
/// without quotas, limits of pages, extended ACLs, large pages, shared or frozen tables.
///
/// Where the documentation leaves a choice to the kernel (which free page, which environment id)
/// the model takes what the kernel chose, if it was free to.
class Model {
 public:
  struct Cap {
    std::string name;
    bool write = false, allocate = false, modify = false;
    bool operator==(const Cap&) const = default;
  };
  using Acl = std::array<std::optional<Cap>, 2>;
  enum class Use : std::uint8_t { Free, User, Module, Other };
  struct Page {
    Use use = Use::Free;
    Acl acl;
    unsigned pins = 0;
  };
  struct Space {
    std::map<std::uint64_t, std::uint64_t> entries;       ///< address -> entry, not 0
    std::set<std::pair<unsigned, std::uint64_t>> tables;  ///< (level, first address)
    std::set<std::uint64_t> table_pages;                  ///< the pages they are in
    unsigned members = 0;
  };
  struct Offer {
    std::uint64_t to = 0, slot = 0, grant = 0;
  };
  struct Environment {
    std::map<std::uint64_t, Cap> slots;
    std::uint64_t uenv_page = 0;
    std::shared_ptr<Space> space;
    Offer offer;
  };
  struct SliceView {
    EnvId owner = 0;
    Cap guard;
    bool operator==(const SliceView&) const = default;
  };

  /// Begins with what is there.
  explicit Model(TestBed& bed);

  /// The caller has made a call and got `result` (nothing: it has not come back). "" or how that
  /// differs from what had to happen.
  std::string step(EnvId caller, SyscallNumber number,
                   const std::array<std::uint64_t, 6>& arguments,
                   std::optional<std::int64_t> result);
  /// The same for pte_insert_range, which found `range` in the caller's memory.
  struct Range {
    std::vector<std::uint64_t> entries;
    std::uint64_t done_address;  ///< the caller could write there
    std::uint64_t done;          ///< before
  };
  std::string step_range(EnvId caller, const std::array<std::uint64_t, 6>& arguments,
                         const Range& range, std::int64_t result);
  void offer(EnvId who, const Offer& offer) { environments_.at(who).offer = offer; }
  [[nodiscard]] const std::map<EnvId, Environment>& environments() const { return environments_; }

 private:
  struct Prediction;
  using Words = std::array<std::uint64_t, 6>;
  using Position = std::pair<std::uint64_t, std::uint64_t>;  ///< processor, position

  Prediction predict(EnvId caller, SyscallNumber number, const Words& a);
  Prediction cap_forge(EnvId caller, const Words& a);
  Prediction cap_acquire(EnvId caller, const Words& a);
  Prediction cap_release(EnvId caller, const Words& a);
  Prediction pte_insert(EnvId caller, const Words& a);
  Prediction store_absent(Space& space, std::uint64_t va, std::uint64_t entry);
  Prediction pte_modify_range(EnvId caller, const Words& a);
  Prediction page_set_acl(EnvId caller, const Words& a);
  Prediction env_alloc(EnvId caller, const Words& a);
  Prediction env_free(EnvId caller, const Words& a);
  Prediction slice_alloc(EnvId caller, const Words& a);
  Prediction slice_free(EnvId caller, const Words& a);
  Prediction slice_transfer(EnvId caller, const Words& a);
  std::optional<Errc> check_range(EnvId caller, const Words& a, const Range& range,
                                  EnvId& whose) const;
  std::string insert_all(EnvId caller, const Words& a, const Range& range, EnvId whose,
                         std::int64_t& expected, std::uint64_t& done);
  std::uint64_t real_page(EnvId whose, std::uint64_t va);
  std::optional<Errc> check_position(const Words& a) const;
  std::optional<Errc> check_slice(EnvId caller, const Words& a) const;

  [[nodiscard]] const Cap* held(EnvId caller, std::uint64_t slot) const;
  std::optional<Errc> target(EnvId caller, std::uint64_t word, EnvId& out) const;
  std::optional<Errc> named(EnvId caller, std::uint64_t word, EnvId& out) const;
  [[nodiscard]] std::uint64_t free_count() const;
  [[nodiscard]] std::uint64_t slices_of(EnvId owner) const;
  static std::uint64_t missing_tables(const Space& space, std::uint64_t va);
  static void add_tables(Space& space, std::uint64_t va);
  void unmapped(std::uint64_t page);
  void store(Space& space, std::uint64_t va, std::uint64_t entry);

  void take_tables();
  std::string adopt_tables();
  std::string compare();
  std::string compare_pages();
  std::string compare_environments();
  std::string compare_slices();

  TestBed& bed_;
  std::map<EnvId, Environment> environments_;
  std::vector<Page> pages_;
  std::map<Position, SliceView> slices_;
  std::uint64_t processors_;
};

}  // namespace xok::kernel::testing
