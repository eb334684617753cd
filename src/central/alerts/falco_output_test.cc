// Lines in Falco's format, to a file and to a real HTTP server on loopback.
#include "central/alerts/falco_output.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "central/alerts/http_post.h"

namespace redoubt::central {
namespace {

constexpr size_t kOutputMax = size_t{1} << 20;
constexpr auto kPatience = std::chrono::seconds(10);

// Answers each request with the next of the statuses; the last one for ever.
class HttpServer {
 public:
  explicit HttpServer(std::vector<int> statuses) : statuses_(std::move(statuses)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_, 16) == 0);
    CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/alerts?from=node"; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void run() {
    while (true) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      std::string request = read_request(client);
      const std::lock_guard lock(mutex_);
      const int status = statuses_[std::min(requests_.size(), statuses_.size() - 1)];
      requests_.push_back(std::move(request));
      const std::string answer = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 2\r\n\r\nok";
      EXPECT_GT(::send(client, answer.data(), answer.size(), MSG_NOSIGNAL), 0);
      ::close(client);
    }
  }

  static std::string read_request(int client) {
    std::string request;
    std::array<char, 4096> piece{};
    while (true) {
      const size_t head = request.find("\r\n\r\n");
      const size_t at = request.find("Content-Length: ");
      const size_t body = at == std::string::npos ? 0 : std::stoul(request.substr(at + 16));
      if (head != std::string::npos && request.size() >= head + 4 + body) return request;
      const ssize_t got = ::recv(client, piece.data(), piece.size(), 0);
      if (got <= 0) return request;
      request.append(piece.data(), static_cast<size_t>(got));
    }
  }

  const std::vector<int> statuses_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

template <class Condition>
bool becomes_true(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

int64_t lines_of(base::Metrics& metrics, const std::string& what, const std::string& output) {
  return metrics.counter("redoubt_falco_lines_" + what + "_total", "", "output=\"" + output + "\"").value();
}

TEST(FalcoOutput, appends_lines_to_the_file) {
  const base::TempDir directory;
  const std::string path = directory / "alerts.json";
  base::Metrics metrics;
  auto output = FalcoOutput::start({.file_path = path}, metrics);
  ASSERT_TRUE(output) << output.error().message;
  (*output)->offer(R"({"rule":"a"})");
  ASSERT_TRUE(becomes_true([&] { return lines_of(metrics, "sent", "file") == 1; }));
  std::error_code error;
  std::filesystem::rename(path, path + ".1", error);
  (*output)->offer(R"({"rule":"b"})");
  (*output)->stop();
  EXPECT_EQ(base::read_file(path + ".1", kOutputMax).value(), "{\"rule\":\"a\"}\n");
  EXPECT_EQ(base::read_file(path, kOutputMax).value(), "{\"rule\":\"b\"}\n");
}

TEST(FalcoOutput, posts_each_line_and_tries_again_where_that_helps) {
  HttpServer server({503, 200, 400, 200});
  base::Metrics metrics;
  auto output = FalcoOutput::start({.http_url = server.url()}, metrics);
  ASSERT_TRUE(output) << output.error().message;
  for (const char* line : {"{\"rule\":\"a\"}", "{\"rule\":\"b\"}", "{\"rule\":\"c\"}"}) (*output)->offer(line);
  ASSERT_TRUE(becomes_true([&] { return lines_of(metrics, "sent", "http") == 2; }));
  (*output)->stop();
  EXPECT_EQ(lines_of(metrics, "dropped", "http"), 1);  // b: the endpoint will not have it
  const std::vector<std::string> requests = server.requests();
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(requests[0], requests[1]);
  EXPECT_TRUE(requests[0].starts_with("POST /alerts?from=node HTTP/1.1\r\n")) << requests[0];
  EXPECT_NE(requests[0].find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_TRUE(requests[3].ends_with("\r\n\r\n{\"rule\":\"c\"}"));
}

TEST(FalcoOutput, never_waits_for_an_endpoint_that_is_not_there) {
  base::Metrics metrics;
  auto output = FalcoOutput::start({.http_url = "http://127.0.0.1:1/"}, metrics);
  ASSERT_TRUE(output) << output.error().message;
  const auto started = std::chrono::steady_clock::now();
  for (size_t i = 0; i < kFalcoLinesMax + 10; ++i) (*output)->offer("{}");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(1));
  EXPECT_GE(lines_of(metrics, "dropped", "http"), 9);
  (*output)->stop();
  EXPECT_EQ(lines_of(metrics, "sent", "http"), 0);
  EXPECT_EQ(lines_of(metrics, "dropped", "http"), static_cast<int64_t>(kFalcoLinesMax + 10));
}

TEST(FalcoOutput, refuses_what_is_no_address_and_a_file_that_cannot_be_written) {
  base::Metrics metrics;
  for (const char* url : {"ftp://a/", "http://", "http://a:b/", "http://me@a/", "http://a b/", "http://a/\r\nX: y"}) {
    EXPECT_FALSE(FalcoOutput::start({.http_url = url}, metrics)) << url;
  }
  EXPECT_FALSE(FalcoOutput::start({.http_url = "https://a/", .http_ca_file = "/nonexistent"}, metrics));
  EXPECT_FALSE(FalcoOutput::start({.file_path = "/nonexistent/x"}, metrics));
}

}  // namespace
}  // namespace redoubt::central
