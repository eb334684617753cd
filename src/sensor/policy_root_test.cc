// Policies in the kernel: what is asked for is told, what is excluded is not, from one moment to the next.
#include "sensor/policy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/file.h"
#include "redoubt/event.pb.h"
#include "sensor/test_cgroup.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

void touch(const std::string& path) { close(open(path.c_str(), O_WRONLY | O_CREAT, 0600)); }
void read_open(const std::string& path) { close(open(path.c_str(), O_RDONLY)); }

class SensorPolicyTest : public SensorTest {
 protected:
  void watch_under(const SensorPolicy& policy) {
    SensorOptions options;
    options.policy = policy;
    watch(options);
  }
  // Runs it in a child, and waits until all that the child did has been told.
  pid_t told(const std::function<void()>& act) {
    const pid_t pid = in_child(act);
    EXPECT_EQ(finish(pid), 0);
    EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
    return pid;
  }
  size_t count(const std::string& action, const std::string& path) { return events_.all(is_file(action, path)).size(); }

  base::TempDir directory_;
};

TEST_F(SensorPolicyTest, tells_reads_of_credentials_as_it_comes) {
  watch_under({});
  const pid_t pid = told([] {
    read_open("/etc/shadow");
    read_open("/etc/passwd");
    read_open("/proc/self/environ");
    read_open("/proc/self/status");
    close(open("/etc/pam.d", O_RDONLY | O_DIRECTORY));
  });
  const auto shadow = events_.all(is_file("read", "/etc/shadow"));
  ASSERT_FALSE(shadow.empty());
  EXPECT_EQ(shadow.back().file_open_flags(), "O_RDONLY");
  EXPECT_EQ(shadow.back().file_type(), "file");
  const std::string environment = "/proc/" + std::to_string(pid) + "/environ";
  ASSERT_EQ(count("read", environment), 1U);
  EXPECT_EQ(events_.all(is_file("read", environment))[0].file_claimed_path(), "/proc/self/environ");
  const auto by_child = [&](const std::string& path) {
    return events_.all([&](const v1::Event& e) { return e.process_pid() == pid && is_file("read", path)(e); });
  };
  ASSERT_EQ(by_child("/etc/pam.d").size(), 1U);
  EXPECT_EQ(by_child("/etc/pam.d")[0].file_type(), "dir");
  EXPECT_TRUE(by_child("/etc/passwd").empty());
  EXPECT_EQ(count("read", "/proc/" + std::to_string(pid) + "/status"), 0U);
}

TEST_F(SensorPolicyTest, goes_by_the_real_path_of_what_is_read) {
  const std::string real = directory_ / "keys";
  SensorPolicy policy;
  policy.read_paths = {real + "/**", directory_ / "one"};
  watch_under(policy);
  ASSERT_EQ(mkdir(real.c_str(), 0700), 0);
  ASSERT_EQ(mkdir((real + "/deep").c_str(), 0700), 0);
  ASSERT_EQ(symlink(real.c_str(), (directory_ / "alias").c_str()), 0);
  for (const char* name : {"keys/a", "keys/deep/b", "one", "one-more"}) touch(directory_ / name);
  told([&] {
    read_open(directory_ / "alias/a");
    read_open(real + "/deep/b");
    read_open(directory_ / "one");
    read_open(directory_ / "one-more");
  });
  EXPECT_EQ(count("read", real + "/a"), 1U);
  EXPECT_EQ(count("read", real + "/deep/b"), 1U);
  EXPECT_EQ(count("read", directory_ / "one"), 1U);
  EXPECT_EQ(count("read", directory_ / "one-more"), 0U);
  // A directory that gets another name is another directory.
  const std::string renamed = directory_ / "renamed";
  told([&] {
    if (rename(real.c_str(), renamed.c_str()) != 0) _exit(1);
    read_open(renamed + "/a");
    if (rename(renamed.c_str(), real.c_str()) != 0) _exit(1);
    read_open(real + "/a");
  });
  EXPECT_EQ(count("read", renamed + "/a"), 0U);
  EXPECT_EQ(count("read", real + "/a"), 2U);
}

TEST_F(SensorPolicyTest, leaves_out_excluded_paths) {
  const std::string noise = directory_ / "noise";
  const std::string other = directory_ / "other";
  SensorPolicy policy;
  policy.excluded_paths = {noise + "/**"};
  watch_under(policy);
  ASSERT_EQ(mkdir(noise.c_str(), 0700), 0);
  const pid_t pid = told([&] {
    touch(noise + "/f");
    touch(other);
    chmod((noise + "/f").c_str(), 0700);
    rename((noise + "/f").c_str(), (noise + "/g").c_str());
    const int here = open(noise.c_str(), O_RDONLY | O_DIRECTORY);
    mkdirat(here, "d", 0700);
    unlinkat(here, "d", AT_REMOVEDIR);
    // What leaves the directory is told, and what is reached through it.
    rename((noise + "/g").c_str(), (directory_ / "out").c_str());
    mkdirat(here, "../outside", 0700);
  });
  const auto all = events_.all(
      [&](const v1::Event& e) { return e.process_pid() == pid && e.event_type() == v1::EVENT_TYPE_FILECHANGE; });
  std::string seen;
  for (const v1::Event& event : all) seen += event.event_action() + " " + event.file_path() + "\n";
  EXPECT_EQ(seen,
            "create " + other + "\nrename " + (directory_ / "out") + "\nmkdir " + (directory_ / "outside") + "\n");
}

