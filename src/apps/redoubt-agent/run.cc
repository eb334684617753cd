#include <linux/magic.h>
#include <malloc.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <ctime>
#include <mutex>

#include "base/log.h"
#include "commands.h"
#include "cpu_budget.h"
#include "data_lock.h"
#include "data_paths.h"
#include "environment_choice.h"
#include "host_facts.h"
#include "link/agent/identity.h"
#include "link/agent/link_client.h"
#include "link/agent/spooler.h"
#include "notify.h"
#include "policy_filter.h"
#include "proxy_file.h"
#include "redoubt/event.pb.h"
#include "sensor/sensor.h"
#include "status.h"

namespace redoubt::agent {

namespace {

constexpr std::string_view kComponent = "agent";
constexpr int64_t kStatusEveryUs = 2 * base::kSecondUs;
constexpr int64_t kRunningEveryUs = base::kMinuteUs;
constexpr auto kLastSend = std::chrono::milliseconds(1500);
constexpr int kPermilleAPercent = 10;
// What is given up at the spool's limit is a segment: a small part of what may wait.
constexpr size_t kSegmentsOfSpool = 8;
constexpr size_t kSegmentLeast = size_t{64} << 10;
constexpr size_t kPolicyErrorMax = 200;
// The sensor's thread goes round several times a second; one that stands still so long does not come back by itself.
constexpr int64_t kStallUs = base::kMinuteUs;
constexpr int64_t kNanosecondsAMicrosecond = 1000;
constexpr int kExitStalled = 3;
constexpr int kMallocArenas = 2;  // more would keep memory that bursts on many threads once used

// Passes the sensor's events on; whatever it does must not wait.
class IntakeSink final : public sensor::EventSink {
 public:
  IntakeSink(link::Intake& intake, const PolicyFilter& policy) : intake_(intake), policy_(policy) {}
  void take(v1::Event&& event) override {
    if (!policy_.excludes(event)) intake_.take(std::move(event));
  }
  size_t room() const override { return intake_.room(); }

 private:
  link::Intake& intake_;
  const PolicyFilter& policy_;
};

v1::Event common_fields(const link::Identity& identity, const link::Account& account, const HostFacts& facts) {
  v1::Event common;
  common.set_host_id(identity.host_id);
  common.set_host_boot_id(account.boot_id());
  common.set_host_name(facts.name);
  if (!facts.ip.empty()) common.set_host_ip(facts.ip);
  common.set_host_os_family("linux");
  common.set_host_os_version(facts.os_version);
  common.set_agent_version(REDOUBT_VERSION);
  return common;
}

// A renewed certificate takes the place of the one before in the identity's file.
Status keep_certificate(const link::Identity& before, const link::KeyAndCertificate& fresh, const std::string& data) {
  link::Identity identity = before;
  identity.key_pem = fresh.key_pem;
  identity.certificate_pem = fresh.certificate_pem;
  return link::save_identity(identity, data);
}

link::LinkClientOptions link_options(const link::Identity& identity, const HostFacts& facts, sensor::Tier tier,
                                     const RunOptions& options) {
  const std::string& data = options.data_directory;
  return {.address = identity.link_address,
          .server_name = identity.server_name,
          .ca_pem = identity.ca_pem,
          .certificate_pem = identity.certificate_pem,
          .key_pem = identity.key_pem,
          .host_name = facts.name,
          .host_ip = facts.ip,
          .os_version = facts.os_version,
          .agent_version = REDOUBT_VERSION,
          .tier = std::string(name_of(tier)),
          .rejected_directory = rejected_path(data),
          .proxy = options.proxy_file.empty() ? link::LinkClientOptions::Proxy::none
                                              : link::LinkClientOptions::Proxy::chosen,
          .keep_certificate = [identity, data](const link::KeyAndCertificate& fresh) {
            return keep_certificate(identity, fresh, data);
          }};
}

sensor::SensorOptions sensor_options(const RunOptions& options) {
  const bool tells_forks = options.fork_events == RunOptions::ForkEvents::all;
  return {.quiet_pids = options.quiet_pids,
          .environment_names = environment_names(options.environment_names),
          .fork_events = tells_forks ? sensor::ForkEvents::all : sensor::ForkEvents::none};
}

// Where systems mount the BPF file system; empty where none is.
std::string bpf_directory() {
  constexpr const char* kPlace = "/sys/fs/bpf";
  struct statfs mounted{};
  return statfs(kPlace, &mounted) == 0 && mounted.f_type == BPF_FS_MAGIC ? kPlace : "";
}

// Everything that runs, in the order of the events' way; stopped from the sensor on down.
struct Running {
  const RunOptions& options;
  const link::Identity identity;
  const HostFacts facts;
  PolicyFilter policy;
  std::unique_ptr<link::Account> account;
  std::unique_ptr<link::Spool> spool;
  std::unique_ptr<link::Intake> intake;
  std::unique_ptr<link::Spooler> spooler;
  std::unique_ptr<IntakeSink> sink;
  std::unique_ptr<sensor::Sensor> sensor;
  std::unique_ptr<link::LinkClient> link;
  CpuBudget budget;
  const Supervisor supervisor;
  std::mutex told_mutex;
  link::HostReport told;     // what the next report says, under the mutex; the link's thread reads it
  uint64_t rounds_seen = 0;  // of the sensor, and since when it stands there
  int64_t rounds_changed_us = 0;
};

Status open_books(Running& agent) {
  const std::string& data = agent.options.data_directory;
  const bool used_before = !access(spool_path(data).c_str(), F_OK);
  TRY(agent.account,
      link::Account::open(account_path(data), agent.facts.boot_id,
                          used_before ? link::Account::DataDir::used_before : link::Account::DataDir::fresh));
  const auto size_max = static_cast<size_t>(agent.options.spool_bytes_max);
  TRY(agent.spool, link::Spool::open({.directory = spool_path(data),
                                      .size_bytes_max = size_max,
                                      .age_us_max = agent.options.spool_age_us_max,
                                      .segment_bytes = std::clamp(size_max / kSegmentsOfSpool, kSegmentLeast,
                                                                  link::SpoolOptions{}.segment_bytes),
                                      .released_boot_id = agent.account->boot_id(),
                                      .released_sequence = agent.account->released()}));
  return {};
}

// From when the run before ended, or this boot began, until now nobody watched.
void declare_blind_gap(Running& agent) {
  const auto& before = agent.account->before();
  if (!before) return;  // the first run: nothing was promised yet
  const bool same_boot = before->boot == link::AccountBefore::Boot::same;
  agent.intake->declare({.cause = std::string(link::kSensorDown),
                         .since = same_boot ? before->alive : agent.facts.booted,
                         .until = base::Time::now()},
                        {});
}

void say(Running& agent, const char* action) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_AGENT);
  event.set_event_action(action);
  event.set_event_time(base::Time::now().us);
  event.set_agent_tier(std::string(name_of(agent.sensor->tier())));
  event.set_agent_produced(static_cast<int64_t>(agent.account->numbered()));
  event.set_agent_lost(static_cast<int64_t>(agent.account->lost()));
  event.set_agent_rss(resident_bytes());
  event.set_agent_cpu(agent.budget.used_permille());
  event.set_agent_degradation(std::string(name_of(agent.budget.load())));
  event.set_agent_policy_version(static_cast<int64_t>(agent.policy.version()));
  event.set_agent_spool_bytes(static_cast<int64_t>(agent.spool->size_bytes()));
  agent.intake->take(std::move(event));
}

