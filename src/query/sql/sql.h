// The SQL back end: expressions and hunts as text with positional parameters. Columns are FieldInfo::column; a NULL
// column is an absent field, and every test is made two-valued (a NULL never leaves it). Any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/expression.h"
#include "query/hunt.h"

namespace redoubt::query::sql {

// duckdb expects the scalar functions redoubt_fold(VARCHAR) → VARCHAR (base::fold_case) and
// redoubt_in_cidr(VARCHAR address, VARCHAR prefix) → BOOLEAN, which the store registers on its connections.
enum class Dialect { duckdb };

using Parameter = std::variant<std::string, int64_t>;

struct Statement {
  std::string text;  // parameters are ?
  std::vector<Parameter> parameters;
};

// A boolean expression for a WHERE clause; it is never NULL.
Statement condition(const Expression& expression, Dialect dialect);

// A whole SELECT over `source` (a table name or a parenthesised SELECT with one column a field), whose result columns
// are: events: hunt.fields, or all fields in table order; CountBy and Distinct: value, count; CountPer: bucket
// (microseconds), count; Rare: value, count of `by`, count.
Statement select(const Hunt& hunt, std::string_view source, Dialect dialect);

// Events a time bucket: bucket (microseconds), count; for the histogram beside a result table.
Statement histogram(const Hunt& hunt, int64_t width_us, std::string_view source, Dialect dialect);

}  // namespace redoubt::query::sql
