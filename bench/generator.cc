#include "bench/generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "event/entity_id.h"
#include "redoubt/event.pb.h"

namespace redoubt::bench {

namespace {

constexpr double kHostSkew = 0.5;
constexpr double kProgramSkew = 1.05;
constexpr uint64_t kAncestorsMax = 4;
constexpr int64_t kDayUs = 86'400'000'000;
constexpr uint32_t kCommonPaths = 20'000;

constexpr auto kDirectories = std::to_array<std::string_view>(
    {"/usr/bin", "/usr/sbin", "/usr/lib/systemd", "/usr/local/bin", "/opt/app/bin", "/usr/libexec", "/snap/bin"});
constexpr auto kWords =
    std::to_array<std::string_view>({"update", "service", "node",   "python3", "bash",    "config", "worker",  "java",
                                     "data",   "cache",   "build",  "report",  "session", "backup", "monitor", "index",
                                     "queue",  "client",  "server", "export",  "import",  "render", "sync",    "log"});
constexpr auto kOptions =
    std::to_array<std::string_view>({"--config", "--output", "--user", "--log-level", "--token-file", "-o", "-f",
                                     "--max-old-space-size", "--listen", "--state"});
constexpr auto kExtensions = std::to_array<std::string_view>({"log", "tmp", "json", "py", "so", "conf", "db", "cache"});
constexpr auto kUsers =
    std::to_array<std::string_view>({"root", "www-data", "postgres", "alice", "bob", "build", "app"});

// The kinds of events of a mix and how many of a hundred they are.
struct Share {
  event::EventType type;
  uint64_t percent;
};
constexpr auto kAgentMix = std::to_array<Share>({{event::EventType::process, 15},
                                                 {event::EventType::process_terminate, 15},
                                                 {event::EventType::filechange, 42},
                                                 {event::EventType::connection, 28}});
constexpr auto kFleetMix = std::to_array<Share>({{event::EventType::process, 8},
                                                 {event::EventType::process_terminate, 7},
                                                 {event::EventType::filechange, 28},
                                                 {event::EventType::connection, 20},
                                                 {event::EventType::module, 16},
                                                 {event::EventType::dns, 14},
                                                 {event::EventType::registry, 5},
                                                 {event::EventType::systemlog, 2}});
constexpr uint32_t kDomains = 200'000;
constexpr uint64_t kNewFilesHashed = 10;  // one of so many file changes carries the hash of a file seen once

// SplitMix64 (Steele, Lea, Flood 2014): small, fast, good enough for load.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t limit) { return next() % limit; }
  double fraction() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  template <class Table>
  const auto& pick(const Table& table) {
    return table[below(table.size())];
  }

