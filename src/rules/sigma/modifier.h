// Field modifiers (`CommandLine|contains|all`): one table, and what a chain of them adds up to. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/expression.h"
#include "rules/sigma/pattern.h"
#include "rules/sigma/problem.h"
#include "rules/sigma/transform.h"

namespace redoubt::rules::sigma {

// How a value is read.
enum class ValueKind : uint8_t { text, regex, cidr, exists, less, less_equal, greater, greater_equal, field };
enum class Linking : uint8_t { any, all };
enum class Sense : uint8_t { plain, negated };
// Of a time, what the value is compared with. A year is a stretch of time; the others come again.
enum class TimePart : uint8_t { none, year, minute, hour, day, week, month };

struct Modifiers {
  Position position = Position::whole;
  ValueKind kind = ValueKind::text;
  Linking linking = Linking::any;
  Sense sense = Sense::plain;
  query::CaseMode case_mode = query::CaseMode::folded;
  TimePart time_part = TimePart::none;
  std::string regex_flags;            // of "ims"
  std::vector<Transform> transforms;  // in the order in which they stand
};

// A key of a search: the field ("" for keywords) and its modifiers.
struct FieldKey {
  std::string_view field;
  Modifiers modifiers;
};

// Reads the chain and refuses what the specification does not put together, at the modifier that is out of place.
FieldKey read_field_key(std::string_view key, Place place, Problems& problems);

}  // namespace redoubt::rules::sigma
