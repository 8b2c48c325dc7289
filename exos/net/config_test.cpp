// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/config.hpp"

#include <gtest/gtest.h>

namespace xok::exos {
namespace {

using net::Ipv4Address;

TEST(NetworkChoice, WordsAreDhcpAndNone) {
  EXPECT_EQ(parse_network("dhcp")->kind, NetworkChoice::Kind::Dhcp);
  EXPECT_EQ(parse_network("none")->kind, NetworkChoice::Kind::None);
}

TEST(NetworkChoice, AnAddressMayHaveAGatewayAndANameServer) {
  const auto whole = parse_network("192.168.7.9/20,192.168.0.1,8.8.4.4");
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->kind, NetworkChoice::Kind::Static);
  EXPECT_EQ(whole->interface.address, Ipv4Address::of(192, 168, 7, 9));
  EXPECT_EQ(whole->interface.mask, Ipv4Address::of(255, 255, 240, 0));
  EXPECT_EQ(whole->interface.gateway, Ipv4Address::of(192, 168, 0, 1));
  EXPECT_EQ(whole->dns, Ipv4Address::of(8, 8, 4, 4));
  const auto bare = parse_network("10.0.0.1/0");
  ASSERT_TRUE(bare.has_value());
  EXPECT_TRUE(bare->interface.mask.is_zero());
  EXPECT_TRUE(bare->interface.gateway.is_zero());
  const auto without_gateway = parse_network("10.0.0.1/32,,1.1.1.1");
  ASSERT_TRUE(without_gateway.has_value());
  EXPECT_EQ(without_gateway->dns, Ipv4Address::of(1, 1, 1, 1));
}

TEST(NetworkChoice, AnythingElseIsRefused) {
  for (const char* text :
       {"", "DHCP", "10.0.0.1", "10.0.0.1/", "10.0.0.1/33", "10.0.0/8", "10.0.0.256/8",
        "10.0.0.1.2/8", "10.0.0.1/8,x", "10.0.0.1/8,10.0.0.2,10.0.0.3,10.0.0.4", "-1.0.0.1/8",
        "10..0.1/8", " 10.0.0.1/8", "10.0.0.1/8 "})
    EXPECT_FALSE(parse_network(text).has_value()) << text;
}

}  // namespace
}  // namespace xok::exos
