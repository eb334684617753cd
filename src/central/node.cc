#include "central/node.h"

#include <unistd.h>

#include <fmt/format.h>
#include <charconv>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "central/api/dispatcher.h"
#include "central/api/gate.h"
#include "central/api/object_json.h"
#include "central/api/server.h"
#include "central/external_systems/detect_log.h"
#include "central/external_systems/external_systems.h"
#include "central/external_systems/scan_book.h"
#include "central/external_systems/submission_limits.h"
#include "central/fleet/silence_watch.h"
#include "central/ingest/ingest.h"
#include "central/objects/object_service.h"
#include "central/objects/webhooks.h"
#include "central/prevalence/prevalence_book.h"
#include "central/state_schema.h"
#include "link/certificate.h"
#include "scan/scan_pool.h"
#include "store/node_files.h"
#include "store/objects/object_store.h"

namespace redoubt::central {

namespace {

using store::lock_directory;
using store::NodeFiles;

constexpr size_t kIngestWorkers = 4;
constexpr auto kHousekeeping = std::chrono::seconds(60);
constexpr int64_t kObjectHousekeepingUs = base::kHourUs;

struct HostPort {
  std::string host;
  int port = 0;
};

// "127.0.0.1:8443", "[::1]:8443".
Result<HostPort> parse_host_port(const std::string& text) {
  const size_t colon = text.rfind(':');
  HostPort address;
  const char* const end = text.data() + text.size();
  constexpr int kPortMax = 65535;
  if (colon == std::string::npos || std::from_chars(text.data() + colon + 1, end, address.port).ptr != end ||
      address.port < 0 || address.port > kPortMax || colon + 1 == text.size()) {
    return fail(Errc::invalid_argument, "address '" + text + "': not host:port");
  }
  address.host = text.substr(0, colon);
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  return address;
}

std::string join_host_port(const std::string& host, int port) {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

// Stands in for the scanners where they cannot start, a YARA rule that does not compile say: telemetry and alerts go
// on, and every object is told why it was not judged.
class NoScanner final : public scan::ScanPool {
 public:
  explicit NoScanner(std::string why) : why_(std::move(why)) {}
  scan::ScanReport scan(const base::UniqueFd&, const scan::ScanRequest&) override {
    return {.verdict = scan::Verdict::error, .error = why_, .finished = base::Time::now()};
  }
  std::string engines() const override { return ""; }
  Status reload() override { return fail(Errc::unavailable, why_); }
  void stop() override {}

 private:
  std::string why_;
};

}  // namespace

// Members stand in the order in which they are made; they go in the reverse order.
class Node::Impl {
 public:
  explicit Impl(NodeOptions options) : options_(std::move(options)), files_{options_.data_directory} {}
  ~Impl() { stop(); }

  Status start();
  void stop();
  int api_port() const { return api_->port(); }
  int link_port() const { return link_->port(); }
  int scanner_port() const { return scanner_api_ ? scanner_api_->port() : 0; }

 private:
  Status open_stores();
  Result<std::unique_ptr<store::EventStore>> open_events();
  Status start_detection();
  void ask_reads(const RuleSnapshot& rules);
  scan::ClamavOptions clamav_options() const;
  std::string describe_objects() const;
  Status start_objects();
  Status start_link();
  void make_services(NodeFacts facts);
  Status start_api();
  Status start_scanner_api();
  Status write_ports();
  std::vector<HealthComponent> health();
  void keep_house();
  void expire_objects();
  void watch_silence();
  void save_prevalence();
  void keep_external_systems();

