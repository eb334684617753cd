// What tests of the real sensor on the real kernel share: a sink that keeps every event, children that do something,
// and a sensor where they ask for nothing special.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "redoubt/event.pb.h"
#include "sensor/probe.h"
#include "sensor/sensor.h"

namespace redoubt::sensor {

constexpr auto kWait = std::chrono::seconds(60);  // an emulated machine is slow

// Keeps every event; lets the test wait for one.
class Collector : public EventSink {
 public:
  void take(v1::Event&& event) override {
    at_gate_ = true;
    const std::lock_guard held(gate_);
    at_gate_ = false;
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_all();
  }

  // While the caller holds this, the sensor stands still in take(), which no real sink may do.
  std::unique_lock<std::mutex> hold_up() { return std::unique_lock(gate_); }
  // Whether it does: it goes on reading while no event is ready to be taken.
  bool stands_still() const { return at_gate_; }

  using Predicate = std::function<bool(const v1::Event&)>;
  std::optional<v1::Event> wait_for(const Predicate& matches) {
    std::unique_lock lock(mutex_);
    std::optional<v1::Event> found;
    changed_.wait_for(lock, kWait, [&] { return (found = find(matches)).has_value(); });
    return found;
  }
  std::vector<v1::Event> all(const Predicate& matches) {
    const std::lock_guard lock(mutex_);
    std::vector<v1::Event> found;
    for (const v1::Event& event : events_) {
      if (matches(event)) found.push_back(event);
    }
    return found;
  }

 private:
  std::optional<v1::Event> find(const Predicate& matches) const {
    for (const v1::Event& event : events_) {
      if (matches(event)) return event;
    }
    return std::nullopt;
  }

  std::mutex gate_;
  std::atomic<bool> at_gate_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<v1::Event> events_;
};

inline Collector::Predicate is_exec_of(pid_t pid) {
  return [pid](const v1::Event& event) {
    return event.event_type() == v1::EVENT_TYPE_PROCESS && event.process_pid() == pid;
  };
}

inline Collector::Predicate is_end_of(pid_t pid) {
  return [pid](const v1::Event& event) {
    return event.event_type() == v1::EVENT_TYPE_PROCESS_TERMINATE && event.process_pid() == pid;
  };
}

inline Collector::Predicate is_file(const std::string& action, const std::string& path) {
  return [action, path](const v1::Event& event) {
    return event.event_type() == v1::EVENT_TYPE_FILECHANGE && event.event_action() == action &&
           event.file_path() == path;
  };
}

// Runs the program in `directory`; the child's number. Reaped by finish().
inline pid_t launch(const std::vector<std::string>& arguments, const std::string& directory = "/") {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    if (chdir(directory.c_str()) != 0) _exit(126);
    execv(argv[0], argv.data());
    _exit(127);
  }
  return pid;
}

inline int finish(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return status;
}

// Runs the function in a child of its own, which the sensor does not keep quiet about.
inline pid_t in_child(const std::function<void()>& act) {
  const pid_t pid = fork();
  if (pid == 0) {
    act();
    _exit(0);
  }
  return pid;
}

inline void wait_for_file(const std::string& path) {
  const auto deadline = std::chrono::steady_clock::now() + kWait;
  while (access(path.c_str(), F_OK) != 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

inline std::string own_executable() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  return {path, static_cast<size_t>(size > 0 ? size : 0)};
}

inline std::string real_path(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  std::string text = resolved != nullptr ? resolved : path;
  free(resolved);
  return text;
}

// The tier that the environment asks for (REDOUBT_TIER); the best that there is if it does not.
inline std::optional<Tier> tier_under_test() {
  const char* name = getenv("REDOUBT_TIER");
  if (name == nullptr) return std::nullopt;
  return name == name_of(Tier::lsm) ? Tier::lsm : Tier::tracepoint;
}

inline Result<std::unique_ptr<Sensor>> start_under_test(SensorOptions options, EventSink& sink) {
  static const Result<Probe> probe = probe_host(ProbeDepth::tier);
  if (!probe) return tl::unexpected(probe.error());
  options.host_id = "host";
  options.boot_id = "boot";
  options.tier = tier_under_test();
  options.detail_wait_ms = 5000;  // an emulated machine hashes slowly
  return Sensor::start_on(*probe, options, sink);
}

// To start and stop a sensor takes an emulated machine ten seconds, so one serves all tests that take it as it comes.
// GoogleTest keeps it, and ends it after the last test.
class SharedSensor : public EventSink, public testing::Environment {
 public:
  void take(v1::Event&& event) override {
    const std::lock_guard lock(mutex_);
    if (events_ != nullptr) events_->take(std::move(event));
  }
  void lead_to(Collector* events) {
    const std::lock_guard lock(mutex_);
    events_ = events;
  }
  // With these options if it does not run already.
  Status start(const SensorOptions& options) {
    if (sensor_) return {};
    TRY(sensor_, start_under_test(options, *this));
    return {};
  }
  void stop() { sensor_.reset(); }
  void TearDown() override { stop(); }
  Sensor& get() { return *sensor_; }

 private:
  std::mutex mutex_;
  Collector* events_ = nullptr;
  std::unique_ptr<Sensor> sensor_;
};
inline SharedSensor& shared_sensor = *static_cast<SharedSensor*>(testing::AddGlobalTestEnvironment(new SharedSensor));

class SensorTest : public testing::Test {
 protected:
  ~SensorTest() override { shared_sensor.lead_to(nullptr); }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "skipped: needs root";
  }

  // From here on the events of the shared sensor are the test's. A suite that has options for it stops it before its
  // first test and after its last.
  void watch(const SensorOptions& options = {}) {
    const Status started = shared_sensor.start(options);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    shared_sensor.lead_to(&events_);
  }
  // A sensor of the test's own.
  void start(const SensorOptions& options = {}) {
    shared_sensor.stop();
    auto sensor = start_under_test(options, events_);
    ASSERT_TRUE(sensor.has_value()) << sensor.error().message;
    sensor_ = *std::move(sensor);
  }
  Sensor& sensor() { return sensor_ ? *sensor_ : shared_sensor.get(); }
  bool is_lsm() { return sensor().tier() == Tier::lsm; }

  Collector events_;
  std::unique_ptr<Sensor> sensor_;
};

}  // namespace redoubt::sensor
