// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/transport.hpp"

namespace xok::kernel::drivers {

// Source: virtio 1.2, section 3.1.1.
Result<std::uint64_t> negotiate(Transport& transport, std::uint64_t wanted) {
  if (!transport.reset()) return fail(Errc::NotSupported);
  std::uint8_t status = kStatusAcknowledge | kStatusDriver;
  transport.set_status(kStatusAcknowledge);
  transport.set_status(status);

  if (!transport.legacy()) wanted |= kFeatureVersion1;
  const std::uint64_t agreed = transport.device_features() & wanted;
  if (!transport.legacy() && (agreed & kFeatureVersion1) == 0) {
    transport.set_status(kStatusFailed);
    return fail(Errc::NotSupported);
  }
  transport.set_driver_features(agreed);
  if (transport.legacy()) return agreed;

  status |= kStatusFeaturesOk;
  transport.set_status(status);
  if ((transport.status() & kStatusFeaturesOk) == 0) {
    transport.set_status(kStatusFailed);
    return fail(Errc::NotSupported);
  }
  return agreed;
}

void set_ready(Transport& transport) {
  std::uint8_t status = kStatusAcknowledge | kStatusDriver | kStatusDriverOk;
  if (!transport.legacy()) status |= kStatusFeaturesOk;
  transport.set_status(status);
}

namespace {
template <class T>
T config_number(Transport& transport, std::size_t offset) {
  for (int attempt = 0; attempt < 16; attempt++) {
    const std::uint32_t before = transport.config_generation();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); i++)
      value |= std::uint64_t{transport.config8(offset + i)} << (8 * i);
    if (transport.config_generation() == before) return static_cast<T>(value);
  }
  return 0;
}
}  // namespace

std::uint16_t config16(Transport& transport, std::size_t offset) {
  return config_number<std::uint16_t>(transport, offset);
}
std::uint32_t config32(Transport& transport, std::size_t offset) {
  return config_number<std::uint32_t>(transport, offset);
}
std::uint64_t config64(Transport& transport, std::size_t offset) {
  return config_number<std::uint64_t>(transport, offset);
}

}  // namespace xok::kernel::drivers