  const NodeOptions options_;
  const NodeFiles files_;
  base::UniqueFd lock_;
  base::Metrics metrics_;
  link::KeyAndCertificate server_certificate_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<store::EventStore> events_;
  std::unique_ptr<store::ObjectStore> object_store_;
  AlertFeed feed_;
  Sessions sessions_;
  LoginThrottle throttle_;
  std::unique_ptr<Accounts> accounts_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<FalcoOutput> falco_output_;
  std::unique_ptr<AlertBook> alerts_;
  std::unique_ptr<Fleet> fleet_;
  std::unique_ptr<Enrollment> enrollment_;
  std::unique_ptr<PolicyBook> policies_;
  std::unique_ptr<HuntService> hunts_;
  std::unique_ptr<HuntExports> exports_;
  std::unique_ptr<StoreKeeper> keeper_;
  std::unique_ptr<CorrelationBook> correlations_;
  std::unique_ptr<HuntSchedule> schedule_;
  std::unique_ptr<RuleBook> rules_;
  std::unique_ptr<AttackNames> attack_;
  std::unique_ptr<Judge> judge_;
  std::unique_ptr<PrevalenceBook> prevalence_;
  std::unique_ptr<Ingest> ingest_;
  std::unique_ptr<scan::ScanPool> scanner_;
  std::string scan_error_;  // why objects cannot be judged; empty: they can
  std::unique_ptr<ReputationBook> reputation_;
  std::unique_ptr<YaraSettings> yara_settings_;
  std::unique_ptr<YaraTrials> yara_trials_;
  std::unique_ptr<Webhooks> webhooks_;
  base::Time objects_expired_;
  std::unique_ptr<DetectLog> detects_;
  std::unique_ptr<ObjectService> objects_;
  std::unique_ptr<ExternalSystems> external_systems_;
  std::unique_ptr<ScanBook> scans_;
  std::unique_ptr<SubmissionLimits> submission_limits_;
  std::unique_ptr<link::LinkServer> link_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<Dispatcher> scanner_dispatcher_;
  std::unique_ptr<ApiServer> scanner_api_;  // nullptr: external systems have no door
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread housekeeper_;
  std::thread listener_;
};

// What waits for what: the stores, then what judges, then the door for events, then those for people and for external
// systems.
Status Node::Impl::start() {
  if (!std::filesystem::exists(files_.certificate())) {
    return fail(Errc::not_found, "data directory " + files_.directory + ": not initialised; run redoubtd init");
  }
  TRY(lock_, lock_directory(files_));
  TRY_STATUS(open_stores());
  TRY_STATUS(start_detection());
  TRY_STATUS(start_objects());
  TRY_STATUS(start_link());
  TRY_STATUS(start_api());
  TRY_STATUS(start_scanner_api());
  TRY_STATUS(write_ports());
  housekeeper_ = std::thread([this] { keep_house(); });
  listener_ = std::thread([this] { watch_silence(); });
  return {};
}

Status Node::Impl::open_stores() {
  TRY(server_certificate_, link::load_key_and_certificate(files_.key(), files_.certificate()));
  TRY(state_, open_state(files_, options_.state));
  TRY(events_, open_events());
  TRY_STATUS(base::make_directories(files_.objects()));
  TRY(object_store_,
      store::open_object_store({.directory = files_.objects(), .object_bytes_max = options_.object_bytes_max}));
  return {};
}

// Events that were stored are not left behind in the other engine.
Result<std::unique_ptr<store::EventStore>> Node::Impl::open_events() {
  const bool in_clickhouse = !options_.clickhouse.servers.empty();
  if (in_clickhouse && std::filesystem::exists(files_.events())) {
    return fail(Errc::invalid_argument, "store.clickhouse.servers is set, but events of this node are in " +
                                            files_.events() + ": redoubt store migrate moves them");
  }
  if (!in_clickhouse && std::filesystem::exists(files_.clickhouse() + "/ledger.db")) {
    return fail(Errc::invalid_argument, "events of this node are in ClickHouse, as " + files_.clickhouse() +
                                            " shows, but store.clickhouse.servers is not set");
  }
  if (!in_clickhouse) {
    TRY_STATUS(base::make_directories(files_.events()));
    return store::open_embedded_store({.directory = files_.events(),
                                       .retention_us = options_.retention_us,
                                       .disk_bytes_max = options_.store_bytes_max,
                                       .memory_bytes_max = options_.store_memory_bytes});
  }
  store::ClickHouseOptions clickhouse = options_.clickhouse;
  clickhouse.directory = files_.clickhouse();
  clickhouse.retention_us = options_.retention_us;
  clickhouse.disk_bytes_max = options_.store_bytes_max;
  clickhouse.memory_bytes_max = options_.store_memory_bytes;
  return store::open_clickhouse_store(clickhouse);
}

Status Node::Impl::start_detection() {
  TRY(rules_, RuleBook::open(*state_, metrics_, {.directory = options_.rules_directory}));
  TRY(link::KeyAndCertificate ca, link::load_key_and_certificate(files_.ca_key(), files_.ca_certificate()));
  accounts_ = std::make_unique<Accounts>(*state_);
  audit_ = std::make_unique<AuditLog>(*state_);
  alerts_ = std::make_unique<AlertBook>(*state_, feed_);
  TRY(falco_output_, base::within("Falco output", FalcoOutput::start(options_.falco_output, metrics_)));
  alerts_->tell([this](const NewDetection& detection) {
    if (!detection.falco_json.empty()) falco_output_->offer(detection.falco_json);
  });
  fleet_ = std::make_unique<Fleet>(*state_);
  enrollment_ = std::make_unique<Enrollment>(*state_, std::move(ca), options_.agent_certificate_us);
  TRY(policies_, PolicyBook::open(*state_));
  hunts_ = std::make_unique<HuntService>(*events_, metrics_);
  exports_ = std::make_unique<HuntExports>(
      *events_, metrics_,
      HuntExportLimits{.time_ms_max = options_.export_time_ms_max, .file_bytes_max = options_.export_bytes_max});
  keeper_ = std::make_unique<StoreKeeper>(*events_, *state_, files_);
  TRY(correlations_, CorrelationBook::open(*state_, *alerts_, rules_->current(), metrics_));
  TRY(schedule_, HuntSchedule::open({.state = *state_, .hunts = *hunts_, .alerts = *alerts_, .metrics = metrics_}));
  TRY(attack_, AttackNames::open(files_.attack()));
  TRY(judge_, Judge::make(rules_->current(), *correlations_, metrics_, kIngestWorkers));
  judge_->set_falco_matching(options_.falco_matching);
  TRY(prevalence_, PrevalenceBook::open(*state_, metrics_, base::Time::now()));
  ingest_ = std::make_unique<Ingest>(*events_, *judge_, *fleet_, metrics_);
  ingest_->count_in(*prevalence_);
  ingest_->serve(*enrollment_, *policies_);
  TRY_STATUS(base::within("judge events stored before the last stop", ingest_->replay()));
  ask_reads(*rules_->current());
  rules_->start([this](const std::shared_ptr<const RuleSnapshot>& rules) -> Status {
    TRY_STATUS(judge_->replace(rules));
    ask_reads(*rules);
    return {};
  });
  schedule_->start();
  return {};
}

// Hosts tell of the reads that the rules ask about, from their next report on.
void Node::Impl::ask_reads(const RuleSnapshot& rules) {
  if (const Status asked = policies_->ask_reads(rules.reads().patterns); !asked) {
    base::log_error("rules", asked.error().message);
  }
}

scan::ClamavOptions Node::Impl::clamav_options() const {
  if (!options_.clamav_socket.empty()) return {.socket = options_.clamav_socket};
  if (options_.clamav_program.empty()) return {};
  // As root clamd runs as another user, who cannot enter the data directory.
  const std::string own_place = "/run/redoubt-clamav-" + base::sha256_hex(options_.data_directory).substr(0, 12);
  return {.own =
              scan::ClamdOptions{.program = options_.clamav_program,
                                 .database_directory = options_.clamav_directory,
                                 .work_directory = geteuid() == 0 ? own_place : options_.data_directory + "/clamav"}};
}

std::string Node::Impl::describe_objects() const {
  if (!scan_error_.empty()) return "no scanner: see the log";
  std::string detail = fmt::format("{} waiting", objects_->queued());
  if (const auto clamav = scanner_->clamav_state(); !clamav.empty()) detail += ", clamav: " + clamav;
  if (const auto refused = scanner_->diagnostics(); !refused.empty()) {
    detail += fmt::format(", {} YARA rules refused, the first: {} line {}: {}", refused.size(), refused[0].file,
                          refused[0].line, refused[0].message);
  }
  return detail;
}

Status Node::Impl::start_objects() {
  auto pool = scan::start_scan_pool({.worker_program = options_.scan_program,
                                     .yara_directory = options_.yara_directory,
                                     .workers = options_.scan_workers,
                                     .clamav = clamav_options()});
  if (pool) {
    scanner_ = *std::move(pool);
  } else {
    scan_error_ = pool.error().message;
    base::log_error("scan", "objects cannot be judged: " + scan_error_);
    scanner_ = std::make_unique<NoScanner>("no scanner: " + scan_error_);
  }
  detects_ = std::make_unique<DetectLog>(*state_, *alerts_, *object_store_);
  TRY(reputation_, ReputationBook::open(*state_));
  TRY(yara_settings_, YaraSettings::open(*state_));
  TRY(objects_, start_object_service({.state = *state_,
                                      .objects = *object_store_,
                                      .scanner = *scanner_,
                                      .reputation = *reputation_,
                                      .yara_settings = *yara_settings_,
                                      .alerts = *detects_,
                                      .metrics = metrics_},
                                     {.scan_threads = options_.scan_workers, .passwords = options_.scan_passwords}));
  yara_trials_ = std::make_unique<YaraTrials>(*objects_, options_.scan_program);
  webhooks_ = std::make_unique<Webhooks>(
      Webhooks::Parts{*state_, metrics_, [](const Object& object) { return object_text(object); }});
  webhooks_->start();
  TRY(external_systems_, ExternalSystems::open(*state_));
  scans_ = std::make_unique<ScanBook>(*state_, *objects_);
  submission_limits_ = std::make_unique<SubmissionLimits>(
      SubmissionLimitOptions{.open_max = options_.scanner.submissions_open_max,
                             .per_minute_max = options_.scanner.submissions_per_minute_max});
  return {};
}

Status Node::Impl::start_link() {
  TRY(const HostPort listen, parse_host_port(options_.link_address));
  TRY(link_, link::LinkServer::start({.address = join_host_port(listen.host, listen.port),
                                      .ca_pem = enrollment_->ca_certificate(),
                                      .certificate_pem = server_certificate_.certificate_pem,
                                      .key_pem = server_certificate_.key_pem,
                                      .node_version = REDOUBT_VERSION,
                                      .worker_threads = kIngestWorkers},
                                     *ingest_));
  return {};
}

void Node::Impl::make_services(NodeFacts facts) {
  services_.reset(new Services{.accounts = *accounts_,
                               .sessions = sessions_,
                               .throttle = throttle_,
                               .audit = *audit_,
                               .fleet = *fleet_,
                               .enrollment = *enrollment_,
                               .policies = *policies_,
                               .alerts = *alerts_,
                               .feed = feed_,
                               .hunts = *hunts_,
                               .exports = *exports_,
                               .objects = *objects_,
                               .reputation = *reputation_,
                               .yara_settings = *yara_settings_,
                               .yara_trials = *yara_trials_,
                               .scanner = *scanner_,
                               .external_systems = *external_systems_,
                               .scans = *scans_,
                               .detects = *detects_,
                               .submission_limits = *submission_limits_,
                               .schedule = *schedule_,
                               .rules = *rules_,
                               .attack = *attack_,
                               .judge = *judge_,
                               .events = *events_,
                               .keeper = *keeper_,
                               .metrics = metrics_,
                               .facts = std::move(facts),
                               .end_streams = [this](const std::string& host_id) { link_->end_streams(host_id); },
                               .health = [this] { return health(); }});
}

Status Node::Impl::start_api() {
  TRY(const HostPort listen, parse_host_port(options_.api_address));
  TRY(const link::CertificateInfo certificate, link::read_certificate(server_certificate_.certificate_pem));
  NodeFacts facts{.version = REDOUBT_VERSION,
                  .fingerprint = certificate.fingerprint,
                  .link_address = options_.link_public_address,
                  .link_port = link_->port(),
                  .openapi_path = options_.openapi_path,
                  .web_directory = options_.web_directory,
                  .object_bytes_max = options_.object_bytes_max,
                  .temporary_directory = files_.objects(),
                  .webhook_prefixes = options_.webhook_prefixes,
                  .state_list = options_.scanner.state_list};
  make_services(std::move(facts));
  dispatcher_ = std::make_unique<Dispatcher>(*services_, api_door());
  TRY(api_, ApiServer::start({.address = listen.host,
                              .port = listen.port,
                              .certificate_pem = server_certificate_.certificate_pem,
                              .key_pem = server_certificate_.key_pem},
                             *dispatcher_, metrics_));
  return {};
}

Status Node::Impl::start_scanner_api() {
  if (options_.scanner_address.empty()) return {};
  TRY(const HostPort listen, parse_host_port(options_.scanner_address));
  scanner_dispatcher_ = std::make_unique<Dispatcher>(*services_, scanner_door());
  TRY(scanner_api_, ApiServer::start({.address = listen.host,
                                      .port = listen.port,
                                      .certificate_pem = server_certificate_.certificate_pem,
                                      .key_pem = server_certificate_.key_pem,
                                      .client_certificates = ClientCertificates::asked,
                                      .metric_labels = "door=\"scanner\""},
                                     *scanner_dispatcher_, metrics_));
  base::log_info("node", "external systems on " + join_host_port(listen.host, scanner_api_->port()));
  return {};
}

Status Node::Impl::write_ports() {
  base::log_info("node",
                 fmt::format("console and API on {}, agents on port {}",
                             join_host_port(parse_host_port(options_.api_address)->host, api_->port()), link_->port()));
  return base::write_file_atomic(
      files_.ports(),
      fmt::format("{{\"api\":{},\"link\":{},\"scanner\":{}}}\n", api_->port(), link_->port(), scanner_port()),
      base::kPublicFile);
}

std::vector<HealthComponent> Node::Impl::health() {
  const Status state = state_->read([](soci::session&) -> Status { return {}; });
  const store::StoreStats events = events_->stats();
  const auto rules = rules_->current();
  const size_t refused = rules->files().refusals().size();
  const std::string reload_error = rules_->last_load().error;
  return {{.name = "state", .sound = state.has_value(), .detail = state ? "" : "the state database does not answer"},
          {.name = "events",
           .sound = !ingest_->failing(),
           .detail = ingest_->failing() ? "events are not taken, agents keep theirs: see the log"
                                        : fmt::format("{} events, {} segments", events.events, events.segments)},
          {.name = "agents", .detail = fmt::format("{} connected", link_->streams())},
          {.name = "rules",
           .sound = refused == 0 && reload_error.empty(),
           .detail = reload_error.empty() ? fmt::format("{} loaded, {} off, {} refused", rules->rules().size(),
                                                        rules->rules().size() - rules->live().size(), refused)
                                          : reload_error},
          {.name = "objects",
           .sound = scan_error_.empty() && scanner_->diagnostics().empty(),
           .detail = describe_objects()}};
}

void Node::Impl::keep_house() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, kHousekeeping, [this] { return stopping_; })) {
    lock.unlock();
    const auto expired = events_->expire();
    if (!expired) base::log_error("store", "expire: " + expired.error().message);
    if (expired && *expired > 0) base::log_info("store", fmt::format("{} segments are past retention", *expired));
    expire_objects();
    save_prevalence();
    keep_external_systems();
    sessions_.end_unless([this](const Session& session) {
      const auto account = accounts_->find(session.user);
      return session_holds(account, session);
    });
    lock.lock();
  }
}

