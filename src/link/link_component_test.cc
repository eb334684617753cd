// Agent and node over real TLS on loopback: LinkClient with its spool against LinkServer with a small handler.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "link/agent/link_client.h"
#include "link/agent/spooler.h"
#include "link/certificate.h"
#include "link/node/link_server.h"
#include "link/test_frames.h"
#include "link/test_node.h"
#include "redoubt/link.grpc.pb.h"

namespace redoubt::link {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// An agent without a sensor.
struct Agent {
  Agent(const Node& node, const std::string& data, const KeyAndCertificate& client, SpoolOptions spool_options = {},
        LinkClientOptions link_options = {}) {
    account = Account::open(data + "/account", "boot", Account::DataDir::fresh).value();
    spool_options.directory = data + "/spool";
    spool_options.released_boot_id = account->boot_id();
    spool_options.released_sequence = account->released();
    spool = Spool::open(spool_options).value();
    intake = std::make_unique<Intake>(*account, Intake::Limits{});
    v1::Event common;
    common.set_host_id("host");
    spooler = std::make_unique<Spooler>(*account, *intake, *spool, common);
    link_options.address = "127.0.0.1:" + std::to_string(node.port);
    link_options.server_name = "node.test";
    link_options.ca_pem = node.ca.certificate_pem;
    link_options.certificate_pem = client.certificate_pem;
    link_options.key_pem = client.key_pem;
    link_options.host_name = "test-host";
    link_options.rejected_directory = data + "/rejected";
    link_options.retry_first = milliseconds(10);
    link_options.retry_longest = milliseconds(100);
    link_options.retry_refused = milliseconds(50);
    link_options.report_every = milliseconds(20);
    link = std::make_unique<LinkClient>(link_options, *account, *intake, *spool);
    spooler->start();
    link->start();
  }
  void take(int count) const {
    for (int i = 0; i < count; ++i) intake->take(process_event());
  }
  bool delivered() const {
    return eventually([&] { return account->released() == account->numbered() && spool->empty(); });
  }
  bool reaches(LinkPhase phase) const {
    return eventually([&] { return link->state().phase == phase; });
  }

