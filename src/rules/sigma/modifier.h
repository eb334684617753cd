// Field modifiers (`CommandLine|contains|all`): one table, and what a chain of them adds up to. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/expression.h"
#include "rules/sigma/pattern.h"
#include "rules/sigma/problem.h"

namespace redoubt::rules::sigma {

// How a value is read.
enum class ValueKind : uint8_t { text, regex, cidr, exists, less, less_equal, greater, greater_equal, field };
enum class Linking : uint8_t { any, all };
enum class Sense : uint8_t { plain, negated };

struct Modifiers {
  Position position = Position::whole;
  ValueKind kind = ValueKind::text;
  Linking linking = Linking::any;
  Sense sense = Sense::plain;
  query::CaseMode case_mode = query::CaseMode::folded;
  std::string regex_flags;  // of "ims"
};

// A key of a search: the field ("" for keywords) and its modifiers.
struct FieldKey {
  std::string_view field;
  Modifiers modifiers;
};

FieldKey read_field_key(std::string_view key, Place place, Problems& problems);

}  // namespace redoubt::rules::sigma
