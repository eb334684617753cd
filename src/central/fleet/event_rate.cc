#include "central/fleet/event_rate.h"

namespace redoubt::central {

void EventRate::add(uint64_t events, base::Time now) {
  const int64_t second = now.us / base::kSecondUs;
  Slot& slot = slots_[static_cast<size_t>(second) % kRateSeconds];
  if (slot.second != second) slot = {.second = second};
  slot.events += events;
}

double EventRate::per_second(base::Time now) const {
  const int64_t second = now.us / base::kSecondUs;
  uint64_t events = 0;
  for (const Slot& slot : slots_) {
    if (slot.second > second - static_cast<int64_t>(kRateSeconds) && slot.second <= second) events += slot.events;
  }
  return static_cast<double>(events) / kRateSeconds;
}

}  // namespace redoubt::central
