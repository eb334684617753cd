// Pass 2: tokens into the syntax tree. Recursion is bounded by kDepthMax. Any thread.
#pragma once

#include "query/text/syntax.h"

namespace redoubt::query::text {

Outcome<QuerySyntax> parse(std::string_view source, std::vector<Token> tokens);

}  // namespace redoubt::query::text
