#include "sensor/privilege/capability.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

namespace redoubt::sensor {
namespace {

constexpr uint64_t bit(unsigned number) { return uint64_t{1} << number; }

TEST(Capability, names_a_set_in_the_order_of_numbers) {
  EXPECT_EQ(capability_names(0), "");
  EXPECT_EQ(capability_names(bit(CAP_SYS_ADMIN) | bit(CAP_CHOWN)), "CAP_CHOWN CAP_SYS_ADMIN");
}

TEST(Capability, agrees_with_the_numbers_of_the_kernel) {
  EXPECT_EQ(capability_names(bit(CAP_NET_RAW)), "CAP_NET_RAW");
  EXPECT_EQ(capability_names(bit(CAP_SYS_MODULE)), "CAP_SYS_MODULE");
  EXPECT_EQ(capability_names(bit(CAP_SYS_PTRACE)), "CAP_SYS_PTRACE");
  EXPECT_EQ(capability_names(bit(CAP_SETFCAP)), "CAP_SETFCAP");
  EXPECT_EQ(capability_names(bit(CAP_BPF)), "CAP_BPF");
  EXPECT_EQ(capability_names(bit(CAP_LAST_CAP)), "CAP_CHECKPOINT_RESTORE");
}

TEST(Capability, keeps_those_of_later_kernels) { EXPECT_EQ(capability_names(bit(63)), "CAP_63"); }

}  // namespace
}  // namespace redoubt::sensor
