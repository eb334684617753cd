// What a front end makes of one file, and the limits and place names that all of them share. Values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/rule_set.h"
#include "rules/sigma/correlation.h"
#include "rules/sigma/filter.h"
#include "rules/sigma/options.h"

namespace redoubt::rules {

struct LoadedRule {
  Rule rule;
  size_t id_line = 1;  // where its id stands, for the report that the id is taken
};

struct LoadedFile {
  std::vector<LoadedRule> rules;
  std::vector<Refusal> refusals;
  std::vector<sigma::LogSourceNames> log_sources;  // of each rule, where the format has such
  std::vector<sigma::FieldScope> scopes;           // beside log_sources
  std::vector<sigma::Filter> filters;
  std::vector<sigma::CorrelationDraft> correlations;
};

// `source` is the text that the diagnostic's place is about.
Refusal refusal_of(std::string path, std::string title, query::Diagnostic diagnostic, std::string_view source);

// A rule file's format, told from the end of its name.
struct FileFormat {
  std::string_view ending;  // ".yml"
  std::string_view name;    // "sigma"
  size_t size_bytes_max;
  LoadedFile (*read)(std::string_view source, const std::string& path);  // copies `path` into rules and refusals
  // Instead of `read`, for a format that leaves values to the site.
  LoadedFile (*read_with)(std::string_view source, const std::string& path,
                          const sigma::ReadOptions& options) = nullptr;
};

}  // namespace redoubt::rules
