#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/file.h"
#include "sensor/container/docker_json.h"
#include "sensor/container/runtime_client.h"

namespace redoubt::sensor {

namespace {

namespace http = boost::beast::http;
using DockerClock = std::chrono::steady_clock;

constexpr size_t kHeaderBytesMax = size_t{16} << 10;
constexpr int kStatusOk = 200;
constexpr int kStatusNotFound = 404;

// One request and its answer over a Unix socket, within a time.
class HttpExchange {
 public:
  explicit HttpExchange(const std::string& socket_path)
      : path_(socket_path), deadline_(DockerClock::now() + std::chrono::milliseconds(kRuntimeCallMs)) {}

  Result<std::string> get(const std::string& target) {
    TRY_STATUS(connect());
    TRY_STATUS(send_all("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    http::response_parser<http::string_body> parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(kRuntimeAnswerBytesMax);
    parser.eager(true);
    TRY_STATUS(receive(parser));
    const int status = static_cast<int>(parser.get().result_int());
    if (status == kStatusNotFound) return fail(Errc::not_found, target + " is not known");
    if (status != kStatusOk) return fail(Errc::io, target + ": status " + std::to_string(status));
    return std::move(parser.get().body());
  }

 private:
  Status connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path) return fail(Errc::invalid_argument, path_ + " is too long");
    memcpy(address.sun_path, path_.data(), path_.size());
    socket_ = base::UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_) return base::fail_errno("make a socket");
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      return fail(Errc::unavailable, "connect to " + path_ + ": " + strerror(errno));
    }
    return {};
  }

  Status wait_until(short events) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - DockerClock::now()).count();
    pollfd watched{.fd = socket_.get(), .events = events, .revents = 0};
    if (left <= 0 || poll(&watched, 1, static_cast<int>(left)) <= 0) {
      return fail(Errc::timeout, path_ + " does not answer");
    }
    return {};
  }

  Status send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return base::fail_errno("write to " + path_);
      if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
      if (sent < 0) TRY_STATUS(wait_until(POLLOUT));
    }
    return {};
  }

  // Feeds the parser until the answer is whole. What it leaves of the bytes comes before the next ones.
  Status receive(http::response_parser<http::string_body>& parser) {
    std::string held;
    std::array<char, 16384> bytes;
    while (!parser.is_done()) {
      TRY_STATUS(wait_until(POLLIN));
      const ssize_t got = recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got < 0) return base::fail_errno("read from " + path_);
      boost::beast::error_code error;
      if (got == 0) {
        parser.put_eof(error);
        if (error || !parser.is_done()) return fail(Errc::io, path_ + " breaks off");
        return {};
      }
      held.append(bytes.data(), static_cast<size_t>(got));
      const size_t used = parser.put(boost::asio::buffer(held), error);
      held.erase(0, used);
      if (error && error != http::error::need_more) return fail(Errc::io, path_ + ": " + error.message());
      if (held.size() > kRuntimeAnswerBytesMax) return fail(Errc::too_large, path_ + " says too much");
    }
    return {};
  }

  std::string path_;
  DockerClock::time_point deadline_;
  base::UniqueFd socket_;
};

class DockerClient final : public RuntimeClient {
 public:
  explicit DockerClient(std::string socket) : socket_(std::move(socket)) {}

  Result<ContainerFacts> describe(const std::string& id) override {
    TRY(const std::string json, HttpExchange(socket_).get("/containers/" + id + "/json"));
    TRY(DockerContainer container, read_docker_container(json));
    if (container.facts.image_digest.empty() && is_image_id(container.image_id)) {
      const auto image = HttpExchange(socket_).get("/images/" + container.image_id + "/json");
      auto digest = image ? read_docker_digest(*image) : Result<std::string>(std::string());
      if (digest) container.facts.image_digest = *std::move(digest);
    }
    return std::move(container.facts);
  }

 private:
  // It comes from an answer and goes into a request.
  static bool is_image_id(std::string_view id) {
    return !id.empty() && id.find_first_not_of("sha256:0123456789abcdef") == std::string_view::npos;
  }

  std::string socket_;
};

}  // namespace

std::unique_ptr<RuntimeClient> make_docker_client(const std::string& socket) {
  return std::make_unique<DockerClient>(socket);
}

}  // namespace redoubt::sensor
