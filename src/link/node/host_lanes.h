// Runs jobs on a few threads so that the jobs of one host run one after another, in the order in which they were
// posted, and those of different hosts in parallel. The link server posts every handler call here. Any thread may post.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace redoubt::link {

class HostLanes {
 public:
  using Job = std::function<void()>;

  explicit HostLanes(size_t threads);
  ~HostLanes();  // stops
  HostLanes(const HostLanes&) = delete;
  HostLanes& operator=(const HostLanes&) = delete;

  // The caller bounds how many jobs a host has waiting.
  void post(const std::string& host_id, Job job);
  // Runs what was posted, then joins; nothing may be posted afterwards.
  void stop();

 private:
  struct Lane {
    std::deque<Job> jobs;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable ready_changed_;
  std::unordered_map<std::string, Lane> lanes_;  // only hosts that have a job waiting or running
  std::deque<std::string> ready_;                // hosts whose next job no thread has taken
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace redoubt::link