 private:
  uint64_t state_;
};

std::string hex_of(Random& random, size_t digits) {
  std::string text;
  while (text.size() < digits) {
    const uint64_t bits = random.next();
    for (unsigned shift = 0; shift < 64 && text.size() < digits; shift += 4)
      text += "0123456789abcdef"[(bits >> shift) & 15];
  }
  return text;
}

// Ranks 0..count-1, rank k with weight 1/(k+1)^skew.
class Zipf {
 public:
  Zipf(uint32_t count, double skew) {
    double sum = 0;
    for (uint32_t rank = 0; rank < count; ++rank) sums_.push_back(sum += std::pow(rank + 1, -skew));
  }
  uint32_t draw(Random& random) const {
    const double point = random.fraction() * sums_.back();
    return static_cast<uint32_t>(std::lower_bound(sums_.begin(), sums_.end(), point) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

struct Program {
  std::string path, name, sha256;
};

// The kernel keeps 15 bytes.
std::string comm_of(const Program& program) { return program.name.substr(0, 15); }

struct Process {
  std::string entity_id, command_line, directory;
  const Program* program = nullptr;
  int64_t pid = 0;
  int64_t start_us = 0;
  uint32_t user = 0;
  uint32_t parent = 0;  // index among the host's processes
};

struct Host {
  std::string id, boot_id, name, ip;
  std::unique_ptr<event::FrameBuilder> builder;
  std::vector<Process> processes;
  uint64_t sequence = 0;
  int64_t pid = 1;
};

}  // namespace

struct Generator::State {
  explicit State(const GeneratorOptions& wanted)
      : options(wanted),
        random(wanted.seed),
        host_ranks(wanted.hosts, kHostSkew),
        program_ranks(wanted.programs, kProgramSkew),
        now_us(wanted.start_us),
        hosts(wanted.hosts) {
    for (uint32_t i = 0; i < wanted.programs; ++i) {
      Program program;
      program.name = std::string(random.pick(kWords)) + "-" + std::to_string(i);
      program.path = std::string(random.pick(kDirectories)) + "/" + program.name;
      program.sha256 = hex_of(random, 64);
      programs.push_back(std::move(program));
    }
    for (uint32_t i = 0; i < wanted.hosts; ++i) make_host(hosts[i], i);
  }

  void make_host(Host& host, uint32_t number) {
    host.id = "host-" + hex_of(random, 24);
    if (number < options.host_ids.size()) host.id = options.host_ids[number];
    host.boot_id = "boot-" + hex_of(random, 24);
    host.name = "srv-" + std::to_string(number) + ".example.org";
    host.ip = "10." + std::to_string(number >> 16 & 255) + "." + std::to_string(number >> 8 & 255) + "." +
              std::to_string(number & 255);
    v1::Event common;
    common.set_host_id(host.id);
    common.set_host_boot_id(host.boot_id);
    common.set_host_name(host.name);
    common.set_host_ip(host.ip);
    common.set_host_os_family("linux");
    common.set_host_os_version("Debian GNU/Linux 12 (bookworm) 6.1.0-28-amd64");
    common.set_agent_version("0.1.0");
    host.builder = std::make_unique<event::FrameBuilder>(common);
    host.processes.resize(options.processes_per_host);
    for (uint32_t i = 0; i < options.processes_per_host; ++i)
      start_process(host, i, i == 0 ? 0 : static_cast<uint32_t>(random.below(i)));
  }

  void start_process(Host& host, uint32_t index, uint32_t parent) {
    Process& process = host.processes[index];
    process.program = &programs[program_ranks.draw(random)];
    process.pid = ++host.pid;
    process.start_us = now_us;
    process.parent = parent;
    process.user = static_cast<uint32_t>(random.below(kUsers.size()));
    process.entity_id = event::process_entity_id(host.id, host.boot_id, process.pid, static_cast<uint64_t>(now_us));
    process.directory = "/srv/" + std::string(random.pick(kWords));
    process.command_line = process.program->path;
    const uint64_t arguments = 2 + random.below(4);
    for (uint64_t i = 0; i < arguments; ++i) {
      process.command_line +=
          " " + std::string(random.pick(kOptions)) + " /" + std::string(random.pick(kWords)) + "/" + hex_of(random, 8);
    }
  }

  void set_actor(const Host& host, const Process& process) {
    event.set_process_entity_id(process.entity_id);
    event.set_process_pid(process.pid);
    event.set_process_executable(process.program->path);
    event.set_process_name(process.program->name);
    event.set_process_comm(comm_of(*process.program));
    event.set_process_command_line(process.command_line);
    event.set_process_working_directory(process.directory);
    event.set_process_hash_sha256(process.program->sha256);
    event.set_process_start(process.start_us);
    event.set_process_cgroup_id(4000 + process.user);
    event.set_user_name(std::string(kUsers[process.user]));
    event.set_user_id(process.user * 1000);
    event.set_user_effective_id(process.user * 1000);
    event.set_user_effective_name(std::string(kUsers[process.user]));
    event.set_group_id(process.user * 1000);
    const Process& parent = host.processes[process.parent];
    event.set_process_parent_entity_id(parent.entity_id);
    event.set_process_parent_pid(parent.pid);
    event.set_process_parent_executable(parent.program->path);
    event.set_process_parent_name(parent.program->name);
    event.set_process_parent_comm(comm_of(*parent.program));
    event.set_process_parent_command_line(parent.command_line);
    std::string ancestors;
    std::string comms;
    const Process* up = &parent;
    for (uint64_t depth = 0; depth < kAncestorsMax && up != &host.processes[0];
         ++depth, up = &host.processes[up->parent]) {
      ancestors += (ancestors.empty() ? "" : "\n") + up->program->path;
      comms += (comms.empty() ? "" : "\n") + comm_of(*up->program);
    }
    event.set_process_ancestors(ancestors);
    event.set_process_ancestor_comms(comms);
  }

  void set_file() {
    const bool seen_once = random.below(2) == 0;
    const uint64_t number = seen_once ? random.next() >> 16 : random.below(kCommonPaths);
    const std::string directory =
        "/var/" + std::string(kWords[number % kWords.size()]) + "/" + std::string(kWords[number / 7 % kWords.size()]);
    const std::string extension(kExtensions[number % kExtensions.size()]);
    const std::string name = std::to_string(number) + "." + extension;
    event.set_file_path(directory + "/" + name);
    event.set_file_name(name);
    event.set_file_directory(directory);
    event.set_file_extension(extension);
    event.set_file_size(static_cast<int64_t>(random.below(1 << 20)));
    event.set_file_inode(static_cast<int64_t>(random.below(1 << 24)));
    const bool hashed = options.mix == Mix::fleet && random.below(kNewFilesHashed) == 0;
    if (hashed) event.set_file_hash_sha256(hex_of(random, 64));
  }

  void set_connection(const Host& host) {
    const uint64_t remote = random.below(50'000) * 2654435761;
    event.set_network_transport(random.below(4) == 0 ? "udp" : "tcp");
    event.set_network_direction("outbound");
    event.set_source_ip(host.ip);
    event.set_source_port(static_cast<int64_t>(32768 + random.below(28000)));
    event.set_destination_ip(std::to_string(1 + remote % 223) + "." + std::to_string(remote >> 8 & 255) + "." +
                             std::to_string(remote >> 16 & 255) + "." + std::to_string(remote >> 24 & 255));
    event.set_destination_port(random.below(3) == 0 ? 53 : 443);
  }

  void set_module() {
    const Program& library = programs[program_ranks.draw(random)];
    event.set_file_path("/usr/lib/x86_64-linux-gnu/lib" + library.name + ".so.2");
    event.set_file_name("lib" + library.name + ".so.2");
    event.set_file_directory("/usr/lib/x86_64-linux-gnu");
    event.set_file_hash_sha256(library.sha256);
  }

  void set_question() {
    const uint64_t number = random.below(kDomains);
    event.set_dns_question_name(std::string(kWords[number % kWords.size()]) + "-" + std::to_string(number * 7919) +
                                ".example.net");
    event.set_dns_question_type(random.below(3) == 0 ? "AAAA" : "A");
    event.set_dns_answers("192.0.2." + std::to_string(number % 250));
  }

  void set_registry() {
    event.set_registry_path("HKLM\\SOFTWARE\\" + std::string(random.pick(kWords)) + "\\" +
                            std::string(random.pick(kWords)) + std::to_string(random.below(5000)));
    event.set_registry_data("0x" + hex_of(random, 8));
  }

  void set_login() {
    event.set_event_code(4624);
    event.set_log_channel("Security");
    event.set_source_ip("10.9." + std::to_string(random.below(256)) + "." + std::to_string(random.below(256)));
  }

  event::EventType draw_type() {
    const auto mix = options.mix == Mix::agent ? std::span<const Share>(kAgentMix) : std::span<const Share>(kFleetMix);
    uint64_t point = random.below(100);
    for (const Share& share : mix) {
      if (point < share.percent) return share.type;
      point -= share.percent;
    }
    return mix.back().type;
  }

  void set_kind(Host& host, event::EventType type, uint32_t index) {
    event.set_event_type(static_cast<v1::EventType>(type));
    switch (type) {
      case event::EventType::process:
        start_process(host, index, static_cast<uint32_t>(random.below(index)));
        event.set_event_action("exec");
        return;
      case event::EventType::process_terminate:
        event.set_event_action("exit");
        event.set_process_end(now_us);
        event.set_process_exit_code(static_cast<int64_t>(random.below(2)));
        return;
      case event::EventType::filechange:
        event.set_event_action(random.below(3) == 0 ? "create" : "write");
        set_file();
        return;
      case event::EventType::connection:
        event.set_event_action("connect");
        set_connection(host);
        return;
      case event::EventType::module: set_module(); return;
      case event::EventType::dns: set_question(); return;
      case event::EventType::registry: set_registry(); return;
      default: set_login(); return;
    }
  }

  void make_event(Host& host) {
    event.Clear();
    now_us += kDayUs / options.events_per_day;
    event.set_event_sequence(static_cast<int64_t>(++host.sequence));
    event.set_event_time(now_us);
    auto index = static_cast<uint32_t>(1 + random.below(host.processes.size() - 1));
    set_kind(host, draw_type(), index);
    set_actor(host, host.processes[index]);
    host.builder->add(event);
  }

  GeneratorOptions options;
  Random random;
  Zipf host_ranks;
  Zipf program_ranks;
  int64_t now_us;
  std::vector<Program> programs;
  std::vector<Host> hosts;
  v1::Event event;
};

Generator::Generator(const GeneratorOptions& options) : state_(std::make_unique<State>(options)) {
  CHECK(options.processes_per_host > 1 && options.frame_events_min > 0 &&
        options.frame_events_min <= options.frame_events_max);
}

Generator::~Generator() = default;

Generated Generator::next() {
  Host& host = state_->hosts[state_->host_ranks.draw(state_->random)];
  const uint64_t spread = state_->options.frame_events_max - state_->options.frame_events_min + 1;
  const uint64_t count = state_->options.frame_events_min + state_->random.below(spread);
  for (uint64_t i = 0; i < count; ++i) state_->make_event(host);
  event::Frame frame = host.builder->finish(host.boot_id);
  auto bytes = event::open_frame(frame.payload, frame.checksum);
  CHECK(bytes.has_value());
  auto batch = event::Batch::decode(*std::move(bytes));
  CHECK(batch.has_value());
  return {.host_id = host.id, .frame = std::move(frame), .batch = *std::move(batch)};
}

}  // namespace redoubt::bench
