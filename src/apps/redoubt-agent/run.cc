#include <malloc.h>
#include <unistd.h>
#include <csignal>
#include <ctime>

#include "base/log.h"
#include "commands.h"
#include "data_lock.h"
#include "data_paths.h"
#include "host_facts.h"
#include "link/agent/identity.h"
#include "link/agent/link_client.h"
#include "link/agent/spooler.h"
#include "redoubt/event.pb.h"
#include "sensor/sensor.h"
#include "status.h"

namespace redoubt::agent {

namespace {

constexpr std::string_view kComponent = "agent";
constexpr int64_t kStatusEveryUs = 2 * base::kSecondUs;
constexpr int64_t kRunningEveryUs = base::kMinuteUs;
constexpr auto kLastSend = std::chrono::milliseconds(1500);
constexpr int kMallocArenas = 2;  // more would keep memory that bursts on many threads once used

// Passes the sensor's events on; whatever it does must not wait.
class IntakeSink final : public sensor::EventSink {
 public:
  explicit IntakeSink(link::Intake& intake) : intake_(intake) {}
  void take(v1::Event&& event) override { intake_.take(std::move(event)); }
  size_t room() const override { return intake_.room(); }

 private:
  link::Intake& intake_;
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

link::LinkClientOptions link_options(const link::Identity& identity, const HostFacts& facts, sensor::Tier tier,
                                     const std::string& data) {
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
          .rejected_directory = rejected_path(data)};
}

// Everything that runs, in the order of the events' way; stopped from the sensor on down.
struct Running {
  const RunOptions& options;
  const link::Identity identity;
  const HostFacts facts;
  std::unique_ptr<link::Account> account;
  std::unique_ptr<link::Spool> spool;
  std::unique_ptr<link::Intake> intake;
  std::unique_ptr<link::Spooler> spooler;
  std::unique_ptr<IntakeSink> sink;
  std::unique_ptr<sensor::Sensor> sensor;
  std::unique_ptr<link::LinkClient> link;
};

Status open_books(Running& agent) {
  const std::string& data = agent.options.data_directory;
  const bool used_before = !access(spool_path(data).c_str(), F_OK);
  TRY(agent.account,
      link::Account::open(account_path(data), agent.facts.boot_id,
                          used_before ? link::Account::DataDir::used_before : link::Account::DataDir::fresh));
  TRY(agent.spool, link::Spool::open({.directory = spool_path(data),
                                      .size_bytes_max = static_cast<size_t>(agent.options.spool_bytes_max),
                                      .age_us_max = agent.options.spool_age_us_max,
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
  agent.intake->take(std::move(event));
}

void report(const Running& agent) {
  const Status written = write_status({.host_id = agent.identity.host_id,
                                       .boot_id = agent.account->boot_id(),
                                       .node = agent.identity.link_address,
                                       .tier = std::string(name_of(agent.sensor->tier())),
                                       .link = agent.link->state(),
                                       .events_numbered = agent.account->numbered(),
                                       .events_lost = agent.account->lost(),
                                       .spool_bytes = agent.spool->size_bytes(),
                                       .memory_rss = resident_bytes(),
                                       .sensor = agent.sensor->account()},
                                      status_path(agent.options.data_directory));
  if (!written) base::log_warning(kComponent, written.error().message);
}

Status start(Running& agent) {
  TRY_STATUS(open_books(agent));
  agent.intake = std::make_unique<link::Intake>(*agent.account, link::Intake::Limits{});
  agent.spooler = std::make_unique<link::Spooler>(*agent.account, *agent.intake, *agent.spool,
                                                  common_fields(agent.identity, *agent.account, agent.facts));
  agent.spooler->start();
  agent.sink = std::make_unique<IntakeSink>(*agent.intake);
  TRY(agent.sensor, sensor::Sensor::start({.host_id = agent.identity.host_id,
                                           .boot_id = agent.account->boot_id(),
                                           .quiet_pids = agent.options.quiet_pids},
                                          *agent.sink));
  declare_blind_gap(agent);
  agent.link = std::make_unique<link::LinkClient>(
      link_options(agent.identity, agent.facts, agent.sensor->tier(), agent.options.data_directory), *agent.account,
      *agent.intake, *agent.spool);
  agent.link->start();
  return {};
}

void wait_for_signal(Running& agent, const sigset_t& signals) {
  int64_t reported = 0;
  int64_t said = base::Time::now().us;
  while (true) {
    const timespec second{.tv_sec = 1, .tv_nsec = 0};
    if (sigtimedwait(&signals, nullptr, &second) > 0) return;
    const int64_t now = base::Time::now().us;
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
  TRY(HostFacts facts, read_host_facts());
  Running agent{.options = options, .identity = std::move(identity), .facts = std::move(facts)};
  TRY_STATUS(start(agent));
  base::log_info(kComponent,
                 "watching; tier " + std::string(name_of(agent.sensor->tier())) + ", host " + agent.identity.host_id);
  say(agent, "started");
  say(agent, "running");
  wait_for_signal(agent, signals);
  base::log_info(kComponent, "stopping");
  stop(agent);
  return {};
}

}  // namespace redoubt::agent