void report(const Running& agent) {
  const Status written = write_status({.host_id = agent.identity.host_id,
                                       .boot_id = agent.account->boot_id(),
                                       .node = agent.identity.link_address,
                                       .tier = std::string(name_of(agent.sensor->tier())),
                                       .why_not_lsm = agent.sensor->why_not_lsm(),
                                       .why_not_at_functions = agent.sensor->why_not_at_functions(),
                                       .link = agent.link->state(),
                                       .events_numbered = agent.account->numbered(),
                                       .events_lost = agent.account->lost(),
                                       .spool_bytes = agent.spool->size_bytes(),
                                       .memory_rss = resident_bytes(),
                                       .cpu_permille = agent.budget.used_permille(),
                                       .cpu_budget_permille = agent.budget.budget_permille(),
                                       .policy_version = agent.policy.version(),
                                       .events_excluded = agent.policy.excluded(),
                                       .degradation = std::string(name_of(agent.budget.load())),
                                       .sensor = agent.sensor->account()},
                                      status_path(agent.options.data_directory));
  if (!written) base::log_warning(kComponent, written.error().message);
}

void note_report(Running& agent) {
  const std::lock_guard lock(agent.told_mutex);
  agent.told.policy_version = agent.policy.version();
  agent.told.cpu_permille = static_cast<uint32_t>(agent.budget.used_permille());
  agent.told.degradation = name_of(agent.budget.load());
  agent.told.spool_bytes = agent.spool->size_bytes();
  agent.told.events_lost = agent.account->lost();
  agent.told.memory_rss = static_cast<uint64_t>(resident_bytes());
}

// On the link's thread. A policy that cannot be applied is said to the node, and the one before goes on.
void take_policy(Running& agent, const link::HostPolicy& policy) {
  Status applied = agent.policy.apply(policy);
  if (applied) applied = agent.sensor->apply(agent.policy.for_kernel());
  if (!applied) base::log_error(kComponent, "policy: " + applied.error().message);
  const std::lock_guard lock(agent.told_mutex);
  agent.told.policy_version = agent.policy.version();
  agent.told.policy_error = applied ? "" : applied.error().message.substr(0, kPolicyErrorMax);
}

Status start_sensor(Running& agent) {
  sensor::SensorOptions options = sensor_options(agent.options);
  options.host_id = agent.identity.host_id;
  options.boot_id = agent.account->boot_id();
  options.policy = agent.policy.for_kernel();
  options.last_words_directory = bpf_directory();
  TRY(agent.sensor, sensor::Sensor::start(std::move(options), *agent.sink));
  return {};
}

