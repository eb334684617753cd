// Patterns of Operator::like: kAnyRun, kAnyOne and characters that stand for themselves. The front ends build them,
// both back ends read them. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/expression.h"

namespace redoubt::query {

bool has_wildcard(std::string_view pattern);
// As it is written in hunting text: * and ?, and a backslash before those that are meant as characters.
std::string written_pattern(std::string_view pattern);
// True if the whole of `text` has the form of `pattern`; kAnyOne is one code point. Time is bounded by the product of
// the sizes; nothing is allocated.
bool like(std::string_view text, std::string_view pattern);

// A pattern that says no more than a plain operator does: "*x*" is contains "x".
struct PlainPattern {
  Operator op;
  std::string text;
};
PlainPattern simplify_pattern(std::string_view pattern);

}  // namespace redoubt::query
