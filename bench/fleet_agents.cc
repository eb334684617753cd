// The agents of a fleet as far as a node can tell: a connection with a certificate of its own each, frames when they
// are due, reports. Says, a line of JSON each, when all are connected, when the first seconds are over, and at the end
// how long acknowledgements took.
//   fleet_agents DIRECTORY PORT SECONDS   of the certificates (fleet.cc), of the node, how long
#include <grpcpp/grpcpp.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "bench/generator.h"
#include "bench/must.h"
#include "link/agent/messages.h"
#include "link/grpc_setup.h"
#include "link/node/link_server.h"
#include "redoubt/link.grpc.pb.h"

namespace redoubt::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Stub = v1::Link::Stub;

constexpr double kEventsPerSecond = 12'500;
constexpr double kWarmSeconds = 10;
constexpr double kPatienceSeconds = 180;
constexpr size_t kHandshakesAtOnce = 64;
constexpr size_t kPemBytesMax = size_t{64} << 10;
// As link/agent/link_client.{h,cc} has them.
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// What all agents have seen so far.
struct Seen {
  std::atomic<size_t> welcomed = 0;
  std::atomic<size_t> acknowledged = 0;
  std::mutex mutex;
  std::vector<double> waits_ms;  // of frames after the first seconds
};

struct Identity {
  std::string id, certificate;
};

class Agent final : public grpc::ClientBidiReactor<v1::AgentMessage, v1::NodeMessage> {
 public:
  Agent(Seen& seen, const std::shared_ptr<grpc::Channel>& channel) : seen_(seen), stub_(v1::Link::NewStub(channel)) {}

  void connect() {
    v1::AgentMessage hello;
    hello.mutable_hello()->set_boot_id("boot");
    hello.mutable_hello()->set_host_name("host");
    stub_->async()->Stream(&context_, this);
    send(std::move(hello));
    StartRead(&answer_);
    StartCall();
  }

  // `due`: when the frame was to be sent; of other messages nothing.
  void send(v1::AgentMessage message, std::optional<Clock::time_point> due = {}) {
    const std::lock_guard lock(mutex_);
    if (due) due_.push_back(*due);
    to_send_.push_back(std::move(message));
    if (to_send_.size() == 1) StartWrite(&to_send_.front());
  }

 private:
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    if (!ok) return;
    to_send_.pop_front();
    if (!to_send_.empty()) StartWrite(&to_send_.front());
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (answer_.has_welcome()) ++seen_.welcomed;
    if (answer_.has_reject()) give_up("a frame was rejected: " + answer_.reject().reason());
    if (answer_.has_ack()) acknowledged();
    StartRead(&answer_);
  }
  void OnDone(const grpc::Status& status) override { give_up("a stream ended: " + status.error_message()); }

  void acknowledged() {
    std::unique_lock lock(mutex_);
    const Clock::time_point due = due_.front();
    due_.pop_front();
    lock.unlock();
    const double waited_ms = 1e3 * seconds_since(due);
    const std::lock_guard all(seen_.mutex);
    seen_.waits_ms.push_back(waited_ms);
    ++seen_.acknowledged;
  }

  Seen& seen_;
  std::unique_ptr<Stub> stub_;
  grpc::ClientContext context_;
  v1::NodeMessage answer_;
  std::mutex mutex_;
  std::deque<v1::AgentMessage> to_send_;  // the first is being sent
  std::deque<Clock::time_point> due_;     // of the frames that are not acknowledged
};

std::vector<Identity> identities(const std::string& directory) {
  std::vector<Identity> hosts;
  std::ifstream lines(directory + "/hosts.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const auto host = nlohmann::json::parse(line);
    hosts.push_back({.id = host["id"], .certificate = host["certificate"]});
  }
  return hosts;
}

std::shared_ptr<grpc::Channel> channel_to(const std::string& node, grpc::SslCredentialsOptions tls) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(node, grpc::SslCredentials(tls), arguments);
}

