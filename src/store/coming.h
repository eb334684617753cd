// Who is on the way to a sync that others may wait a moment to share. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <utility>

namespace redoubt::store {

// Of the time until an acknowledgement: how long others are waited for.
constexpr std::chrono::milliseconds kShareWait{2};

class Arrivals {
 public:
  bool any_coming() const { return coming_.load() > 0; }

 private:
  friend class Coming;
  std::atomic<size_t> coming_ = 0;
};

// A caller who comes, from its construction until arrive() or its end.
class Coming {
 public:
  explicit Coming(Arrivals& arrivals) : arrivals_(&arrivals) { ++arrivals.coming_; }
  Coming(const Coming&) = delete;
  Coming& operator=(const Coming&) = delete;
  ~Coming() { arrive(); }

  void arrive() {
    if (arrivals_ != nullptr) --std::exchange(arrivals_, nullptr)->coming_;
  }

 private:
  Arrivals* arrivals_;  // null: it has come
};

}  // namespace redoubt::store
