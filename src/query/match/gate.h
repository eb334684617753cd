// What a rule cannot do without: the event types it can be true of, and a set of tests one of which must hold. Any
// thread.
#pragma once

#include <optional>
#include <vector>

#include "query/expression.h"

namespace redoubt::query::match {

// The types of events of which the expression can be true.
event::EventTypeSet possible_types(const Expression& expression);

// Wherever the expression is true, one of these tests is. Chosen to be cheap and to hold seldom; nothing where the
// expression has no such set.
std::optional<std::vector<const Test*>> necessary_tests(const Expression& expression);

// How dear the test is to evaluate, for the order of evaluation.
int cost_of(const Test& test);

}  // namespace redoubt::query::match
