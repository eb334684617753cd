#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/hunt_json.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kRuleTextMax = size_t{256} << 10;
constexpr int64_t kBacktestEventsDefault = 100;
constexpr int64_t kBacktestEventsMax = 1000;
constexpr int64_t kBacktestSpanUs = 30 * base::kDayUs;

ordered_json refusal_json(const rules::Refusal& refusal) {
  const query::Diagnostic& diagnostic = refusal.diagnostic;
  return {{"path", refusal.path},
          {"title", refusal.title},
          {"diagnostic",
           {{"code", diagnostic.code},
            {"line", diagnostic.line},
            {"column", diagnostic.column},
            {"length", diagnostic.length},
            {"message", diagnostic.message},
            {"hint", diagnostic.hint},
            {"rendered", refusal.rendered}}}};
}

ordered_json rule_json(const rules::Rule& rule, std::string_view kind, int64_t hits) {
  return {{"kind", kind},
          {"alerting", rule.alerting == rules::Alerting::on},
          {"id", rule.id},
          {"title", rule.title},
          {"importance", rules::name_of(rule.importance)},
          {"format", rule.format},
          {"path", rule.path},
          {"author", rule.author},
          {"techniques", rule.techniques},
          {"tactics", rule.tactics},
          {"description", rule.description},
          {"references", rule.references},
          {"false_positives", rule.false_positives},
          {"hits", hits}};
}

// "30d" before now, or an RFC 3339 time.
Result<base::Time> point_in_time(const JsonBody& body, std::string_view key, base::Time now, base::Time otherwise) {
  TRY(const auto text, body.optional_text(key, {}));
  if (!text) return otherwise;
  if (const auto back_us = base::parse_duration_us(*text)) return base::Time{now.us - *back_us};
  if (const auto time = base::parse_time(*text)) return *time;
  return fail(Errc::invalid_argument,
              "'" + std::string(key) + "': '" + *text + "' is no duration (30d) and no RFC 3339 time");
}

struct BacktestBody {
  std::optional<std::string> rule_id, text;
  HistoryRange range;
  int64_t limit = kBacktestEventsDefault;
};

Result<BacktestBody> parse_backtest_body(const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"rule_id", "text", "since", "until", "limit"}));
  BacktestBody backtest;
  TRY(backtest.rule_id, body.optional_text("rule_id", {}));
  TRY(backtest.text, body.optional_text("text", {.bytes_max = kRuleTextMax}));
  if (backtest.rule_id.has_value() == backtest.text.has_value()) {
    return fail(Errc::invalid_argument, "either 'rule_id' or 'text' says which rule to run");
  }
  const base::Time now = base::Time::now();
  TRY(backtest.range.until, point_in_time(body, "until", now, now));
  TRY(backtest.range.since, point_in_time(body, "since", now, {backtest.range.until.us - kBacktestSpanUs}));
  if (backtest.range.since.us >= backtest.range.until.us) {
    return fail(Errc::invalid_argument, "'since' is not before 'until'");
  }
  TRY(backtest.limit, body.integer("limit", {kBacktestEventsDefault, 1, kBacktestEventsMax}));
  return backtest;
}

Response backtest_response(const Result<Backtest>& found, const rules::Rule& rule, const BacktestBody& body) {
  if (!found) return error_response(found.error());
  ordered_json days = ordered_json::array();
  for (const auto& [day, hits] : found->days) {
    days.push_back({{"day", base::format_time(day).substr(0, std::string_view("2026-11-22").size())}, {"hits", hits}});
  }
  ordered_json json = {{"title", rule.title},
                       {"importance", rules::name_of(rule.importance)},
                       {"since", base::format_time(body.range.since)},
                       {"until", base::format_time(body.range.until)},
                       {"hits_total", found->hits},
                       {"days", std::move(days)}};
  json.update(rows_json(found->events));
  json["partial"] = found->partial;
  if (found->partial) json["partial_why"] = found->partial_why;
  json["took_ms"] = found->took_ms;
  return json_response(json);
}

