// What tests of the real sensor on the real kernel share: a sink that keeps every event, children that do something,
// and how to find what was told of them.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "redoubt/event.pb.h"
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

}  // namespace redoubt::sensor
