// What a message of PAM, sshd, sudo or su means. Pure; the text is whatever a program wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::sensor {

// Parts that the message does not tell are empty.
struct AuthMessage {
  std::string_view service;  // who wrote it: sshd, sudo, su, login, cron
  std::string_view text;     // what it says, without the log's own head
  // login, logout: a session was opened, closed; login_failed; command: something was run as another user;
  // command_refused. Empty: the message is about something else.
  std::string_view action;
  std::string_view user;           // who logs in, or as whom a command is run
  std::optional<int64_t> user_id;  // of them
  std::string_view method;         // password, publickey
  std::string_view source_ip;
  std::optional<int64_t> source_port;
};

// `bytes` is a datagram of syslog(3): "<86>Nov 25 20:00:00 sshd[123]: text". Nothing for what is none.
std::optional<AuthMessage> parse_auth_message(std::string_view bytes);

}  // namespace redoubt::sensor
