#include "sensor/auth/auth_message.h"

#include <gtest/gtest.h>

namespace redoubt::sensor {
namespace {

// "sshd login root publickey 192.0.2.7:50022"
std::string short_text(std::string_view bytes) {
  const auto message = parse_auth_message(bytes);
  if (!message) return "none";
  std::string text(message->service);
  for (const std::string_view part : {message->action, message->user, message->method, message->source_ip}) {
    if (!part.empty()) text += " " + std::string(part);
  }
  if (message->source_port) text += ":" + std::to_string(*message->source_port);
  if (message->user_id) text += " uid " + std::to_string(*message->user_id);
  return text;
}

TEST(AuthMessage, tells_who_came_in_through_ssh) {
  EXPECT_EQ(short_text("<86>Nov 25 20:00:00 sshd[123]: Accepted publickey for root from 192.0.2.7 port 50022 ssh2: "
                       "ED25519 SHA256:x"),
            "sshd login root publickey 192.0.2.7:50022");
  EXPECT_EQ(short_text("<86>Nov 25 20:00:00 sshd-session[123]: Accepted password for al ice from fd00::1 port 1 ssh2"),
            "sshd login al ice password fd00::1:1");
  EXPECT_EQ(
      short_text("<38>Nov  5 20:00:00 sshd[9]: Failed password for invalid user x from y from 192.0.2.7 port 2 ssh2"),
      "sshd login_failed x from y password 192.0.2.7:2");
  EXPECT_EQ(
      short_text("<38>Nov  5 20:00:00 sshd[9]: Failed none for invalid user admin from not-an-address port 2 ssh2"),
      "sshd");
}

TEST(AuthMessage, tells_sessions_and_failures_of_pam) {
  EXPECT_EQ(
      short_text("<86>Nov 25 20:00:00 su: pam_unix(su:session): session opened for user root(uid=0) by (uid=1000)"),
      "su login root uid 0");
  EXPECT_EQ(short_text("<86>Nov 25 20:00:00 CRON[7]: pam_unix(cron:session): session closed for user root"),
            "CRON logout root");
  EXPECT_EQ(
      short_text("<85>Nov 25 20:00:00 sshd[7]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 "
                 "tty=ssh ruser= rhost=192.0.2.7  user=alice"),
      "sshd login_failed alice 192.0.2.7");
  EXPECT_EQ(short_text("<85>Nov 25 20:00:00 x: pam_unix(x:auth): something else"), "x");
}

TEST(AuthMessage, tells_commands_that_are_run_as_another) {
  EXPECT_EQ(short_text("<85>Nov 25 20:00:00 sudo:    alice : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/id"),
            "sudo command root");
  EXPECT_EQ(short_text("<81>Nov 25 20:00:00 sudo:    alice : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; "
                       "COMMAND=/usr/bin/id"),
            "sudo command_refused root");
  EXPECT_EQ(short_text("<86>Nov 25 20:00:00 su[3]: (to root) alice on pts/1"), "su command root");
  EXPECT_EQ(short_text("<85>Nov 25 20:00:00 su[3]: FAILED SU (to root) alice on pts/1"), "su command_refused root");
}

TEST(AuthMessage, refuses_what_is_no_message) {
  for (const char* bytes : {"", "<", "<86", "<86>", "<x>sshd: y", "<86>no colon", "<86>two words: y", "<99999>a: b"}) {
    EXPECT_EQ(short_text(bytes), "none") << bytes;
  }
  EXPECT_EQ(short_text("<86>/usr/sbin/sshd[1]: x\n"), "sshd");
}

}  // namespace
}  // namespace redoubt::sensor
