// The Sigma front end: a file of rules as rules and refusals. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/rule_set.h"
#include "rules/sigma/correlation.h"
#include "rules/sigma/filter.h"
#include "rules/sigma/options.h"
#include "rules/sigma/problem.h"

namespace redoubt::rules::sigma {

struct RuleFile {
  std::vector<Rule> rules;
  std::vector<Place> id_places;                // where the id of each rule stands; its title where it has none
  std::vector<FieldScope> scopes;              // of each rule: what its events have
  std::vector<LogSourceNames> log_sources;     // of each rule
  std::vector<Filter> filters;                 // not applied: they may be for rules of other files
  std::vector<CorrelationDraft> correlations;  // not linked: they may be about rules of other files
  std::vector<Refusal> refusals;
};

// Every document of `source`. Text that is not YAML is one refusal and no rule. `path` is copied into both.
RuleFile read_rules(std::string_view source, const std::string& path, const ReadOptions& options = {});

}  // namespace redoubt::rules::sigma
