// The share of this machine that a node of 15,000 hosts takes: frames at 12,500 events a second, each of which is
// checked, counted for its prevalence, made durable, judged by 1,000 rules and acknowledged, while the store seals and
// merges. In one process, from the frame on: what TLS and gRPC cost is not in it. REDOUBT_SECONDS: how long (60).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "bench/generator.h"
#include "bench/must.h"
#include "bench/report.h"
#include "central/fleet/enrollment.h"
#include "central/ingest/ingest.h"
#include "central/prevalence/prevalence_book.h"
#include "central/state_schema.h"
#include "rules/sigma/rule.h"
#include "store/events/event_store.h"
#include "tests/corpora.h"

namespace redoubt::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kHosts = 15'000;
constexpr double kEventsPerSecond = 12'500;
constexpr size_t kRules = 1000;
constexpr size_t kStreams = 4;  // that frames come in on at once
constexpr double kWarmSeconds = 10;
constexpr double kSecondsAtFirst = 60;
constexpr size_t kRuleBytesMax = size_t{1} << 20;

double seconds_wanted() {
  const char* const wanted = std::getenv("REDOUBT_SECONDS");
  return wanted != nullptr ? std::atof(wanted) : kSecondsAtFirst;
}

// A rule of the usual shape over names that do not occur.
rules::Rule silent_rule(size_t number) {
  const std::string n = std::to_string(number);
  const auto hunt = query::parse_hunt("EventType = \"process\" AND (Image ENDS \"/implant" + n +
                                          "\" OR CommandLine CONTAINS \"--beacon-" + n +
                                          "\") AND NOT ParentImage ENDS \"/trusted" + n + "\"",
                                      base::Time::now());
  if (!hunt) give_up("a rule cannot be read");
  return {.id = "silent-" + n,
          .title = "Silent " + n,
          .format = "sigma",
          .expression = must(query::normalize(hunt->where.clone()))};
}

// Sigma's rules for Linux, for Windows and for no product, evenly chosen, and silent ones where these are too few.
std::vector<rules::Rule> thousand_rules() {
  std::vector<rules::Rule> all;
  const std::filesystem::path directory = tests::corpora_directory() + "/sigma/rules";
  if (std::filesystem::is_directory(directory)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.path().extension() != ".yml") continue;
      auto file = rules::sigma::read_rules(must(base::read_file(entry.path(), kRuleBytesMax)), entry.path());
      for (rules::Rule& rule : file.rules) all.push_back(std::move(rule));
    }
  }
  std::vector<rules::Rule> chosen;
  const size_t step = std::max<size_t>(1, all.size() / kRules);
  for (size_t i = 0; i < all.size() && chosen.size() < kRules; i += step) chosen.push_back(std::move(all[i]));
  while (chosen.size() < kRules) chosen.push_back(silent_rule(chosen.size()));
  return chosen;
}

// The node from the frame on, as central/node.cc wires it.
class FleetNode {
 public:
  explicit FleetNode(const std::string& directory)
      : state_(must(store::open_sqlite_state(directory + "/state.db", central::state_migrations()))),
        events_(must(store::open_embedded_store({.directory = directory + "/events"}))),
        rules_(central::RuleSnapshot::make(
            std::make_shared<const rules::RuleSet>(must(rules::RuleSet::of(thousand_rules()))), {}, {},
            base::Time::now())),
        alerts_(*state_, feed_),
        fleet_(*state_),
        correlations_(must(central::CorrelationBook::open(*state_, alerts_, rules_, metrics_))),
        judge_(must(central::Judge::make(rules_, *correlations_, metrics_, kStreams))),
        prevalence_(must(central::PrevalenceBook::open(*state_, metrics_, base::Time::now()))),
        ingest_(*events_, *judge_, fleet_, metrics_) {
    ingest_.count_in(*prevalence_);
  }

  // Enrols the hosts, each with a certificate of its own; their ids.
  std::vector<std::string> enroll() {
    central::Enrollment enrollment(*state_, must(link::make_ca("bench")));
    const std::string request = must(link::make_request("bench")).request_pem;
    std::vector<std::string> ids;
    std::string token;
    for (size_t i = 0; i < kHosts; ++i) {
      if (i % central::kTokenUsesMax == 0) {
        token = must(enrollment.create_token({.uses = central::kTokenUsesMax}, "bench")).token;
      }
      const auto enrolled =
          must(enrollment.enroll({.token = token, .csr = request, .host_name = "host" + std::to_string(i)}));
      agents_[enrolled.host_id] = {
          .host_id = enrolled.host_id,
          .certificate_fingerprint = must(link::read_certificate(enrolled.certificate)).fingerprint};
      ids.push_back(enrolled.host_id);
    }
    return ids;
  }

