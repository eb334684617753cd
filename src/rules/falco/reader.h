// The items of one Falco file into the definitions of all. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "rules/falco/definitions.h"

namespace redoubt::rules::falco {

// What this reads as Falco's engine does.
constexpr unsigned kEngineMinor = 63;  // 0.63.0

// Stops at the first error of the file; what stands before it is defined.
void read_file(std::string_view source, const std::string& path, Definitions& definitions, LoadResult& result);

}  // namespace redoubt::rules::falco
