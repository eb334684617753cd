// The flags of open() as text. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace redoubt::sensor {

// "O_RDWR|O_CREAT|O_TRUNC": the access first, then what else is set and has a name.
std::string open_flags_text(uint32_t flags);

}  // namespace redoubt::sensor
