// Log sources: which events a rule is about. Tables: kinds of events, Windows event logs by channel and number, and
// logs that are sent in under the names that Sigma gives them. Any thread.
#pragma once

#include <optional>
#include <string>

#include "query/expression.h"
#include "rules/sigma/document.h"
#include "rules/sigma/field_map.h"

namespace redoubt::rules::sigma {

struct LogSource {
  FieldScope fields;
  query::Expression condition;  // holds for the events of the log source and no others
  std::string note;             // what about it is likely not meant; "" for nothing
};

// Reads the value of the rule's `logsource`.
std::optional<LogSource> read_log_source(const Node& node, Problems& problems);

}  // namespace redoubt::rules::sigma
