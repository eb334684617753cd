// The rules that are loaded: their state, their figures, changes of both files and state.
#include <nlohmann/json.hpp>
#include <numeric>

#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "central/api/rule_json.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

// What is known of rules apart from the rules themselves.
struct RuleFigures {
  std::map<std::string, RuleHits, std::less<>> hits;
  RuleCounters counters;
  uint64_t sampled_ns = 0;  // of all rules
};

Result<RuleFigures> figures_of(Services& services) {
  RuleFigures figures;
  TRY(figures.hits, services.alerts.hits());
  figures.counters = services.judge.counters();
  figures.sampled_ns = std::accumulate(figures.counters.begin(), figures.counters.end(), uint64_t{0},
                                       [](uint64_t sum, const auto& each) { return sum + each.second.sampled_ns; });
  return figures;
}

ordered_json rule_json(const RuleSnapshot& rules, size_t number, const RuleFigures& figures) {
  const rules::Rule& rule = rules.rule(number);
  const RuleDecision& decision = rules.decision(number);
  const auto hits = figures.hits.find(rule.id);
  const auto counter = figures.counters.find(rule.id);
  const query::match::RuleCounter cost =
      counter != figures.counters.end() ? counter->second : query::match::RuleCounter{};
  const double share =
      figures.sampled_ns > 0 ? static_cast<double>(cost.sampled_ns) / static_cast<double>(figures.sampled_ns) : 0.0;
  ordered_json json = {{"kind", rules.is_correlation(number) ? "correlation" : "rule"},
                       {"alerting", rule.alerting == redoubt::rules::Alerting::on},
                       {"id", rule.id},
                       {"title", rule.title},
                       {"enabled", decision.state == RuleSwitch::on},
                       {"importance", redoubt::rules::name_of(rules.importance(number))},
                       {"own_importance", redoubt::rules::name_of(rule.importance)},
                       {"exclusions", rules.exclusions_of(number)},
                       {"format", rule.format},
                       {"path", rule.path},
                       {"author", rule.author},
                       {"techniques", rule.techniques},
                       {"tactics", rule.tactics},
                       {"description", rule.description},
                       {"references", rule.references},
                       {"false_positives", rule.false_positives},
                       {"warnings", warnings_json(rule)},
                       {"hits", hits != figures.hits.end() ? hits->second.count : 0},
                       {"evaluated", cost.evaluated},
                       {"cost_share", share}};
  if (hits != figures.hits.end() && hits->second.last.us != 0) {
    json["last_hit"] = base::format_time(hits->second.last);
  }
  if (!decision.changed_by.empty()) {
    json["changed_by"] = decision.changed_by;
    json["changed"] = base::format_time(decision.changed);
  }
  return json;
}

ordered_json load_json(const RuleBook& book, const RuleSnapshot& rules) {
  const RuleLoad load = book.last_load();
  ordered_json json = {{"time", base::format_time(load.time)},
                       {"took_ms", load.took_ms},
                       {"rules", rules.size()},
                       {"enabled", rules.live().size()},
                       {"refused", rules.files().refusals().size()}};
  if (!load.error.empty()) json["error"] = load.error;
  return json;
}

Response rule_response(Services& services, const std::string& id) {
  const auto rules = services.rules.current();
  const auto number = rules->find(id);
  if (!number) return error_response(Error{Errc::not_found, "no rule with id '" + id.substr(0, 64) + "' is loaded"});
  const auto figures = figures_of(services);
  return figures ? json_response(rule_json(*rules, *number, *figures)) : error_response(figures.error());
}

Result<RuleChange> parse_rule_change(const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"enabled", "importance"}));
  RuleChange change;
  TRY(const auto enabled, body.optional_flag("enabled"));
  if (enabled) change.state = *enabled ? RuleSwitch::on : RuleSwitch::off;
  if (body.is_null("importance")) {
    change.importance.emplace(std::nullopt);
    return change;
  }
  TRY(const auto name, body.optional_text("importance", {}));
  if (!name) return change;
  const auto importance = importance_named(*name);
  if (!importance) {
    return fail(Errc::invalid_argument,
                "'importance': informational, low, medium, high, critical, or null for the rule's own");
  }
  change.importance.emplace(importance);
  return change;
}

std::string note_of(const RuleChange& change) {
  std::string note;
  if (change.state) note = *change.state == RuleSwitch::on ? "on" : "off";
  if (!change.importance) return note;
  const std::string importance = *change.importance ? std::string(rules::name_of(**change.importance)) : "its own";
  return note + (note.empty() ? "" : ", ") + "importance: " + importance;
}

}  // namespace

Response list_rules(Services& services, const Request&) {
  const auto figures = figures_of(services);
  if (!figures) return error_response(figures.error());
  const auto rules = services.rules.current();
  ordered_json list = ordered_json::array(), refusals = ordered_json::array(), warnings = ordered_json::array();
  for (size_t i = 0; i < rules->size(); ++i) list.push_back(rule_json(*rules, i, *figures));
  for (const rules::Refusal& refusal : rules->files().refusals()) refusals.push_back(refusal_json(refusal));
  for (const rules::Refusal& warning : rules->files().warnings()) warnings.push_back(refusal_json(warning));
  return json_response({{"rules", std::move(list)},
                        {"refusals", std::move(refusals)},
                        {"warnings", std::move(warnings)},
                        {"load", load_json(services.rules, *rules)}});
}

Response get_rule(Services& services, const Request& request) {
  return rule_response(services, request.path_parameters[0]);
}

Response change_rule(Services& services, const Request& request) {
  const auto change = parse_rule_change(request);
  if (!change) return error_response(change.error());
  const Status done = services.rules.change_rule(request.path_parameters[0], *change, request.actor.user);
  if (!done) return error_response(done.error());
  Response response = rule_response(services, request.path_parameters[0]);
  response.audit_note = note_of(*change);
  return response;
}

Response reload_rules(Services& services, const Request& request) {
  const auto body = JsonBody::parse(request.body, {});
  if (!body) return error_response(body.error());
  Status done = services.rules.reload();
  if (done) done = services.objects.reload_engines();
  return done ? json_response(load_json(services.rules, *services.rules.current())) : error_response(done.error());
}

}  // namespace redoubt::central
