#include "policy_filter.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "redoubt/event.pb.h"

namespace redoubt::agent {
namespace {

v1::Event file(const std::string& path, const std::string& program = "/bin/sh") {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_FILECHANGE);
  event.set_file_path(path);
  event.set_process_executable(program);
  return event;
}

v1::Event connection(const std::string& from, const std::string& to) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_CONNECTION);
  event.set_source_ip(from);
  event.set_destination_ip(to);
  return event;
}

class PolicyFilterTest : public testing::Test {
 protected:
  const base::TempDir directory_;
  const std::string path_ = directory_ / "policy.json";
  PolicyFilter filter_{path_};
};

TEST_F(PolicyFilterTest, leaves_out_what_the_policy_names) {
  EXPECT_FALSE(filter_.excludes(file("/var/cache/a")));
  ASSERT_TRUE(filter_.apply({.version = 7,
                             .programs = {"/usr/bin/restic"},
                             .paths = {"/var/cache"},
                             .networks = {"10.1.0.0/16", "fd00::/8", "192.168.7.9"}}));
  EXPECT_EQ(filter_.version(), 7U);
  EXPECT_TRUE(filter_.excludes(file("/var/cache/a")));
  EXPECT_TRUE(filter_.excludes(file("/var/cache")));
  EXPECT_FALSE(filter_.excludes(file("/var/cached/a")));
  EXPECT_TRUE(filter_.excludes(file("/etc/passwd", "/usr/bin/restic")));
  EXPECT_TRUE(filter_.excludes(connection("172.16.0.1", "10.1.255.255")));
  EXPECT_TRUE(filter_.excludes(connection("fd00::1", "2001:db8::1")));
  EXPECT_TRUE(filter_.excludes(connection("1.2.3.4", "192.168.7.9")));
  EXPECT_FALSE(filter_.excludes(connection("10.2.0.1", "192.168.7.8")));
  EXPECT_FALSE(filter_.excludes(connection("", "")));
  EXPECT_EQ(filter_.excluded(), 6U);
}

TEST_F(PolicyFilterTest, always_tells_starts_and_ends_of_programs) {
  ASSERT_TRUE(filter_.apply({.version = 1, .programs = {"/usr/bin/restic"}, .paths = {"/usr/bin"}}));
  v1::Event start;
  start.set_event_type(v1::EVENT_TYPE_PROCESS);
  start.set_process_executable("/usr/bin/restic");
  EXPECT_FALSE(filter_.excludes(start));
}

TEST_F(PolicyFilterTest, holds_after_a_restart) {
  ASSERT_TRUE(filter_.apply({.version = 3, .paths = {"/var/cache"}}));
  const PolicyFilter again(path_);
  EXPECT_EQ(again.version(), 3U);
  EXPECT_TRUE(again.excludes(file("/var/cache/a")));
}

TEST_F(PolicyFilterTest, refuses_a_malformed_policy_as_a_whole) {
  ASSERT_TRUE(filter_.apply({.version = 3, .paths = {"/var/cache"}}));
  for (const char* network : {"10.0.0.0/33", "10.0.0.0/", "x", "10.0.0.0/-1"}) {
    EXPECT_FALSE(filter_.apply({.version = 4, .networks = {network}})) << network;
  }
  EXPECT_FALSE(filter_.apply({.version = 4, .paths = {"/"}}));
  EXPECT_EQ(filter_.version(), 3U);
  EXPECT_TRUE(filter_.excludes(file("/var/cache/a")));
}

TEST_F(PolicyFilterTest, reads_no_damaged_file) {
  ASSERT_TRUE(base::write_file_atomic(path_, "{\"version\": 3, \"paths\": 7}", base::kPrivateFile));
  const PolicyFilter again(path_);
  EXPECT_EQ(again.version(), 0U);
  EXPECT_FALSE(again.excludes(file("/var/cache/a")));
}

}  // namespace
}  // namespace redoubt::agent
