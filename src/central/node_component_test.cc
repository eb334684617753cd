// The real node in this process, with real workers, reached over HTTPS and the agent link.
#include "central/node.h"

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/time.h"
#include "central/test_events.h"
#include "link/agent/messages.h"
#include "link/certificate.h"
#include "redoubt/link.grpc.pb.h"
#include "store/events/clickhouse/test_clickhouse.h"
#include "store/events/embedded/duck.h"
#include "store/state/test_postgres.h"

namespace redoubt::central {
namespace {

using nlohmann::json;
using testing::process_event;

constexpr int64_t kPatienceMs = 10'000;

int64_t now_ms() { return base::boottime_ns() / 1'000'000; }

struct Answer {
  int status = 0;  // 0: the connection ended without an answer
  std::string head;
  std::string body;

  json parsed() const { return json::parse(body, nullptr, false); }
  bool has(const std::string& header) const { return head.find(header) != std::string::npos; }
};

// One blocking TLS connection.
class HttpsClient {
 public:
  explicit HttpsClient(int port, int versions_max = TLS1_3_VERSION) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_clear_options(context_, SSL_OP_NO_TLSv1_2);  // set for the process by the link
    SSL_CTX_set_max_proto_version(context_, versions_max);
    connect(port);
  }
  // Shows a certificate.
  HttpsClient(int port, const std::string& pem_path) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_use_certificate_file(context_, pem_path.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_, pem_path.c_str(), SSL_FILETYPE_PEM);
    connect(port);
  }
  ~HttpsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(fd_);
  }
  HttpsClient(const HttpsClient&) = delete;
  HttpsClient& operator=(const HttpsClient&) = delete;

  bool connected() const { return connected_; }
  bool send(const std::string& bytes) {
    return bytes.empty() || SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  // All that came until the text was there, the connection ended or the time was over.
  const std::string& read_until(const std::string& text, int64_t time_ms = kPatienceMs) {
    const int64_t deadline = now_ms() + time_ms;
    while (buffer_.find(text) == std::string::npos && fill(deadline)) {
    }
    return buffer_;
  }
  void forget() { buffer_.clear(); }
  Answer answer() {
    Answer answer;
    read_until("\r\n\r\n");
    const size_t end = buffer_.find("\r\n\r\n");
    if (end == std::string::npos) return answer;
    answer.head = buffer_.substr(0, end);
    buffer_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    if (answer.status == 100) return this->answer();
    const size_t at = answer.head.find("Content-Length: ");
    const size_t size = at == std::string::npos ? 0 : std::stoul(answer.head.substr(at + 16));
    const int64_t deadline = now_ms() + kPatienceMs;
    while (buffer_.size() < size && fill(deadline)) {
    }
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
  }

 private:
  void connect(int port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(static_cast<uint16_t>(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ssl_ = SSL_new(context_);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                 SSL_set_fd(ssl_, fd_) == 1 && SSL_connect(ssl_) == 1;
  }
  bool fill(int64_t deadline) {
    if (SSL_pending(ssl_) == 0) {
      pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, static_cast<int>(std::max<int64_t>(0, deadline - now_ms()))) <= 0) return false;
    }
    std::array<char, 16384> piece{};
    const int got = SSL_read(ssl_, piece.data(), piece.size());
    if (got <= 0) return false;
    buffer_.append(piece.data(), static_cast<size_t>(got));
    return true;
  }

  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  int fd_ = -1;
  bool connected_ = false;
  std::string buffer_;
};

constexpr std::string_view kRule = R"(title: Test marker was run
id: 5d3c1a0e-7777-4000-8000-000000000001
status: test
description: A program whose path has the marker.
author: Redoubt
logsource:
  category: process_creation
  product: linux
detection:
  selection:
    Image|endswith: /test_marker
  condition: selection
level: high
tags:
  - attack.execution
  - attack.t1059.004
)";

// One node for all tests of this file: it takes a second to start.
class NodeTest : public ::testing::Test {
 public:
  static void SetUpTestSuite() {
    directory_ = new base::TempDir;
    ASSERT_TRUE(choose_state());
    const auto made = init_node(data(), {"node.example"}, state_);
    ASSERT_TRUE(made) << made.error().message;
    password_ = made->password;
    fingerprint_ = made->fingerprint;
    ASSERT_TRUE(base::make_directories(*directory_ / "rules"));
    ASSERT_TRUE(base::make_directories(*directory_ / "web"));
    ASSERT_TRUE(base::write_file_atomic(*directory_ / "rules/marker.yml", kRule, base::kPublicFile));
    ASSERT_TRUE(base::write_file_atomic(*directory_ / "web/index.html", "<html>console</html>", base::kPublicFile));
    start();
    log_in();
  }
  static void TearDownTestSuite() {
    node_.reset();
    delete directory_;
    directory_ = nullptr;
    server_.reset();
    state_ = {};
    clickhouse_server_.reset();
    clickhouse_ = {};
  }

 protected:
  static std::string data() { return *directory_ / "node"; }
  static NodeOptions options() {
    return {.data_directory = data(),
            .state = state_,
            .clickhouse = clickhouse_,
            .api_address = "127.0.0.1:0",
            .link_address = "127.0.0.1:0",
            .scanner_address = "127.0.0.1:0",
            .web_directory = *directory_ / "web",
            .rules_directory = *directory_ / "rules",
            .yara_directory = REDOUBT_SOURCE_DIR "/rules/yara",
            .openapi_path = REDOUBT_SOURCE_DIR "/proto/openapi.yaml",
            .scan_program = REDOUBT_BUILD_DIR "/bin/redoubt-scan"};
  }
  // REDOUBT_TEST_STATE=postgres: the same tests with the state in a PostgreSQL server of their own; clickhouse: with
  // the events in a ClickHouse server of their own.
  static bool choose_state() {
    const char* wanted = std::getenv("REDOUBT_TEST_STATE");
    if (wanted != nullptr && std::string_view(wanted) == "clickhouse") {
      clickhouse_server_ = store::TestClickHouse::start_one();
      if (clickhouse_server_) clickhouse_ = clickhouse_server_->fresh_options("");
      clickhouse_.upkeep = store::Upkeep::automatic;
      return clickhouse_server_ != nullptr;
    }
    if (wanted == nullptr || std::string_view(wanted) != "postgres") return true;
    server_ = store::TestPostgres::start();
    if (server_) state_ = server_->make_database();
    return server_ != nullptr;
  }
  static void start() {
    auto node = Node::start(options());
    ASSERT_TRUE(node) << node.error().message;
    node_ = *std::move(node);
  }

  static void log_in() {
    const Answer answer = raw("POST", "/session", json{{"user", "admin"}, {"password", password_}}.dump());
    ASSERT_EQ(answer.status, 200) << answer.body;
    csrf_ = answer.parsed()["csrf"];
    const size_t at = answer.head.find("redoubt_session=");
    cookie_ = "Cookie: " + answer.head.substr(at, answer.head.find(';', at) - at);
  }

