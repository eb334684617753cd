#include "rules/rule_set.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <future>
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
    {".yml", "sigma", sigma::kFileSizeMax, nullptr, read_sigma},
    {".yaml", "sigma", sigma::kFileSizeMax, nullptr, read_sigma},
    {".ioc", "openioc", openioc::kFileSizeMax, openioc::read_openioc, nullptr},
    {".stix.json", "stix", stix::kBundleSizeMax, stix::read_bundle, nullptr},
    {".iocs.txt", "list", indicator_list::kListSizeMax, indicator_list::read_list, nullptr},
});

// Sigma and Falco share the endings of YAML.
bool is_falco(std::string_view source, const FileFormat& format) {
  return format.read_with == read_sigma && falco::is_falco_file(source);
}

// Null for a file that holds no rules.
const FileFormat* format_of(std::string_view path) {
  const auto* const found =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const auto& row) { return path.ends_with(row.ending); });
  return found == kFormats.end() ? nullptr : found;
}

std::string_view first_word(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  return line.substr(0, line.find_first_of(kBlank));
}

// Lines of indicators: none of them is a key or an item of YAML.
bool looks_like_list(std::string_view text) {
  size_t indicators = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view word = first_word(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty() || word.starts_with('#')) continue;
    if (word.starts_with('-') || word.ends_with(':')) return false;
    ++indicators;
  }
  return indicators > 0;
}

// How the name of a file with this text would end.
std::string_view likely_ending(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return ".yml";
  const std::string_view rest = text.substr(begin);
  if (rest.starts_with('<') || rest.starts_with("\xEF\xBB\xBF<")) return ".ioc";
  // YAML may begin with a brace as well, but hardly with a quote behind it.
  if (rest.starts_with('{') &&
      rest.substr(1, rest.find('"')).find_first_not_of(" \t\r\n\"") == std::string_view::npos) {
    return ".stix.json";
  }
  return looks_like_list(text) ? ".iocs.txt" : ".yml";
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

// One file that was read; Falco's text is not parsed yet.
struct SourceFile {
  const FileFormat* format = nullptr;
  std::string source;
  std::string problem;  // why it could not be read
  LoadedFile loaded;
};

constexpr size_t kFilesAtOnce = 256;
constexpr size_t kReadersMax = 4;

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

  // What the text holds apart from other files. Any thread.
  SourceFile parsed(std::string source, const std::string& path, const FileFormat& format) const {
    SourceFile file{.format = &format, .source = std::move(source), .problem = "", .loaded = {}};
    if (is_falco(file.source, format)) return file;
    file.loaded =
        format.read_with != nullptr ? format.read_with(file.source, path, options) : format.read(file.source, path);
    return file;
  }

  SourceFile read(const std::string& path) const {
    const FileFormat& format = *format_of(path);
    auto source = base::read_file(directory + "/" + path, format.size_bytes_max);
    if (source) return parsed(*std::move(source), path, format);
    return {.format = &format, .source = "", .problem = source.error().message, .loaded = {}};
  }

  // Files come in the order of their names.
  void add(SourceFile file, const std::string& path) {
    if (!file.problem.empty()) {
      refusals.push_back(refuse(path, "", 1, sigma::code::kFile, file.problem));
      return;
    }
    if (is_falco(file.source, *file.format)) {
      falco.add_file(file.source, path);
      return;
    }
    LoadedFile& loaded = file.loaded;
    loaded.log_sources.resize(loaded.rules.size());
    loaded.scopes.resize(loaded.rules.size());
    for (size_t i = 0; i < loaded.rules.size(); ++i)
      add_rule(std::move(loaded.rules[i]), std::move(loaded.log_sources[i]), loaded.scopes[i], file.source);
    std::move(loaded.refusals.begin(), loaded.refusals.end(), std::back_inserter(refusals));
    std::move(loaded.filters.begin(), loaded.filters.end(), std::back_inserter(filters));
    for (sigma::CorrelationDraft& draft : loaded.correlations) add_correlation(std::move(draft));
  }

  // Reading is most of the work of a load: it is shared among threads, a stretch of files at a time.
  void add_all(const std::vector<std::string>& paths) {
    for (size_t first = 0; first < paths.size(); first += kFilesAtOnce) {
      const size_t count = std::min(kFilesAtOnce, paths.size() - first);
      std::vector<SourceFile> files(count);
      std::atomic<size_t> next{0};
      const auto work = [&] {
        for (size_t i = next++; i < count; i = next++) files[i] = read(paths[first + i]);
      };
      std::vector<std::future<void>> readers;
      for (size_t i = 1; i < std::min(kReadersMax, count); ++i) {
        readers.push_back(std::async(std::launch::async, work));
      }
      work();
      for (std::future<void>& reader : readers) reader.get();
      for (size_t i = 0; i < count; ++i) add(std::move(files[i]), paths[first + i]);
    }
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

bool is_rule_file(std::string_view path) { return format_of(path) != nullptr; }

RuleText read_text(std::string_view text, std::string_view name) {
  const FileFormat* format = format_of(name);
  if (format == nullptr) format = format_of(likely_ending(text));
  Collector collector;
  collector.add(collector.parsed(std::string(text), std::string(name), *format), std::string(name));
  collector.finish_falco();
  RuleText read{.format = is_falco(text, *format) ? "falco" : format->name};
  read.warnings = sigma::apply_filters(collector.filters, collector.log_sources, collector.rules);
  read.rules = std::move(collector.rules);
  read.correlations =
      sigma::link_correlations(std::move(collector.correlations), read.rules, collector.scopes, collector.refusals);
  read.refusals = std::move(collector.refusals);
  if (read.rules.empty() && read.correlations.empty() && read.refusals.empty()) {
    read.refusals.push_back(refuse(std::string(name), text, 1, sigma::code::kShape, "the text holds no rule"));
  }
  for (const Rule& rule : read.rules) {
    for (const query::Diagnostic& each : rule.warnings) read.warnings.push_back(warning_of(rule, each));
  }
  return read;
}

Result<RuleSet> RuleSet::load(const std::string& directory) {
  TRY(const std::vector<std::string> paths, list_rule_files(directory));
  Collector collector;
  collector.directory = directory;
  collector.read_placeholders();
  collector.add_all(paths);
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
