#include "link/agent/enrolment.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cctype>
#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "link/certificate.h"

namespace redoubt::link {
namespace {

const std::string kHost = "0b7c1a52-9c3f-4f0e-8d7a-2f6d1f0f6a11";

// A node that takes one connection, reads one request and answers what `answer` makes of its body.
class OneShotNode {
 public:
  using Answer = std::function<std::string(const std::string& body)>;

  explicit OneShotNode(Answer answer, int tls_version = TLS1_3_VERSION)
      : answer_(std::move(answer)), version_(tls_version) {
    const std::vector<std::string> names = {"node.test", "127.0.0.1"};
    certificate = make_server_certificate(ca, names).value();
    listener_ = base::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~OneShotNode() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string fingerprint() const { return read_certificate(certificate.certificate_pem)->fingerprint; }
  EnrolmentRequest request() const {
    return {.server = "127.0.0.1:" + std::to_string(port),
            .fingerprint = fingerprint(),
            .token = "one-time-token",
            .host_name = "test-host",
            .timeout = std::chrono::seconds(10)};
  }

  const KeyAndCertificate ca = make_ca("test").value();
  KeyAndCertificate certificate;
  int port = 0;
  std::string received;  // once the client is done

 private:
  void serve() {
    const base::UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) return;
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_max_proto_version(context, version_);
    const base::TempDir dir;
    EXPECT_TRUE(write_key_and_certificate(certificate, dir / "key", dir / "pem"));
    SSL_CTX_use_certificate_file(context, (dir / "pem").c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context, (dir / "key").c_str(), SSL_FILETYPE_PEM);
    SSL* const tls = SSL_new(context);
    SSL_set_fd(tls, connection.get());
    if (SSL_accept(tls) == 1) talk(tls);
    SSL_free(tls);
    SSL_CTX_free(context);
  }
  void talk(SSL* tls) {
    char buffer[16384];
    while (true) {
      const int count = SSL_read(tls, buffer, sizeof buffer);
      if (count <= 0) return;
      received.append(buffer, static_cast<size_t>(count));
      const size_t head = received.find("\r\n\r\n");
      const size_t length_at = received.find("Content-Length: ");
      if (head == std::string::npos || length_at == std::string::npos) continue;
      const size_t length = std::stoul(received.substr(length_at + 16));
      if (received.size() < head + 4 + length) continue;
      const std::string out = answer_(received.substr(head + 4));
      SSL_write(tls, out.data(), static_cast<int>(out.size()));
      SSL_shutdown(tls);
      return;
    }
  }

  Answer answer_;
  int version_;
  base::UniqueFd listener_;
  std::thread thread_;
};

std::string http_answer(int status, const nlohmann::json& body) {
  const std::string text = body.dump();
  return "HTTP/1.1 " + std::to_string(status) +
         " x\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}

nlohmann::json good_answer(const KeyAndCertificate& ca, const std::string& body) {
  const auto request = nlohmann::json::parse(body);
  return {{"host_id", kHost},
          {"certificate", sign_request(ca, request.at("csr").get<std::string>(), kHost).value()},
          {"ca", ca.certificate_pem},
          {"link_address", "127.0.0.1:8444"}};
}

TEST(Enrolment, gives_an_identity_that_survives_on_disk) {
  OneShotNode node([&](const std::string& body) { return http_answer(200, good_answer(node.ca, body)); });
  const auto identity = enrol(node.request());
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->host_id, kHost);
  EXPECT_EQ(identity->server_name, "node.test");
  EXPECT_EQ(identity->link_address, "127.0.0.1:8444");
  const base::TempDir dir;
  EXPECT_EQ(load_identity(dir.path()).error().code, Errc::not_found);
  ASSERT_TRUE(save_identity(*identity, dir.path()));
  struct stat status{};
  ASSERT_EQ(stat(identity_path(dir.path()).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const auto loaded = load_identity(dir.path()).value();
  EXPECT_EQ(loaded.key_pem, identity->key_pem);
  EXPECT_EQ(loaded.certificate_pem, identity->certificate_pem);
  ASSERT_TRUE(base::write_file_atomic(identity_path(dir.path()), "{\"host_id\":1}", 0600));
  EXPECT_EQ(load_identity(dir.path()).error().code, Errc::corrupt);
}

TEST(Enrolment, sends_nothing_to_a_node_with_another_fingerprint) {
  OneShotNode node([](const std::string&) { return std::string(); });
  EnrolmentRequest request = node.request();
  request.fingerprint = std::string(64, 'a');
  const auto refused = enrol(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::permission_denied);
  EXPECT_NE(refused.error().message.find(node.fingerprint()), std::string::npos);
  EXPECT_EQ(node.received, "");
}

TEST(Enrolment, reads_a_fingerprint_as_openssl_prints_it) {
  OneShotNode node([&](const std::string& body) { return http_answer(200, good_answer(node.ca, body)); });
  EnrolmentRequest request = node.request();
  std::string printed;
  for (size_t i = 0; i < request.fingerprint.size(); ++i) {
    if (i != 0 && i % 2 == 0) printed += ':';
    printed += static_cast<char>(std::toupper(request.fingerprint[i]));
  }
  request.fingerprint = printed;
  EXPECT_TRUE(enrol(request));
}

TEST(Enrolment, says_why_the_node_refuses) {
  OneShotNode node([](const std::string&) {
    return http_answer(403, {{"error", {{"code", "permission_denied"}, {"message", "token is used up"}}}});
  });
  const auto refused = enrol(node.request());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::permission_denied);
  EXPECT_NE(refused.error().message.find("token is used up"), std::string::npos) << refused.error().message;
}

TEST(Enrolment, refuses_older_tls) {
  OneShotNode node([](const std::string&) { return std::string(); }, TLS1_2_VERSION);
  EXPECT_FALSE(enrol(node.request()));
  EXPECT_EQ(node.received, "");
}

TEST(Enrolment, believes_no_answer_that_does_not_fit) {
  const auto other_ca = make_ca("other").value();
  const std::vector<std::function<void(nlohmann::json&)>> spoil = {
      [](nlohmann::json& answer) { answer.erase("host_id"); },
      [](nlohmann::json& answer) { answer["host_id"] = "another"; },
      [](nlohmann::json& answer) { answer["certificate"] = "x"; },
      [](nlohmann::json& answer) { answer["link_address"] = "nowhere"; },
      [&](nlohmann::json& answer) { answer["ca"] = other_ca.certificate_pem; },
      [](nlohmann::json& answer) { answer = nlohmann::json::array(); },
      [](nlohmann::json& answer) { answer["padding"] = std::string(200'000, 'x'); },
  };
  for (size_t i = 0; i < spoil.size(); ++i) {
    OneShotNode node([&](const std::string& body) {
      auto answer = good_answer(node.ca, body);
      spoil[i](answer);
      return http_answer(200, answer);
    });
    const auto refused = enrol(node.request());
    EXPECT_FALSE(refused) << "spoiled answer " << i;
  }
}

TEST(Enrolment, tells_wrong_arguments_from_a_dead_node) {
  const EnrolmentRequest good{.server = "127.0.0.1:1", .fingerprint = std::string(64, 'a'), .token = "t"};
  EXPECT_EQ(enrol(good).error().code, Errc::unavailable);
  for (const char* const server : {"", "node", ":8443", "node:"}) {
    EnrolmentRequest bad = good;
    bad.server = server;
    EXPECT_EQ(enrol(bad).error().code, Errc::invalid_argument) << server;
  }
  EnrolmentRequest bad = good;
  bad.fingerprint = "abc";
  EXPECT_EQ(enrol(bad).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace redoubt::link
