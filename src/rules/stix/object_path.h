// The object paths of STIX patterns that events here carry. Read-only; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/criterion.h"

namespace redoubt::rules::stix {

// The properties that a path stands for; none where no event has it. Written "file:hashes.SHA-256": without quotes, and
// without list indexes, because fields hold one value.
std::vector<Property> properties_of(std::string_view path);
// Why no event has it.
std::string why_unsupported(std::string_view path);

}  // namespace redoubt::rules::stix
