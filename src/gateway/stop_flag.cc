#include "gateway/stop_flag.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace redoubt::gateway {

void StopFlag::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool StopFlag::is_stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

bool StopFlag::wait_ms(int64_t ms) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stopped_; });
}

int64_t BackOff::next_ms() { return std::exchange(next_ms_, std::min(2 * next_ms_, longest_ms_)); }

}  // namespace redoubt::gateway
