// Pass 4: the resolved syntax tree, type-checked, into an expression. Any thread.
#pragma once

#include "base/time.h"
#include "query/expression.h"
#include "query/text/syntax.h"

namespace redoubt::query::text {

Outcome<Expression> lower(std::string_view source, const NodeSyntax& node, base::Time now);

}  // namespace redoubt::query::text
