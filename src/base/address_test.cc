#include "base/address.h"

#include <gtest/gtest.h>

namespace redoubt::base {
namespace {

TEST(Address, addresses_lie_in_prefixes_of_their_family) {
  EXPECT_TRUE(in_cidr("10.255.0.1", "10.0.0.0/8"));
  EXPECT_FALSE(in_cidr("11.0.0.1", "10.0.0.0/8"));
  EXPECT_TRUE(in_cidr("10.0.0.3", "10.0.0.2/31"));
  EXPECT_FALSE(in_cidr("10.0.0.4", "10.0.0.2/31"));
  EXPECT_TRUE(in_cidr("1.2.3.4", "0.0.0.0/0"));
  EXPECT_FALSE(in_cidr("::1", "0.0.0.0/0"));
  EXPECT_TRUE(in_cidr("fd12::1", "fd00::/8"));
  EXPECT_TRUE(in_cidr("FD12:0::1", "fd12::1"));
  EXPECT_TRUE(in_cidr("::ffff:10.0.0.1", "10.0.0.0/8"));
  EXPECT_TRUE(in_cidr("10.0.0.1", "::ffff:10.0.0.0/104"));
  for (const char* bad :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0", "fd00::/129", "x"}) {
    EXPECT_FALSE(is_prefix(bad)) << bad;
  }
  EXPECT_EQ(canonical_address("FD00:0:0::1"), "fd00::1");
  EXPECT_EQ(canonical_address("::ffff:1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(canonical_address("host"), "host");
}

}  // namespace
}  // namespace redoubt::base
