#include "link/agent/link_client.h"

#include <grpcpp/grpcpp.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/hash.h"
#include "base/log.h"
#include "link/agent/messages.h"
#include "link/agent/rejected_frames.h"
#include "link/grpc_setup.h"
#include "redoubt/link.grpc.pb.h"

namespace redoubt::link {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::string_view kClientLog = "link";
// A policy: kPolicyEntriesMax of kPolicyTextMax each, four times, and a margin.
constexpr int kAnswerBytesMax = 20 << 20;
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr auto kWelcomeWait = std::chrono::seconds(20);
constexpr auto kIdleWait = std::chrono::seconds(1);
constexpr auto kStatusWait = std::chrono::seconds(2);
constexpr milliseconds kReportAfterMax = std::chrono::minutes(10);
constexpr auto kDrainPoll = milliseconds(10);
constexpr size_t kNodeVersionMax = 64;
constexpr size_t kReasonMax = 512;
// Numbers that one connection may make the agent skip; they suffice for a boot, and repeated lies do not wear them out.
constexpr uint64_t kNumbersSkippedMax = uint64_t{1} << 32;

// A random part of [half, whole]: agents that lost the same node do not come back at the same moment.
milliseconds with_jitter(milliseconds whole) {
  const std::string bytes = base::random_bytes(sizeof(uint32_t));
  uint32_t random = 0;
  std::memcpy(&random, bytes.data(), sizeof random);
  const auto half = whole.count() / 2;
  return milliseconds(half + static_cast<int64_t>(random % static_cast<uint64_t>(half + 1)));
}

std::shared_ptr<grpc::Channel> make_channel(const LinkClientOptions& options, const KeyAndCertificate& own) {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = options.ca_pem;
  tls.pem_cert_chain = own.certificate_pem;
  tls.pem_private_key = own.key_pem;
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride(options.server_name);
  arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, options.proxy == LinkClientOptions::Proxy::none ? 0 : 1);
  // Each attempt is its own connection: the back-off is this client's, not the channel's.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(options.address, grpc::SslCredentials(tls), arguments);
}

// The node is trusted, but what it says is bounded all the same.
Result<HostPolicy> policy_of(const v1::Policy& message) {
  for (const auto* list : {&message.programs(), &message.paths(), &message.networks(), &message.read_paths()}) {
    if (static_cast<size_t>(list->size()) > kPolicyEntriesMax) return fail(Errc::too_large, "policy is too long");
    for (const std::string& entry : *list) {
      if (entry.size() > kPolicyTextMax) return fail(Errc::too_large, "policy has an entry that is too long");
    }
  }
  return HostPolicy{.version = message.version(),
                    .programs = {message.programs().begin(), message.programs().end()},
                    .paths = {message.paths().begin(), message.paths().end()},
                    .networks = {message.networks().begin(), message.networks().end()},
                    .read_paths = {message.read_paths().begin(), message.read_paths().end()}};
}

// Two thirds of a certificate's life from when it was made.
base::Time renewal_time(const CertificateInfo& certificate) {
  return {certificate.made.us + (certificate.expires.us - certificate.made.us) / 3 * 2};
}

// A refused renewal is asked for again after a part of the certificate's life.
constexpr int64_t kRenewalTriesInALife = 60;

}  // namespace

std::string_view name_of(LinkPhase phase) {
  switch (phase) {
    case LinkPhase::connecting: return "connecting";
    case LinkPhase::connected: return "connected";
    case LinkPhase::waiting: return "waiting";
    case LinkPhase::refused: return "refused";
    case LinkPhase::stopped: return "stopped";
  }
  return "stopped";
}

struct LinkClient::Impl {
  Impl(LinkClientOptions given, Account& books, Intake& declarations, Spool& frames)
      : options(std::move(given)),
        account(books),
        intake(declarations),
        spool(frames),
        rejected(options.rejected_directory),
        own{.key_pem = options.key_pem, .certificate_pem = options.certificate_pem} {
    plan_renewal();
  }

  using Stream = grpc::ClientReaderWriter<v1::AgentMessage, v1::NodeMessage>;