  std::unique_ptr<Account> account;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<Spooler> spooler;
  std::unique_ptr<LinkClient> link;
};

void expect_each_once(const Received& received, uint64_t last) {
  EXPECT_EQ(received.duplicates, 0U);
  EXPECT_EQ(received.highest(), last);
  EXPECT_EQ(received.missing_up_to(last), 0U);
}

TEST(Link, delivers_and_names_the_host_by_its_certificate) {
  Node node;
  const base::TempDir dir;
  const auto client = node.client("host-1");
  const Agent agent(node, dir.path(), client);
  agent.take(1000);
  ASSERT_TRUE(agent.delivered());
  expect_each_once(node.handler.stored("host-1"), 1000);
  EXPECT_EQ(node.handler.identity.host_id, "host-1");
  EXPECT_EQ(node.handler.identity.certificate_fingerprint, read_certificate(client.certificate_pem)->fingerprint);
  EXPECT_EQ(node.handler.last_hello.host_name, "test-host");
  EXPECT_EQ(node.handler.last_hello.boot_id, "boot");
  EXPECT_EQ(agent.link->state().node_version, "test");
  EXPECT_EQ(agent.link->state().stored_sequence, 1000U);
}

TEST(Link, loses_and_repeats_nothing_across_node_restarts) {
  Node node;
  const base::TempDir dir;
  const Agent agent(node, dir.path(), node.client("host-1"));
  for (int restart = 0; restart < 5; ++restart) {
    const int calls = node.handler.calls;
    agent.take(3000);
    ASSERT_TRUE(eventually([&] { return node.handler.calls > calls; }));
    node.server.reset();
    agent.take(500);
    node.start();
  }
  ASSERT_TRUE(agent.delivered());
  expect_each_once(node.handler.stored("host-1"), 5 * 3500);
  EXPECT_EQ(node.handler.connected, agent.link->state().connections);
  EXPECT_TRUE(std::filesystem::file_size(dir / "account") > 0);
}

TEST(Link, reports_how_the_agent_is_and_applies_the_nodes_policy) {
  Node node;
  const base::TempDir dir;
  std::atomic<uint64_t> applied = 0;
  HostPolicy taken;
  const LinkClientOptions options{
      .report = [&] { return HostReport{.policy_version = applied, .degradation = "none", .spool_bytes = 7}; },
      .take_policy =
          [&](const HostPolicy& policy) {
            taken = policy;
            applied = policy.version;
          }};
  const Agent agent(node, dir.path(), node.client("host-1"), {}, options);
  ASSERT_TRUE(eventually([&] { return node.handler.reports > 0; }));
  EXPECT_EQ(node.handler.last_report.spool_bytes, 7U);
  EXPECT_EQ(applied, 0U);
  node.handler.change(
      [&] { node.handler.policy = {.version = 3, .paths = {"/var/cache"}, .networks = {"10.0.0.0/8"}}; });
  ASSERT_TRUE(eventually([&] { return node.handler.last_report.policy_version == 3; }));
  EXPECT_EQ(taken.paths, std::vector<std::string>{"/var/cache"});
  EXPECT_EQ(taken.networks, std::vector<std::string>{"10.0.0.0/8"});
  EXPECT_TRUE(taken.programs.empty());
  agent.take(100);
  EXPECT_TRUE(agent.delivered());
}

// Three hosts, and the node wants to hear one a second.
TEST(Link, reports_more_rarely_where_there_are_many_hosts) {
  Node node(1);
  std::vector<std::unique_ptr<base::TempDir>> directories;
  std::vector<std::unique_ptr<Agent>> agents;
  const LinkClientOptions options{.report = [] { return HostReport{}; }};
  for (const char* host : {"host-1", "host-2", "host-3"}) {
    directories.push_back(std::make_unique<base::TempDir>());
    agents.push_back(
        std::make_unique<Agent>(node, directories.back()->path(), node.client(host), SpoolOptions{}, options));
    ASSERT_TRUE(agents.back()->reaches(LinkPhase::connected));
  }
  ASSERT_TRUE(eventually([&] { return node.handler.reports >= 3; }));
  const int first = node.handler.reports;
  std::this_thread::sleep_for(seconds(3));
  EXPECT_LE(node.handler.reports - first, 6);
  EXPECT_TRUE(eventually([&] { return node.handler.reports > first; }));
}

// A certificate whose two thirds are over in a moment.
KeyAndCertificate short_lived(const Node& node) {
  const auto own = make_request("host-1").value();
  return {.key_pem = own.key_pem,
          .certificate_pem = sign_request(node.ca, own.request_pem, "host-1", 6 * base::kSecondUs).value()};
}

TEST(Link, renews_its_certificate_and_goes_on_with_it) {
  Node node;
  node.handler.renewing_ca = node.ca;
  const base::TempDir dir;
  std::mutex mutex;
  KeyAndCertificate kept;
  const LinkClientOptions options{.keep_certificate = [&](const KeyAndCertificate& fresh) -> Status {
    const std::lock_guard lock(mutex);
    kept = fresh;
    return {};
  }};
  const Agent agent(node, dir.path(), short_lived(node), {}, options);
  agent.take(1000);
  ASSERT_TRUE(eventually([&] { return node.handler.connected == 2; })) << "it comes back with the new one";
  const std::lock_guard lock(mutex);
  const auto fresh = read_certificate(kept.certificate_pem);
  ASSERT_TRUE(fresh);
  EXPECT_EQ(node.handler.identity.certificate_fingerprint, fresh->fingerprint);
  EXPECT_GT(fresh->expires.us, base::Time::now().us + 300 * base::kDayUs);
  agent.take(1000);
  ASSERT_TRUE(agent.delivered());
  expect_each_once(node.handler.stored("host-1"), 2000);
  EXPECT_EQ(node.handler.renewals, 1);
}

TEST(Link, keeps_its_certificate_where_the_renewed_one_does_not_fit) {
  Node node;
  node.handler.renewing_ca = node.ca;
  node.handler.renewed_name = "another";
  const base::TempDir dir;
  std::atomic<int> kept = 0;
  const LinkClientOptions options{.keep_certificate = [&](const KeyAndCertificate&) -> Status {
    ++kept;
    return {};
  }};
  const Agent agent(node, dir.path(), short_lived(node), {}, options);
  ASSERT_TRUE(eventually([&] { return node.handler.renewals == 1; }));
  agent.take(100);
  ASSERT_TRUE(agent.delivered());
  EXPECT_EQ(kept, 0);
  EXPECT_EQ(node.handler.connected, 1);
}

TEST(Link, goes_on_after_an_agent_restart) {
  Node node;
  const base::TempDir dir;
  const auto client = node.client("host-1");
  for (int run = 0; run < 4; ++run) {
    const Agent agent(node, dir.path(), client);
    agent.take(1500);
    ASSERT_TRUE(agent.reaches(LinkPhase::connected));
  }
  const Agent agent(node, dir.path(), client);
  ASSERT_TRUE(agent.delivered());
  expect_each_once(node.handler.stored("host-1"), agent.account->numbered());
  EXPECT_EQ(agent.account->numbered(), 4U * 1500U);
}

TEST(Link, keeps_what_the_node_cannot_take_now) {
  Node node;
  node.handler.failing = 5;
  const base::TempDir dir;
  const Agent agent(node, dir.path(), node.client("host-1"));
  agent.take(2000);
  ASSERT_TRUE(agent.delivered());
  expect_each_once(node.handler.stored("host-1"), 2000);
  EXPECT_EQ(node.handler.stored("host-1").losses.size(), 0U);
}

TEST(Link, loses_nothing_to_a_node_that_claims_numbers_never_given) {
  Node node;
  node.handler.claimed_sequence = 1'000'000;
  const base::TempDir dir;
  const Agent agent(node, dir.path(), node.client("host-1"));
  agent.take(500);
  ASSERT_TRUE(agent.reaches(LinkPhase::connected));
  agent.take(500);
  ASSERT_TRUE(eventually([&] { return node.handler.stored("host-1").sequences.size() == 1000; }));
  // Numbers up to its own a node that means it would take for repeats.
  EXPECT_GT(node.handler.stored("host-1").highest(), 1'000'000U);
}

TEST(Link, sets_a_rejected_frame_aside_and_declares_it) {
  Node node;
  node.handler.reject_sequence = 700;
  const base::TempDir dir;
  const Agent agent(node, dir.path(), node.client("host-1"));
  agent.take(3000);
  ASSERT_TRUE(eventually([&] { return !node.handler.stored("host-1").losses.empty(); }));
  ASSERT_TRUE(agent.delivered());
  const Received received = node.handler.stored("host-1");
  ASSERT_EQ(received.losses.size(), 1U);
  EXPECT_EQ(received.losses[0].cause, kNodeRejected);
  EXPECT_LE(received.losses[0].first_sequence, 700U);
  EXPECT_GE(received.losses[0].last_sequence, 700U);
  EXPECT_FALSE(received.sequences.contains(700));
  expect_each_once(received, agent.account->numbered());
  EXPECT_TRUE(eventually([&] { return agent.account->hole().count == 0; }));
  const auto kept = std::filesystem::directory_iterator(dir / "rejected");
  const std::string record = base::read_file(kept->path().string(), 1 << 20).value();
  std::string_view bytes = record;
  EXPECT_EQ(event::take_record(bytes)->first_sequence, received.losses[0].first_sequence);
}

TEST(Link, holds_a_window_while_the_node_is_slow) {
  Node node;
  node.handler.blocked_hosts = {"host-1"};
  const base::TempDir dir;
  const Agent agent(node, dir.path(), node.client("host-1"));
  ASSERT_TRUE(agent.reaches(LinkPhase::connected));
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    agent.take(1000);
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5)) << "the sink waits for the node";
  ASSERT_TRUE(eventually([&] { return agent.spool->last_sequence("boot") == agent.account->numbered(); }));
  EXPECT_EQ(agent.link->state().frames_sent, 8U);
  EXPECT_EQ(agent.account->released(), 0U);
  node.handler.change([&] { node.handler.blocked_hosts.clear(); });
  ASSERT_TRUE(agent.delivered());
  expect_each_once(node.handler.stored("host-1"), agent.account->numbered());
}

