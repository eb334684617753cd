// Moves what one event store holds to another, host by host and boot by boot, in the order of the numbers. What is
// there already is left out, so a move that was broken off goes on where it was. Both stores belong to the caller
// alone.
#pragma once

#include <cstdint>
#include <functional>

#include "store/events/event_store.h"

namespace redoubt::store {

// An error where a host has not the same number of events in both at the end. `moved` hears how many are there so far.
Result<MoveReport> move_events(EventStore& from, EventStore& to, const std::function<void(uint64_t)>& moved);

}  // namespace redoubt::store