void wait_for(const std::atomic<size_t>& count, size_t wanted, const std::string& what) {
  const auto begin = Clock::now();
  while (count < wanted) {
    if (seconds_since(begin) > kPatienceSeconds) give_up(what);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

struct Due {
  double at = 0;  // seconds after the beginning
  size_t host = 0;
  std::optional<event::Frame> frame;  // none: a report
};

std::vector<Due> messages_for(double seconds, const std::vector<Identity>& hosts) {
  GeneratorOptions options{.mix = Mix::fleet,
                           .hosts = static_cast<uint32_t>(hosts.size()),
                           .events_per_day = static_cast<int64_t>(kEventsPerSecond * 86'400)};
  std::unordered_map<std::string, size_t> number;
  for (const Identity& host : hosts) {
    options.host_ids.push_back(host.id);
    number.emplace(host.id, number.size());
  }
  Generator generator(options);
  std::vector<Due> messages;
  for (double at = 0; at < seconds;) {
    Generated made = generator.next();
    at += static_cast<double>(made.batch.size()) / kEventsPerSecond;
    messages.push_back({.at = at, .host = number.at(made.host_id), .frame = std::move(made.frame)});
  }
  // A report each, as often as the node hears so many hosts, evenly.
  const double step = 1 / static_cast<double>(link::LinkServerOptions{}.reports_per_second_max);
  for (size_t i = 0; static_cast<double>(i) * step < seconds; ++i) {
    messages.push_back({.at = static_cast<double>(i) * step, .host = i % hosts.size()});
  }
  std::stable_sort(messages.begin(), messages.end(), [](const Due& a, const Due& b) { return a.at < b.at; });
  return messages;
}

void say(const nlohmann::json& what) {
  std::printf("%s\n", what.dump().c_str());
  std::fflush(stdout);
}

void run(const std::string& directory, const std::string& node, double seconds) {
  link::set_up_grpc();
  const std::vector<Identity> hosts = identities(directory);
  std::vector<Due> messages = messages_for(kWarmSeconds + seconds, hosts);
  grpc::SslCredentialsOptions tls{.pem_root_certs = must(base::read_file(directory + "/ca.pem", kPemBytesMax)),
                                  .pem_private_key = must(base::read_file(directory + "/key.pem", kPemBytesMax)),
                                  .pem_cert_chain = ""};
  // They never end: the process does, when all is said.
  auto* const seen = new Seen;
  auto* const agents = new std::vector<std::unique_ptr<Agent>>;
  auto begin = Clock::now();
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (i >= kHandshakesAtOnce) wait_for(seen->welcomed, i - kHandshakesAtOnce, "the node welcomes no more agents");
    tls.pem_cert_chain = hosts[i].certificate;
    agents->push_back(std::make_unique<Agent>(*seen, channel_to(node, tls)));
    agents->back()->connect();
  }
  wait_for(seen->welcomed, hosts.size(), "not all agents are welcome");
  say({{"seconds", seconds_since(begin)}});

  begin = Clock::now();
  bool warm = false;
  size_t frames = 0, frames_before = 0;
  double events = 0;
  for (Due& due : messages) {
    const auto moment = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(due.at));
    std::this_thread::sleep_until(moment);
    if (!std::exchange(warm, due.at >= kWarmSeconds) && warm) {
      const std::lock_guard lock(seen->mutex);
      seen->waits_ms.clear();
      frames_before = frames;
      say({{"warm", true}});
    }
    Agent& agent = *(*agents)[due.host];
    if (!due.frame) {
      agent.send(link::message_of(link::HostReport{}));
      continue;
    }
    ++frames;
    events += warm ? due.frame->events : 0;
    agent.send(link::message_of(*std::move(due.frame)), moment);
  }
  wait_for(seen->acknowledged, frames, "not all frames are acknowledged");
  const double took = seconds_since(begin) - kWarmSeconds;
  const std::lock_guard lock(seen->mutex);
  std::vector<double>& waits = seen->waits_ms;
  std::sort(waits.begin(), waits.end());
  say({{"seconds", took},
       {"events", events},
       {"frames", frames - frames_before},
       {"median_ms", waits[waits.size() / 2]},
       {"p99_ms", waits[waits.size() * 99 / 100]}});
  std::_Exit(0);
}

}  // namespace
}  // namespace redoubt::bench

int main(int argc, char** argv) {
  if (argc != 4) redoubt::bench::give_up("usage: bench_fleet_agents DIRECTORY PORT SECONDS");
  redoubt::bench::run(argv[1], std::string("127.0.0.1:") + argv[2], std::stod(argv[3]));
}
