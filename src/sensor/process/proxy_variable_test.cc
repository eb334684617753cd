#include "sensor/process/proxy_variable.h"

#include <gtest/gtest.h>

#include "sensor/process/process_record.h"

namespace redoubt::sensor {
namespace {

TEST(ProxyVariable, is_told_without_user_and_password) {
  EXPECT_EQ(without_credentials("http_proxy=http://user:password@proxy.example:3128"),
            "http_proxy=http://***@proxy.example:3128");
  EXPECT_EQ(without_credentials("HTTPS_PROXY=user:password@proxy.example"), "HTTPS_PROXY=***@proxy.example");
  EXPECT_EQ(without_credentials("ALL_PROXY=socks5h://user@[::1]:1080/"), "ALL_PROXY=socks5h://***@[::1]:1080/");
  EXPECT_EQ(without_credentials("ftp_proxy=http://user:p@ss/w?rd@host"), "ftp_proxy=http://***@host");
  EXPECT_EQ(without_credentials("http_proxy=us@er://:pw@host"), "http_proxy=***@host");
}

TEST(ProxyVariable, is_told_as_it_is_without_credentials) {
  for (const char* variable :
       {"http_proxy=http://proxy.example:3128", "http_proxy=", "http_proxy=proxy.example",
        "no_proxy=localhost,.example", "NOTE=me:too@here", "LD_PRELOAD=/lib/a@b.so", "http_proxy", "=http://a:b@c"}) {
    EXPECT_EQ(without_credentials(variable), variable);
  }
}

TEST(ProxyVariable, hides_all_of_a_value_that_is_cut_within) {
  const std::string begin = "http_proxy=http://user:";
  const std::string cut = begin + std::string(RD_VARIABLE_MAX - 1 - begin.size(), 'p');
  EXPECT_EQ(without_credentials(cut), "http_proxy=http://***");
}

}  // namespace
}  // namespace redoubt::sensor
