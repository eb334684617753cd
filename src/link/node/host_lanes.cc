#include "link/node/host_lanes.h"

#include "base/result.h"

namespace redoubt::link {

HostLanes::HostLanes(size_t threads) {
  CHECK(threads > 0);
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

HostLanes::~HostLanes() { stop(); }

void HostLanes::post(const std::string& host_id, Job job) {
  const std::lock_guard lock(mutex_);
  const auto [lane, made] = lanes_.try_emplace(host_id);
  lane->second.jobs.push_back(std::move(job));
  if (made) {
    ready_.push_back(host_id);
    ready_changed_.notify_one();
  }
}

void HostLanes::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void HostLanes::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ready_changed_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
    if (ready_.empty()) {
      if (lanes_.empty()) return;
      // Another thread runs the last job of a lane and may find more behind it.
      ready_changed_.wait(lock, [this] { return lanes_.empty() || !ready_.empty(); });
      continue;
    }
    const std::string host_id = std::move(ready_.front());
    ready_.pop_front();
    Job job = std::move(lanes_.at(host_id).jobs.front());
    lanes_.at(host_id).jobs.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it owns goes before the next job of the host starts
    lock.lock();
    const auto lane = lanes_.find(host_id);
    if (lane->second.jobs.empty()) {
      lanes_.erase(lane);
      if (stopping_ && lanes_.empty()) ready_changed_.notify_all();
    } else {
      ready_.push_back(host_id);
      ready_changed_.notify_one();
    }
  }
}

}  // namespace redoubt::link
