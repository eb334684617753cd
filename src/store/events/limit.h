// How long a tool may work on the store. Asked between pieces of work. One thread.
#pragma once

#include <chrono>
#include <string>

#include "store/events/event_store.h"

namespace redoubt::store {

class Limit {
 public:
  explicit Limit(const HuntLimits& limits)
      : limits_(limits), deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(limits.time_ms_max)) {}

  // timeout where the work has to end.
  Status status(const std::string& what) const {
    if (limits_.cancelled && limits_.cancelled()) return fail(Errc::timeout, what + ": cancelled");
    if (std::chrono::steady_clock::now() < deadline_) return {};
    return fail(Errc::timeout, what + ": not done within " + std::to_string(limits_.time_ms_max / 1000) + " s");
  }

 private:
  const HuntLimits& limits_;
  const std::chrono::steady_clock::time_point deadline_;
};

}  // namespace redoubt::store
