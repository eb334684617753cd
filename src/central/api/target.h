// The target of a request taken apart: path segments and query parameters, percent-decoded. Any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::central {

struct Target {
  std::vector<std::string> segments;  // decoded one by one: a %2F does not make two of one
  std::map<std::string, std::string, std::less<>> query;
};

// invalid_argument for what is not a path, broken escapes, NUL bytes, too many parts.
Result<Target> parse_target(std::string_view target);

}  // namespace redoubt::central