  static std::string head(const std::string& method, const std::string& target, size_t body_size,
                          const std::vector<std::string>& headers) {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(node_->api_port()) +
                       "\r\nContent-Length: " + std::to_string(body_size) + "\r\n";
    for (const std::string& header : headers) text += header + "\r\n";
    return text + "\r\n";
  }
  static Answer raw(const std::string& method, const std::string& path, const std::string& body = "",
                    const std::vector<std::string>& headers = {}) {
    HttpsClient client(node_->api_port());
    EXPECT_TRUE(client.connected());
    client.send(head(method, "/api/v1" + path, body.size(), headers) + body);
    return client.answer();
  }
  static Answer call(const std::string& method, const std::string& path, const std::string& body = "") {
    return raw(method, path, body, {cookie_, "X-CSRF-Token: " + csrf_});
  }
  // Asks again until the answer satisfies, for at most kPatienceMs.
  static Answer until(const std::string& path, const std::function<bool(const json&)>& enough) {
    const int64_t deadline = now_ms() + kPatienceMs;
    Answer answer;
    do {
      answer = call("GET", path);
    } while (!enough(answer.parsed()) && now_ms() < deadline && ::usleep(20'000) == 0);
    return answer;
  }

  static std::unique_ptr<store::TestPostgres> server_;
  static store::PostgresOptions state_;
  static std::unique_ptr<store::TestClickHouse> clickhouse_server_;
  static store::ClickHouseOptions clickhouse_;
  static base::TempDir* directory_;
  static std::unique_ptr<Node> node_;
  static std::string password_, fingerprint_, cookie_, csrf_;
};

std::unique_ptr<store::TestPostgres> NodeTest::server_;
store::PostgresOptions NodeTest::state_;
std::unique_ptr<store::TestClickHouse> NodeTest::clickhouse_server_;
store::ClickHouseOptions NodeTest::clickhouse_;
base::TempDir* NodeTest::directory_ = nullptr;
std::unique_ptr<Node> NodeTest::node_;
std::string NodeTest::password_, NodeTest::fingerprint_, NodeTest::cookie_, NodeTest::csrf_;

// An agent as far as the link is concerned.
class TestAgent {
 public:
  TestAgent(int link_port, const json& enrolled, const std::string& key_pem) : host_id_(enrolled["host_id"]) {
    grpc::SslCredentialsOptions tls{.pem_root_certs = enrolled["ca"].get<std::string>(),
                                    .pem_private_key = key_pem,
                                    .pem_cert_chain = enrolled["certificate"].get<std::string>()};
    stub_ = v1::Link::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(link_port), grpc::SslCredentials(tls)));
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stream_ = stub_->Stream(&context_);
  }
  bool hello() {
    v1::AgentMessage message;
    message.mutable_hello()->set_boot_id("boot");
    message.mutable_hello()->set_host_name("web-1");
    v1::NodeMessage answer;
    return stream_->Write(message) && stream_->Read(&answer) && answer.has_welcome();
  }
  v1::NodeMessage send(const event::Frame& frame) {
    v1::NodeMessage answer;
    if (stream_->Write(link::message_of(frame))) stream_->Read(&answer);
    return answer;
  }
  grpc::Status ended() {
    v1::NodeMessage answer;
    while (stream_->Read(&answer)) {
    }
    return stream_->Finish();
  }
  const std::string& host_id() const { return host_id_; }

 private:
  std::string host_id_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::Link::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::NodeMessage>> stream_;
};

class AgentTest : public NodeTest {
 protected:
  void SetUp() override {
    const Answer token = call("POST", "/enrollment-tokens");
    ASSERT_EQ(token.status, 201) << token.body;
    EXPECT_EQ(token.parsed()["fingerprint"], fingerprint_);
    const auto request = link::make_request("web-1");
    enrol_body_ =
        json{{"token", token.parsed()["token"]}, {"csr", request->request_pem}, {"host_name", "web-1"}}.dump();
    const Answer enrolled = raw("POST", "/enroll", enrol_body_);
    ASSERT_EQ(enrolled.status, 200) << enrolled.body;
    EXPECT_EQ(enrolled.parsed()["link_address"], "127.0.0.1:" + std::to_string(node_->link_port()));
    agent_ = std::make_unique<TestAgent>(node_->link_port(), enrolled.parsed(), request->key_pem);
    ASSERT_TRUE(agent_->hello());
  }
  event::Frame marker_frame(uint64_t sequence) {
    return testing::frame_of(
        {process_event(sequence, 1, 0, "/sbin/init"), process_event(sequence + 1, 2, 1, "/opt/test_marker"),
         process_event(sequence + 2, 3, 2, "/usr/bin/id")},
        agent_->host_id());
  }

  std::string enrol_body_;
  std::unique_ptr<TestAgent> agent_;
};

TEST_F(NodeTest, answers_carry_the_security_headers) {
  for (const char* target : {"/", "/api/v1/health", "/api/v1/hosts", "/assets/none.js"}) {
    HttpsClient client(node_->api_port());
    client.send(head("GET", target, 0, {}));
    const Answer answer = client.answer();
    EXPECT_TRUE(answer.has("Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self';"));
    EXPECT_TRUE(answer.has("X-Content-Type-Options: nosniff"));
    EXPECT_TRUE(answer.has("Referrer-Policy: no-referrer"));
    EXPECT_TRUE(answer.has("Strict-Transport-Security: "));
  }
}

TEST_F(NodeTest, speaks_tls_1_3_only) { EXPECT_FALSE(HttpsClient(node_->api_port(), TLS1_2_VERSION).connected()); }

TEST_F(NodeTest, serves_the_console_and_its_pages) {
  HttpsClient client(node_->api_port());
  for (const char* target : {"/", "/alerts/7", "/hunt?q=1"}) {
    client.send(head("GET", target, 0, {}));  // one connection for all
    EXPECT_EQ(client.answer().body, "<html>console</html>");
  }
}

TEST_F(NodeTest, wrong_logins_are_refused_and_then_throttled) {
  const std::string body = json{{"user", "ghost"}, {"password", "not the password"}}.dump();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(raw("POST", "/session", body).status, 401);
  EXPECT_EQ(raw("POST", "/session", body).status, 429);
}

TEST_F(NodeTest, nothing_is_told_without_a_login) {
  for (const char* path : {"/session", "/hosts", "/alerts", "/alerts/stream", "/rules", "/metrics", "/objects"}) {
    EXPECT_EQ(raw("GET", path).status, 401) << path;
  }
  EXPECT_EQ(raw("GET", "/hosts", "", {"Cookie: redoubt_session=0000"}).status, 401);
  EXPECT_EQ(raw("GET", "/hosts", "", {"Authorization: Bearer rdt_0000"}).status, 401);
  EXPECT_EQ(raw("GET", "/health").status, 200);
  EXPECT_EQ(raw("GET", "/health").parsed()["status"], "ok");
}

TEST_F(NodeTest, a_change_with_a_cookie_needs_the_csrf_token) {
  EXPECT_EQ(raw("POST", "/tokens", R"({"name":"x"})", {cookie_}).status, 403);
  EXPECT_EQ(raw("POST", "/tokens", R"({"name":"x"})", {cookie_, "X-CSRF-Token: 00"}).status, 403);
  EXPECT_EQ(raw("GET", "/hosts", "", {cookie_}).status, 200);
}

