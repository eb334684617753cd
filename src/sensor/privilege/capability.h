// Sets of capabilities as text. Any thread; pure.
#pragma once

#include <cstdint>
#include <string>

namespace redoubt::sensor {

// "CAP_CHOWN CAP_SETUID", in the order of their numbers; "" for none. Numbers without a name: "CAP_63".
std::string capability_names(uint64_t mask);

}  // namespace redoubt::sensor
