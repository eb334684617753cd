// What ClickHouse needs said in its own way: conditions without functions of ours and without parameters, in SQL that
// servers since 18.16 understand. Inside this module only; callers use sql.h. Any thread.
//
// A folded text, an address as a number, an attribute: what SQL there cannot make is in columns that the store writes
// with a row (clickhouse_row.h has their names).
#pragma once

#include <string>
#include <string_view>

#include "query/sql/sql.h"

namespace redoubt::query::sql::clickhouse {

// As a literal.
std::string literal(const Parameter& value);
// What condition() of sql.h says it is.
std::string condition(const Expression& expression);
// The bounds of time, so that days outside them are not read; each followed by " AND ".
std::string bounds(const Hunt& hunt);

}  // namespace redoubt::query::sql::clickhouse