TEST_F(NodeTest, api_tokens_live_until_they_are_removed) {
  const Answer made = call("POST", "/tokens", R"({"name":"export"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string bearer = "Authorization: Bearer " + made.parsed()["token"].get<std::string>();
  EXPECT_EQ(raw("POST", "/hunts/check", R"({"query":""})", {bearer}).parsed()["ok"], true);  // no CSRF token needed
  EXPECT_EQ(call("DELETE", "/tokens/" + made.parsed()["id"].get<std::string>()).status, 204);
  EXPECT_EQ(raw("GET", "/hosts", "", {bearer}).status, 401);
}

TEST_F(NodeTest, a_logout_ends_the_session) {
  const Answer in = raw("POST", "/session", json{{"user", "admin"}, {"password", password_}}.dump());
  ASSERT_EQ(in.status, 200);
  EXPECT_TRUE(in.has("; HttpOnly; Secure; SameSite=Strict"));
  const size_t at = in.head.find("redoubt_session=");
  const std::string cookie = "Cookie: " + in.head.substr(at, in.head.find(';', at) - at);
  EXPECT_EQ(raw("DELETE", "/session", "", {cookie, "X-CSRF-Token: " + in.parsed()["csrf"].get<std::string>()}).status,
            204);
  EXPECT_EQ(raw("GET", "/session", "", {cookie}).status, 401);
}

TEST_F(NodeTest, a_new_password_ends_the_sessions_of_the_old_one) {
  ASSERT_EQ(call("GET", "/session").status, 200);
  password_ = "another long password";
  ASSERT_TRUE(set_account_password(data(), "admin", password_, state_));
  EXPECT_EQ(call("GET", "/session").status, 401);
  log_in();
}

TEST_F(NodeTest, pages_of_other_sites_cannot_log_in) {
  const Answer answer = raw("POST", "/session", "{}", {"Sec-Fetch-Site: cross-site"});
  EXPECT_EQ(answer.status, 403) << answer.body;
}

TEST_F(NodeTest, one_address_does_not_take_all_connections) {
  std::signal(SIGPIPE, SIG_IGN);  // a connection that is refused is closed while its client still speaks
  constexpr size_t kMoreThanAllowed = 200;
  std::vector<std::unique_ptr<HttpsClient>> clients;
  do {
    clients.push_back(std::make_unique<HttpsClient>(node_->api_port()));
  } while (clients.back()->connected() && clients.size() < kMoreThanAllowed);
  EXPECT_FALSE(clients.back()->connected());
  EXPECT_GT(clients.size(), 100U);
  clients.clear();
  const int64_t deadline = now_ms() + kPatienceMs;
  while (!HttpsClient(node_->api_port()).connected() && now_ms() < deadline) ::usleep(1000);
}

TEST_F(NodeTest, bad_requests_get_a_clear_error) {
  const auto message = [](const Answer& answer) { return answer.parsed()["error"]["message"].get<std::string>(); };
  EXPECT_EQ(call("GET", "/nothing").status, 404);
  EXPECT_EQ(call("DELETE", "/alerts").status, 405);
  EXPECT_EQ(call("GET", "/alerts/99999").status, 404);
  EXPECT_EQ(call("GET", "/hosts/none").status, 404);
  EXPECT_EQ(call("GET", "/objects/none").status, 404);
  EXPECT_EQ(call("GET", "/processes/zz/tree").status, 400);
  EXPECT_EQ(call("GET", "/processes/00000000000000000000000000000099/tree").status, 404);
  EXPECT_EQ(call("POST", "/hunts", "{").status, 400);
  EXPECT_NE(message(call("POST", "/hunts", R"({"query":7})")).find("'query'"), std::string::npos);
  EXPECT_NE(message(call("POST", "/hunts", R"({"query":"","x":1})")).find("'x'"), std::string::npos);
  EXPECT_NE(message(call("GET", "/alerts?limit=0")).find("'limit'"), std::string::npos);
  EXPECT_NE(message(call("GET", "/alerts?status=open")).find("'status'"), std::string::npos);
  EXPECT_NE(message(call("POST", "/hunts", std::string(90, '[') + std::string(90, ']'))).find("deep"),
            std::string::npos);
  EXPECT_EQ(call("PATCH", "/alerts/1", R"({"status":"open"})").status, 400);
}

TEST_F(NodeTest, a_typo_in_a_query_gets_a_diagnostic) {
  const Answer answer = call("POST", "/hunts", R"({"query":"EventTyp = \"process\""})");
  EXPECT_EQ(answer.status, 400);
  const json diagnostic = answer.parsed()["error"]["diagnostic"];
  EXPECT_EQ(diagnostic["column"], 1);
  EXPECT_NE(diagnostic["rendered"].get<std::string>().find("^^^^^^^^"), std::string::npos);
}

TEST_F(NodeTest, a_query_becomes_an_outline_and_text_again) {
  const std::string query = R"(FileName = "*worm*" AND NOT (PID != 1 OR user.name NOT IN ("a", "b")) | since 24h)";
  const json outline = call("POST", "/hunts/outline", json{{"query", query}}.dump()).parsed();
  EXPECT_EQ(outline["where"]["kind"], "all") << outline;
  EXPECT_EQ(outline["where"]["children"][0]["values"][0], json({{"kind", "pattern"}, {"text", "*worm*"}}));
  EXPECT_EQ(outline["where"]["children"][1]["negated"], true);
  EXPECT_EQ(outline["where"]["children"][1]["children"][1]["opposite"], true);
  EXPECT_EQ(outline["pipes"], json({"since 24h"}));
  EXPECT_FALSE(outline.contains("diagnostic"));
  const json printed = call("POST", "/hunts/print", outline.dump()).parsed();
  EXPECT_EQ(printed, json({{"query", query}}));
}

