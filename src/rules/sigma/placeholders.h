// Values that a rule leaves to the site (`%admins%` under `expand`): a table of lists, and writing it into a value.
// Any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/sigma/problem.h"

namespace redoubt::rules::sigma {

// By name without the percent signs. Values are Sigma strings: wildcards in them are wildcards.
using Placeholders = std::map<std::string, std::vector<std::string>, std::less<>>;

// The most values that one value may become, by placeholders and by modifiers.
constexpr size_t kAlternativesMax = 5000;

// The table from YAML: a map from names to one value or a list of them.
Placeholders read_placeholders(std::string_view source, Problems& problems);

// The value with every combination of its placeholders written in; `\%` is a percent sign. A name that the table does
// not have is a problem: a rule that does not know its values must not match, nor look as if it could.
std::vector<std::string> expand_placeholders(std::string_view value, const Placeholders& placeholders, Place place,
                                             Problems& problems);

}  // namespace redoubt::rules::sigma
