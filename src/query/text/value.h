// What a written value is for a field: its operand, and the operator that it makes of `=`. Any thread.
#pragma once

#include "base/time.h"
#include "query/expression.h"
#include "query/text/syntax.h"

namespace redoubt::query::text {

struct TypedValue {
  Operator op;
  Operand operand;
};

Outcome<TypedValue> type_value(std::string_view source, event::Field field, Verb verb, const ValueSyntax& value,
                               base::Time now);

// An RFC 3339 time, now, today, now-30d.
Outcome<base::Time> read_time(std::string_view source, const Token& token, base::Time now);

// The operators that a field has, as they are written: "= != IN EXISTS".
std::string_view verbs_of(event::Field field);
bool has_verb(event::Field field, Verb verb);
std::string_view name_of(Verb verb);
// Whether * and ? in quotes are wildcards for it.
bool takes_pattern(Verb verb);
// "text", "a number": for messages.
std::string_view described(event::FieldType type);

}  // namespace redoubt::query::text
