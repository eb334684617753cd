#include "rules/falco/rule_matching.h"

#include <limits>

namespace redoubt::rules::falco {

std::optional<RuleMatching> rule_matching_named(std::string_view name) {
  if (name == "all") return RuleMatching::all;
  if (name == "first") return RuleMatching::first;
  return std::nullopt;
}

void choose_hits(RuleMatching matching, std::span<const Rule> rules, std::vector<query::match::Hit>& hits) {
  if (matching == RuleMatching::all) return;
  constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();
  uint64_t reported = kNone;  // the row that a Falco rule has reported
  std::erase_if(hits, [&](const query::match::Hit& hit) {
    if (rules[hit.rule].falco == nullptr) return false;
    if (reported == hit.row) return true;
    reported = hit.row;
    return false;
  });
}

}  // namespace redoubt::rules::falco