TEST_F(NodeTest, an_outline_says_which_condition_is_wrong) {
  const json outline =
      call("POST", "/hunts/outline", R"x({"query":"PID = 1 AND (FileNam = \"x\" OR PID = 2)"})x").parsed();
  EXPECT_EQ(outline["path"], json({1, 0})) << outline;
  EXPECT_EQ(outline["diagnostic"]["code"], "Q102");
  const json printed = call("POST", "/hunts/print", json{{"where", outline["where"]}}.dump()).parsed();
  EXPECT_EQ(printed["path"], json({1, 0})) << printed;
  const Answer broken = call("POST", "/hunts/outline", R"({"query":"PID = (1"})");
  EXPECT_EQ(broken.status, 400);
  EXPECT_EQ(broken.parsed()["error"]["diagnostic"]["code"], "Q203");
}

TEST_F(NodeTest, an_outline_that_is_none_is_refused) {
  const auto refused = [](const std::string& body) { return call("POST", "/hunts/print", body).status == 400; };
  EXPECT_FALSE(refused(R"({"where":{"kind":"all"}})"));
  EXPECT_TRUE(refused("{}"));
  EXPECT_TRUE(refused(R"({"where":[]})"));
  EXPECT_TRUE(refused(R"({"where":{"kind":"some"}})"));
  EXPECT_TRUE(refused(R"({"where":{"kind":"all","children":{}}})"));
  EXPECT_TRUE(refused(R"({"where":{"kind":"text","text":"PID = 1) OR (PID = 2"}})"));
  EXPECT_TRUE(refused(R"({"where":{"kind":"all"},"pipes":["limit 1 | limit 2"]})"));
  const std::string one = R"("kind":"test","field":"PID","operator":"=","values":[{"kind":"word","text":"1"}])";
  EXPECT_FALSE(refused("{\"where\":{" + one + "}}"));
  EXPECT_TRUE(refused("{\"where\":{" + one + R"(,"unknown":1}})"));
  std::string deep = "{" + one + "}";
  for (int i = 0; i < 7; ++i) deep = R"({"kind":"any","children":[)" + deep + "]}";
  EXPECT_TRUE(refused("{\"where\":" + deep + "}"));
}

TEST_F(NodeTest, a_rule_is_checked_before_it_is_used) {
  const json checked = call("POST", "/rules/check", json{{"text", kRule}, {"name", "x.yml"}}.dump()).parsed();
  EXPECT_EQ(checked["format"], "sigma");
  EXPECT_EQ(checked["rules"][0]["title"], "Test marker was run");
  const json list = call("POST", "/rules/check", json{{"text", "203.0.113.7\n"}}.dump()).parsed();
  EXPECT_EQ(list["format"], "list") << list;
  std::string wrong(kRule);
  wrong.replace(wrong.find("Image"), 5, "Imag");
  for (const char* path : {"/rules/check", "/rules/backtest"}) {
    const Answer answer = call("POST", path, json{{"text", wrong}}.dump());
    EXPECT_EQ(answer.status, 400);
    const json diagnostic = answer.parsed()["error"]["diagnostic"];
    EXPECT_EQ(diagnostic["line"], 11);
    EXPECT_EQ(diagnostic["column"], 5);
    EXPECT_NE(diagnostic["rendered"].get<std::string>().find("^^^^"), std::string::npos);
    EXPECT_NE(diagnostic["hint"].get<std::string>().find("Image"), std::string::npos);
  }
}

TEST_F(NodeTest, a_backtest_says_which_rule_and_when) {
  const auto run = [](const json& body) { return call("POST", "/rules/backtest", body.dump()); };
  const std::string id = "5d3c1a0e-7777-4000-8000-000000000001";
  const json answer = run({{"rule_id", id}, {"since", "7d"}}).parsed();
  EXPECT_EQ(answer["title"], "Test marker was run") << answer;
  EXPECT_EQ(answer["importance"], "high");
  EXPECT_EQ(answer["rows"].size(), answer["hits_total"]);
  EXPECT_EQ(answer["partial"], false);
  EXPECT_EQ(run({{"rule_id", "none"}}).status, 404);
  for (const json& bad :
       {json::object(), json{{"rule_id", id}, {"text", kRule}}, json{{"rule_id", id}, {"since", "x"}},
        json{{"rule_id", id}, {"since", "1d"}, {"until", "2d"}}, json{{"rule_id", id}, {"limit", 0}}}) {
    EXPECT_EQ(run(bad).status, 400) << bad;
  }
}

TEST_F(NodeTest, what_is_no_http_does_no_harm) {
  HttpsClient garbage(node_->api_port());
  garbage.send("\x01\x02 hello\r\n\r\n");
  EXPECT_EQ(garbage.answer().status, 400);
  HttpsClient huge(node_->api_port());
  huge.send("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(huge.answer().status, 431);
  EXPECT_EQ(raw("GET", "/health").status, 200);
}

TEST_F(NodeTest, an_upload_of_5_gb_is_refused_at_its_head) {
  HttpsClient client(node_->api_port());
  client.send(head("POST", "/api/v1/objects?name=big", size_t{5} << 30, {cookie_, "X-CSRF-Token: " + csrf_}));
  const Answer answer = client.answer();  // not a byte of the body was sent
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.parsed()["error"]["code"], "too_large");
}

TEST_F(NodeTest, a_chunked_body_is_limited_too) {
  HttpsClient client(node_->api_port());
  client.send("POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + cookie_ +
              "\r\nX-CSRF-Token: " + csrf_ + "\r\n\r\n");
  for (int i = 0; i < 8; ++i) client.send("4000\r\n" + std::string(0x4000, ' ') + "\r\n");
  EXPECT_EQ(client.answer().status, 413);
}

TEST_F(NodeTest, an_object_is_judged_and_becomes_an_alert) {
  const std::string eicar =
      std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}") + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*";
  const Answer accepted = call("POST", "/objects?name=eicar.com", eicar);
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  const std::string id = accepted.parsed()["id"];
  const json object = call("GET", "/objects/" + id + "?wait_ms=20000").parsed();
  EXPECT_EQ(object["verdict"], "detect") << object;
  EXPECT_EQ(object["source"], "console");
  const json alert = call("GET", "/alerts/" + object["alert_id"].get<std::string>()).parsed();
  EXPECT_EQ(alert["source"], "object");
  EXPECT_EQ(alert["object"]["name"], "eicar.com");
  EXPECT_EQ(call("GET", "/alerts/" + object["alert_id"].get<std::string>() + "/tree").status, 404);
  const json clean = call("POST", "/objects?name=clean.txt", "hello").parsed();
  EXPECT_EQ(call("GET", "/objects/" + clean["id"].get<std::string>() + "?wait_ms=20000").parsed()["verdict"],
            "not detected");
  EXPECT_EQ(call("GET", "/objects?limit=1").parsed()["objects"].size(), 1u);
}

// The verdict of an object once it is another than `was`.
std::string changed_verdict(const std::function<json()>& ask, const std::string& was) {
  std::string verdict = was;
  for (int i = 0; i < 600 && (verdict == was || verdict == "processing"); ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    verdict = ask()["verdict"];
  }
  return verdict;
}

TEST_F(NodeTest, lists_and_settings_of_rules_judge_what_was_judged) {
  const json object = call("POST", "/objects?name=tool.bin", "a tool of ours").parsed();
  const std::string path = "/objects/" + object["id"].get<std::string>();
  const auto ask = [&] { return call("GET", path + "?wait_ms=1000").parsed(); };
  ASSERT_EQ(changed_verdict(ask, "processing"), "not detected");
  EXPECT_EQ(call("POST", "/objects?name=tool.bin", "a tool of ours").parsed()["verdict"], "not detected");

  const std::string hash = object["sha256"];
  const json report = call("POST", "/reputation/sources/partner", hash + ";Trojan.Own\nevil.example.com\n").parsed();
  EXPECT_EQ(report["added"], 2) << report;
  EXPECT_EQ(call("POST", "/reputation/sources/partner", hash + ";Trojan.Own\n").parsed()["removed"], 1);
  EXPECT_EQ(call("GET", "/reputation?value=" + hash).parsed()["reputation"], "bad");
  EXPECT_EQ(changed_verdict(ask, "not detected"), "detect");
  const json entry = call("POST", "/reputation/entries", json{{"value", hash}, {"reputation", "good"}}.dump()).parsed();
  EXPECT_EQ(entry["source"], "manual") << entry;
  EXPECT_EQ(changed_verdict(ask, "detect"), "not detected");
  EXPECT_EQ(call("GET", "/reputation/sources").parsed()["sources"].size(), 2U);
  EXPECT_EQ(call("GET", "/reputation/entries?source=partner").parsed()["entries"].size(), 1U);
  EXPECT_EQ(call("DELETE", "/reputation/entries/" + entry["id"].get<std::string>()).status, 204);
  EXPECT_EQ(call("DELETE", "/reputation/sources/partner").parsed()["removed"], 1);

  const json rules = call("GET", "/yara/rules").parsed();
  ASSERT_FALSE(rules["rules"].empty()) << rules;
  const std::string rule = "/yara/rules/" + rules["rules"][0]["name"].get<std::string>();
  EXPECT_EQ(call("PATCH", rule, R"({"enabled":false,"importance":"low"})").parsed()["enabled"], false);
  EXPECT_EQ(call("PATCH", rule, R"({"enabled":true,"importance":"own"})").parsed()["enabled"], true);
  EXPECT_EQ(call("PATCH", rule, R"({"importance":"much"})").status, 400);
  EXPECT_EQ(call("PATCH", "/yara/rules/none", R"({"enabled":true})").status, 404);

  const Answer history = call("GET", "/objects/export?format=csv&sha256=" + hash);
  EXPECT_EQ(std::count(history.body.begin(), history.body.end(), '\n'), 3) << history.body;
}

