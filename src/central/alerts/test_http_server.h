// A real HTTP server on loopback for tests of what posts to one.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace redoubt::central {

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

constexpr auto kPatience = std::chrono::seconds(10);

template <class Condition>
bool becomes_true(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace redoubt::central
