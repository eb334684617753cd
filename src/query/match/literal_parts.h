// The triggers of single tests: literals that a text must have where the test is true. Any thread.
#pragma once

#include <string>
#include <vector>

#include "query/expression.h"
#include "query/match/finder.h"

namespace redoubt::query::match {

// One of them fires wherever the test is true, or there are none. Those of patterns and regular expressions fire
// elsewhere too.
std::vector<Trigger> triggers_of(const Test& test, SlotTable& slots);

// Literals in lower case of so many bytes or more, one of which is in every folded text that the regular expression
// matches; none where RE2 knows no such.
std::vector<std::string> atoms_of(const std::string& source, int bytes_min);

}  // namespace redoubt::query::match
