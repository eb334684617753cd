// One search of a rule's `detection` (a map, a list of maps, a list of keywords) as an expression. Any thread.
#pragma once

#include "query/expression.h"
#include "rules/sigma/document.h"
#include "rules/sigma/field_map.h"
#include "rules/sigma/options.h"

namespace redoubt::rules::sigma {

// Texts that modifiers and placeholders make of the values of one file: little text must not become much memory.
constexpr size_t kMadeTextsMax = 200'000;
struct TextBudget {
  size_t made = 0;
};

struct SearchScope {
  FieldScope fields;  // of the events that the rule's log source has
  const ReadOptions& options;
  TextBudget& budget;
};

query::Expression lower_search(const Node& search, const SearchScope& scope, Problems& problems);

}  // namespace redoubt::rules::sigma