TEST(Link, one_slow_host_holds_up_no_other) {
  Node node;
  node.handler.blocked_hosts = {"host-1"};
  const base::TempDir dir_1;
  const base::TempDir dir_2;
  const Agent slow(node, dir_1.path(), node.client("host-1"));
  const Agent quick(node, dir_2.path(), node.client("host-2"));
  slow.take(10);
  quick.take(1000);
  EXPECT_TRUE(quick.delivered());
  node.handler.change([&] { node.handler.blocked_hosts.clear(); });
  EXPECT_TRUE(slow.delivered());
}

TEST(Link, ends_the_stream_of_a_revoked_host_at_once) {
  Node node;
  const base::TempDir dir;
  const Agent agent(node, dir.path(), node.client("host-1"));
  agent.take(100);
  ASSERT_TRUE(agent.delivered());
  node.handler.change([&] { node.handler.refused_hosts = {"host-1"}; });
  node.server->end_streams("host-1");
  ASSERT_TRUE(agent.reaches(LinkPhase::refused));
  EXPECT_TRUE(eventually([&] { return node.handler.disconnected == 1; }));
  agent.take(100);
  ASSERT_TRUE(eventually([&] { return node.handler.connected >= 3; })) << "it asks again, slowly";
  EXPECT_EQ(node.handler.stored("host-1").highest(), 100U);
  node.handler.change([&] { node.handler.refused_hosts.clear(); });
  EXPECT_TRUE(agent.delivered());
}