  // What was sent and not yet answered.
  struct Sent {
    SpoolPosition begin;
    SpoolPosition end;
    std::string boot_id;
    uint64_t first_sequence = 0;
    uint64_t last_sequence = 0;
    uint32_t events = 0;
    size_t bytes = 0;
  };

  void run();
  grpc::Status run_stream();
  bool greet(Stream& stream);
  void read_answers(Stream& stream);
  void send_frames(Stream& stream);
  bool send_next(Stream& stream, SpoolPosition& position);
  // What of the spool the node has, or nobody can read, is passed over.
  bool pass_over(const event::Frame& frame, SpoolPosition end);
  void pass_over_damage(SpoolPosition& position);
  bool wait_for_window();
  void take_welcome(const v1::Welcome& welcome);
  void number_behind(uint64_t stored);
  void take_ack(const v1::Ack& ack);
  void take_reject(const v1::Reject& reject);
  void take_noted(const v1::Noted& noted);
  void take_renewed(const v1::Renewed& renewed);
  Status use_renewed(const std::string& certificate_pem);
  void plan_renewal();
  // What is due beside frames: a report, a request for a new certificate.
  bool send_due(Stream& stream);
  void declare_gone(std::string_view cause, const SpoolGap& gap);
  void release(const Sent& sent);
  void pause(const grpc::Status& ended, milliseconds& retry);

  const LinkClientOptions options;
  Account& account;
  Intake& intake;
  Spool& spool;
  RejectedFrames rejected;

  mutable std::mutex mutex;
  std::condition_variable changed;
  LinkState state;
  std::deque<Sent> in_flight;
  size_t in_flight_bytes = 0;
  grpc::ClientContext* context = nullptr;  // of the live stream
  bool broken = false;                     // the live stream has ended for reading
  bool welcomed = false;                   // the live stream has begun
  bool stopping = false;
  bool takes_reports = false;  // the node of the live stream
  bool renewed = false;        // the live stream is of the certificate before
  KeyAndCertificate own;       // as is what follows: sender's thread, or under the mutex where the reader changes it
  std::string renewal_key;     // of the request that is under way; empty: none
  base::Time renew_at;         // 0: never
  Clock::time_point report_at;
  milliseconds report_after{0};     // what the node wants
  uint64_t last_read_sequence = 0;  // sender's thread only
  std::thread thread;
};

void LinkClient::Impl::run() {
  milliseconds retry = options.retry_first;
  while (true) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) break;
    }
    const grpc::Status ended = run_stream();
    if (welcomed) retry = options.retry_first;
    pause(ended, retry);
  }
  const std::lock_guard lock(mutex);
  state.phase = LinkPhase::stopped;
}

void LinkClient::Impl::pause(const grpc::Status& ended, milliseconds& retry) {
  std::unique_lock lock(mutex);
  if (stopping || renewed) return;  // the next stream is of the new certificate, and comes at once
  const bool refused = ended.error_code() == grpc::StatusCode::PERMISSION_DENIED;
  state.phase = refused ? LinkPhase::refused : LinkPhase::waiting;
  std::string reason = ended.error_message().empty() ? "stream ended" : ended.error_message();
  // The same failure is said once, not at every attempt.
  if (reason != state.last_error) base::log_warning(kClientLog, options.address + ": " + reason);
  state.last_error = std::move(reason);
  changed.wait_for(lock, with_jitter(refused ? options.retry_refused : retry), [this] { return stopping; });
  retry = std::min(retry * 2, options.retry_longest);
}

grpc::Status LinkClient::Impl::run_stream() {
  grpc::ClientContext live;
  KeyAndCertificate current;
  {
    const std::lock_guard lock(mutex);
    if (stopping) return grpc::Status::CANCELLED;
    context = &live;
    broken = false;
    welcomed = false;
    in_flight.clear();
    in_flight_bytes = 0;
    takes_reports = false;
    renewed = false;
    renewal_key.clear();
    report_at = {};
    current = own;
  }
  const auto stub = v1::Link::NewStub(make_channel(options, current));
  const auto stream = stub->Stream(&live);
  std::thread reader([&] { read_answers(*stream); });
  if (greet(*stream)) send_frames(*stream);
  {
    // A stream that the node ends has a status, which cancelling would hide; one that just stands still has none.
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, kStatusWait, [this] { return broken || stopping || renewed; }) || !broken) {
      live.TryCancel();
    }
  }
  reader.join();
  const grpc::Status status = stream->Finish();
  const std::lock_guard lock(mutex);
  context = nullptr;
  return status;
}

