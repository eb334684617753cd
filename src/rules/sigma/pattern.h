// A Sigma string value: wildcards and escapes read as the specification has them. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/expression.h"

namespace redoubt::rules::sigma {

// Where a value must stand in the field.
enum class Position : uint8_t { whole, anywhere, start, end };

// The cheapest operator that means the same as the value at that position.
struct Pattern {
  query::Operator op = query::Operator::equal;
  std::string text;  // for `like`: with query::kAnyRun and kAnyOne
};

// A value with its escapes read and its wildcards as query::kAnyRun and kAnyOne: `*` is any run, `?` any one character;
// `\*`, `\?` and `\\` are the characters themselves; a backslash before anything else is itself. After pySigma,
// SigmaString.
std::string read_wildcards(std::string_view value);
bool has_wildcard(std::string_view text);

// `text` as read_wildcards returns it.
Pattern place_pattern(std::string text, Position position);
Pattern read_pattern(std::string_view value, Position position);

}  // namespace redoubt::rules::sigma