// An external system, with a certificate of its own in a file.
class TestSystem {
 public:
  TestSystem(int port, std::string id) : port_(port), id_(std::move(id)) {
    const auto made = link::make_ca("a system").value();
    fingerprint_ = link::read_certificate(made.certificate_pem)->fingerprint;
    EXPECT_TRUE(base::write_file_atomic(path(), made.key_pem + made.certificate_pem, base::kPrivateFile));
  }
  Answer call(const std::string& method, const std::string& target, const std::string& body = "") const {
    HttpsClient client(port_, path());
    EXPECT_TRUE(client.connected());
    client.send(method + " /kata/scanner/v1/sensors/" + id_ + target +
                " HTTP/1.1\r\nHost: node\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.answer();
  }
  Answer submit(const std::string& scan_id, const std::string& content) const {
    return call("POST", "/scans",
                "--b\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.bin\"\r\n\r\n" + content +
                    "\r\n--b\r\nContent-Disposition: form-data; name=\"scanId\"\r\n\r\n" + scan_id + "\r\n--b--\r\n");
  }
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  std::string path() const { return directory_ / "system.pem"; }

  base::TempDir directory_;
  const int port_;
  const std::string id_;
  std::string fingerprint_;
};

TEST_F(NodeTest, an_external_system_is_approved_and_served) {
  const TestSystem system(node_->scanner_port(), "c8a9ecaf-2e8d-4967-bc94-8182130a9df5");
  EXPECT_EQ(system.submit("1", "hello").status, 401);
  const json waiting = call("GET", "/external-systems").parsed()["external_systems"][0];
  EXPECT_EQ(waiting["fingerprint"], system.fingerprint());
  EXPECT_EQ(waiting["state"], "pending");
  const std::string row = "/external-systems/" + waiting["id"].get<std::string>();
  const Answer approved = call("POST", row + "/approve", R"({"name":"gateway"})");
  EXPECT_EQ(approved.parsed()["name"], "gateway") << approved.body;
  const Answer taken = system.submit("1", "hello");
  EXPECT_EQ(taken.status, 200) << taken.body;
  EXPECT_EQ(taken.body, "OK");
  EXPECT_EQ(
      system.submit("2", std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}") + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*")
          .status,
      200);
  EXPECT_EQ(system.call("GET", "/scans/1?wait_ms=20000").parsed()["state"], "not detected");
  EXPECT_EQ(system.call("GET", "/scans/2?wait_ms=20000").parsed()["object"]["source"], "external system");
  EXPECT_EQ(system.call("GET", "/scans/state?state=detect").body, R"([{"scanId":"2","state":"detect"}])");
  const json detects = system.call("GET", "/detects").parsed();
  EXPECT_EQ(detects["detects"].back()["object"]["processedObject"]["name"], "a.bin") << detects;
  const std::string token = detects["token"];
  EXPECT_EQ(system.call("GET", "/detects?detect_type=yara&token=" + token).parsed()["detects"].size(), 0u);
  EXPECT_EQ(system.call("DELETE", "/scans/1").status, 200);
  EXPECT_EQ(system.call("DELETE", "/scans/1").status, 404);
  EXPECT_EQ(system.call("DELETE", "/scans").body, "OK");
  EXPECT_EQ(system.call("GET", "/scans/state").status, 204);
  EXPECT_EQ(call("DELETE", row).status, 204);
  EXPECT_EQ(system.call("GET", "/scans/state").status, 401);
}

TEST_F(NodeTest, the_doors_know_their_own_paths_alone) {
  HttpsClient scanner(node_->scanner_port());
  scanner.send(head("GET", "/api/v1/health", 0, {}));
  EXPECT_EQ(scanner.answer().status, 404);
  scanner.send(head("GET", "/", 0, {}));
  EXPECT_EQ(scanner.answer().status, 404);
  scanner.send(head("GET", "/kata/scanner/v1/sensors/x/scans/state", 0, {cookie_}));
  EXPECT_EQ(scanner.answer().status, 401);
  EXPECT_FALSE(HttpsClient(node_->scanner_port(), TLS1_2_VERSION).connected());
  HttpsClient api(node_->api_port());
  api.send(head("POST", "/kata/scanner/v1/sensors/x/scans", 0, {}));
  EXPECT_EQ(api.answer().status, 405);
}

TEST_F(NodeTest, lists_rules_fields_and_metrics) {
  const json rules = call("GET", "/rules").parsed();
  ASSERT_EQ(rules["rules"].size(), 1u);
  EXPECT_EQ(rules["rules"][0]["techniques"], json({"T1059.004"}));
  EXPECT_GT(call("GET", "/fields").parsed()["fields"].size(), 50u);
  const Answer metrics = call("GET", "/metrics");
  EXPECT_TRUE(metrics.has("Content-Type: text/plain"));
  EXPECT_NE(metrics.body.find("redoubt_ingest_events_total"), std::string::npos);
  EXPECT_NE(raw("GET", "/openapi.yaml").body.find("openapi: 3.1.0"), std::string::npos);
}

TEST_F(NodeTest, a_rule_is_changed_and_shown) {
  const std::string path = "/rules/5d3c1a0e-7777-4000-8000-000000000001";
  const json off = call("PATCH", path, R"({"enabled":false,"importance":"low"})").parsed();
  EXPECT_EQ(off["enabled"], false) << off;
  EXPECT_EQ(off["importance"], "low");
  EXPECT_EQ(off["own_importance"], "high");
  EXPECT_EQ(off["changed_by"], "admin");
  EXPECT_EQ(call("PATCH", path, R"({"importance":"odd"})").status, 400);
  EXPECT_EQ(call("PATCH", path, R"({"enabled":1})").status, 400);
  EXPECT_EQ(call("PATCH", "/rules/none", R"({"enabled":true})").status, 404);
  const json on = call("PATCH", path, R"({"enabled":true,"importance":null})").parsed();
  EXPECT_EQ(on["importance"], "high");
  EXPECT_EQ(call("GET", path).parsed()["enabled"], true);
  const json load = call("POST", "/rules/reload").parsed();
  EXPECT_EQ(load["rules"], 1) << load;
  EXPECT_EQ(load["enabled"], 1);
  const std::string metrics = call("GET", "/metrics").body;
  for (const char* name : {"redoubt_rules 1", "redoubt_rules_enabled 1", "redoubt_rule_evaluations_total"}) {
    EXPECT_NE(metrics.find(name), std::string::npos) << name;
  }
}