TEST_F(SensorPolicyTest, counts_what_it_leaves_out_by_kind) {
  const std::string noise = directory_ / "noise";
  SensorPolicy policy;
  policy.excluded_paths = {noise + "/**"};
  policy.excluded_networks = {"127.99.99.99"};
  SensorOptions options;
  options.policy = policy;
  start(options);
  ASSERT_EQ(mkdir(noise.c_str(), 0700), 0);
  const auto excluded = [&](std::string_view kind) {
    for (const KindAccount& row : sensor().account().kinds) {
      if (row.name == kind) return row.excluded;
    }
    return uint64_t{0};
  };
  told([&] {
    const int here = open(noise.c_str(), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 3; ++i) touch(noise + "/f");
    mkdirat(here, "d", 0700);
    touch(directory_ / "told");
    read_open(noise + "/f");
    rename((noise + "/f").c_str(), (noise + "/g").c_str());
    sockaddr_in peer{.sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {}, .sin_zero = {}};
    inet_pton(AF_INET, "127.99.99.99", &peer.sin_addr);
    for (int i = 0; i < 2; ++i) {
      connect(socket(AF_INET, SOCK_STREAM, 0), reinterpret_cast<const sockaddr*>(&peer), sizeof peer);
    }
  });
  // In the tier tracepoint the user side leaves out a rename, when it knows where both paths lead.
  EXPECT_EQ(excluded("filechange"), is_lsm() ? 5U : 4U);
  EXPECT_EQ(excluded("connection"), 2U);
  EXPECT_EQ(excluded("process"), 0U);
}

TEST_F(SensorPolicyTest, leaves_out_excluded_programs) {
  SensorPolicy policy;
  policy.excluded_programs = {real_path("/bin/sh")};
  watch_under(policy);
  const pid_t pid = launch({"/bin/sh", "-c", "echo > " + (directory_ / "by-shell") + "; mkdir " + (directory_ / "d")});
  EXPECT_EQ(finish(pid), 0);
  EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
  EXPECT_EQ(count("mkdir", directory_ / "d"), 1U) << "another program";
  EXPECT_EQ(count("create", directory_ / "by-shell"), 0U);
}

TEST_F(SensorPolicyTest, leaves_out_excluded_cgroups) {
  const TestCgroup cgroup;
  if (!cgroup.made()) GTEST_SKIP() << "skipped: no writable cgroup version 2";
  SensorPolicy policy;
  policy.excluded_cgroups = {cgroup.name() + "/**"};
  watch_under(policy);
  told([&] {
    touch(directory_ / "before");
    cgroup.enter();
    touch(directory_ / "inside");
  });
  EXPECT_EQ(count("create", directory_ / "before"), 1U);
  EXPECT_EQ(count("create", directory_ / "inside"), 0U);
}

TEST_F(SensorPolicyTest, is_exchanged_while_it_holds) {
  const std::string path = directory_ / "f";
  watch_under({});
  touch(path);
  SensorPolicy reads;
  reads.read_paths = {path};
  SensorPolicy nothing;
  nothing.excluded_paths = {directory_.path() + "/**"};
  for (int round = 0; round < 3; ++round) {
    const size_t before = count("read", path);
    ASSERT_TRUE(apply(reads).has_value());
    told([&] { read_open(path); });
    EXPECT_EQ(count("read", path), before + 1);
    ASSERT_TRUE(apply(nothing).has_value());
    told([&] {
      read_open(path);
      touch(path);
    });
    EXPECT_EQ(count("read", path), before + 1);
    EXPECT_EQ(count("write", path), 0U);
  }
  SensorPolicy wrong;
  wrong.read_paths = {"no-slash"};
  EXPECT_FALSE(apply(wrong).has_value());
  told([&] { touch(path); });
  EXPECT_EQ(count("write", path), 0U) << "the policy before it is still in force";
}

TEST_F(SensorPolicyTest, costs_unwanted_calls_nothing) {
  SensorPolicy policy;
  policy.unwanted = {"filechange.mkdir", "filechange.delete"};
  watch_under(policy);
  const auto act = [&] {
    mkdir((directory_ / "d").c_str(), 0700);
    rmdir((directory_ / "d").c_str());
    touch(directory_ / "f");
    unlinkat(AT_FDCWD, (directory_ / "f").c_str(), 0);
  };
  told(act);
  EXPECT_EQ(count("mkdir", directory_ / "d"), 0U);
  EXPECT_EQ(count("rmdir", directory_ / "d"), 1U);
  EXPECT_EQ(count("create", directory_ / "f"), 1U);
  EXPECT_EQ(count("delete", directory_ / "f"), 0U) << "its call makes other events too";
  ASSERT_TRUE(apply(SensorPolicy{}).has_value());
  told(act);
  EXPECT_EQ(count("mkdir", directory_ / "d"), 1U);
  EXPECT_EQ(count("delete", directory_ / "f"), 1U);
}

}  // namespace
}  // namespace redoubt::sensor
