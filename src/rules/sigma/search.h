// One search of a rule's `detection` (a map, a list of maps, a list of keywords) as an expression. Any thread.
#pragma once

#include "event/field.h"
#include "query/expression.h"
#include "rules/sigma/document.h"

namespace redoubt::rules::sigma {

// `types`: the events that the rule's log source has.
query::Expression lower_search(const Node& search, event::EventTypeSet types, Problems& problems);

}  // namespace redoubt::rules::sigma