  void take(const std::string& host_id, event::Frame frame) {
    const link::AgentIdentity& agent = agents_.at(host_id);
    if (frame.first_sequence == 1) must(ingest_.agent_connected(agent, {.boot_id = frame.boot_id}));
    must(ingest_.take_frame(agent, std::move(frame)));
  }
  void save() { must(prevalence_->save(base::Time::now())); }
  store::EventStore& events() { return *events_; }
  int64_t alerts() { return must(alerts_.list({}, 1, "")).total; }

 private:
  base::Metrics metrics_;
  std::unique_ptr<store::StateDb> state_;
  std::unique_ptr<store::EventStore> events_;
  std::shared_ptr<const central::RuleSnapshot> rules_;
  central::AlertFeed feed_;
  central::AlertBook alerts_;
  central::Fleet fleet_;
  std::unique_ptr<central::CorrelationBook> correlations_;
  std::unique_ptr<central::Judge> judge_;
  std::unique_ptr<central::PrevalenceBook> prevalence_;
  central::Ingest ingest_;
  std::map<std::string, link::AgentIdentity> agents_;
};

struct Due {
  std::string host_id;
  event::Frame frame;
  double at = 0;  // seconds after the beginning
};

std::vector<Due> frames_for(double seconds, const std::vector<std::string>& ids) {
  Generator generator({.mix = Mix::fleet,
                       .hosts = static_cast<uint32_t>(kHosts),
                       .host_ids = ids,
                       .events_per_day = static_cast<int64_t>(kEventsPerSecond * 86'400)});
  std::vector<Due> frames;
  double at = 0;
  while (at < seconds) {
    Generated made = generator.next();
    at += static_cast<double>(made.batch.size()) / kEventsPerSecond;
    frames.push_back({std::move(made.host_id), std::move(made.frame), at});
  }
  return frames;
}

void measure() {
  const double seconds = seconds_wanted();
  const base::TempDir directory;
  FleetNode node(directory.path());
  std::vector<Due> frames = frames_for(kWarmSeconds + seconds, node.enroll());
  // Frames of a host come in order, so each host has one stream.
  std::vector<std::thread> streams;
  std::vector<std::vector<double>> late(kStreams);
  const auto begin = Clock::now();
  const auto moment = [&](double at) {
    return begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(at));
  };
  for (size_t stream = 0; stream < kStreams; ++stream) {
    streams.emplace_back([&, stream] {
      for (Due& due : frames) {
        if (std::hash<std::string>{}(due.host_id) % kStreams != stream) continue;
        std::this_thread::sleep_until(moment(due.at));
        node.take(due.host_id, std::move(due.frame));
        if (due.at < kWarmSeconds) continue;
        late[stream].push_back(std::chrono::duration<double>(Clock::now() - moment(due.at)).count() * 1000);
      }
    });
  }
  std::this_thread::sleep_until(moment(kWarmSeconds));
  const double cpu_before = cpu_seconds();
  const auto sealed_before = node.events().stats().events;
  for (std::thread& stream : streams) stream.join();
  const double wall = std::chrono::duration<double>(Clock::now() - moment(kWarmSeconds)).count();
  must(node.events().seal());  // what came in is not done before
  node.save();
  const double cpu = cpu_seconds() - cpu_before;
  std::vector<double> all;
  for (const auto& one : late) all.insert(all.end(), one.begin(), one.end());
  std::sort(all.begin(), all.end());
  const auto events = static_cast<double>(node.events().stats().events - sealed_before);
  const double share = 100 * cpu / (wall * static_cast<double>(std::thread::hardware_concurrency()));
  char note[400];
  std::snprintf(
      note, sizeof note,
      "of %u processors: %zu hosts, %.0f events/s for %.0f s, %zu rules, %lld alerts; %.1f us of CPU an event; "
      "acknowledged after %.1f ms, 99 of 100 within %.0f ms",
      std::thread::hardware_concurrency(), kHosts, events / wall, wall, kRules, static_cast<long long>(node.alerts()),
      1e6 * cpu / events, all[all.size() / 2], all[all.size() * 99 / 100]);
  report({.name = "store.fleet15000_cpu", .unit = "%", .better = Better::lower, .runs = {share}, .note = note});
}

}  // namespace
}  // namespace redoubt::bench

int main() { redoubt::bench::measure(); }
