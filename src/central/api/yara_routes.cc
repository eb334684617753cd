// YARA rules: what is in force, what was refused and why, and what people decide about them.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "central/alerts/alert.h"
#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kImportanceNameMax = 16;
constexpr size_t kTrialTextMax = size_t{256} << 10;
constexpr int64_t kTrialObjectsDefault = 100;
// The rule's own importance, instead of one that people set.
constexpr std::string_view kOwnImportance = "own";

ordered_json yara_rule_json(const scan::LoadedRule& rule, const RuleDecisions& settings) {
  ordered_json json = {{"name", rule.name}, {"file", rule.file}, {"enabled", true}};
  const auto found = settings.find(rule.name);
  if (found == settings.end()) return json;
  const RuleDecision& setting = found->second;
  json["enabled"] = setting.state == RuleSwitch::on;
  if (setting.importance) json["importance"] = rules::name_of(*setting.importance);
  json["changed_by"] = setting.changed_by;
  json["changed"] = base::format_time(setting.changed);
  return json;
}

Result<ordered_json> try_change_rule(Services& services, const Request& request) {
  const std::string& name = request.path_parameters[0];
  const auto loaded = services.scanner.rules();
  const auto rule =
      std::find_if(loaded.begin(), loaded.end(), [&](const scan::LoadedRule& one) { return one.name == name; });
  if (rule == loaded.end()) return fail(Errc::not_found, "no YARA rule '" + name + "' is in force");
  TRY(const JsonBody body, JsonBody::parse(request.body, {"enabled", "importance"}));
  TRY(const auto enabled, body.optional_flag("enabled"));
  TRY(const auto importance, body.optional_text("importance", {.bytes_min = 1, .bytes_max = kImportanceNameMax}));
  auto settings = services.yara_settings.all();
  RuleDecision& setting = settings[name];
  if (enabled) setting.state = *enabled ? RuleSwitch::on : RuleSwitch::off;
  if (importance) setting.importance = importance_named(*importance);
  if (importance && !setting.importance && *importance != kOwnImportance) {
    return fail(Errc::invalid_argument, "'importance': informational, low, medium, high, critical or own");
  }
  setting.changed_by = request.actor.user;
  setting.changed = base::Time::now();
  TRY_STATUS(services.yara_settings.set(name, setting));
  return yara_rule_json(*rule, settings);
}

ordered_json refused_json(const std::vector<scan::RefusedRule>& rules) {
  ordered_json refused = ordered_json::array();
  for (const scan::RefusedRule& rule : rules) {
    refused.push_back({{"file", rule.file}, {"line", rule.line}, {"message", rule.message}});
  }
  return refused;
}

Result<ordered_json> run_trial(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"text", "objects"}));
  TRY(const std::string text, body.text("text", {.bytes_min = 1, .bytes_max = kTrialTextMax}));
  TRY(const int64_t objects, body.integer("objects", {kTrialObjectsDefault, 1, kTrialObjectsMax}));
  TRY(const YaraTrial trial, services.yara_trials.run(text, static_cast<size_t>(objects)));
  ordered_json hits = ordered_json::array();
  for (const TrialHit& hit : trial.hits) {
    ordered_json json = {
        {"rule", hit.rule}, {"object_id", hit.object_id}, {"name", hit.object_name}, {"sha256", hit.sha256}};
    if (!hit.inner_name.empty()) json["inner_name"] = hit.inner_name;
    hits.push_back(std::move(json));
  }
  return ordered_json{{"tried", trial.tried},
                      {"skipped", trial.skipped},
                      {"complete", trial.end == YaraTrial::End::all},
                      {"hits", std::move(hits)},
                      {"refused", refused_json(trial.refused)}};
}

}  // namespace

Response list_yara_rules(Services& services, const Request&) {
  const auto settings = services.yara_settings.all();
  ordered_json rules = ordered_json::array();
  for (const scan::LoadedRule& rule : services.scanner.rules()) rules.push_back(yara_rule_json(rule, settings));
  return json_response({{"rules", std::move(rules)},
                        {"refused", refused_json(services.scanner.diagnostics())},
                        {"engines", services.scanner.engines()},
                        {"clamav", services.scanner.clamav_state()}});
}

Response try_yara_rules(Services& services, const Request& request) {
  const auto trial = run_trial(services, request);
  return trial ? json_response(*trial) : error_response(trial.error());
}

Response change_yara_rule(Services& services, const Request& request) {
  const auto rule = try_change_rule(services, request);
  if (!rule) return error_response(rule.error());
  Response response = json_response(*rule);
  response.audit_note = request.body;
  return response;
}

}  // namespace redoubt::central