TEST_F(NodeTest, exclusions_are_made_changed_and_removed) {
  const Answer broken = call("POST", "/exclusions", R"({"name":"x","condition":"user.nam = \"a\""})");
  EXPECT_EQ(broken.status, 400);
  EXPECT_NE(broken.parsed()["error"]["diagnostic"]["rendered"].get<std::string>().find("^^^^"), std::string::npos);
  EXPECT_EQ(call("POST", "/exclusions/check", R"({"condition":"user.id = 0"})").status, 200);
  EXPECT_EQ(call("POST", "/exclusions", R"({"name":"x","condition":"user.id = 0","rule_id":"none"})").status, 404);
  EXPECT_EQ(call("POST", "/exclusions", R"({"name":"x","condition":"user.id = 0","expires":"2001-01-01"})").status,
            400);
  const Answer made = call("POST", "/exclusions", R"({"name":"x","condition":"user.id = 7","expires":"30d"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string path = "/exclusions/" + made.parsed()["id"].get<std::string>();
  EXPECT_EQ(made.parsed()["state"], "on");
  EXPECT_EQ(call("GET", "/rules").parsed()["rules"][0]["exclusions"], 1);
  const json changed = call("PATCH", path, R"({"note":"why","expires":null})").parsed();
  EXPECT_EQ(changed["note"], "why") << changed;
  EXPECT_FALSE(changed.contains("expires"));
  EXPECT_EQ(call("GET", "/exclusions?rule_id=none").parsed()["exclusions"].size(), 1u) << "one for all rules";
  EXPECT_EQ(call("DELETE", path).status, 204);
  EXPECT_EQ(call("DELETE", path).status, 404);
  EXPECT_EQ(call("DELETE", "/exclusions/x").status, 404);
}

TEST_F(NodeTest, hunts_are_saved_and_run) {
  const auto save = [](const json& body) { return call("POST", "/hunts/saved", body.dump()); };
  EXPECT_EQ(save({{"name", "x"}, {"query", "user.nam = 1"}, {"interval", "1h"}}).status, 400);
  EXPECT_EQ(save({{"name", "x"}, {"query", "user.id = 0"}, {"interval", "1s"}}).status, 400);
  EXPECT_EQ(save({{"name", "x"}, {"query", "user.id = 0"}}).status, 400);
  const Answer made = save({{"name", "x"}, {"query", "process.name = \"no_such\""}, {"interval", "1h"}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.parsed()["window_s"], 4200);
  const std::string path = "/hunts/saved/" + made.parsed()["id"].get<std::string>();
  const json ran = call("POST", path + "/run").parsed();
  EXPECT_EQ(ran["last_found"], 0) << ran;
  EXPECT_TRUE(ran.contains("last_run"));
  EXPECT_EQ(call("PATCH", path, R"({"enabled":false})").parsed()["enabled"], false);
  EXPECT_EQ(call("GET", "/hunts/saved").parsed()["hunts"].size(), 1u);
  EXPECT_EQ(call("DELETE", path).status, 204);
  EXPECT_EQ(call("POST", path + "/run").status, 404);
}

TEST_F(NodeTest, names_of_attack_are_imported) {
  const json before = call("GET", "/attack").parsed();
  EXPECT_EQ(before["imported"], false);
  EXPECT_EQ(before["tactics"].size(), 15u);
  EXPECT_EQ(call("POST", "/attack", "[]").status, 400);
  const json bundle = {{"objects",
                        {{{"type", "attack-pattern"},
                          {"id", "a"},
                          {"name", "Interpreter"},
                          {"external_references", {{{"source_name", "mitre-attack"}, {"external_id", "T1059"}}}}}}}};
  const Answer imported = call("POST", "/attack", bundle.dump());
  ASSERT_EQ(imported.status, 200) << imported.body;
  EXPECT_EQ(call("GET", "/attack").parsed()["techniques"][0]["name"], "Interpreter");
}

TEST_F(NodeTest, a_second_node_on_the_same_data_is_refused) {
  const auto second = Node::start(options());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("another redoubtd"), std::string::npos);
  const auto again = init_node(data(), {}, state_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->password, "");
  EXPECT_EQ(again->fingerprint, fingerprint_);
}

TEST_F(NodeTest, a_state_in_a_file_is_not_left_behind_for_another_database) {
  const base::TempDir scratch;
  ASSERT_TRUE(init_node(scratch / "node", {}));
  const store::PostgresOptions elsewhere{.connection = "host=" + scratch.path()};
  const auto moved = init_node(scratch / "node", {}, elsewhere);
  ASSERT_FALSE(moved);
  EXPECT_NE(moved.error().message.find("it is not moved"), std::string::npos) << moved.error().message;
}

TEST_F(NodeTest, a_yara_rule_that_does_not_compile_leaves_the_node_up) {
  const base::TempDir scratch;
  ASSERT_TRUE(init_node(scratch / "node", {}));
  ASSERT_TRUE(base::make_directories(scratch / "yara"));
  ASSERT_TRUE(base::write_file_atomic(scratch / "yara/bad.yar", "rule Bad { condition: nonsense }", base::kPublicFile));
  NodeOptions wrong = options();
  wrong.data_directory = scratch / "node";
  wrong.state = {};
  wrong.yara_directory = scratch / "yara";
  const auto other = Node::start(wrong);
  ASSERT_TRUE(other) << other.error().message;
  HttpsClient client((*other)->api_port());
  client.send(head("GET", "/api/v1/health", 0, {}));
  EXPECT_EQ(client.answer().parsed()["status"], "degraded");
}

TEST_F(AgentTest, an_event_is_an_alert_on_the_live_stream_within_a_second) {
  HttpsClient live(node_->api_port());
  live.send(head("GET", "/api/v1/alerts/stream", 0, {cookie_}));
  ASSERT_NE(live.read_until(": open").find("text/event-stream"), std::string::npos);
  const int64_t sent_ms = now_ms();
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  const std::string& stream = live.read_until("\n\nevent: alert\ndata: ", 2000);
  const std::string text = live.read_until("}\n\n", 2000);
  EXPECT_LT(now_ms() - sent_ms, 1000);
  ASSERT_NE(stream.find("Test marker was run"), std::string::npos) << stream;

  const json page = call("GET", "/alerts?host_id=" + agent_->host_id()).parsed();
  ASSERT_EQ(page["total"], 1);
  const json alert = page["alerts"][0];
  EXPECT_EQ(alert["techniques"], json({"T1059.004"}));
  EXPECT_EQ(alert["importance"], "high");
  EXPECT_EQ(alert["host"]["name"], "web-1");
  EXPECT_EQ(alert["user"], "root");
  const json tree = call("GET", "/alerts/" + alert["id"].get<std::string>() + "/tree").parsed();
  ASSERT_EQ(tree["nodes"].size(), 3u) << tree;
  EXPECT_EQ(tree["focus"], tree["nodes"][1]["entity_id"]);

  const Answer changed = call("PATCH", "/alerts/" + alert["id"].get<std::string>(),
                              R"({"status":"in_progress","assignee":"admin","comment":"mine"})");
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.parsed()["comments"][0]["user"], "admin");
  EXPECT_EQ(call("PATCH", "/alerts/" + alert["id"].get<std::string>(), R"({"assignee":"ghost"})").status, 400);
}

