// The SQL back end: normalized expressions and hunts as text with positional parameters. Columns are FieldInfo::column,
// BIGINT for integers and times (microseconds), VARCHAR for the rest; a NULL column is an absent field. Any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/expression.h"
#include "query/hunt.h"

namespace redoubt::query::sql {

// duckdb expects the scalar functions redoubt_fold(VARCHAR) → VARCHAR (base::fold_case) and
// redoubt_in_cidr(VARCHAR address, VARCHAR prefix) → BOOLEAN, redoubt_attribute(VARCHAR attributes, VARCHAR name) →
// VARCHAR and redoubt_any_attribute(VARCHAR attributes, VARCHAR op, VARCHAR form, VARCHAR operand) → BOOLEAN
// (sql/attribute_text.h), which the store registers on its connections.
// clickhouse expects the table of sql/clickhouse_row.h, and takes no parameters: its statements have none. Nothing is
// answered for it.
enum class Dialect { duckdb, clickhouse };

using Parameter = std::variant<std::string, int64_t>;

struct Statement {
  std::string text;  // parameters are ?
  std::vector<Parameter> parameters;
};

// Where a source has a boolean column that says whether a test holds: its name; "" for every other test.
using Answered = std::function<std::string(const Test&)>;

// A boolean expression in parentheses for a WHERE clause, where NULL counts as false: bare comparisons are what storage
// indexes serve. Under a negation it is made two-valued inside; whoever negates it outside writes coalesce(…, FALSE).
Statement condition(const Expression& expression, Dialect dialect, const Answered& answered = {});

// " WHERE …" (of ClickHouse " PREWHERE …"): the condition within the bounds of time.
Statement where(const Hunt& hunt, Dialect dialect, const Answered& answered = {});

// A whole SELECT over `source` (a table name or a parenthesised SELECT with one column a field), whose result columns
// are: events: hunt.fields, or all fields in table order; CountBy and Distinct: value, count; CountPer: bucket
// (microseconds), count; Rare: value, number of values of `by`, count.
Statement select(const Hunt& hunt, std::string_view source, Dialect dialect, const Answered& answered = {});

// Events a time bucket: bucket (microseconds), count; for the histogram beside a result table.
Statement histogram(const Hunt& hunt, int64_t width_us, std::string_view source, Dialect dialect,
                    const Answered& answered = {});

}  // namespace redoubt::query::sql
