// How many events a second a host sent over the last minute: one counter a second in a ring. One thread at a time.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace redoubt::central {

constexpr size_t kRateSeconds = 60;

class EventRate {
 public:
  void add(uint64_t events, base::Time now);
  double per_second(base::Time now) const;

 private:
  struct Slot {
    int64_t second = 0;
    uint64_t events = 0;
  };
  std::array<Slot, kRateSeconds> slots_;
};

}  // namespace redoubt::central
