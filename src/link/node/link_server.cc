#include "link/node/link_server.h"
#include "link/grpc_setup.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "base/log.h"
#include "base/text.h"
#include "event/batch.h"
#include "link/certificate.h"
#include "link/node/host_lanes.h"
#include "redoubt/link.grpc.pb.h"

namespace redoubt::link {

namespace {

constexpr std::string_view kServerLog = "link";
constexpr int kMessageBytesMax = static_cast<int>(event::kBatchBytesMax) + (64 << 10);
constexpr size_t kServerMemoryMax = size_t{512} << 20;  // what gRPC may buffer for all streams
// Above what an agent needs that reconnects while its old connections are not yet known to be dead.
constexpr size_t kStreamsPerHostMax = 16;
constexpr int kServerKeepaliveMs = 30'000;
constexpr int kServerKeepaliveTimeoutMs = 15'000;
constexpr int kClientPingIntervalMinMs = 5'000;
constexpr auto kShutdownGrace = std::chrono::seconds(2);

Result<AgentIdentity> identity_of(const grpc::CallbackServerContext& context) {
  const auto auth = context.auth_context();
  const auto names = auth->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  const auto certificates = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (!auth->IsPeerAuthenticated() || names.size() != 1 || names[0].empty() || certificates.size() != 1) {
    return fail(Errc::unauthenticated, "no client certificate that names a host");
  }
  TRY(const CertificateInfo info, read_certificate({certificates[0].data(), certificates[0].size()}));
  return AgentIdentity{.host_id = {names[0].data(), names[0].size()},
                       .certificate_fingerprint = info.fingerprint,
                       .address = context.peer()};
}

Result<AgentHello> hello_of(const v1::Hello& message) {
  AgentHello hello{.host_name = message.host_name(),
                   .host_ip = message.host_ip(),
                   .os_version = message.os_version(),
                   .agent_version = message.agent_version(),
                   .boot_id = message.boot_id(),
                   .tier = message.tier()};
  if (hello.boot_id.empty()) return fail(Errc::invalid_argument, "hello has no boot id");
  for (const std::string* text :
       {&hello.host_name, &hello.host_ip, &hello.os_version, &hello.agent_version, &hello.boot_id, &hello.tier}) {
    if (text->size() > kHelloTextMax || !base::is_utf8(*text)) {
      return fail(Errc::invalid_argument, "hello holds text that is not UTF-8 or longer than 256 bytes");
    }
  }
  return hello;
}

Result<HostReport> report_of(const v1::Report& message) {
  for (const std::string* text : {&message.policy_error(), &message.degradation()}) {
    if (text->size() > kHelloTextMax || !base::is_utf8(*text)) {
      return fail(Errc::invalid_argument, "report holds text that is not UTF-8 or longer than 256 bytes");
    }
  }
  return HostReport{.policy_version = message.policy_version(),
                    .policy_error = message.policy_error(),
                    .cpu_permille = message.cpu_permille(),
                    .degradation = message.degradation(),
                    .spool_bytes = message.spool_bytes(),
                    .events_lost = message.events_lost(),
                    .memory_rss = message.memory_rss()};
}

void write_policy(const HostPolicy& policy, v1::Policy& message) {
  message.set_version(policy.version);
  message.mutable_programs()->Assign(policy.programs.begin(), policy.programs.end());
  message.mutable_paths()->Assign(policy.paths.begin(), policy.paths.end());
  message.mutable_networks()->Assign(policy.networks.begin(), policy.networks.end());
  message.mutable_read_paths()->Assign(policy.read_paths.begin(), policy.read_paths.end());
}

// What is wrong with the frame's envelope; its content is the handler's to judge.
Status check_frame(const v1::Frame& frame) {
  if (frame.boot_id().empty() || frame.boot_id().size() > kHelloTextMax) {
    return fail(Errc::invalid_argument, "frame has no boot id of at most 256 bytes");
  }
  if (frame.first_sequence() == 0 || frame.first_sequence() > frame.last_sequence()) {
    return fail(Errc::invalid_argument, "frame's sequence numbers are no range");
  }
  if (frame.events() == 0 || frame.events() > event::kBatchEventsMax) {
    return fail(Errc::invalid_argument, "frame must hold 1 to " + std::to_string(event::kBatchEventsMax) + " events");
  }
  return {};
}

// Whether a handler's error means "never" rather than "not now".
bool refuses_for_ever(Errc code) {
  return code == Errc::invalid_argument || code == Errc::too_large || code == Errc::corrupt ||
         code == Errc::unsupported;
}

grpc::Status status_of(const Error& error) {
  if (error.code == Errc::permission_denied || error.code == Errc::unauthenticated) {
    return {grpc::StatusCode::PERMISSION_DENIED, error.message};
  }
  if (error.code == Errc::invalid_argument) return {grpc::StatusCode::INVALID_ARGUMENT, error.message};
  return {grpc::StatusCode::UNAVAILABLE, error.message};
}

}  // namespace

// One agent's stream: read, handle on the host's lane, write, read again; never two of them at a time, so what a slow
// node has not read stays in the agent's spool.
class AgentStream final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::NodeMessage>,
                          public std::enable_shared_from_this<AgentStream> {
 public:
  AgentStream(LinkServer::Impl& server, AgentIdentity agent) : server_(server), agent_(std::move(agent)) {}

  const AgentIdentity& agent() const { return agent_; }
  void read_next();
  // The first call decides the status; any thread.
  void finish(const grpc::Status& status);
  // Ends what the handler knows as connected. On the host's lane.
  void disconnect();

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { finish({grpc::StatusCode::CANCELLED, "cancelled"}); }
  void OnDone() override;

  // On the host's lane.
  void handle();
  void greet(const v1::Hello& message);
  void take(v1::Frame& message);
  void note(const v1::Report& message);
  void renew(const v1::Renewal& message);
  void reject(const v1::Frame& message, const std::string& reason);
  void write_reply();

  LinkServer::Impl& server_;
  const AgentIdentity agent_;
  v1::AgentMessage message_;
  v1::NodeMessage reply_;
  bool greeted_ = false;    // on the host's lane only
  bool connected_ = false;  // on the host's lane only
  std::mutex mutex_;        // nothing is started on the reactor once it is finished
  bool finished_ = false;
};

struct LinkServer::Impl final : v1::Link::CallbackService {
  Impl(LinkServerOptions given, FrameHandler& frames)
      : options(std::move(given)), handler(frames), lanes(options.worker_threads) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::NodeMessage>* Stream(grpc::CallbackServerContext* context) override;
  std::shared_ptr<AgentStream> admit(AgentIdentity agent, grpc::Status& refusal);
  void forget(const std::shared_ptr<AgentStream>& stream);
  // Makes `stream` the one of its host; gives the one before it.
  std::shared_ptr<AgentStream> replace_current(const std::shared_ptr<AgentStream>& stream);
  std::vector<std::shared_ptr<AgentStream>> streams_of(const std::string& host_id);
  // How many hosts are connected.
  size_t greeted() {
    const std::lock_guard lock(mutex);
    return current.size();
  }

