// The real agent process with BPF against a link server in the test.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "event/field.h"
#include "link/agent/identity.h"
#include "link/test_node.h"

namespace redoubt::agent {
namespace {

using link::eventually;

constexpr const char* kHost = "0b7c1a52-9c3f-4f0e-8d7a-2f6d1f0f6a11";
constexpr auto kStopMax = std::chrono::seconds(5);

pid_t spawn(std::vector<std::string> arguments, const std::string& log = "/dev/null") {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  EXPECT_EQ(posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return status;
}

// Runs programs and writes files as fast as it can, until it goes away.
class Workload {
 public:
  Workload() : thread_([this] { run(); }) {}
  ~Workload() {
    stop_ = true;
    thread_.join();
  }

 private:
  void run() {
    const base::TempDir dir;
    for (int i = 0; !stop_; ++i) {
      wait_for(spawn({"/bin/true", "generated", std::to_string(i)}));
      (void)base::write_file_atomic(dir / "generated", "x", base::kPrivateFile);
    }
  }
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class AgentProcess : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "skipped: needs root";
    data_ = dir_ / "agent";
    ASSERT_TRUE(base::make_directories(data_));
    const auto client = node_.client(kHost);
    ASSERT_TRUE(link::save_identity({.host_id = kHost,
                                     .key_pem = client.key_pem,
                                     .certificate_pem = client.certificate_pem,
                                     .ca_pem = node_.ca.certificate_pem,
                                     .link_address = "127.0.0.1:" + std::to_string(node_.port),
                                     .server_name = "node.test"},
                                    data_));
    boot_ = base::read_file("/proc/sys/kernel/random/boot_id", 100).value();
    boot_.pop_back();
  }
  void TearDown() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait_for(pid_);
    }
    if (HasFailure()) std::cerr << base::read_file(dir_ / "log", 1 << 20).value_or("") << "\n";
  }
  std::string program() const { return REDOUBT_BUILD_DIR "/bin/redoubt-agent"; }
  void start(const std::vector<std::string>& options = {}) {
    const int before = node_.handler.connected;
    std::vector<std::string> arguments = {program(), "run", "--data", data_};
    arguments.insert(arguments.end(), options.begin(), options.end());
    pid_ = spawn(arguments, dir_ / "log");
    ASSERT_TRUE(eventually([&] { return node_.handler.connected > before; })) << "the agent does not connect";
  }
  void end(int signal) {
    kill(pid_, signal);
    status_ = wait_for(pid_);
    pid_ = -1;
  }
  link::Received received() { return node_.handler.stored(kHost, boot_); }

  const base::TempDir dir_;
  link::Node node_;
  std::string data_;
  std::string boot_;
  pid_t pid_ = -1;
  int status_ = 0;
};

TEST_F(AgentProcess, accounts_for_every_number_across_kills) {
  constexpr int kKills = 5;
  {
    const Workload workload;
    for (int round = 0; round < kKills; ++round) {
      start();
      ASSERT_FALSE(HasFatalFailure());
      const int calls = node_.handler.calls;
      ASSERT_TRUE(eventually([&] { return node_.handler.calls > calls + 5 + round; }));
      end(SIGKILL);
    }
    start();
    const int calls = node_.handler.calls;
    ASSERT_TRUE(eventually([&] { return node_.handler.calls > calls + 5; }));
  }
  end(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status_) && WEXITSTATUS(status_) == 0);

  const link::Received all = received();
  const auto status = nlohmann::json::parse(base::read_file(data_ + "/status.json", 1 << 16).value());
  EXPECT_EQ(all.highest(), status.at("events_numbered").get<uint64_t>());
  EXPECT_EQ(all.missing_up_to(all.highest()), 0U);
  EXPECT_EQ(all.duplicates, 0U);
  EXPECT_GT(all.types[static_cast<size_t>(event::EventType::process)], 0U);
  EXPECT_GT(all.types[static_cast<size_t>(event::EventType::agent)], 0U);
  int blind_gaps = 0;
  uint64_t lost_in_ranges = 0;
  for (const link::ReceivedLoss& loss : all.losses) {
    blind_gaps += loss.cause == "sensor_down" ? 1 : 0;
    if (loss.last_sequence == 0) continue;
    lost_in_ranges += loss.count;
    // A range holds nothing that arrived: what it declares is truly lost, and counted exactly.
    EXPECT_EQ(loss.count, loss.last_sequence - loss.first_sequence + 1) << loss.cause;
    for (uint64_t n = loss.first_sequence; n <= loss.last_sequence; ++n) EXPECT_FALSE(all.sequences.contains(n)) << n;
  }
  EXPECT_EQ(blind_gaps, kKills);
  EXPECT_EQ(all.sequences.size() + lost_in_ranges, all.highest());
  std::cerr << all.highest() << " numbered, " << all.sequences.size() << " received, " << lost_in_ranges
            << " declared lost, resident " << status.at("memory_rss") << "\n";
}

