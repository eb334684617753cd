// Filters: documents that narrow rules which stand elsewhere. A rule means `(its condition) and (the filter's)`, the
// searches of each in a scope of their own, so that `1 of selection*` of a rule never takes a filter's. Any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rules/rule_set.h"
#include "rules/sigma/detection.h"
#include "rules/sigma/metadata.h"

namespace redoubt::rules::sigma {

// A rule by its id or name, and what to say where no rule is called so.
struct FilterTarget {
  std::string name;
  Refusal unknown;
};

struct Filter {
  std::string title;
  std::string path;
  LogSourceNames log_source;
  std::vector<FilterTarget> targets;  // none: every rule of the log source
  query::Expression expression;
  std::vector<Refusal> warnings;
};

bool is_filter(const Node& document);

struct FilterSource {
  std::string_view text;  // of the file
  const std::string& path;
  const ReadOptions& options;
  TextBudget& budget;
};

Filter read_filter(const Node& document, const FilterSource& source, Problems& problems);

// Narrows each rule by the filters that are for it; `sources` stands beside `rules`. Returns what their author should
// know.
std::vector<Refusal> apply_filters(std::span<const Filter> filters, std::span<const LogSourceNames> sources,
                                   std::span<Rule> rules);

}  // namespace redoubt::rules::sigma
