#include "rules/rule_set.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "base/file.h"
#include "rules/falco/falco.h"
#include "rules/indicator_list/rule.h"
#include "rules/openioc/rule.h"
#include "rules/rule_file.h"
#include "rules/sigma/document.h"
#include "rules/sigma/problem.h"
#include "rules/sigma/rule.h"
#include "rules/stix/bundle.h"

namespace redoubt::rules {

namespace {

constexpr size_t kRuleFilesMax = 100'000;

constexpr std::string_view kPlaceholderFile = "placeholders.yml";

LoadedFile read_sigma(std::string_view source, const std::string& path, const sigma::ReadOptions& options) {
  sigma::RuleFile file = sigma::read_rules(source, path, options);
  LoadedFile loaded;
  for (size_t i = 0; i < file.rules.size(); ++i)
    loaded.rules.push_back({.rule = std::move(file.rules[i]), .id_line = file.id_places[i].line});
  loaded.log_sources = std::move(file.log_sources);
  loaded.scopes = std::move(file.scopes);
  loaded.filters = std::move(file.filters);
  loaded.correlations = std::move(file.correlations);
  loaded.refusals = std::move(file.refusals);
  return loaded;
}

// A new front end is a folder and a line.
constexpr auto kFormats = std::to_array<FileFormat>({
    {.ending = ".yml", .size_bytes_max = sigma::kFileSizeMax, .read = nullptr, .read_with = read_sigma},
    {.ending = ".yaml", .size_bytes_max = sigma::kFileSizeMax, .read = nullptr, .read_with = read_sigma},
    {.ending = ".ioc", .size_bytes_max = openioc::kFileSizeMax, .read = openioc::read_openioc},
    {.ending = ".stix.json", .size_bytes_max = stix::kBundleSizeMax, .read = stix::read_bundle},
    {.ending = ".iocs.txt", .size_bytes_max = indicator_list::kListSizeMax, .read = indicator_list::read_list},
});

// Null for a file that holds no rules.
const FileFormat* format_of(std::string_view path) {
  const auto* const found =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const auto& row) { return path.ends_with(row.ending); });
  return found == kFormats.end() ? nullptr : found;
}

// Paths relative to `directory`, sorted.
Result<std::vector<std::string>> list_rule_files(const std::string& directory) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(directory, error);
  std::vector<std::string> paths;
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code status_error;
    if (format_of(entry->path().native()) == nullptr || !entry->is_regular_file(status_error)) continue;
    if (paths.size() == kRuleFilesMax) {
      return fail(Errc::too_large,
                  "rule directory " + directory + " holds more than " + std::to_string(kRuleFilesMax) + " files");
    }
    std::string path = entry->path().lexically_relative(directory).string();
    if (path != kPlaceholderFile) paths.push_back(std::move(path));
  }
  if (error) return fail(Errc::io, "rule directory " + directory + ": " + error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

Refusal refuse(const std::string& path, std::string_view source, size_t line, std::string_view code,
               std::string message) {
  Refusal refusal{.path = path, .title = "", .diagnostic = {}, .rendered = ""};
  refusal.diagnostic.code = std::string(code);
  refusal.diagnostic.line = line;
  refusal.diagnostic.message = std::move(message);
  refusal.rendered = refusal.diagnostic.render(source);
  return refusal;
}

Refusal warning_of(const Rule& rule, const query::Diagnostic& diagnostic) {
  const std::string place = std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column);
  return {.path = rule.path,
          .title = rule.title,
          .diagnostic = diagnostic,
          .rendered = "warning " + diagnostic.code + " at " + place + ": " + diagnostic.message};
}

// Collects the rules of many files.
struct Collector {
  std::string directory;
  std::vector<Rule> rules;
  std::vector<Refusal> refusals;
  std::vector<Refusal> warnings;
  std::map<std::string, std::string> path_of;      // by rule id
  std::vector<sigma::LogSourceNames> log_sources;  // beside `rules`
  std::vector<sigma::FieldScope> scopes;           // beside `rules`
  std::vector<sigma::Filter> filters;
  std::vector<sigma::CorrelationDraft> correlations;
  sigma::ReadOptions options;
  falco::Loader falco;  // its files build on each other

  // The values that rules leave to the site; no file, no values.
  void read_placeholders() {
    const std::string path(kPlaceholderFile);
    if (!std::filesystem::exists(directory + "/" + path)) return;
    const auto source = base::read_file(directory + "/" + path, sigma::kFileSizeMax);
    sigma::Problems problems;
    if (!source) problems.add(sigma::code::kFile, {}, source.error().message);
    if (source) options.placeholders = sigma::read_placeholders(*source, problems);
    if (!problems.first()) return;
    refusals.push_back({.path = path,
                        .title = "",
                        .diagnostic = *problems.first(),
                        .rendered = problems.first()->render(source ? std::string_view(*source) : "")});
  }

