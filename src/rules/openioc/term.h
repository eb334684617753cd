// The terms of OpenIOC that events here carry. Read-only; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/criterion.h"

namespace redoubt::rules::openioc {

// The properties that the term ("FileItem/FullPath", without case) stands for; none where no event has it.
std::vector<Property> properties_of(std::string_view term);
// Why no event has it, for the warning.
std::string why_unsupported(std::string_view term);

}  // namespace redoubt::rules::openioc