  const LinkServerOptions options;
  FrameHandler& handler;
  HostLanes lanes;
  std::unique_ptr<grpc::Server> server;
  int port = 0;

  std::mutex mutex;
  std::condition_variable streams_changed;
  std::unordered_set<std::shared_ptr<AgentStream>> streams;
  std::unordered_map<std::string, size_t> streams_of_host;
  std::unordered_map<std::string, std::shared_ptr<AgentStream>> current;  // the greeted stream of each host
  bool stopping = false;
};

namespace {

// Answers a call that is refused before anything is read.
class RefusedStream final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::NodeMessage> {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

void AgentStream::read_next() {
  const std::lock_guard lock(mutex_);
  if (!finished_) StartRead(&message_);
}

void AgentStream::finish(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(finished_, true)) return;
  Finish(status);
}

void AgentStream::OnReadDone(bool ok) {
  if (!ok) return finish(grpc::Status::OK);
  server_.lanes.post(agent_.host_id, [self = shared_from_this()] { self->handle(); });
}

void AgentStream::OnWriteDone(bool ok) {
  if (!ok) return finish({grpc::StatusCode::UNAVAILABLE, "agent is gone"});
  read_next();
}

void AgentStream::OnDone() {
  const auto self = shared_from_this();
  server_.lanes.post(agent_.host_id, [self] {
    self->disconnect();
    self->server_.forget(self);
  });
}

void AgentStream::disconnect() {
  if (!std::exchange(connected_, false)) return;
  server_.handler.agent_disconnected(agent_);
}

void AgentStream::handle() {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
  }
  switch (message_.body_case()) {
    case v1::AgentMessage::kHello: return greet(message_.hello());
    case v1::AgentMessage::kFrame: return take(*message_.mutable_frame());
    case v1::AgentMessage::kReport: return note(message_.report());
    case v1::AgentMessage::kRenewal: return renew(message_.renewal());
    case v1::AgentMessage::BODY_NOT_SET: break;
  }
  finish({grpc::StatusCode::INVALID_ARGUMENT, "message is none that this node knows"});
}

void AgentStream::greet(const v1::Hello& message) {
  if (std::exchange(greeted_, true)) return finish({grpc::StatusCode::INVALID_ARGUMENT, "second hello"});
  const auto hello = hello_of(message);
  if (!hello) return finish(status_of(hello.error()));
  if (const auto before = server_.replace_current(shared_from_this())) {
    before->finish({grpc::StatusCode::UNAVAILABLE, "the host opened another stream"});
    before->disconnect();
  }
  const auto stored = server_.handler.agent_connected(agent_, *hello);
  if (!stored) {
    base::log_warning(kServerLog,
                      "host " + agent_.host_id + " at " + agent_.address + " refused: " + stored.error().message);
    return finish(status_of(stored.error()));
  }
  connected_ = true;
  reply_.mutable_welcome()->set_stored_sequence(*stored);
  reply_.mutable_welcome()->set_node_version(server_.options.node_version);
  reply_.mutable_welcome()->set_takes_reports(true);
  write_reply();
}

void AgentStream::take(v1::Frame& message) {
  if (!connected_) return finish({grpc::StatusCode::INVALID_ARGUMENT, "frame before hello"});
  if (const Status sound = check_frame(message); !sound) return reject(message, sound.error().message);
  event::Frame frame{.boot_id = message.boot_id(),
                     .first_sequence = message.first_sequence(),
                     .last_sequence = message.last_sequence(),
                     .events = message.events(),
                     .payload = std::move(*message.mutable_payload()),
                     .checksum = message.checksum()};
  const Status taken = server_.handler.take_frame(agent_, std::move(frame));
  if (!taken && refuses_for_ever(taken.error().code)) return reject(message, taken.error().message);
  if (!taken) {
    base::log_warning(kServerLog, "frame of host " + agent_.host_id + " not taken: " + taken.error().message);
    return finish(status_of(taken.error()));
  }
  v1::Ack& ack = *reply_.mutable_ack();
  ack.set_boot_id(message.boot_id());
  ack.set_last_sequence(message.last_sequence());
  write_reply();
}

void AgentStream::note(const v1::Report& message) {
  if (!connected_) return finish({grpc::StatusCode::INVALID_ARGUMENT, "report before hello"});
  const auto report = report_of(message);
  if (!report) return finish(status_of(report.error()));
  v1::Noted& noted = *reply_.mutable_noted();
  noted.Clear();
  noted.set_report_after_ms(static_cast<uint32_t>(server_.greeted() * 1000 / server_.options.reports_per_second_max));
  if (const auto policy = server_.handler.take_report(agent_, *report)) write_policy(*policy, *noted.mutable_policy());
  write_reply();
}

void AgentStream::renew(const v1::Renewal& message) {
  if (!connected_) return finish({grpc::StatusCode::INVALID_ARGUMENT, "renewal before hello"});
  const auto certificate = server_.handler.renew(agent_, message.request_pem());
  v1::Renewed& renewed = *reply_.mutable_renewed();
  renewed.Clear();
  if (certificate) {
    renewed.set_certificate_pem(*certificate);
  } else {
    base::log_warning(kServerLog, "certificate of host " + agent_.host_id + ": " + certificate.error().message);
    renewed.set_reason(certificate.error().message);
  }
  write_reply();
}

void AgentStream::reject(const v1::Frame& message, const std::string& reason) {
  base::log_warning(kServerLog, "frame of host " + agent_.host_id + " rejected: " + reason);
  v1::Reject& rejected = *reply_.mutable_reject();
  rejected.set_boot_id(message.boot_id());
  rejected.set_first_sequence(message.first_sequence());
  rejected.set_last_sequence(message.last_sequence());
  rejected.set_reason(reason);
  write_reply();
}

void AgentStream::write_reply() {
  const std::lock_guard lock(mutex_);
  if (!finished_) StartWrite(&reply_);
}

grpc::ServerBidiReactor<v1::AgentMessage, v1::NodeMessage>* LinkServer::Impl::Stream(
    grpc::CallbackServerContext* context) {
  auto agent = identity_of(*context);
  if (!agent) return new RefusedStream({grpc::StatusCode::PERMISSION_DENIED, agent.error().message});
  grpc::Status refusal;
  const auto stream = admit(*std::move(agent), refusal);
  if (!stream) return new RefusedStream(refusal);
  stream->read_next();
  return stream.get();
}

std::shared_ptr<AgentStream> LinkServer::Impl::admit(AgentIdentity agent, grpc::Status& refusal) {
  const std::lock_guard lock(mutex);
  size_t& of_host = streams_of_host[agent.host_id];
  if (stopping || streams.size() >= options.streams_max || of_host >= kStreamsPerHostMax) {
    if (of_host == 0) streams_of_host.erase(agent.host_id);
    refusal = {grpc::StatusCode::UNAVAILABLE, stopping ? "node stops" : "too many streams"};
    return nullptr;
  }
  ++of_host;
  auto stream = std::make_shared<AgentStream>(*this, std::move(agent));
  streams.insert(stream);
  return stream;
}

void LinkServer::Impl::forget(const std::shared_ptr<AgentStream>& stream) {
  const std::lock_guard lock(mutex);
  if (streams.erase(stream) > 0) {
    const auto of_host = streams_of_host.find(stream->agent().host_id);
    if (--of_host->second == 0) streams_of_host.erase(of_host);
  }
  const auto latest = current.find(stream->agent().host_id);
  if (latest != current.end() && latest->second == stream) current.erase(latest);
  streams_changed.notify_all();
}

std::shared_ptr<AgentStream> LinkServer::Impl::replace_current(const std::shared_ptr<AgentStream>& stream) {
  const std::lock_guard lock(mutex);
  return std::exchange(current[stream->agent().host_id], stream);
}

std::vector<std::shared_ptr<AgentStream>> LinkServer::Impl::streams_of(const std::string& host_id) {
  const std::lock_guard lock(mutex);
  std::vector<std::shared_ptr<AgentStream>> found;
  for (const auto& stream : streams) {
    if (host_id.empty() || stream->agent().host_id == host_id) found.push_back(stream);
  }
  return found;
}

Result<std::unique_ptr<LinkServer>> LinkServer::start(LinkServerOptions options, FrameHandler& handler) {
  const std::string address = options.address;
  set_up_grpc();
  auto impl = std::make_unique<Impl>(std::move(options), handler);
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = impl->options.ca_pem;
  tls.pem_key_cert_pairs.push_back({impl->options.key_pem, impl->options.certificate_pem});

  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::SslServerCredentials(tls), &impl->port);
  builder.RegisterService(impl.get());
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.SetResourceQuota(grpc::ResourceQuota("link").Resize(kServerMemoryMax));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second node on the port is an error
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kServerKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kServerKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kClientPingIntervalMinMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(kStreamsPerHostMax));
  impl->server = builder.BuildAndStart();
  if (!impl->server || impl->port == 0) {
    return fail(Errc::unavailable,
                "listen on " + address + ": the address is taken, or certificate or key is not usable");
  }
  return std::unique_ptr<LinkServer>(new LinkServer(std::move(impl)));
}

LinkServer::LinkServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LinkServer::~LinkServer() { stop(); }

int LinkServer::port() const { return impl_->port; }

size_t LinkServer::streams() const { return impl_->greeted(); }

void LinkServer::end_streams(const std::string& host_id) {
  CHECK(!host_id.empty());
  for (const auto& stream : impl_->streams_of(host_id)) {
    stream->finish({grpc::StatusCode::PERMISSION_DENIED, "the host's certificate is revoked"});
  }
}

void LinkServer::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (std::exchange(impl_->stopping, true)) return;
  }
  for (const auto& stream : impl_->streams_of("")) stream->finish({grpc::StatusCode::UNAVAILABLE, "node stops"});
  impl_->server->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
  {
    std::unique_lock lock(impl_->mutex);
    impl_->streams_changed.wait(lock, [this] { return impl_->streams.empty(); });
  }
  impl_->lanes.stop();
}

}  // namespace redoubt::link
