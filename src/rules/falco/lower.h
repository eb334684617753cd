// A Falco condition as an expression over our events. The condition is judged once for each kind of event that it may
// be about, with what Falco would see on that kind as constants; what remains is a test of our fields. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/expression.h"
#include "rules/falco/filter.h"

namespace redoubt::rules::falco {

struct Lowered {
  // Normalized. Absent where no kind of event here can be judged; `reasons` say why.
  std::optional<query::Expression> expression;
  std::vector<std::string> reasons;
  // What the expression leaves out or takes wider than Falco: "event mkdir is not seen here".
  std::vector<std::string> notes;
};

// `filter` is without macros.
Lowered lower_filter(const Filter& filter);

}  // namespace redoubt::rules::falco
