// Programs really write to a system log, of a mount namespace of their own, and the events are compared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include <map>

#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

using testing::HasSubstr;

// Fails the child if a step does not work.
void must(bool done) {
  if (!done) _exit(9);
}

class AuthTest : public SensorTest {
 protected:
  // A child with /dev/log in a place of its own: whoever writes there finds a reader.
  pid_t with_log(const std::function<void()>& act) {
    return in_child([&] {
      must(unshare(CLONE_NEWNS) == 0);
      must(mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
      must(mount("tmpfs", "/run", "tmpfs", 0, nullptr) == 0);
      const int log = socket(AF_UNIX, SOCK_DGRAM, 0);
      sockaddr_un own{.sun_family = AF_UNIX, .sun_path = "/run/log"};
      must(bind(log, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
      // devtmpfs or not: a link where there is none, else the file is laid over what stands there.
      if (symlink("/run/log", "/dev/log") != 0) must(mount("/run/log", "/dev/log", nullptr, MS_BIND, nullptr) == 0);
      act();
    });
  }
  void TearDown() override {
    SensorTest::TearDown();
    char target[64] = {};
    if (readlink("/dev/log", target, sizeof target - 1) > 0 && std::string(target) == "/run/log") unlink("/dev/log");
  }
  std::vector<v1::Event> told_by(pid_t pid) {
    EXPECT_EQ(finish(pid), 0);
    EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
    return events_.all([](const v1::Event& event) { return event.event_type() == v1::EVENT_TYPE_AUTHENTICATION; });
  }
};

TEST_F(AuthTest, tells_what_a_service_says_of_logins) {
  watch();
  const pid_t pid = with_log([] {
    openlog("sshd", LOG_PID, LOG_AUTH);
    syslog(LOG_AUTHPRIV | LOG_INFO, "Accepted publickey for alice from 192.0.2.7 port 50022 ssh2: ED25519 SHA256:x");
    syslog(LOG_AUTH | LOG_INFO, "Failed password for root from 2001:db8::7 port 4 ssh2");
    syslog(LOG_DAEMON | LOG_INFO, "Accepted publickey for nobody from 192.0.2.8 port 1 ssh2");
  });
  const auto told = told_by(pid);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].event_action(), "login");
  EXPECT_EQ(told[0].log_service(), "sshd");
  EXPECT_EQ(told[0].user_target_name(), "alice");
  EXPECT_EQ(told[0].authentication_method(), "publickey");
  EXPECT_EQ(told[0].source_ip(), "192.0.2.7");
  EXPECT_EQ(told[0].source_port(), 50022);
  EXPECT_EQ(told[0].process_pid(), pid);
  EXPECT_EQ(told[0].process_executable(), own_executable());
  EXPECT_THAT(told[0].message(), HasSubstr("ED25519 SHA256:x"));
  EXPECT_EQ(told[1].event_action(), "login_failed");
  EXPECT_EQ(told[1].user_target_name(), "root");
  EXPECT_EQ(told[1].source_ip(), "2001:db8::7");
}

TEST_F(AuthTest, does_not_take_the_word_of_others) {
  watch();
  const pid_t pid = with_log([] {
    must(chmod("/run/log", 0666) == 0);
    must(setgid(65534) == 0 && setuid(65534) == 0);
    openlog("sshd", LOG_PID, LOG_AUTHPRIV);
    syslog(LOG_INFO, "Accepted publickey for root from 192.0.2.7 port 50022 ssh2");
  });
  EXPECT_TRUE(told_by(pid).empty());
}

TEST_F(AuthTest, tells_sessions_that_su_opens) {
  watch();
  const pid_t pid = with_log([] { execl("/bin/su", "su", "nobody", "-s", "/bin/true", nullptr); });
  std::map<std::string, v1::Event> told;  // by action; what else PAM's modules say is told too
  for (v1::Event& event : told_by(pid)) told.emplace(event.event_action(), std::move(event));
  for (const char* action : {"command", "login", "logout"}) {
    ASSERT_TRUE(told.contains(action)) << action;
    EXPECT_EQ(told[action].user_target_name(), "nobody") << action;
    EXPECT_EQ(told[action].log_service(), "su") << action;
  }
  EXPECT_EQ(told["login"].user_target_id(), 65534);
  EXPECT_EQ(told["command"].process_executable(), real_path("/bin/su"));
}

}  // namespace
}  // namespace redoubt::sensor
