// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace xok {

/// Permission bits, in a capability held and in an ACL entry alike.
enum class Permission : std::uint8_t {
  None = 0,      ///< reading, where the name dominates
  Write = 1,     ///< change the resource
  Allocate = 2,  ///< allocate under this name
  Modify = 4,    ///< holder: may duplicate (forge); ACL entry: may modify the ACL
  All = 7,
};

constexpr Permission operator|(Permission a, Permission b) {
  return static_cast<Permission>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

/// A hierarchical capability, 8 bytes: one header byte and up to 7 bytes of name.
///
///   header  bits 0-2 permissions, bit 3 valid, bit 4 pointer (kernel only), bits 5-7 name length
///   name    A stands above B when A's name is a prefix of B's; the root's name is empty
///
/// The bytes are names, not secrets: what counts is that the kernel holds them in a list per
/// environment, and calls name a slot of that list.
/// Source: thesis ch. 3; original sys/xok/capability.h.
struct Capability {
  std::uint8_t header = 0;
  std::array<std::uint8_t, 7> name{};

  static constexpr std::uint8_t kValid = 1u << 3;
  static constexpr std::uint8_t kPointer = 1u << 4;
  static constexpr std::size_t kMaxName = 7;

  /// A valid capability of the given name. More than 7 bytes gives an invalid one.
  static constexpr Capability make(std::initializer_list<std::uint8_t> name_bytes,
                                   Permission permissions = Permission::All) {
    Capability c;
    if (name_bytes.size() > kMaxName) return c;
    c.header = static_cast<std::uint8_t>(static_cast<std::uint8_t>(permissions) | kValid |
                                         name_bytes.size() << 5);
    std::size_t i = 0;
    for (const std::uint8_t byte : name_bytes) c.name[i++] = byte;
    return c;
  }

  [[nodiscard]] constexpr bool valid() const { return (header & kValid) != 0; }
  [[nodiscard]] constexpr bool pointer() const { return (header & kPointer) != 0; }
  [[nodiscard]] constexpr std::size_t length() const { return header >> 5; }
  [[nodiscard]] constexpr bool grants(Permission want) const {
    const auto w = static_cast<unsigned>(want);
    return (header & w) == w;
  }
  /// As the 64-bit value that travels in a register (header in the low byte).
  [[nodiscard]] constexpr std::uint64_t bits() const;
  static constexpr Capability from_bits(std::uint64_t value);
  constexpr bool operator==(const Capability&) const = default;
};
static_assert(sizeof(Capability) == 8 && std::endian::native == std::endian::little);

constexpr std::uint64_t Capability::bits() const { return std::bit_cast<std::uint64_t>(*this); }
constexpr Capability Capability::from_bits(std::uint64_t value) {
  return std::bit_cast<Capability>(value);
}

/// The capability that stands above all others.
inline constexpr Capability kRootCapability = Capability::make({});

/// First name bytes the kernel itself uses as guards.
inline constexpr std::uint8_t kDiskName = 128;       ///< 128.<disk>
inline constexpr std::uint8_t kConsoleName = 129;    ///< 129.<port>
inline constexpr std::uint8_t kInterfaceName = 130;  ///< 130.<interface>
inline constexpr std::uint8_t kFilterName = 192;     ///< 192: may insert filters

/// Slots of an environment's capability list. Slot 0 also guards the environment itself.
inline constexpr std::size_t kCapabilitySlots = 24;

}  // namespace xok
