// STIX 2.1 patterns (grammar: oasis-open/cti-stix2-json-schemas, pattern_grammar/STIXPattern.g4), parsed whole; what
// needs more than one event is refused. Strings are compared as they are written, as STIX says. Any thread.
#pragma once

#include <string_view>
#include <vector>

#include "query/diagnostic.h"
#include "rules/criterion.h"

namespace redoubt::rules::stix {

constexpr size_t kPatternSizeMax = size_t{256} << 10;
constexpr int kPatternNestingMax = 32;

struct Pattern {
  Criterion criterion;                      // comparisons that no event can answer never hold
  std::vector<query::Diagnostic> warnings;  // those comparisons; places are those of the pattern
};

tl::expected<Pattern, query::Diagnostic> read_pattern(std::string_view pattern);

}  // namespace redoubt::rules::stix
