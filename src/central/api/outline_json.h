// Outlines of hunting text as JSON, both ways; the other way from anybody. Any thread.
//   {"kind": "all"|"any", "children": […]}, {"kind": "test", "field", "operator", "values": [{"kind", "text"}]},
//   {"kind": "text", "text"}; where they are so: "negated", "opposite", "quantifier"
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "query/outline.h"

namespace redoubt::central {

nlohmann::ordered_json outline_json(const query::OutlineNode& node);

// {"where": node, "pipes": ["since 24h", …]}
Result<query::Outline> parse_outline(std::string_view body);

}  // namespace redoubt::central
