#include "sensor/auth/auth_message.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/address.h"

namespace redoubt::sensor {

namespace {

constexpr size_t kStampBytes = 16;  // "Nov 25 20:00:00 "
constexpr size_t kServiceBytesMax = 48;
constexpr size_t kUserBytesMax = 256;

// Takes `prefix` off the front of `text` if it stands there.
bool skip(std::string_view prefix, std::string_view& text) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// What stands before `end`, which is taken off too; nothing where `end` does not come.
std::optional<std::string_view> before(std::string_view end, std::string_view& text) {
  const size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return part;
}

std::string_view word(std::string_view text) { return text.substr(0, text.find_first_of(" ,;:()")); }

std::optional<int64_t> number(std::string_view digits) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) return std::nullopt;
  return value;
}

// The value behind "; name=" or " name="; to the end of the word.
std::string_view value_of(std::string_view name, std::string_view text) {
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const bool begins = at == 0 || text[at - 1] == ' ';
    const size_t end = at + name.size();
    if (begins && end < text.size() && text[end] == '=') return word(text.substr(end + 1));
  }
  return {};
}

void set_user(std::string_view name, AuthMessage& message) { message.user = name.substr(0, kUserBytesMax); }

// "USER from IP port N …": a name may have blanks, so the last "from" counts.
bool take_origin(std::string_view text, AuthMessage& message) {
  const size_t at = text.rfind(" from ");
  if (at == std::string_view::npos) return false;
  std::string_view name = text.substr(0, at);
  skip("invalid user ", name);
  std::string_view origin = text.substr(at + 6);
  const auto address = before(" port ", origin);
  if (!address || !base::parse_address(*address)) return false;
  set_user(name, message);
  message.source_ip = *address;
  message.source_port = number(word(origin));
  return true;
}

bool parse_sshd(std::string_view text, AuthMessage& message) {
  const bool accepted = skip("Accepted ", text);
  if (!accepted && !skip("Failed ", text)) return false;
  const auto method = before(" for ", text);
  if (!method || !take_origin(text, message)) return false;
  message.method = *method;
  message.action = accepted ? "login" : "login_failed";
  return true;
}

// "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)"
bool parse_pam(std::string_view text, AuthMessage& message) {
  if (!skip("pam_", text)) return false;
  const auto module = before("(", text);
  const auto service = before(":", text);
  const auto stack = before("): ", text);
  if (!module || !service || !stack) return false;
  if (*stack == "session") {
    const bool opened = skip("session opened for user ", text);
    if (!opened && !skip("session closed for user ", text)) return false;
    set_user(word(text), message);
    std::string_view rest = text.substr(std::min(message.user.size(), text.size()));
    if (skip("(uid=", rest)) message.user_id = number(word(rest));
    message.action = opened ? "login" : "logout";
    return true;
  }
  if (*stack != "auth" || !skip("authentication failure;", text)) return false;
  set_user(value_of("user", text), message);
  if (const std::string_view host = value_of("rhost", text); base::parse_address(host)) message.source_ip = host;
  message.action = "login_failed";
  return true;
}

// "    alice : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/id", with a reason in front where it is refused.
bool parse_sudo(std::string_view text, AuthMessage& message) {
  const size_t target = text.find(" ; USER=");
  const size_t command = text.find(" ; COMMAND=");
  const size_t colon = text.find(" : ");
  if (target == std::string_view::npos || command == std::string_view::npos || colon == std::string_view::npos) {
    return false;
  }
  set_user(word(text.substr(target + 8)), message);
  message.action = text.substr(colon + 3).starts_with("TTY=") || text.substr(colon + 3).starts_with("PWD=")
                       ? "command"
                       : "command_refused";
  return true;
}

// "(to root) alice on pts/1", "FAILED SU (to root) alice on pts/1"
bool parse_su(std::string_view text, AuthMessage& message) {
  const bool failed = skip("FAILED SU ", text);
  if (!skip("(to ", text)) return false;
  const auto user = before(") ", text);
  if (!user) return false;
  set_user(*user, message);
  message.action = failed ? "command_refused" : "command";
  return true;
}

// "<86>", a stamp in the form of ctime or none, then "sshd[123]: ".
bool take_head(std::string_view bytes, AuthMessage& message) {
  if (!skip("<", bytes)) return false;
  const auto priority = before(">", bytes);
  if (!priority || priority->size() > 3 || !number(*priority)) return false;
  if (bytes.size() > kStampBytes && bytes[3] == ' ' && bytes[9] == ':' && bytes[12] == ':' && bytes[15] == ' ') {
    bytes.remove_prefix(kStampBytes);
  }
  auto service = before(": ", bytes);
  if (!service) return false;
  *service = service->substr(0, service->find('['));
  *service = service->substr(service->rfind('/') + 1);
  if (service->empty() || service->size() > kServiceBytesMax || service->find(' ') != std::string_view::npos)
    return false;
  message.service = *service;
  while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\0')) bytes.remove_suffix(1);
  message.text = bytes;
  return true;
}

// OpenSSH 9.8 and later say it from a program of their own.
constexpr std::string_view kSshdSession = "sshd-session";

}  // namespace

std::optional<AuthMessage> parse_auth_message(std::string_view bytes) {
  AuthMessage message;
  if (!take_head(bytes, message)) return std::nullopt;
  if (message.service == kSshdSession) message.service = "sshd";
  using Parser = bool (*)(std::string_view, AuthMessage&);
  struct Row {
    std::string_view service;  // empty: whoever says it
    Parser parse;
  };
  constexpr std::array kParsers = {Row{"", parse_pam}, Row{"sshd", parse_sshd}, Row{"sudo", parse_sudo},
                                   Row{"su", parse_su}};
  for (const Row& row : kParsers) {
    if ((row.service.empty() || row.service == message.service) && row.parse(message.text, message)) break;
  }
  return message;
}

}  // namespace redoubt::sensor
