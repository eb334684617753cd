// For tests of the real sensor: a sink that keeps what it is given.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "redoubt/event.pb.h"
#include "sensor/sensor.h"

namespace redoubt::sensor {

inline constexpr auto kWait = std::chrono::seconds(10);

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

}  // namespace redoubt::sensor