// Reads a directory of all contents, so now and then is enough.
void Node::Impl::expire_objects() {
  const base::Time now = base::Time::now();
  if (now.us - objects_expired_.us < kObjectHousekeepingUs) return;
  objects_expired_ = now;
  const auto expired =
      object_store_->expire({.age_us_max = options_.object_retention_us, .bytes_max = options_.object_store_bytes_max});
  if (!expired) base::log_error("objects", "expire: " + expired.error().message);
  if (expired && *expired > 0) base::log_info("objects", fmt::format("{} contents are past retention", *expired));
}

void Node::Impl::save_prevalence() {
  if (const Status saved = prevalence_->save(base::Time::now()); !saved) {
    base::log_warning("ingest", saved.error().message);
  }
}

void Node::Impl::keep_external_systems() {
  const Status seen = external_systems_->save_seen();
  const Status forgotten = scans_->forget_old(base::Time::now());
  for (const Status& done : {seen, forgotten}) {
    if (!done) base::log_warning("external", done.error().message);
  }
}

void Node::Impl::watch_silence() {
  SilenceWatch watch(*fleet_, *alerts_, options_.silent_after_us, base::Time::now());
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, std::chrono::seconds(watch.look_every_s()), [this] { return stopping_; })) {
    lock.unlock();
    watch.look(base::Time::now());
    lock.lock();
  }
}

// Doors first, then what works behind them; the stores close with the members.
void Node::Impl::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  stopped_.notify_all();
  if (housekeeper_.joinable()) housekeeper_.join();
  if (listener_.joinable()) listener_.join();
  if (link_) link_->stop();
  if (rules_) rules_->stop();
  if (hunts_) hunts_->stop();
  if (exports_) exports_->stop();
  if (keeper_) keeper_->stop();
  if (schedule_) schedule_->stop();
  if (webhooks_) webhooks_->stop();
  if (objects_) objects_->stop();
  if (prevalence_) save_prevalence();
  if (api_) api_->stop();
  if (scanner_api_) scanner_api_->stop();
  if (external_systems_) keep_external_systems();
  if (scanner_) scanner_->stop();
  if (falco_output_) falco_output_->stop();
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;
int Node::api_port() const { return impl_->api_port(); }
int Node::link_port() const { return impl_->link_port(); }
int Node::scanner_port() const { return impl_->scanner_port(); }
void Node::stop() { impl_->stop(); }

Result<std::unique_ptr<Node>> Node::start(const NodeOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  TRY_STATUS(impl->start());
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

}  // namespace redoubt::central