bool LinkClient::Impl::greet(Stream& stream) {
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_host_name(options.host_name);
  hello.set_host_ip(options.host_ip);
  hello.set_os_version(options.os_version);
  hello.set_agent_version(options.agent_version);
  hello.set_boot_id(account.boot_id());
  hello.set_tier(options.tier);
  if (!stream.Write(message)) return false;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, kWelcomeWait, [this] { return broken || stopping || welcomed; });
  return !broken && !stopping && welcomed;
}

void LinkClient::Impl::read_answers(Stream& stream) {
  v1::NodeMessage message;
  while (stream.Read(&message)) {
    switch (message.body_case()) {
      case v1::NodeMessage::kWelcome: take_welcome(message.welcome()); break;
      case v1::NodeMessage::kAck: take_ack(message.ack()); break;
      case v1::NodeMessage::kReject: take_reject(message.reject()); break;
      case v1::NodeMessage::kNoted: take_noted(message.noted()); break;
      case v1::NodeMessage::kRenewed: take_renewed(message.renewed()); break;
      case v1::NodeMessage::BODY_NOT_SET: break;  // of a newer node
    }
  }
  const std::lock_guard lock(mutex);
  broken = true;
  changed.notify_all();
  spool.wake();
}

void LinkClient::Impl::take_welcome(const v1::Welcome& welcome) {
  const std::lock_guard lock(mutex);
  if (std::exchange(welcomed, true)) return;
  const uint64_t stored = welcome.stored_sequence();
  if (stored <= account.numbered()) {
    account.set_released(stored);
    state.stored_sequence = std::max(state.stored_sequence, stored);
  } else {
    number_behind(stored);
  }
  takes_reports = welcome.takes_reports();
  state.node_version = welcome.node_version().substr(0, kNodeVersionMax);
  state.phase = LinkPhase::connected;
  state.last_contact = base::Time::now();
  state.last_error.clear();
  ++state.connections;
  changed.notify_all();
}

// The node says that it holds numbers which this agent never gave: the machine or the data directory went back in time,
// or the node is wrong. Nothing is dropped on that word; and so that the node does not take new events for repeats,
// numbers go on behind its own.
void LinkClient::Impl::number_behind(uint64_t stored) {
  const uint64_t numbered = account.numbered();
  base::log_error(kClientLog, options.address + " holds events of this boot up to number " + std::to_string(stored) +
                                  ", and this agent gave numbers up to " + std::to_string(numbered) +
                                  " only: what it holds was sent by a copy of this host, or before a rollback");
  if (stored - numbered <= kNumbersSkippedMax) account.skip_numbers_to(stored);
}

void LinkClient::Impl::send_frames(Stream& stream) {
  SpoolPosition position = spool.released();
  last_read_sequence = 0;
  base::log_info(kClientLog, "connected to " + options.address);
  while (wait_for_window()) {
    if (!send_due(stream)) return;
    if (!spool.wait_for_more(position, kIdleWait)) continue;
    if (!send_next(stream, position)) return;
  }
}

bool LinkClient::Impl::wait_for_window() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] {
    const bool room = in_flight.size() < options.window_frames && in_flight_bytes < options.window_bytes;
    return broken || stopping || renewed || room;
  });
  return !broken && !stopping && !renewed;
}

bool LinkClient::Impl::send_next(Stream& stream, SpoolPosition& position) {
  Sent sent{.begin = position};
  auto frame = spool.read(position);
  if (!frame && frame.error().code == Errc::corrupt) {
    pass_over_damage(position);
    return true;
  }
  if (!frame) return frame.error().code == Errc::not_found || frame.error().code == Errc::unavailable;
  last_read_sequence = frame->boot_id == account.boot_id() ? frame->last_sequence : 0;
  if (pass_over(*frame, position)) return true;
  if (sent.begin.segment != position.segment) sent.begin = {.segment = position.segment, .offset = 0};
  sent.end = position;
  sent.boot_id = frame->boot_id;
  sent.first_sequence = frame->first_sequence;
  sent.last_sequence = frame->last_sequence;
  sent.events = frame->events;
  sent.bytes = frame->payload.size();
  {
    const std::lock_guard lock(mutex);
    in_flight_bytes += sent.bytes;
    in_flight.push_back(std::move(sent));
    ++state.frames_sent;
  }
  return stream.Write(message_of(*std::move(frame)));
}

