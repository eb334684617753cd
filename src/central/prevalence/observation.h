// What of an event is counted over the fleet: by field of the event table that says how many hosts have it. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "event/batch.h"

namespace redoubt::central {

struct Observation {
  uint32_t row = 0;
  event::Field field{};  // prevalence_executable … prevalence_destination
  uint64_t key = 0;      // of what was observed: equal where it is the same
};

// In order of rows and fields.
std::vector<Observation> observations_of(const event::Batch& batch);

}  // namespace redoubt::central
