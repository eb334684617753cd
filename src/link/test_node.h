// For tests: a node's end of the link on loopback, with a handler that keeps what arrives.
#pragma once

#include <gtest/gtest.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "link/certificate.h"
#include "link/node/link_server.h"
#include "link/test_frames.h"

namespace redoubt::link {

template <class Done>
bool eventually(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// Keeps what arrives as a node would: by host, each number once.
class TestHandler final : public FrameHandler {
 public:
  Result<uint64_t> agent_connected(const AgentIdentity& agent, const AgentHello& hello) override {
    const std::lock_guard lock(mutex_);
    ++connected;
    if (refused_hosts.contains(agent.host_id)) return fail(Errc::permission_denied, "revoked");
    identity = agent;
    last_hello = hello;
    return std::max(claimed_sequence, stored_[agent.host_id][hello.boot_id].highest());
  }
  Status take_frame(const AgentIdentity& agent, event::Frame frame) override {
    std::unique_lock lock(mutex_);
    EXPECT_EQ(inside_[agent.host_id]++, 0) << "two calls for one host at once";
    ++calls;
    open_.wait(lock, [&] { return !blocked_hosts.contains(agent.host_id); });
    --inside_[agent.host_id];
    if (failing > 0) {
      --failing;
      return fail(Errc::exhausted, "disk is full");
    }
    if (frame.first_sequence <= reject_sequence && reject_sequence <= frame.last_sequence) {
      return fail(Errc::invalid_argument, "frame is not to the taste of the test");
    }
    Received& stored = stored_[agent.host_id][frame.boot_id];
    if (frame.last_sequence <= stored.highest()) {
      ++repeats;
      return {};
    }
    stored.add(frame);
    return {};
  }
  std::optional<HostPolicy> take_report(const AgentIdentity&, const HostReport& report) override {
    const std::lock_guard lock(mutex_);
    ++reports;
    last_report = report;
    return policy.version == report.policy_version ? std::nullopt : std::optional(policy);
  }
  Result<std::string> renew(const AgentIdentity& agent, const std::string& request_pem) override {
    const std::lock_guard lock(mutex_);
    ++renewals;
    if (renewing_ca.key_pem.empty()) return fail(Errc::unsupported, "not today");
    return sign_request(renewing_ca, request_pem, renewed_name.empty() ? agent.host_id : renewed_name);
  }
  void agent_disconnected(const AgentIdentity&) override {
    const std::lock_guard lock(mutex_);
    ++disconnected;
  }

  Received stored(const std::string& host, const std::string& boot = "boot") {
    const std::lock_guard lock(mutex_);
    return stored_[host][boot];
  }
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    open_.notify_all();
  }

  // Under change().
  std::set<std::string> refused_hosts;
  std::set<std::string> blocked_hosts;
  uint64_t reject_sequence = 0;
  uint64_t claimed_sequence = 0;  // what a Welcome says at least
  int failing = 0;
  AgentIdentity identity;
  AgentHello last_hello;
  HostReport last_report;
  HostPolicy policy;
  KeyAndCertificate renewing_ca;  // no key: renewals are refused
  std::string renewed_name;       // the host that renewed certificates name; empty: the one that asks
  std::atomic<int> reports = 0;
  std::atomic<int> renewals = 0;
  std::atomic<int> calls = 0;
  std::atomic<int> repeats = 0;
  std::atomic<int> connected = 0;
  std::atomic<int> disconnected = 0;

 private:
  std::mutex mutex_;
  std::condition_variable open_;
  std::map<std::string, std::map<std::string, Received>> stored_;
  std::map<std::string, int> inside_;
};

struct Node {
  explicit Node(size_t reports_per_second = 300) : reports_per_second_max(reports_per_second) {
    const std::vector<std::string> names = {"node.test", "127.0.0.1"};
    certificate = make_server_certificate(ca, names).value();
    start();
  }
  void start() {
    auto started = LinkServer::start({.address = "127.0.0.1:" + std::to_string(port),
                                      .ca_pem = ca.certificate_pem,
                                      .certificate_pem = certificate.certificate_pem,
                                      .key_pem = certificate.key_pem,
                                      .node_version = "test",
                                      .reports_per_second_max = reports_per_second_max},
                                     handler);
    ASSERT_TRUE(started) << started.error().message;
    server = *std::move(started);
    port = server->port();
  }
  // A client certificate for `host`, of this node's CA or another.
  KeyAndCertificate client(const std::string& host) const { return client_of(ca, host); }
  static KeyAndCertificate client_of(const KeyAndCertificate& ca, const std::string& host) {
    const auto own = make_request(host).value();
    return {.key_pem = own.key_pem, .certificate_pem = sign_request(ca, own.request_pem, host).value()};
  }

  TestHandler handler;
  const size_t reports_per_second_max;
  const KeyAndCertificate ca = make_ca("test").value();
  KeyAndCertificate certificate;
  int port = 0;
  std::unique_ptr<LinkServer> server;
};

}  // namespace redoubt::link