bool LinkClient::Impl::pass_over(const event::Frame& frame, SpoolPosition end) {
  if (frame.boot_id != account.boot_id() || frame.last_sequence > account.released()) return false;
  const std::lock_guard lock(mutex);
  if (in_flight.empty()) spool.release(end);
  return true;
}

void LinkClient::Impl::pass_over_damage(SpoolPosition& position) {
  if (const auto gap = spool.skip_damaged(position, last_read_sequence)) declare_gone(kSpoolDamaged, *gap);
}

void LinkClient::Impl::take_ack(const v1::Ack& ack) {
  const std::lock_guard lock(mutex);
  state.last_contact = base::Time::now();
  // Answers come in the order of the frames; one that fits no frame in flight means nothing.
  const auto acked = std::find_if(in_flight.begin(), in_flight.end(), [&](const Sent& sent) {
    return sent.boot_id == ack.boot_id() && sent.last_sequence == ack.last_sequence();
  });
  if (acked == in_flight.end()) return;
  const auto count = static_cast<size_t>(acked - in_flight.begin()) + 1;
  for (size_t i = 0; i < count; ++i) {
    release(in_flight.front());
    in_flight_bytes -= in_flight.front().bytes;
    in_flight.pop_front();
  }
  changed.notify_all();
}

void LinkClient::Impl::release(const Sent& sent) {
  if (sent.boot_id == account.boot_id()) {
    account.set_released(sent.last_sequence);
    state.stored_sequence = std::max(state.stored_sequence, sent.last_sequence);
  }
  spool.release(sent.end);
}

void LinkClient::Impl::take_reject(const v1::Reject& reject) {
  Sent sent;
  {
    const std::lock_guard lock(mutex);
    state.last_contact = base::Time::now();
    ++state.frames_rejected;
    if (in_flight.empty() || in_flight.front().boot_id != reject.boot_id() ||
        in_flight.front().first_sequence != reject.first_sequence() ||
        in_flight.front().last_sequence != reject.last_sequence()) {
      return;
    }
    sent = in_flight.front();
  }
  base::log_error(kClientLog, "node rejects events " + std::to_string(sent.first_sequence) + " to " +
                                  std::to_string(sent.last_sequence) + ": " + reject.reason().substr(0, kReasonMax));
  SpoolPosition position = sent.begin;
  if (const auto frame = spool.read(position)) rejected.set_aside(*frame);
  declare_gone(kNodeRejected, {.boot_id = sent.boot_id,
                               .events = sent.events,
                               .first_sequence = sent.first_sequence,
                               .last_sequence = sent.last_sequence});
  const std::lock_guard lock(mutex);
  release(sent);
  in_flight_bytes -= sent.bytes;
  in_flight.pop_front();
  changed.notify_all();
}

bool LinkClient::Impl::send_due(Stream& stream) {
  const auto now = Clock::now();
  v1::AgentMessage renewal;
  {
    const std::lock_guard lock(mutex);
    if (!takes_reports) return true;
    const bool due = renew_at.us != 0 && base::Time::now() >= renew_at && renewal_key.empty();
    if (due && options.keep_certificate) {
      const auto fresh = make_request(options.host_name.empty() ? "redoubt-agent" : options.host_name);
      if (fresh) {
        renewal_key = fresh->key_pem;
        renewal.mutable_renewal()->set_request_pem(fresh->request_pem);
      }
    }
  }
  if (renewal.has_renewal() && !stream.Write(renewal)) return false;
  if (!options.report || now < report_at) return true;
  {
    const std::lock_guard lock(mutex);
    report_at = now + std::max(options.report_every, report_after);
  }
  return stream.Write(message_of(options.report()));
}