Response run_over_history(Services& services, const rules::Rule& rule, const BacktestBody& body) {
  return backtest_response(services.hunts.backtest(rule.expression, body.range, static_cast<uint32_t>(body.limit)),
                           rule, body);
}

Response run_over_history(Services& services, const rules::RuleSet& rules, size_t correlation,
                          const BacktestBody& body) {
  return backtest_response(services.hunts.backtest(rules, correlation, body.range, static_cast<uint32_t>(body.limit)),
                           rules.correlations()[correlation].rule, body);
}

// A text with correlations is about the last of those that raise alerts; its rules stand beside it.
std::optional<size_t> outermost(const rules::RuleSet& set) {
  for (size_t i = set.correlations().size(); i-- > 0;) {
    if (set.correlations()[i].rule.alerting == rules::Alerting::on) return i;
  }
  return std::nullopt;
}

Response run_text_over_history(Services& services, const BacktestBody& body) {
  const auto set = rules::read_rule_set(*body.text);
  const auto correlation = set ? outermost(*set) : std::nullopt;
  if (correlation) return run_over_history(services, *set, *correlation, body);
  const auto rule = rules::read_rule(*body.text);
  if (!set && rule) return error_response(set.error().diagnostic, *body.text);
  return rule ? run_over_history(services, *rule, body) : error_response(rule.error().diagnostic, *body.text);
}

Response checked(const rules::Rule& rule) {
  return json_response({{"id", rule.id},
                        {"title", rule.title},
                        {"importance", rules::name_of(rule.importance)},
                        {"techniques", rule.techniques},
                        {"tactics", rule.tactics}});
}

}  // namespace

Response list_rules(Services& services, const Request&) {
  const auto hits = services.alerts.hits();
  if (!hits) return error_response(hits.error());
  ordered_json list = ordered_json::array(), refusals = ordered_json::array();
  const auto add = [&](const rules::Rule& rule, std::string_view kind) {
    const auto found = hits->find(rule.id);
    list.push_back(rule_json(rule, kind, found != hits->end() ? found->second : 0));
  };
  for (const rules::Rule& rule : services.rules.rules()) add(rule, "rule");
  for (const rules::Correlation& each : services.rules.correlations()) add(each.rule, "correlation");
  for (const rules::Refusal& refusal : services.rules.refusals()) refusals.push_back(refusal_json(refusal));
  return json_response({{"rules", list}, {"refusals", refusals}});
}

Response check_rule(Services&, const Request& request) {
  const auto body = JsonBody::parse(request.body, {"text"});
  if (!body) return error_response(body.error());
  const auto text = body->text("text", {.bytes_max = kRuleTextMax});
  if (!text) return error_response(text.error());
  const auto set = rules::read_rule_set(*text);
  if (!set) return error_response(set.error().diagnostic, *text);
  if (const auto correlation = outermost(*set)) return checked(set->correlations()[*correlation].rule);
  const auto rule = rules::read_rule(*text);
  return rule ? checked(*rule) : error_response(rule.error().diagnostic, *text);
}

Response backtest_rule(Services& services, const Request& request) {
  const auto body = parse_backtest_body(request);
  if (!body) return error_response(body.error());
  if (body->text) return run_text_over_history(services, *body);
  for (const rules::Rule& rule : services.rules.rules()) {
    if (rule.id == *body->rule_id) return run_over_history(services, rule, *body);
  }
  for (size_t i = 0; i < services.rules.correlations().size(); ++i) {
    if (services.rules.correlations()[i].rule.id == *body->rule_id) {
      return run_over_history(services, services.rules, i, *body);
    }
  }
  return error_response({Errc::not_found, "no rule with id '" + body->rule_id->substr(0, 64) + "' is loaded"});
}

}  // namespace redoubt::central
