// The share of this machine that a node of 15,000 hosts takes: each is connected by mutual TLS and gRPC, tells of
// itself as agents do, and sends its part of 12,500 events a second, which are checked, counted for their prevalence,
// made durable, judged by 1,000 rules and acknowledged, while the store seals and merges. The node is this process, the
// agents are another (fleet_agents.cc). REDOUBT_SECONDS: how long (60).
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "bench/must.h"
#include "bench/report.h"
#include "central/alerts/alert_book.h"
#include "central/fleet/enrollment.h"
#include "central/node.h"
#include "central/state_schema.h"
#include "link/certificate.h"
#include "store/events/event_store.h"
#include "store/node_files.h"
#include "tests/corpora.h"

namespace redoubt::bench {
namespace {

constexpr size_t kHosts = 15'000;
constexpr size_t kRules = 1000;
constexpr const char* kSecondsAtFirst = "60";
constexpr size_t kRuleBytesMax = size_t{1} << 20;

// A rule of the usual shape over names that do not occur.
std::string silent_rule(size_t number) {
  const std::string n = std::to_string(number);
  return "title: Silent " + n +
         "\nlogsource: {product: linux, category: process_creation}\ndetection:\n  selection:\n    Image|endswith: "
         "/implant" +
         n + "\n  other:\n    CommandLine|contains: --beacon-" + n + "\n  filter:\n    ParentImage|endswith: /trusted" +
         n + "\n  condition: (selection or other) and not filter\nlevel: high\n";
}

// Sigma's rules for Linux, for Windows and for no product, evenly chosen, and silent ones where these are too few.
void write_rules(const std::string& directory) {
  must(base::make_directories(directory));
  std::vector<std::filesystem::path> all;
  const std::filesystem::path corpora = tests::corpora_directory() + "/sigma/rules";
  if (std::filesystem::is_directory(corpora)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(corpora)) {
      if (entry.path().extension() == ".yml") all.push_back(entry.path());
    }
  }
  const size_t step = std::max<size_t>(1, all.size() / kRules);
  for (size_t rule = 0; rule < kRules; ++rule) {
    const bool there = rule * step < all.size();
    must(base::write_file_atomic(directory + "/" + std::to_string(rule) + ".yml",
                                 there ? must(base::read_file(all[rule * step], kRuleBytesMax)) : silent_rule(rule),
                                 base::kPublicFile));
  }
}

// Enrols the hosts, each with a certificate of its own; what the agents need of it is in the directory afterwards.
void enroll(const store::NodeFiles& node, const std::string& directory) {
  must(base::make_directories(directory));
  const auto state = must(store::open_sqlite_state(node.state(), central::state_migrations()));
  central::Enrollment enrollment(*state, must(link::load_key_and_certificate(node.ca_key(), node.ca_certificate())));
  const link::KeyAndRequest request = must(link::make_request("bench"));
  must(base::write_file_atomic(directory + "/key.pem", request.key_pem, base::kPrivateFile));
  must(base::write_file_atomic(directory + "/ca.pem", enrollment.ca_certificate(), base::kPublicFile));
  std::ofstream hosts(directory + "/hosts.jsonl");
  std::string token;
  for (size_t i = 0; i < kHosts; ++i) {
    if (i % central::kTokenUsesMax == 0) {
      token = must(enrollment.create_token({.uses = central::kTokenUsesMax}, "bench")).token;
    }
    const auto host =
        must(enrollment.enroll({.token = token, .csr = request.request_pem, .host_name = "host" + std::to_string(i)}));
    hosts << nlohmann::json{{"id", host.host_id}, {"certificate", host.certificate}}.dump() << '\n';
  }
}

// The process of the agents: what it says, a line of JSON a stage.
class Agents {
 public:
  Agents(const std::string& directory, int port) {
    const char* const wanted = std::getenv("REDOUBT_SECONDS");
    std::vector<std::string> words{REDOUBT_BUILD_DIR "/bin/bench_fleet_agents", directory, std::to_string(port),
                                   wanted != nullptr ? wanted : kSecondsAtFirst};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) give_up("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
      give_up("start the agents");
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    said_ = fdopen(ends[0], "r");
  }
  ~Agents() {
    fclose(said_);
    waitpid(pid_, nullptr, 0);
  }
  Agents(const Agents&) = delete;
  Agents& operator=(const Agents&) = delete;

  nlohmann::json next() {
    char line[1024];
    if (std::fgets(line, sizeof line, said_) == nullptr) give_up("the agents ended");
    return nlohmann::json::parse(line);
  }

 private:
  pid_t pid_ = -1;
  FILE* said_ = nullptr;
};

// Of this process, so far.
double most_memory_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1000;
}

void measure() {
  const base::TempDir directory;
  const store::NodeFiles files{directory / "node"};
  write_rules(directory / "rules");
  must(central::init_node(files.directory, {}).map([](const auto&) {}));
  enroll(files, directory / "agents");
  auto node = must(central::Node::start({.data_directory = files.directory,
                                         .api_address = "127.0.0.1:0",
                                         .link_address = "127.0.0.1:0",
                                         .rules_directory = directory / "rules",
                                         .yara_directory = REDOUBT_SOURCE_DIR "/rules/yara",
                                         .openapi_path = REDOUBT_SOURCE_DIR "/proto/openapi.yaml",
                                         .scan_program = REDOUBT_BUILD_DIR "/bin/redoubt-scan"}));
  const double cpu_alone = cpu_seconds();
  Agents agents(directory / "agents", node->link_port());
  const nlohmann::json connected = agents.next();
  const double cpu_connected = cpu_seconds();
  agents.next();  // the first seconds, in which processors and caches get warm, are over
  const double cpu_before = cpu_seconds();
  const nlohmann::json sent = agents.next();
  const double cpu_sent = cpu_seconds();
  const double memory_mb = most_memory_mb();
  node.reset();
  const double cpu_stopped = cpu_seconds();
  // What was not yet sealed is not done: the store opened anew seals it, which costs more than to have gone on.
  must(must(store::open_embedded_store({.directory = files.events()}))->seal());
  const double cpu = cpu_sent - cpu_before + cpu_seconds() - cpu_stopped;
  const auto state = must(store::open_sqlite_state(files.state(), central::state_migrations()));
  central::AlertFeed feed;
  const int64_t alerts = must(central::AlertBook(*state, feed).list({}, 1, "")).total;
  const double wall = sent["seconds"], events = sent["events"];
  const unsigned processors = std::thread::hardware_concurrency();
  char note[600];
  std::snprintf(
      note, sizeof note,
      "of %u processors: %zu hosts over TLS and gRPC, %.0f events/s for %.0f s, %zu rules, %lld alerts; %.1f us "
      "of CPU an event; acknowledged after %.1f ms, 99 of 100 within %.0f ms; all connect within %.0f s, %.1f ms "
      "of CPU each; %.0f MB",
      processors, kHosts, events / wall, wall, kRules, static_cast<long long>(alerts), 1e6 * cpu / events,
      sent["median_ms"].get<double>(), sent["p99_ms"].get<double>(), connected["seconds"].get<double>(),
      1e3 * (cpu_connected - cpu_alone) / kHosts, memory_mb);
  report({.name = "store.fleet15000_cpu",
          .unit = "%",
          .better = Better::lower,
          .runs = {100 * cpu / (wall * processors)},
          .note = note});
}

}  // namespace
}  // namespace redoubt::bench

int main() { redoubt::bench::measure(); }