void LinkClient::Impl::take_noted(const v1::Noted& noted) {
  {
    const std::lock_guard lock(mutex);
    state.last_contact = base::Time::now();
    report_after = std::min(milliseconds(noted.report_after_ms()), kReportAfterMax);
  }
  if (!noted.has_policy() || !options.take_policy) return;
  const auto policy = policy_of(noted.policy());
  if (!policy) {
    base::log_error(kClientLog, "policy of " + options.address + ": " + policy.error().message);
    return;
  }
  options.take_policy(*policy);
}

void LinkClient::Impl::plan_renewal() {
  const auto certificate = read_certificate(own.certificate_pem);
  renew_at = certificate ? renewal_time(*certificate) : base::Time{};
}

void LinkClient::Impl::take_renewed(const v1::Renewed& answer) {
  const Status used = answer.certificate_pem().empty()
                          ? Status(fail(Errc::unavailable, answer.reason().substr(0, kReasonMax)))
                          : use_renewed(answer.certificate_pem());
  const std::lock_guard lock(mutex);
  renewal_key.clear();
  if (used) {
    plan_renewal();
    renewed = true;
    changed.notify_all();
    spool.wake();
    return;
  }
  base::log_error(kClientLog, "certificate is not renewed: " + used.error().message);
  const auto certificate = read_certificate(own.certificate_pem);
  const int64_t life_us = certificate ? certificate->expires.us - certificate->made.us : base::kDayUs;
  renew_at = {base::Time::now().us + std::max(life_us / kRenewalTriesInALife, base::kSecondUs)};
}

// Believes nothing of the answer that can be checked, as at enrolment.
Status LinkClient::Impl::use_renewed(const std::string& certificate_pem) {
  KeyAndCertificate fresh;
  std::string name;
  {
    const std::lock_guard lock(mutex);
    if (renewal_key.empty()) return fail(Errc::invalid_argument, "nobody asked for a certificate");
    fresh = {.key_pem = renewal_key, .certificate_pem = certificate_pem};
    TRY(const CertificateInfo before, read_certificate(own.certificate_pem));
    name = before.common_name;
  }
  TRY_STATUS(check_key_and_certificate(fresh, options.ca_pem));
  TRY(const CertificateInfo after, read_certificate(certificate_pem));
  if (after.common_name != name) return fail(Errc::corrupt, "node's certificate names another host");
  TRY_STATUS(options.keep_certificate(fresh));
  base::log_info(kClientLog, "certificate is renewed until " + base::format_time(after.expires));
  const std::lock_guard lock(mutex);
  own = std::move(fresh);
  return {};
}

// Before the events go from the spool: whatever happens from here on, their loss is known.
void LinkClient::Impl::declare_gone(std::string_view cause, const SpoolGap& gap) {
  const bool this_boot = gap.boot_id == account.boot_id();
  if (this_boot) account.open_hole({.first = gap.first_sequence, .last = gap.last_sequence, .count = gap.events});
  intake.declare({.cause = std::string(cause),
                  .count = gap.events,
                  .first_sequence = this_boot ? gap.first_sequence : 0,
                  .last_sequence = this_boot ? gap.last_sequence : 0},
                 [books = &account, this_boot, count = gap.events] {
                   if (this_boot) books->fill_hole(count);
                 });
}

void choose_proxy(const std::string& proxy) {
  setenv("grpc_proxy", proxy.c_str(), 1);
  setenv("no_grpc_proxy", "", 1);  // what the environment exempts is not what was chosen
}

LinkClient::LinkClient(LinkClientOptions options, Account& account, Intake& intake, Spool& spool)
    : impl_(std::make_unique<Impl>(std::move(options), account, intake, spool)) {}

LinkClient::~LinkClient() { stop(milliseconds(0)); }

void LinkClient::start() {
  set_up_grpc();
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

void LinkClient::stop(milliseconds at_most) {
  if (!impl_->thread.joinable()) return;
  const auto deadline = Clock::now() + at_most;
  while (Clock::now() < deadline && state().phase == LinkPhase::connected && !impl_->spool.empty()) {
    std::this_thread::sleep_for(kDrainPoll);
  }
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    if (impl_->context != nullptr) impl_->context->TryCancel();
  }
  impl_->changed.notify_all();
  impl_->spool.wake();
  impl_->thread.join();
}

LinkState LinkClient::state() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->state;
}

}  // namespace redoubt::link