  void add_file(const std::string& path) {
    const FileFormat& format = *format_of(path);
    const auto source = base::read_file(directory + "/" + path, format.size_bytes_max);
    if (!source) {
      refusals.push_back(refuse(path, "", 1, sigma::code::kFile, source.error().message));
      return;
    }
    if (format.read_with == read_sigma && falco::is_falco_file(*source)) {
      falco.add_file(*source, path);
      return;
    }
    LoadedFile file =
        format.read_with != nullptr ? format.read_with(*source, path, options) : format.read(*source, path);
    file.log_sources.resize(file.rules.size());
    file.scopes.resize(file.rules.size());
    for (size_t i = 0; i < file.rules.size(); ++i)
      add_rule(std::move(file.rules[i]), std::move(file.log_sources[i]), file.scopes[i], *source);
    std::move(file.refusals.begin(), file.refusals.end(), std::back_inserter(refusals));
    std::move(file.filters.begin(), file.filters.end(), std::back_inserter(filters));
    for (sigma::CorrelationDraft& draft : file.correlations) add_correlation(std::move(draft));
  }

  void finish_falco() {
    falco::RuleSetParts parts = falco::parts_of(falco.finish());
    std::move(parts.refusals.begin(), parts.refusals.end(), std::back_inserter(refusals));
    warnings = std::move(parts.warnings);
    for (Rule& rule : parts.rules) add_rule({.rule = std::move(rule), .id_line = 1}, {}, {}, "");
  }

  void add_rule(LoadedRule loaded, sigma::LogSourceNames log_source, const sigma::FieldScope& scope,
                std::string_view source) {
    if (!admit(loaded.rule, loaded.id_line, source)) return;
    rules.push_back(std::move(loaded.rule));
    log_sources.push_back(std::move(log_source));
    scopes.push_back(scope);
  }

  void add_correlation(sigma::CorrelationDraft draft) {
    if (admit(draft.correlation.rule, draft.id_place.line, *draft.source)) correlations.push_back(std::move(draft));
  }

  // False, and a refusal, where the id is taken.
  bool admit(const Rule& rule, size_t id_line, std::string_view source) {
    const auto [first, added] = path_of.try_emplace(rule.id, rule.path);
    if (added) return true;
    refusals.push_back(refuse(rule.path, source, id_line, sigma::code::kDuplicateId,
                              "rule id " + rule.id + " is taken by " + first->second));
    refusals.back().title = rule.title;
    return false;
  }
};

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

tl::expected<Rule, Refusal> read_rule(std::string_view text) {
  sigma::RuleFile file = sigma::read_rules(text, "");
  if (!file.refusals.empty()) return tl::unexpected(std::move(file.refusals.front()));
  if (!file.correlations.empty()) {
    return tl::unexpected(refuse("", text, file.correlations.front().id_place.line, sigma::code::kDocumentKind,
                                 "a correlation is not a rule alone"));
  }
  if (file.rules.size() > 1) {
    Refusal refusal =
        refuse("", text, file.id_places[1].line, sigma::code::kShape, "the text holds more than one rule");
    refusal.title = file.rules[1].title;
    return tl::unexpected(std::move(refusal));
  }
  if (file.rules.empty()) {
    return tl::unexpected(refuse("", text, 1, sigma::code::kShape, "the text holds a filter and no rule"));
  }
  return std::move(file.rules.front());
}

tl::expected<RuleSet, Refusal> read_rule_set(std::string_view text) {
  sigma::RuleFile file = sigma::read_rules(text, "");
  auto linked = sigma::link_correlations(std::move(file.correlations), file.rules, file.scopes, file.refusals);
  if (!file.refusals.empty()) return tl::unexpected(std::move(file.refusals.front()));
  (void)sigma::apply_filters(file.filters, file.log_sources, file.rules);
  auto set = RuleSet::of(std::move(file.rules), std::move(linked));
  if (!set) return tl::unexpected(refuse("", text, 1, sigma::code::kDuplicateId, set.error().message));
  return *std::move(set);
}

Result<RuleSet> RuleSet::load(const std::string& directory) {
  TRY(const std::vector<std::string> paths, list_rule_files(directory));
  Collector collector;
  collector.directory = directory;
  collector.read_placeholders();
  for (const std::string& path : paths) collector.add_file(path);
  collector.finish_falco();
  RuleSet set;
  set.warnings_ = sigma::apply_filters(collector.filters, collector.log_sources, collector.rules);
  set.rules_ = std::move(collector.rules);
  set.correlations_ =
      sigma::link_correlations(std::move(collector.correlations), set.rules_, collector.scopes, collector.refusals);
  set.refusals_ = std::move(collector.refusals);
  std::move(collector.warnings.begin(), collector.warnings.end(), std::back_inserter(set.warnings_));
  for (const Rule& rule : set.rules_) {
    for (const query::Diagnostic& each : rule.warnings) set.warnings_.push_back(warning_of(rule, each));
  }
  return set;
}

Result<RuleSet> RuleSet::of(std::vector<Rule> rules, std::vector<Correlation> correlations) {
  RuleSet set;
  std::set<std::string_view> seen;
  for (const Rule& rule : rules) {
    if (!seen.insert(rule.id).second) return fail(Errc::already_exists, "two rules with id " + rule.id);
  }
  for (const Correlation& each : correlations) {
    if (!seen.insert(each.rule.id).second) return fail(Errc::already_exists, "two rules with id " + each.rule.id);
  }
  set.rules_ = std::move(rules);
  set.correlations_ = std::move(correlations);
  return set;
}

Result<query::match::Matcher> RuleSet::compile() const {
  std::vector<query::Expression> expressions;
  expressions.reserve(rules_.size());
  for (const Rule& rule : rules_) expressions.push_back(rule.expression.clone());
  return query::match::Matcher::compile(expressions);
}

}  // namespace redoubt::rules