TEST(Link, refuses_a_certificate_of_another_ca) {
  Node node;
  const base::TempDir dir;
  const Agent agent(node, dir.path(), Node::client_of(make_ca("test").value(), "host-1"));
  ASSERT_TRUE(eventually([&] { return !agent.link->state().last_error.empty(); }));
  EXPECT_EQ(agent.link->state().connections, 0U);
  EXPECT_EQ(node.handler.connected, 0);
}

TEST(Link, agent_refuses_a_node_of_another_ca_or_name) {
  Node node;
  Node other;
  const base::TempDir dir;
  other.port = node.port;
  const Agent agent(other, dir.path(), node.client("host-1"));
  ASSERT_TRUE(eventually([&] { return !agent.link->state().last_error.empty(); }));
  EXPECT_EQ(agent.link->state().connections, 0U);
  EXPECT_EQ(node.handler.connected, 0);
}

TEST(LinkServer, refuses_an_address_that_is_taken) {
  Node node;
  const auto second = LinkServer::start({.address = "127.0.0.1:" + std::to_string(node.port),
                                         .ca_pem = node.ca.certificate_pem,
                                         .certificate_pem = node.certificate.certificate_pem,
                                         .key_pem = node.certificate.key_pem},
                                        node.handler);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unavailable);
}

// A client that says what no agent would.
struct RawClient {
  RawClient(const Node& node, const KeyAndCertificate* client) {
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = node.ca.certificate_pem;
    if (client != nullptr) {
      tls.pem_cert_chain = client->certificate_pem;
      tls.pem_private_key = client->key_pem;
    }
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub = v1::Link::NewStub(
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(node.port), grpc::SslCredentials(tls), arguments));
    context.set_deadline(std::chrono::system_clock::now() + seconds(20));
    stream = stub->Stream(&context);
  }
  v1::NodeMessage ask(const v1::AgentMessage& message) {
    v1::NodeMessage answer;
    stream->Write(message);
    stream->Read(&answer);
    return answer;
  }
  grpc::StatusCode ends() {
    v1::NodeMessage answer;
    while (stream->Read(&answer)) {
    }
    return stream->Finish().error_code();
  }

  std::unique_ptr<v1::Link::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::NodeMessage>> stream;
};

v1::AgentMessage hello_message(const std::string& boot) {
  v1::AgentMessage message;
  message.mutable_hello()->set_boot_id(boot);
  return message;
}

v1::AgentMessage frame_message(uint64_t first, uint64_t last, uint32_t events) {
  v1::AgentMessage message;
  message.mutable_frame()->set_boot_id("boot");
  message.mutable_frame()->set_first_sequence(first);
  message.mutable_frame()->set_last_sequence(last);
  message.mutable_frame()->set_events(events);
  message.mutable_frame()->set_payload("no zstd");
  return message;
}

