#include "gateway/certificate.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "gateway/scanner_client.h"

namespace redoubt::gateway {
namespace {

TEST(Certificate, is_written_once_with_a_private_key) {
  const base::TempDir dir;
  const auto made = write_system_identity(dir.path(), "gate one");
  ASSERT_TRUE(made) << made.error().message;
  struct stat info{};
  ASSERT_EQ(stat((dir / "key.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(base::read_file(dir / "system_id", 100).value(), made->system_id + "\n");
  EXPECT_EQ(made->system_id.size(), 36U);
  EXPECT_EQ(made->system_id[14], '4');
  EXPECT_EQ(certificate_fingerprint(base::read_file(dir / "cert.pem", 1 << 16).value()).value(), made->fingerprint);
  EXPECT_EQ(write_system_identity(dir.path(), "gate one").error().code, Errc::already_exists);
  EXPECT_TRUE(make_scanner_client({.host = "node",
                                   .system_id = made->system_id,
                                   .certificate_file = dir / "cert.pem",
                                   .key_file = dir / "key.pem",
                                   .trust = {.value = made->fingerprint}}));
}

TEST(Certificate, of_nothing_has_no_fingerprint) {
  EXPECT_FALSE(certificate_fingerprint(""));
  EXPECT_FALSE(certificate_fingerprint("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

}  // namespace
}  // namespace redoubt::gateway
