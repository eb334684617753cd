// How the states of an external system's scans are listed. A value.
#pragma once

#include <cstdint>

namespace redoubt::central {

// A bare array, as the API is documented; or as "scans" of an object, for clients that want so.
enum class StateList : uint8_t { array, object };

}  // namespace redoubt::central
