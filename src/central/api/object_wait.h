// A request that waits for a verdict holds a worker thread: past so many the next is answered at once. Any thread.
#pragma once

#include <atomic>

namespace redoubt::central {

constexpr int kObjectWaitsMax = 6;

// Counts the requests that wait, for as long as it lives.
class ObjectWait {
 public:
  ObjectWait() : admitted_(++waiting() <= kObjectWaitsMax) {}
  ~ObjectWait() { --waiting(); }
  ObjectWait(const ObjectWait&) = delete;
  ObjectWait& operator=(const ObjectWait&) = delete;
  bool admitted() const { return admitted_; }

 private:
  static std::atomic<int>& waiting() {
    static std::atomic<int> count{0};
    return count;
  }
  bool admitted_;
};

}  // namespace redoubt::central
