#include "scan/clamav.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "base/time.h"

namespace redoubt::scan {

namespace {

constexpr size_t kReplyBytesMax = 4096;
constexpr size_t kReplyTextBytesMax = 256;
constexpr int64_t kNsPerMilli = 1'000'000;
constexpr int64_t kPollMsMax = 60'000;

// Until the socket is ready for `events` or the deadline is past.
Status wait_for(int socket, short events, int64_t deadline_ns) {
  while (true) {
    const int64_t left_ms = (deadline_ns - base::boottime_ns()) / kNsPerMilli;
    if (left_ms <= 0) return fail(Errc::timeout, "time is up");
    pollfd wait{socket, events, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::min(left_ms, kPollMsMax)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return base::fail_errno("wait for clamd");
  }
}

Result<base::UniqueFd> connect_to(const std::string& path, int64_t deadline_ns) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Errc::invalid_argument, "socket path is too long: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return base::fail_errno("socket");
  constexpr int64_t kRetryMs = 5;
  while (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    // EAGAIN: clamd's queue of connections is full.
    if (errno != EAGAIN && errno != EINTR) return fail(Errc::unavailable, path + ": " + std::strerror(errno));
    if (base::boottime_ns() >= deadline_ns) return fail(Errc::timeout, "time is up");
    poll(nullptr, 0, kRetryMs);
  }
  return socket;
}

// The descriptor travels with a byte of its own, as clamd wants it.
Status send_descriptor(int socket, int descriptor, int64_t deadline_ns) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno == EAGAIN) {
      TRY_STATUS(wait_for(socket, POLLOUT, deadline_ns));
    } else if (errno != EINTR) {
      return fail(Errc::unavailable, std::string("it hung up: ") + std::strerror(errno));
    }
  }
  return {};
}

Status send_text(int socket, std::string_view text, int64_t deadline_ns) {
  while (!text.empty()) {
    const ssize_t sent = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0) text.remove_prefix(static_cast<size_t>(sent));
    if (sent < 0 && errno == EAGAIN) TRY_STATUS(wait_for(socket, POLLOUT, deadline_ns));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      return fail(Errc::unavailable, std::string("it hung up: ") + std::strerror(errno));
    }
  }
  return {};
}

// Up to the zero byte that ends it.
Result<std::string> receive_reply(int socket, int64_t deadline_ns) {
  std::string reply;
  std::array<char, 512> block;
  while (reply.size() < kReplyBytesMax) {
    TRY_STATUS(wait_for(socket, POLLIN, deadline_ns));
    const ssize_t size = recv(socket, block.data(), block.size(), 0);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size <= 0) return fail(Errc::unavailable, "it hung up before it answered");
    reply.append(block.data(), static_cast<size_t>(size));
    const size_t end = reply.find('\0');
    if (end != std::string::npos) return reply.substr(0, end);
  }
  return fail(Errc::corrupt, "its answer has no end");
}

std::string shown(std::string_view text) { return base::escape_invalid_utf8(text.substr(0, kReplyTextBytesMax)); }

}  // namespace

Result<ClamdReply> parse_clamd_reply(std::string_view reply) {
  constexpr std::string_view kFound = " FOUND";
  constexpr std::string_view kError = " ERROR";
  const bool found = reply.ends_with(kFound);
  const bool error = reply.ends_with(kError);
  const size_t colon = reply.find(": ");
  const std::string_view rest = colon == std::string_view::npos ? reply : reply.substr(colon + 2);
  if (rest == "OK") return ClamdReply{ClamdReply::Kind::clean, ""};
  if (!found && !error) return fail(Errc::corrupt, "it answered \"" + shown(reply) + "\"");
  if (rest.size() <= kFound.size()) return fail(Errc::corrupt, "it answered without a name");
  const std::string text = shown(rest.substr(0, rest.size() - kFound.size()));
  return ClamdReply{found ? ClamdReply::Kind::found : ClamdReply::Kind::error, text};
}

Result<std::string> ClamdClient::ask(std::string_view command, int descriptor, int64_t deadline_ns) const {
  TRY(const base::UniqueFd socket, connect_to(socket_path_, deadline_ns));
  TRY_STATUS(send_text(socket.get(), command, deadline_ns));
  if (descriptor >= 0) TRY_STATUS(send_descriptor(socket.get(), descriptor, deadline_ns));
  return receive_reply(socket.get(), deadline_ns);
}

Result<ClamdReply> ClamdClient::scan(const base::UniqueFd& content, int64_t deadline_ns) const {
  TRY(const std::string reply, ask(std::string_view("zFILDES\0", 8), content.get(), deadline_ns));
  return parse_clamd_reply(reply);
}

Result<std::string> ClamdClient::version(int64_t deadline_ns) const {
  TRY(const std::string reply, ask(std::string_view("zVERSION\0", 9), -1, deadline_ns));
  if (!reply.starts_with("ClamAV ")) return fail(Errc::corrupt, "its version is \"" + shown(reply) + "\"");
  return shown(reply);
}

Status ClamdClient::ping(int64_t deadline_ns) const {
  TRY(const std::string reply, ask(std::string_view("zPING\0", 6), -1, deadline_ns));
  if (reply == "PONG") return {};
  return fail(Errc::corrupt, "it answered \"" + shown(reply) + "\"");
}

Status ClamdClient::reload(int64_t deadline_ns) const {
  TRY(const std::string reply, ask(std::string_view("zRELOAD\0", 8), -1, deadline_ns));
  if (reply == "RELOADING") return {};
  return fail(Errc::unavailable, "it answered \"" + shown(reply) + "\"");
}

}  // namespace redoubt::scan
