// Pass 1: hunting text into tokens. Any thread.
#pragma once

#include <string_view>
#include <vector>

#include "query/text/token.h"

namespace redoubt::query::text {

// The last token is `end`.
Outcome<std::vector<Token>> lex(std::string_view source);

}  // namespace redoubt::query::text
