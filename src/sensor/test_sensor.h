// The real sensor on the real kernel: most tests watch() one that they share, some start() their own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/file.h"
#include "redoubt/event.pb.h"
#include "sensor/probe.h"
#include "sensor/sensor.h"
#include "sensor/test_events.h"

namespace redoubt::sensor {

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

// To start and stop a sensor takes an emulated machine half a minute, so one serves test after test for as long as they
// ask for the same options. GoogleTest keeps it, and ends it after the last test.
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
  // A new one if none with these options runs; another policy is applied to the one that does.
  Status start(const SensorOptions& options) {
    SensorOptions here = options_;
    here.policy = options.policy;
    if (runs_ && options == options_) return {};
    if (runs_ && options == here) return apply(options.policy);
    end();
    TRY(sensor_, start_under_test(options, *this));
    options_ = options;
    runs_ = true;
    return {};
  }
  Status apply(const SensorPolicy& policy) {
    TRY_STATUS(sensor_->apply(policy));
    options_.policy = policy;
    return {};
  }
  // It stays, so that its account can be read.
  void stop() {
    sensor_->stop();
    runs_ = false;
  }
  void end() {
    sensor_.reset();
    runs_ = false;
  }
  void TearDown() override { end(); }
  Sensor& get() { return *sensor_; }

 private:
  std::mutex mutex_;
  Collector* events_ = nullptr;
  std::unique_ptr<Sensor> sensor_;
  SensorOptions options_;
  bool runs_ = false;
};
inline SharedSensor& shared_sensor = *static_cast<SharedSensor*>(testing::AddGlobalTestEnvironment(new SharedSensor));

class SensorTest : public testing::Test {
 protected:
  ~SensorTest() override { shared_sensor.lead_to(nullptr); }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "skipped: needs root";
  }

  // From here on the events of the shared sensor are the test's. Options that are no policy are for whole suites.
  void watch(const SensorOptions& options = {}) {
    const Status started = shared_sensor.start(options);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    shared_sensor.lead_to(&events_);
  }
  // A sensor of the test's own, beside the shared one: for options that no other test has, and where it matters what
  // was there before the sensor.
  void start(const SensorOptions& options = {}) {
    own_.reset();
    auto started = start_under_test(options, events_);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    own_ = *std::move(started);
  }
  // The same where the shared one would be flooded, too.
  void start_alone(const SensorOptions& options) {
    shared_sensor.end();
    start(options);
  }
  Status apply(const SensorPolicy& policy) { return own_ ? own_->apply(policy) : shared_sensor.apply(policy); }
  // The end of a sensor tells what it still counted. If it was the shared one, the next test starts another.
  void stop() { own_ ? own_->stop() : shared_sensor.stop(); }
  // Waits until what was done to files up to here is told, repeats and changes too.
  void settle();
  // What was produced has been taken or is lost, at a moment when nothing is under way.
  void expect_balance(LaneAccount SensorAccount::* lane);

  Sensor& sensor() { return own_ ? *own_ : shared_sensor.get(); }
  bool is_lsm() { return sensor().tier() == Tier::lsm; }

  Collector events_;

 private:
  std::unique_ptr<Sensor> own_;
};

inline void SensorTest::expect_balance(LaneAccount SensorAccount::* lane) {
  const auto deadline = std::chrono::steady_clock::now() + kWait;
  LaneAccount account = sensor().account().*lane;
  while (account.produced != account.taken + account.lost && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    account = sensor().account().*lane;
  }
  EXPECT_EQ(account.produced, account.taken + account.lost);
}

// What a look finds it finds of all that came before. So the first file here is told after all that were closed before
// it, the count of the second after all counts that began before its own, and the end of the last child after both.
inline void SensorTest::settle() {
  const base::TempDir directory;
  const std::string closed = directory / "closed";
  const std::string counted = directory / "counted";
  const pid_t writer = in_child([&] { (void)!write(open(closed.c_str(), O_WRONLY | O_CREAT, 0600), "x", 1); });
  finish(writer);
  EXPECT_TRUE(events_.wait_for(is_file("change", closed)));
  const pid_t opener = in_child([&] {
    close(open(counted.c_str(), O_WRONLY | O_CREAT, 0600));
    for (int i = 0; i < 3; ++i) close(open(counted.c_str(), O_WRONLY));
  });
  finish(opener);
  EXPECT_TRUE(events_.wait_for(
      [&](const v1::Event& event) { return is_file("write", counted)(event) && event.has_event_count(); }));
  const pid_t last = in_child([] {});
  finish(last);
  EXPECT_TRUE(events_.wait_for(is_end_of(last)));
}

}  // namespace redoubt::sensor