Status start(Running& agent) {
  TRY_STATUS(open_books(agent));
  agent.intake = std::make_unique<link::Intake>(*agent.account, link::Intake::Limits{});
  agent.spooler = std::make_unique<link::Spooler>(*agent.account, *agent.intake, *agent.spool,
                                                  common_fields(agent.identity, *agent.account, agent.facts));
  agent.spooler->start();
  agent.sink = std::make_unique<IntakeSink>(*agent.intake, agent.policy);
  TRY_STATUS(start_sensor(agent));
  declare_blind_gap(agent);
  link::LinkClientOptions options = link_options(agent.identity, agent.facts, agent.sensor->tier(), agent.options);
  options.report = [&agent] {
    const std::lock_guard lock(agent.told_mutex);
    return agent.told;
  };
  options.take_policy = [&agent](const link::HostPolicy& policy) { take_policy(agent, policy); };
  note_report(agent);
  agent.link = std::make_unique<link::LinkClient>(std::move(options), *agent.account, *agent.intake, *agent.spool);
  agent.link->start();
  return {};
}

void keep_budget(Running& agent) {
  const sensor::Load before = agent.budget.load();
  const auto load = agent.budget.look(process_cpu_ns(), base::boottime_ns());
  if (!load) return;
  agent.sensor->set_load(*load);
  base::log_warning(kComponent, "CPU " + std::to_string(agent.budget.used_permille() / kPermilleAPercent) +
                                    " % of a core, left out from now on: " + std::string(name_of(*load)));
  say(agent, *load > before ? "degraded" : "recovered");
}

// Whether the sensor still goes round. One that hangs ends the process: a supervisor starts it again, and the account
// tells the gap.
bool is_alive(Running& agent) {
  const uint64_t rounds = agent.sensor->rounds();
  const int64_t now_us = base::boottime_ns() / kNanosecondsAMicrosecond;
  if (rounds != agent.rounds_seen || agent.rounds_changed_us == 0) {
    agent.rounds_seen = rounds;
    agent.rounds_changed_us = now_us;
    return true;
  }
  if (now_us - agent.rounds_changed_us < kStallUs) return true;
  base::log_error(kComponent, "the sensor stands still: ending, so that a supervisor starts the agent again");
  _exit(kExitStalled);
}

// Since the machine was started: nobody sets that clock.
int64_t now_of_machine_us() { return base::boottime_ns() / kNanosecondsAMicrosecond; }

void wait_for_signal(Running& agent, const sigset_t& signals) {
  int64_t reported = 0;
  int64_t said = now_of_machine_us();
  while (true) {
    const timespec second{.tv_sec = 1, .tv_nsec = 0};
    if (sigtimedwait(&signals, nullptr, &second) > 0) return;
    keep_budget(agent);
    note_report(agent);
    if (is_alive(agent)) agent.supervisor.alive();
    const int64_t now = now_of_machine_us();
    if (now - reported >= kStatusEveryUs) {
      report(agent);
      reported = now;
    }
    if (now - said >= kRunningEveryUs) {
      say(agent, "running");
      said = now;
    }
  }
}

void stop(Running& agent) {
  agent.sensor->stop();
  say(agent, "stopping");
  agent.spooler->stop();
  agent.link->stop(kLastSend);
  report(agent);
}

}  // namespace

Status run(const RunOptions& options) {
  mallopt(M_ARENA_MAX, kMallocArenas);
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is made: they inherit it

  auto loaded = link::load_identity(options.data_directory);
  if (!loaded && loaded.error().code == Errc::not_found) {
    return fail(Errc::not_found, options.data_directory + " is not enrolled: run `redoubt-agent enroll` first");
  }
  TRY(link::Identity identity, std::move(loaded));
  TRY(const base::UniqueFd lock, lock_data(options.data_directory, base::kTakeoverMs));
  TRY(const std::string proxy, read_proxy(options.proxy_file));
  if (!proxy.empty()) link::choose_proxy(proxy);
  TRY(HostFacts facts, read_host_facts());
  Running agent{.options = options,
                .identity = std::move(identity),
                .facts = std::move(facts),
                .policy = PolicyFilter(policy_path(options.data_directory)),
                .budget = CpuBudget(options.cpu_budget_percent * kPermilleAPercent)};
  TRY_STATUS(start(agent));
  const std::string& why_not_lsm = agent.sensor->why_not_lsm();
  base::log_info(kComponent, "watching; tier " + std::string(name_of(agent.sensor->tier())) +
                                 (why_not_lsm.empty() ? "" : " (not lsm: " + why_not_lsm + ")") + ", host " +
                                 agent.identity.host_id);
  agent.supervisor.ready();
  agent.supervisor.status("watching; tier " + std::string(name_of(agent.sensor->tier())));
  say(agent, "started");
  say(agent, "running");
  wait_for_signal(agent, signals);
  base::log_info(kComponent, "stopping");
  agent.supervisor.stopping();
  stop(agent);
  return {};
}

}  // namespace redoubt::agent