TEST_F(AgentTest, stored_events_are_found_by_hunts) {
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  const std::string query = R"(EventType = \"process\" AND HostId = \")" + agent_->host_id() + R"(\")";
  const json all = call("POST", "/hunts", R"({"query":")" + query + R"( | fields time, FileName","limit":2})").parsed();
  ASSERT_EQ(all["rows"].size(), 2u) << all;
  EXPECT_EQ(all["partial"], true);
  EXPECT_EQ(all["columns"][0]["type"], "time");
  EXPECT_EQ(all["rows"][0][1], "id");  // newest first
  const json rest =
      call("POST", "/hunts", R"({"query":")" + query + R"( | fields FileName","limit":2,"offset":2})").parsed();
  EXPECT_EQ(rest["rows"], json::array({json::array({"init", nullptr})}));
  EXPECT_EQ(rest["partial"], false);
  const json one = call("POST", "/hunts", R"({"query":")" + query + R"( | limit 1"})").parsed();
  EXPECT_EQ(one["rows"].size(), 1u);
  const json histogram = call("POST", "/hunts/histogram", R"({"query":")" + query + R"(","buckets":10})").parsed();
  int64_t count = 0;
  for (const json& bucket : histogram["buckets"]) count += bucket["count"].get<int64_t>();
  EXPECT_EQ(count, 3) << histogram;
  EXPECT_LE(histogram["buckets"].size(), 10u);
}

TEST_F(AgentTest, a_hunt_is_answered_in_lines_and_the_connection_goes_on) {
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  const std::string query = "HostId = \"" + agent_->host_id() + "\" | fields FileName";
  HttpsClient client(node_->api_port());
  const auto ask = [&](const std::string& text, size_t limit) {
    const std::string body = json{{"query", text}, {"limit", limit}}.dump();
    client.send(
        head("POST", "/api/v1/hunts", body.size(), {cookie_, "X-CSRF-Token: " + csrf_, "Accept: application/jsonl"}) +
        body);
  };
  ask(query, 2);
  const std::string answer = client.read_until("\r\n0\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_NE(answer.find("Content-Type: application/jsonl"), std::string::npos) << answer;
  size_t rows = 0;
  json last;
  std::istringstream lines(answer.substr(answer.find("\r\n\r\n") + 4));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("{")) continue;  // the size of a chunk
    last = json::parse(line);
    rows += last["rows"].size();
  }
  EXPECT_EQ(rows, 2U) << answer;
  EXPECT_EQ(last["columns"][0]["field"], "process.name") << answer;
  EXPECT_EQ(last["partial"], true);
  EXPECT_TRUE(last.contains("took_ms"));
  client.forget();
  ask("FileName =", 2);
  EXPECT_EQ(client.answer().status, 400);
}

TEST_F(AgentTest, the_neighbours_of_a_process_are_told) {
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  const json body = {{"kind", "process"}, {"id", testing::entity(2)}, {"host_id", agent_->host_id()}};
  const json answer = call("POST", "/map/neighbours", body.dump()).parsed();
  EXPECT_EQ(answer["node"]["name"], "test_marker") << answer;
  ASSERT_EQ(answer["neighbours"].size(), 3u) << answer;
  EXPECT_EQ(answer["neighbours"][0]["relation"], "started");
  EXPECT_EQ(answer["neighbours"][0]["direction"], "out");
  EXPECT_EQ(answer["neighbours"][0]["node"]["name"], "id");
  EXPECT_EQ(answer["neighbours"][1]["direction"], "in");
  EXPECT_EQ(
      answer["neighbours"][2]["node"],
      json({{"kind", "file"}, {"id", "/opt/test_marker"}, {"host_id", agent_->host_id()}, {"host_name", "web-1"}}));
  EXPECT_EQ(answer["more"], json::array());
  EXPECT_EQ(answer["partial"], false);
  const json host = call("POST", "/map/neighbours", json{{"kind", "host"}, {"id", agent_->host_id()}}.dump()).parsed();
  EXPECT_EQ(host["neighbours"][0]["relation"], "hosts") << host;
  EXPECT_EQ(call("POST", "/map/neighbours", R"({"kind":"planet","id":"x"})").status, 400);
  EXPECT_EQ(call("POST", "/map/neighbours", R"({"kind":"process"})").status, 400);
  EXPECT_EQ(call("POST", "/map/neighbours", R"({"kind":"process","id":"x","since":"now"})").status, 400);
  EXPECT_EQ(call("POST", "/map/neighbours", R"({"kind":"process","id":"x","limit":100000})").status, 400);
  EXPECT_EQ(call("POST", "/map/neighbours", R"({"kind":"process","id":"no such"})").status, 404);
}

TEST_F(AgentTest, values_that_a_field_had_are_told) {
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  const std::string query = "HostId = \"" + agent_->host_id() + "\" | since 1h";
  const auto values = [&](const std::string& field, const std::string& contains) {
    const json body = {{"field", field}, {"contains", contains}, {"query", query}};
    return call("POST", "/hunts/values", body.dump()).parsed()["values"];
  };
  EXPECT_EQ(values("process.name", "mark"), json::array({{{"value", "test_marker"}, {"count", 1}}}));
  EXPECT_EQ(values("FileName", "").size(), 3u);
  EXPECT_EQ(values("user.id", ""), json::array({{{"value", 0}, {"count", 3}}}));
  EXPECT_EQ(values("no.such.field", ""), json::array());
  EXPECT_EQ(values("time", ""), json::array());
  EXPECT_EQ(call("POST", "/hunts/values", R"({"field":"process.name","query":"PID ="})").status, 400);
}

TEST_F(AgentTest, a_hunt_is_exported_in_each_format) {
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  const std::string query =
      "HostId = \"" + agent_->host_id() + "\" | sort event.sequence asc | fields process.name, user.name";
  const auto file = [&](const std::string& format) {
    return call("POST", "/hunts/export", json{{"query", query}, {"format", format}}.dump());
  };
  const Answer csv = file("csv");
  ASSERT_EQ(csv.status, 200) << csv.body;
  EXPECT_TRUE(csv.has("Content-Type: text/csv"));
  EXPECT_TRUE(csv.has("Content-Disposition: attachment; filename=\"redoubt-20")) << csv.head;
  EXPECT_TRUE(csv.has("Z.csv\"")) << csv.head;
  EXPECT_TRUE(csv.has("Redoubt-Rows: 3"));
  EXPECT_TRUE(csv.has("X-Content-Type-Options: nosniff"));
  EXPECT_EQ(csv.body.substr(csv.body.find('\n')), "\ninit,root\ntest_marker,root\nid,root\n");

  const Answer lines = file("jsonl");
  EXPECT_TRUE(lines.has("Content-Type: application/jsonl"));
  EXPECT_EQ(std::count(lines.body.begin(), lines.body.end(), '\n'), 3);
  const json first = json::parse(lines.body.substr(0, lines.body.find('\n')), nullptr, false);
  EXPECT_EQ(first.value("user.name", ""), "root") << lines.body;

  const Answer parquet = file("parquet");
  EXPECT_TRUE(parquet.has("Content-Type: application/vnd.apache.parquet"));
  const base::TempDir scratch;
  ASSERT_TRUE(base::write_file_atomic(scratch / "x.parquet", parquet.body, base::kPrivateFile));
  const auto duck = store::embedded::Duck::open({.segment_directory = scratch.path(),
                                                 .temporary_directory = scratch.path(),
                                                 .memory_bytes_max = store::kStoreMemoryBytesMin});
  ASSERT_TRUE(duck);
  const auto session = (*duck)->connect();
  ASSERT_TRUE(session);
  const auto rows = (*session)->select(
      {.text = "SELECT count(*), min(\"user.name\") FROM read_parquet('" + (scratch / "x.parquet") + "')",
       .parameters = {}});
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->rows, (std::vector<std::vector<store::Cell>>{{int64_t{3}, "root"}}));
}

