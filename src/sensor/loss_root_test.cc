// What happens where more is told than the rings hold: who loses, and that every loss is told with its origin.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/file.h"
#include "redoubt/event.pb.h"
#include "sensor/sensor.h"
#include "sensor/test_cgroup.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

// A sink whose node is slow: while it is shut it has no room, and the rings hold what happens.
class Gate : public EventSink {
 public:
  void take(v1::Event&& event) override {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  size_t room() const override { return open ? SIZE_MAX : 0; }
  size_t count(const std::function<bool(const v1::Event&)>& matches) {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::count_if(events_.begin(), events_.end(), matches));
  }
  std::vector<v1::Event> losses() {
    const std::lock_guard lock(mutex_);
    std::vector<v1::Event> found;
    std::copy_if(events_.begin(), events_.end(), std::back_inserter(found),
                 [](const v1::Event& event) { return event.event_type() == v1::EVENT_TYPE_LOSS; });
    return found;
  }
  std::atomic<bool> open = true;

 private:
  std::mutex mutex_;
  std::vector<v1::Event> events_;
};

void open_files(const std::string& path, int count) {
  for (int i = 0; i < count; ++i) close(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

[[gnu::noinline]] pid_t start_program(const char* program) {
  const pid_t child = vfork();
  if (child == 0) {
    execl(program, program, nullptr);
    _exit(127);
  }
  return child;
}

void start_programs(const char* program, int count) {
  for (int i = 0; i < count; ++i) waitpid(start_program(program), nullptr, 0);
}

class LossTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "skipped: needs root";
    if (!loud_.made() || !quiet_.made()) GTEST_SKIP() << "skipped: no writable cgroup version 2";
  }
  void start(SensorOptions options = {}) {
    shared_sensor.end();
    options.repeats = Repeats::told;
    auto sensor = start_under_test(options, gate_);
    ASSERT_TRUE(sensor.has_value()) << sensor.error().message;
    sensor_ = *std::move(sensor);
    gate_.open = false;
  }
  void expect_balance() {
    gate_.open = true;
    sensor_->stop();
    const SensorAccount account = sensor_->account();
    EXPECT_EQ(account.critical.produced, account.critical.taken + account.critical.lost);
    EXPECT_EQ(account.bulk.produced, account.bulk.taken + account.bulk.lost);
    uint64_t declared = 0;
    for (const v1::Event& loss : gate_.losses()) declared += static_cast<uint64_t>(loss.loss_count());
    EXPECT_EQ(declared, account.critical.lost + account.bulk.lost);
    EXPECT_EQ(account.loss_declared, declared);
  }
  // Losses of the loud cgroup by kind; none of the quiet one.
  std::map<std::string, uint64_t> losses_of_loud(const std::string& cause) {
    std::map<std::string, uint64_t> found;
    for (const v1::Event& loss : gate_.losses()) {
      EXPECT_NE(loss.process_cgroup_id(), quiet_.id()) << loss.ShortDebugString();
      EXPECT_LE(loss.loss_since(), loss.loss_until());
      if (loss.process_cgroup_id() != loud_.id()) continue;
      EXPECT_EQ(loss.loss_cause(), cause);
      EXPECT_EQ(loss.loss_cgroup(), loud_.name());
      found[loss.loss_kind()] += static_cast<uint64_t>(loss.loss_count());
    }
    return found;
  }

  const TestCgroup loud_;
  const TestCgroup quiet_;
  const base::TempDir directory_;
  Gate gate_;
  std::unique_ptr<Sensor> sensor_;
};

