// Falco's `rule_matching`: whether an event is reported by every rule that holds or by the first alone. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "query/match/matcher.h"
#include "rules/rule_set.h"

namespace redoubt::rules::falco {

enum class RuleMatching : uint8_t { all, first };

std::optional<RuleMatching> rule_matching_named(std::string_view name);

// `first`: of the hits of Falco rules on one event only that of the rule defined first stays; other formats' stay too.
// `hits` are in the matcher's order and index `rules`, where Falco's stand in their order of definition.
void choose_hits(RuleMatching matching, std::span<const Rule> rules, std::vector<query::match::Hit>& hits);

}  // namespace redoubt::rules::falco