TEST_F(NodeTest, an_export_needs_what_a_hunt_needs) {
  const std::string body = R"({"query":"","format":"csv"})";
  EXPECT_EQ(raw("POST", "/hunts/export", body).status, 401);
  EXPECT_EQ(raw("POST", "/hunts/export", body, {cookie_}).status, 403);
  const Answer wrong = call("POST", "/hunts/export", R"({"query":"process.nam = 1","format":"csv"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.parsed()["error"]["diagnostic"]["rendered"].get<std::string>().find("^^^"), std::string::npos);
  EXPECT_FALSE(wrong.has("Content-Disposition"));
  EXPECT_EQ(call("POST", "/hunts/export", R"({"query":"","format":"exe"})").status, 400);
  EXPECT_EQ(call("POST", "/hunts/export", R"({"query":"","format":"csv","file":"/etc/x"})").status, 400);
}

TEST_F(AgentTest, an_export_that_nobody_reads_any_more_ends) {
  constexpr uint64_t kFrames = 20, kEvents = 4000;
  for (uint64_t sent = 0; sent < kFrames; ++sent) {
    std::vector<v1::Event> events;
    for (uint64_t i = 1; i <= kEvents; ++i) {
      events.push_back(process_event(sent * kEvents + i, static_cast<int>(i), 1, "/usr/bin/id"));
    }
    ASSERT_TRUE(agent_->send(testing::frame_of(events, agent_->host_id())).has_ack());
  }
  const std::string body = json{{"query", "HostId = \"" + agent_->host_id() + "\""}, {"format", "jsonl"}}.dump();
  const std::string request =
      head("POST", "/api/v1/hunts/export", body.size(), {cookie_, "X-CSRF-Token: " + csrf_}) + body;
  const auto small = [] {
    return call("POST", "/hunts/export", R"({"query":"| fields time | limit 1","format":"csv"})").status;
  };
  {
    // Two that are not read: more than the socket takes.
    HttpsClient first(node_->api_port()), second(node_->api_port());
    first.send(request);
    second.send(request);
    for (HttpsClient* client : {&first, &second}) {
      const std::string answer = client->read_until("\r\n\r\n");
      EXPECT_NE(answer.find("200 OK"), std::string::npos) << answer;
    }
    EXPECT_EQ(small(), 429);
  }
  const int64_t deadline = now_ms() + kPatienceMs;
  int status = 0;
  while ((status = small()) == 429 && now_ms() < deadline) ::usleep(20'000);
  EXPECT_EQ(status, 200) << "the clients are gone, and so are their files";

  const auto abandoned = [] {
    return call("GET", "/metrics").body.find("redoubt_hunt_exports_abandoned_total 0") == std::string::npos;
  };
  EXPECT_FALSE(abandoned());
  const std::string files = data() + (clickhouse_server_ ? "/clickhouse/tmp" : "/events/tmp");
  const int64_t enough = now_ms() + kPatienceMs;
  {
    HttpsClient third(node_->api_port());
    third.send(request);
    while (std::filesystem::is_empty(files) && now_ms() < enough) ::usleep(1000);
  }
  while (!abandoned() && now_ms() < enough) ::usleep(20'000);
  EXPECT_TRUE(abandoned());
  EXPECT_TRUE(std::filesystem::is_empty(files));
}

TEST_F(AgentTest, history_has_as_many_hits_as_were_live) {
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  const json rule = call("GET", "/rules").parsed()["rules"][0];
  EXPECT_GE(rule["hits"], 1);
  for (const json& body : {json{{"rule_id", rule["id"]}, {"since", "1d"}}, json{{"text", kRule}, {"since", "1d"}}}) {
    const json answer = call("POST", "/rules/backtest", body.dump()).parsed();
    EXPECT_EQ(answer["hits_total"], rule["hits"]) << answer;
    EXPECT_EQ(answer["rows"].size(), rule["hits"]) << answer;
  }
}

TEST_F(AgentTest, a_rule_that_is_off_or_excluded_from_detects_nothing) {
  const auto hits = [] { return call("GET", "/rules").parsed()["rules"][0]["hits"].get<int64_t>(); };
  const std::string path = "/rules/5d3c1a0e-7777-4000-8000-000000000001";
  const int64_t before = hits();
  ASSERT_EQ(call("PATCH", path, R"({"enabled":false})").status, 200);
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  EXPECT_EQ(hits(), before);
  ASSERT_EQ(call("PATCH", path, R"({"enabled":true})").status, 200);
  const json made =
      call("POST", "/exclusions", R"({"name":"x","condition":"process.name = \"test_marker\""})").parsed();
  ASSERT_TRUE(agent_->send(marker_frame(4)).has_ack());
  EXPECT_EQ(hits(), before);
  ASSERT_EQ(call("DELETE", "/exclusions/" + made["id"].get<std::string>()).status, 204);
  ASSERT_TRUE(agent_->send(marker_frame(7)).has_ack());
  EXPECT_EQ(hits(), before + 1);
}

TEST_F(AgentTest, the_host_is_shown_as_connected) {
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  const json host = call("GET", "/hosts/" + agent_->host_id()).parsed();
  EXPECT_EQ(host["state"], "connected");
  EXPECT_EQ(host["events"], 3);
  EXPECT_EQ(host["events_lost"], 0);
  EXPECT_GT(host["event_rate"].get<double>(), 0);
}

TEST_F(AgentTest, a_malformed_frame_is_rejected_and_the_stream_goes_on) {
  event::Frame garbage{.boot_id = "boot", .first_sequence = 1, .last_sequence = 1, .events = 1, .payload = "garbage"};
  garbage.checksum = event::frame_checksum(garbage.payload);
  const v1::NodeMessage answer = agent_->send(garbage);
  ASSERT_TRUE(answer.has_reject());
  EXPECT_NE(answer.reject().reason(), "");
  EXPECT_TRUE(agent_->send(marker_frame(1)).has_ack());
}

TEST_F(AgentTest, a_token_is_spent_and_a_revoked_agent_is_cut_off) {
  EXPECT_EQ(raw("POST", "/enroll", enrol_body_).status, 401);
  ASSERT_EQ(call("POST", "/hosts/" + agent_->host_id() + "/revoke").parsed()["state"], "revoked");
  EXPECT_EQ(agent_->ended().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(AgentTest, everything_is_there_after_a_restart) {
  ASSERT_TRUE(agent_->send(marker_frame(1)).has_ack());
  const std::string host = agent_->host_id();
  agent_.reset();
  HttpsClient live(node_->api_port());
  live.send(head("GET", "/api/v1/alerts/stream", 0, {cookie_}));
  live.read_until(": open");
  const int64_t stop_ms = now_ms();
  node_.reset();
  EXPECT_LT(now_ms() - stop_ms, 5000);
  start();
  const Answer in = raw("POST", "/session", json{{"user", "admin"}, {"password", password_}}.dump());
  ASSERT_EQ(in.status, 200);
  csrf_ = in.parsed()["csrf"];
  const size_t at = in.head.find("redoubt_session=");
  cookie_ = "Cookie: " + in.head.substr(at, in.head.find(';', at) - at);
  EXPECT_EQ(call("GET", "/alerts?host_id=" + host).parsed()["total"], 1);
  EXPECT_EQ(call("GET", "/hosts/" + host).parsed()["events"], 3);
  EXPECT_EQ(call("GET", "/hosts/" + host).parsed()["state"], "disconnected");
}

}  // namespace
}  // namespace redoubt::central
