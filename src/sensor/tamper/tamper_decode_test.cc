#include "sensor/tamper/tamper_decode.h"

#include <gtest/gtest.h>

#include <csignal>

namespace redoubt::sensor {
namespace {

TEST(TamperDecode, refuses_a_short_record) {
  alignas(8) char bytes[sizeof(rd_tamper)] = {};
  EXPECT_TRUE(decode_tamper({bytes, sizeof bytes}));
  EXPECT_FALSE(decode_tamper({bytes, sizeof bytes - 1}));
}

TEST(TamperDecode, names_signals) {
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(signal_name(SIGSTOP), "SIGSTOP");
  EXPECT_EQ(signal_name(50), "SIG50");
  EXPECT_EQ(signal_name(4'000'000'000U), "SIG4000000000");
}

}  // namespace
}  // namespace redoubt::sensor
