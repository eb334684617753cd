#include "rules/rule_set.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "rules/sigma/document.h"
#include "rules/sigma/problem.h"
#include "rules/sigma/rule.h"

namespace redoubt::rules {

namespace {

constexpr size_t kRuleFilesMax = 100'000;

bool is_rule_file(const std::filesystem::path& path) {
  return path.extension() == ".yml" || path.extension() == ".yaml";
}

// Paths relative to `directory`, sorted.
Result<std::vector<std::string>> list_rule_files(const std::string& directory) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(directory, error);
  std::vector<std::string> paths;
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code status_error;
    if (!is_rule_file(entry->path()) || !entry->is_regular_file(status_error)) continue;
    if (paths.size() == kRuleFilesMax) {
      return fail(Errc::too_large,
                  "rule directory " + directory + " holds more than " + std::to_string(kRuleFilesMax) + " files");
    }
    paths.push_back(entry->path().lexically_relative(directory).string());
  }
  if (error) return fail(Errc::io, "rule directory " + directory + ": " + error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

Refusal refuse_file(const std::string& path, std::string_view code, std::string message, std::string hint = "") {
  Refusal refusal{.path = path, .title = "", .diagnostic = {}, .rendered = ""};
  refusal.diagnostic.code = std::string(code);
  refusal.diagnostic.message = std::move(message);
  refusal.diagnostic.hint = std::move(hint);
  refusal.rendered = refusal.diagnostic.render("");
  return refusal;
}

sigma::RuleFile read_rule_file(const std::string& directory, const std::string& path) {
  const auto source = base::read_file(directory + "/" + path, sigma::kFileSizeMax);
  if (source) return sigma::read_rules(*source, path);
  sigma::RuleFile file;
  file.refusals.push_back(refuse_file(path, sigma::code::kFile, source.error().message));
  return file;
}

}  // namespace

std::string_view name_of(Importance importance) {
  switch (importance) {
    case Importance::informational: return "informational";
    case Importance::low: return "low";
    case Importance::medium: return "medium";
    case Importance::high: return "high";
    case Importance::critical: return "critical";
  }
  return "";
}

Result<RuleSet> RuleSet::load(const std::string& directory) {
  TRY(const std::vector<std::string> paths, list_rule_files(directory));
  RuleSet set;
  std::map<std::string, std::string> path_of;  // by rule id
  for (const std::string& path : paths) {
    sigma::RuleFile file = read_rule_file(directory, path);
    for (Rule& rule : file.rules) {
      const auto [first, added] = path_of.try_emplace(rule.id, path);
      if (added) {
        set.rules_.push_back(std::move(rule));
        continue;
      }
      Refusal refusal =
          refuse_file(path, sigma::code::kDuplicateId, "rule id " + rule.id + " is taken by " + first->second,
                      "give each rule an id of its own");
      refusal.title = rule.title;
      set.refusals_.push_back(std::move(refusal));
    }
    std::move(file.refusals.begin(), file.refusals.end(), std::back_inserter(set.refusals_));
  }
  return set;
}

Result<RuleSet> RuleSet::of(std::vector<Rule> rules) {
  RuleSet set;
  std::map<std::string_view, size_t> seen;
  for (const Rule& rule : rules) {
    if (!seen.try_emplace(rule.id, seen.size()).second)
      return fail(Errc::already_exists, "two rules with id " + rule.id);
  }
  set.rules_ = std::move(rules);
  return set;
}

Result<query::match::Matcher> RuleSet::compile() const {
  std::vector<query::Expression> expressions;
  expressions.reserve(rules_.size());
  for (const Rule& rule : rules_) expressions.push_back(rule.expression.clone());
  return query::match::Matcher::compile(expressions);
}

}  // namespace redoubt::rules
