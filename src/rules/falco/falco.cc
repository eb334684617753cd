#include "rules/falco/falco.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "rules/falco/alert.h"
#include "rules/falco/reader.h"
#include "rules/rule_file.h"
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
  std::string reasons;
  for (const std::string& reason : rule.lowered.reasons) reasons += (reasons.empty() ? "" : "; ") + reason;
  Refusal refusal{.path = rule.definition.path, .title = rule.definition.name, .diagnostic = {}, .rendered = ""};
  refusal.diagnostic = diagnostic_at(rule, kNoEvent, std::move(reasons));
  refusal.rendered = rule.definition.name + ": " + refusal.diagnostic.message;
  return refusal;
}

Refusal refusal_of_finding(const Finding& finding) {
  const std::string item = finding.item.empty() ? "" : finding.item + ": ";
  return {.path = finding.path,
          .title = finding.item,
          .diagnostic = finding.diagnostic,
          .rendered = item + finding.diagnostic.message};
}

Rule rule_of(const LoadedRule& loaded) {
  const RuleDefinition& definition = loaded.definition;
  Rule rule;
  rule.id = rule_id(definition.name);
  rule.title = definition.name;
  rule.description = definition.description;
  rule.format = "falco";
  rule.path = definition.path;
  rule.importance = importance_of(definition.priority);
  read_falco_tags(definition.tags, rule);
  rule.expression = loaded.lowered.expression->clone();
  for (const std::string& note : loaded.lowered.notes) rule.warnings.push_back(diagnostic_at(loaded, kPartly, note));
  rule.falco = std::make_shared<const AlertFormat>(AlertFormat{.rule = definition.name,
                                                               .priority = definition.priority,
                                                               .source = definition.source,
                                                               .tags = definition.tags,
                                                               .output = loaded.output});
  return rule;
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

RuleSetParts parts_of(const Loaded& loaded) {
  RuleSetParts parts;
  for (const Finding& finding : loaded.result.findings) {
    (is_error(finding.code) ? parts.refusals : parts.warnings).push_back(refusal_of_finding(finding));
  }
  for (const LoadedRule& each : loaded.rules) {
    if (each.definition.enabled == Answer::no) continue;
    if (each.lowered.expression) {
      parts.rules.push_back(rule_of(each));
    } else {
      parts.refusals.push_back(no_event(each));
    }
  }
  return parts;
}

RuleSetParts check(std::string_view source, const std::string& path) {
  Loader loader;
  loader.add_file(source, path);
  RuleSetParts parts = parts_of(loader.finish());
  for (const Rule& rule : parts.rules) {
    for (const query::Diagnostic& note : rule.warnings) {
      parts.warnings.push_back({.path = path, .title = rule.title, .diagnostic = note, .rendered = ""});
    }
  }
  for (std::vector<Refusal>* findings : {&parts.refusals, &parts.warnings}) {
    for (Refusal& each : *findings) each = refusal_of(each.path, each.title, each.diagnostic, source);
  }
  return parts;
}

}  // namespace redoubt::rules::falco