TEST_F(AgentProcess, stops_in_time_with_everything_sent) {
  start();
  {
    const Workload workload;
    const int calls = node_.handler.calls;
    ASSERT_TRUE(eventually([&] { return node_.handler.calls > calls + 3; }));
  }
  const auto before = std::chrono::steady_clock::now();
  end(SIGTERM);
  EXPECT_LT(std::chrono::steady_clock::now() - before, kStopMax);
  EXPECT_TRUE(WIFEXITED(status_) && WEXITSTATUS(status_) == 0);
  const link::Received all = received();
  EXPECT_EQ(all.missing_up_to(all.highest()), 0U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(data_ + "/spool"), {}), 0);
}

TEST_F(AgentProcess, tells_forks_and_variables_where_it_is_asked_to) {
  const auto forks = [&] { return received().types[static_cast<size_t>(event::EventType::fork)]; };
  start({"--fork-events", "--environment", "usual,REDOUBT_TEST"});
  ASSERT_TRUE(eventually([&] {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    wait_for(child);
    return forks() > 0;
  }));
  end(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status_) && WEXITSTATUS(status_) == 0);
  pid_ = spawn({program(), "run", "--data", data_, "--environment", "A=B"}, dir_ / "refused");
  end(0);
  EXPECT_EQ(WEXITSTATUS(status_), 1);
  EXPECT_NE(base::read_file(dir_ / "refused", 1 << 16)->find("'A=B' is no name of a variable"), std::string::npos);
}

TEST_F(AgentProcess, stops_in_time_without_a_node) {
  start();
  node_.server.reset();
  const auto before = std::chrono::steady_clock::now();
  end(SIGTERM);
  EXPECT_LT(std::chrono::steady_clock::now() - before, kStopMax);
  EXPECT_TRUE(WIFEXITED(status_) && WEXITSTATUS(status_) == 0);
}

TEST_F(AgentProcess, is_the_only_one_of_its_data_directory) {
  start();
  const pid_t second = spawn({program(), "run", "--data", data_}, dir_ / "second");
  const int status = wait_for(second);
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_NE(base::read_file(dir_ / "second", 1 << 16)->find("another agent uses"), std::string::npos);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(data_ + "/status.json"); }));
  EXPECT_EQ(WEXITSTATUS(wait_for(spawn({program(), "status", "--data", data_}, dir_ / "status"))), 0);
  EXPECT_NE(base::read_file(dir_ / "status", 1 << 16)->find(kHost), std::string::npos);
}

TEST_F(AgentProcess, says_that_it_is_not_enrolled) {
  const base::TempDir empty;
  EXPECT_EQ(WEXITSTATUS(wait_for(spawn({program(), "run", "--data", empty.path()}, dir_ / "out"))), 1);
  EXPECT_NE(base::read_file(dir_ / "out", 1 << 16)->find("not enrolled"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::agent
