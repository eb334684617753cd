// Log sources: which events a rule is about. One table; a log source that is not in it has no events here. Any thread.
#pragma once

#include <optional>

#include "event/field.h"
#include "query/expression.h"
#include "rules/sigma/document.h"

namespace redoubt::rules::sigma {

struct LogSource {
  event::EventTypeSet types = 0;
  query::Expression condition;  // holds for the events of the log source and no others
};

// Reads the value of the rule's `logsource`.
std::optional<LogSource> read_log_source(const Node& node, Problems& problems);

}  // namespace redoubt::rules::sigma
