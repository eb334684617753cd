// Searches and the condition that joins them, as rules (`detection`) and filters (`filter`) have them. Any thread.
#pragma once

#include <string_view>

#include "query/expression.h"
#include "rules/sigma/document.h"
#include "rules/sigma/search.h"

namespace redoubt::rules::sigma {

struct DetectionScope {
  std::string_view name;     // of the map, for messages
  Place place;               // of its key
  std::string_view skipped;  // a key of the map that is no search
  SearchScope searches;
};

enum class Negation : uint8_t { absent, present };

struct Detection {
  query::Expression expression;  // not normalized
  Negation negation = Negation::absent;
};

Detection read_detection(const Node& detection, const DetectionScope& scope, Problems& problems);

}  // namespace redoubt::rules::sigma
