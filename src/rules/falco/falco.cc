#include "rules/falco/falco.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "rules/falco/reader.h"
#include "rules/sigma/tags.h"

namespace redoubt::rules::falco {

namespace {

Importance importance_of(Priority priority) {
  switch (priority) {
    case Priority::emergency:
    case Priority::alert:
    case Priority::critical: return Importance::critical;
    case Priority::error: return Importance::high;
    case Priority::warning: return Importance::medium;
    case Priority::notice: return Importance::low;
    case Priority::informational:
    case Priority::debug: return Importance::informational;
  }
  return Importance::medium;
}

// Falco writes T1059 and mitre_execution.
void read_falco_tags(const std::vector<std::string>& tags, Rule& rule) {
  constexpr std::string_view kTactic = "mitre_";
  std::vector<std::string> attack;
  for (const std::string& tag : tags) {
    attack.push_back("attack." + (tag.starts_with(kTactic) ? tag.substr(kTactic.size()) : tag));
  }
  sigma::read_tags(attack, rule.techniques, rule.tactics);
}

query::Diagnostic diagnostic_at(const LoadedRule& rule, std::string_view code, std::string message) {
  const Place& place = rule.definition.place;
  return {.code = std::string(code),
          .line = place.line,
          .column = place.column,
          .length = place.length,
          .message = std::move(message),
          .hint = ""};
}

Refusal no_event(const LoadedRule& rule) {
  Refusal refusal{.path = rule.definition.path, .title = rule.definition.name, .diagnostic = {}, .rendered = ""};
  std::string reasons;
  for (const std::string& reason : rule.lowered.reasons) reasons += (reasons.empty() ? "" : "; ") + reason;
  refusal.diagnostic = diagnostic_at(rule, kNoEvent, std::move(reasons));
  return refusal;
}

}  // namespace

void Loader::add_file(std::string_view source, const std::string& path) {
  read_file(source, path, definitions_, result_);
}

Loaded Loader::finish() {
  Loaded loaded;
  loaded.rules = compile(definitions_, result_);
  loaded.result = std::move(result_);
  return loaded;
}

bool is_falco_file(std::string_view source) {
  constexpr auto kItems = std::to_array<std::string_view>(
      {"- rule:", "- macro:", "- list:", "- required_engine_version:", "- required_plugin_versions:"});
  bool is_list = false;
  while (!source.empty()) {
    const size_t end = std::min(source.find('\n'), source.size());
    std::string_view line = source.substr(0, end);
    source.remove_prefix(std::min(end + 1, source.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r\xEF\xBB\xBF"), line.size()));
    if (line.empty() || line.starts_with('#') || line.starts_with("---")) continue;
    if (!is_list && !line.starts_with("- ")) return false;
    is_list = true;
    if (std::any_of(kItems.begin(), kItems.end(), [&](std::string_view item) { return line.starts_with(item); })) {
      return true;
    }
  }
  return false;
}

std::string rule_id(std::string_view name) {
  constexpr size_t kDigits = 32;
  return "falco-" + base::sha256_hex(name).substr(0, kDigits);
}

void add_to(const Loaded& loaded, std::vector<Rule>& rules, std::vector<Refusal>& refusals) {
  for (const Finding& finding : loaded.result.findings) {
    if (!is_error(finding.code)) continue;
    refusals.push_back({.path = finding.path,
                        .title = finding.item,
                        .diagnostic = finding.diagnostic,
                        .rendered = finding.item + ": " + finding.diagnostic.message});
  }
  for (const LoadedRule& each : loaded.rules) {
    if (each.definition.enabled == Answer::no) continue;
    if (!each.lowered.expression) {
      refusals.push_back(no_event(each));
      refusals.back().rendered = each.definition.name + ": " + refusals.back().diagnostic.message;
      continue;
    }
    Rule rule;
    rule.id = rule_id(each.definition.name);
    rule.title = each.definition.name;
    rule.description = each.definition.description;
    rule.format = "falco";
    rule.path = each.definition.path;
    rule.importance = importance_of(each.definition.priority);
    read_falco_tags(each.definition.tags, rule);
    rule.expression = each.lowered.expression->clone();
    for (const std::string& note : each.lowered.notes) rule.warnings.push_back(diagnostic_at(each, kPartly, note));
    rules.push_back(std::move(rule));
  }
}

}  // namespace redoubt::rules::falco