// The TLS version that a client gets which offers at most `most` and has a good certificate; empty: no connection.
std::string version_spoken(const Node& node, int most) {
  const auto client = node.client("host-1");
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  SSL_CTX_clear_options(tls.get(), SSL_OP_NO_TLSv1_2);
  SSL_CTX_set_max_proto_version(tls.get(), most);
  const base::TempDir dir;
  const std::string key = dir / "key", certificate = dir / "certificate";
  EXPECT_TRUE(write_key_and_certificate(client, key, certificate));
  EXPECT_EQ(SSL_CTX_use_certificate_chain_file(tls.get(), certificate.c_str()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(tls.get(), key.c_str(), SSL_FILETYPE_PEM), 1);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> connection(BIO_new_ssl_connect(tls.get()), &BIO_free_all);
  BIO_set_conn_hostname(connection.get(), ("127.0.0.1:" + std::to_string(node.port)).c_str());
  if (BIO_do_handshake(connection.get()) != 1) return "";
  SSL* session = nullptr;
  BIO_get_ssl(connection.get(), &session);
  return SSL_get_version(session);
}

TEST(LinkServer, speaks_tls_1_3_only) {
  const Node node;
  EXPECT_EQ(version_spoken(node, TLS1_3_VERSION), "TLSv1.3");
  EXPECT_EQ(version_spoken(node, TLS1_2_VERSION), "");
}

TEST(LinkServer, refuses_who_has_no_certificate) {
  Node node;
  RawClient client(node, nullptr);
  EXPECT_FALSE(client.ask(hello_message("boot")).has_welcome());
  EXPECT_EQ(client.ends(), grpc::StatusCode::UNAVAILABLE);  // the handshake fails
  EXPECT_EQ(node.handler.connected, 0);
}

TEST(LinkServer, refuses_a_server_certificate_as_a_clients) {
  Node node;
  RawClient client(node, &node.certificate);
  EXPECT_NE(client.ends(), grpc::StatusCode::OK);
  EXPECT_EQ(node.handler.connected, 0);
}

TEST(LinkServer, ends_streams_that_begin_wrongly) {
  Node node;
  const auto certificate = node.client("host-1");
  v1::AgentMessage long_text = hello_message("boot");
  long_text.mutable_hello()->set_host_name(std::string(kHelloTextMax + 1, 'x'));
  for (const auto& message : {hello_message(""), long_text, frame_message(1, 1, 1), v1::AgentMessage()}) {
    RawClient client(node, &certificate);
    client.stream->Write(message);
    EXPECT_EQ(client.ends(), grpc::StatusCode::INVALID_ARGUMENT) << message.ShortDebugString();
  }
  RawClient twice(node, &certificate);
  EXPECT_TRUE(twice.ask(hello_message("boot")).has_welcome());
  twice.stream->Write(hello_message("boot"));
  EXPECT_EQ(twice.ends(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(LinkServer, rejects_malformed_frames_and_goes_on) {
  Node node;
  const auto certificate = node.client("host-1");
  RawClient client(node, &certificate);
  ASSERT_TRUE(client.ask(hello_message("boot")).has_welcome());
  for (const auto& bad :
       {frame_message(0, 1, 1), frame_message(5, 4, 1), frame_message(1, 1, 0), frame_message(1, 9999, 5000)}) {
    const auto answer = client.ask(bad);
    ASSERT_TRUE(answer.has_reject()) << answer.ShortDebugString();
    EXPECT_FALSE(answer.reject().reason().empty());
  }
  EXPECT_EQ(node.handler.calls, 0);
}

TEST(LinkServer, survives_a_message_past_the_limit) {
  Node node;
  const auto certificate = node.client("host-1");
  RawClient client(node, &certificate);
  ASSERT_TRUE(client.ask(hello_message("boot")).has_welcome());
  v1::AgentMessage huge = frame_message(1, 1, 1);
  huge.mutable_frame()->set_payload(std::string(event::kBatchBytesMax + (1 << 20), 'x'));
  client.stream->Write(huge);
  EXPECT_NE(client.ends(), grpc::StatusCode::OK);
  const base::TempDir dir;
  const Agent agent(node, dir.path(), node.client("host-2"));
  agent.take(10);
  EXPECT_TRUE(agent.delivered());
}

TEST(LinkServer, a_new_stream_of_a_host_ends_the_old_one) {
  Node node;
  const auto certificate = node.client("host-1");
  RawClient first(node, &certificate);
  ASSERT_TRUE(first.ask(hello_message("boot")).has_welcome());
  RawClient second(node, &certificate);
  ASSERT_TRUE(second.ask(hello_message("boot")).has_welcome());
  EXPECT_EQ(first.ends(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(node.handler.connected, 2);
  EXPECT_TRUE(eventually([&] { return node.handler.disconnected == 1; }));
  EXPECT_EQ(node.server->streams(), 1U);
}

TEST(LinkServer, stop_ends_every_stream_and_says_so_to_the_handler) {
  Node node;
  const base::TempDir dir;
  const Agent agent(node, dir.path(), node.client("host-1"));
  ASSERT_TRUE(agent.reaches(LinkPhase::connected));
  node.server->stop();
  EXPECT_EQ(node.handler.disconnected, node.handler.connected);
  EXPECT_EQ(node.server->streams(), 0U);
}

}  // namespace
}  // namespace redoubt::link