TEST_F(LossTest, a_flood_of_one_cgroups_files_leaves_room_for_anothers) {
  start();
  constexpr int kQuietFiles = 500;
  const std::string quiet_file = directory_ / "quiet";
  loud_.run([&] { open_files(directory_ / "loud", 60'000); });
  quiet_.run([&] { open_files(quiet_file, kQuietFiles); });
  EXPECT_GT(sensor_->account().bulk.lost, 0U);
  expect_balance();
  EXPECT_EQ(gate_.count([&](const v1::Event& event) { return event.file_path() == quiet_file; }), kQuietFiles);
  const auto lost = losses_of_loud("share_bulk");
  EXPECT_GT(lost.at("filechange"), 0U);
  EXPECT_EQ(lost.size(), 1U);
}

TEST_F(LossTest, a_cgroup_that_forks_madly_leaves_room_for_anothers_programs) {
  start();
  constexpr int kQuietPrograms = 100;
  loud_.run([] { start_programs("/nowhere", 20'000); });
  quiet_.run([] { start_programs("/bin/true", kQuietPrograms); });
  EXPECT_GT(sensor_->account().critical.lost, 0U);
  expect_balance();
  const auto of_quiet = [&](v1::EventType type) {
    return gate_.count(
        [&](const v1::Event& event) { return event.event_type() == type && event.process_cgroup_id() == quiet_.id(); });
  };
  EXPECT_EQ(of_quiet(v1::EVENT_TYPE_PROCESS), kQuietPrograms);
  EXPECT_EQ(of_quiet(v1::EVENT_TYPE_PROCESS_TERMINATE), kQuietPrograms + 1);
  const auto lost = losses_of_loud("share_critical");
  EXPECT_GT(lost.at("fork"), 0U);
  EXPECT_GT(lost.at("process_terminate"), 0U);
}

TEST_F(LossTest, under_a_budget_a_cgroup_tells_so_much_a_second_and_its_programs_all_the_same) {
  start({.ring_bulk_bytes = size_t{64} << 20});  // holds them all, however slow the reader is
  constexpr int kPrograms = 20;
  constexpr int kFiles = 60'000;
  gate_.open = true;
  sensor_->set_load(Load::bulk_limited);
  const uint64_t rounds = sensor_->rounds();
  while (sensor_->rounds() < rounds + 2) usleep(10'000);
  const auto begin = std::chrono::steady_clock::now();
  loud_.run([&] {
    open_files(directory_ / "loud", kFiles);
    start_programs("/bin/true", kPrograms);
  });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  expect_balance();
  const auto told = [&](v1::EventType type) {
    return gate_.count(
        [&](const v1::Event& event) { return event.event_type() == type && event.process_cgroup_id() == loud_.id(); });
  };
  EXPECT_EQ(told(v1::EVENT_TYPE_PROCESS), kPrograms);
  // A window more at either end, and what two processors count at the same time.
  const double most = info(Load::bulk_limited).bulk_per_second_max * (took.count() + 0.5);
  EXPECT_LE(static_cast<double>(told(v1::EVENT_TYPE_FILECHANGE)), most);
  const auto lost = losses_of_loud("budget_bulk");
  EXPECT_EQ(lost.at("filechange") + told(v1::EVENT_TYPE_FILECHANGE), kFiles);
  EXPECT_EQ(lost.size(), 1U);
}

TEST_F(LossTest, many_flooding_cgroups_leave_room_too) {
  start();
  constexpr int kLoud = 12;
  constexpr int kQuietFiles = 100;
  std::vector<std::unique_ptr<TestCgroup>> others;
  for (int i = 0; i < kLoud; ++i) {
    others.push_back(std::make_unique<TestCgroup>());
    others.back()->run([&] { open_files(directory_ / "loud", 30'000); });
  }
  const std::string quiet_file = directory_ / "quiet";
  quiet_.run([&] { open_files(quiet_file, kQuietFiles); });
  expect_balance();
  EXPECT_EQ(gate_.count([&](const v1::Event& event) { return event.file_path() == quiet_file; }), kQuietFiles);
  std::set<int64_t> lost;
  for (const v1::Event& loss : gate_.losses()) lost.insert(loss.process_cgroup_id());
  for (const auto& other : others) EXPECT_TRUE(lost.contains(other->id()));
}

}  // namespace
}  // namespace redoubt::sensor
