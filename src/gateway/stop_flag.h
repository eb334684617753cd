// The one word by which everything of a gateway ends: threads that wait for something wait on it. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace redoubt::gateway {

class StopFlag {
 public:
  void stop();
  bool is_stopped() const;
  // Waits that long, or until stop(). True if stopped.
  bool wait_ms(int64_t ms) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool stopped_ = false;
};

// Pauses that double from one try to the next.
class BackOff {
 public:
  BackOff(int64_t first_ms, int64_t longest_ms) : next_ms_(first_ms), longest_ms_(longest_ms) {}
  int64_t next_ms();

 private:
  int64_t next_ms_;
  const int64_t longest_ms_;
};

}  // namespace redoubt::gateway
