// Pass 5: what stands behind `|` into the parts of a hunt. Any thread.
#pragma once

#include "query/hunt.h"
#include "query/text/syntax.h"

namespace redoubt::query::text {

// `hunt` with the pipes applied in order.
Outcome<Hunt> apply_pipes(std::string_view source, const std::vector<PipeSyntax>& pipes, base::Time now, Hunt hunt);

}  // namespace redoubt::query::text
