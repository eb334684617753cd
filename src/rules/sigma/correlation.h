// Sigma's correlations: documents about hits of other rules. One is read alone, as a draft; what it names is looked up
// once every file is read, since rules and other correlations may stand anywhere. Any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rules/rule_set.h"
#include "rules/sigma/document.h"
#include "rules/sigma/field_map.h"

namespace redoubt::rules::sigma {

// A word of the document and where it stands.
struct Written {
  std::string text;
  Place place;
};

// A name for a field that rules call by different names.
struct Alias {
  Written name;
  struct Meaning {
    Written rule;
    Written field;
  };
  std::vector<Meaning> meanings;
};

struct CorrelationDraft {
  Correlation correlation;                    // lacks references
  std::shared_ptr<const std::string> source;  // the text of its file
  Place id_place;
  std::vector<Written> rules;
  std::vector<Written> group_by;
  std::vector<Written> fields;
  std::vector<Alias> aliases;
  Alerting of_rules = Alerting::off;  // whether what it counts raises alerts too: `generate`
};

bool is_correlation(const Node& document);

CorrelationDraft read_correlation(const Node& document, const std::string& path,
                                  const std::shared_ptr<const std::string>& source, Problems& problems);

// Looks up what the drafts name, among `rules` and themselves; `scopes` stands beside `rules`. A draft that cannot be
// used becomes a refusal, and so do those that count on it. Rules that are counted only are switched to Alerting::off.
std::vector<Correlation> link_correlations(std::vector<CorrelationDraft> drafts, std::span<Rule> rules,
                                           std::span<const FieldScope> scopes, std::vector<Refusal>& refusals);

}  // namespace redoubt::rules::sigma
