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

ordered_json rule_json(const rules::Rule& rule, int64_t hits) {
  return {{"id", rule.id},
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

Response run_over_history(Services& services, const rules::Rule& rule, const BacktestBody& body) {
  const auto found = services.hunts.backtest(rule.expression, body.range, static_cast<uint32_t>(body.limit));
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

}  // namespace

Response list_rules(Services& services, const Request&) {
  const auto hits = services.alerts.hits();
  if (!hits) return error_response(hits.error());
  ordered_json list = ordered_json::array(), refusals = ordered_json::array();
  for (const rules::Rule& rule : services.rules.rules()) {
    const auto found = hits->find(rule.id);
    list.push_back(rule_json(rule, found != hits->end() ? found->second : 0));
  }
  for (const rules::Refusal& refusal : services.rules.refusals()) refusals.push_back(refusal_json(refusal));
  return json_response({{"rules", list}, {"refusals", refusals}});
}

Response check_rule(Services&, const Request& request) {
  const auto body = JsonBody::parse(request.body, {"text"});
  if (!body) return error_response(body.error());
  const auto text = body->text("text", {.bytes_max = kRuleTextMax});
  if (!text) return error_response(text.error());
  const auto rule = rules::read_rule(*text);
  if (!rule) return error_response(rule.error().diagnostic, *text);
  return json_response({{"id", rule->id},
                        {"title", rule->title},
                        {"importance", rules::name_of(rule->importance)},
                        {"techniques", rule->techniques},
                        {"tactics", rule->tactics}});
}

Response backtest_rule(Services& services, const Request& request) {
  const auto body = parse_backtest_body(request);
  if (!body) return error_response(body.error());
  if (body->text) {
    const auto rule = rules::read_rule(*body->text);
    return rule ? run_over_history(services, *rule, *body) : error_response(rule.error().diagnostic, *body->text);
  }
  for (const rules::Rule& rule : services.rules.rules()) {
    if (rule.id == *body->rule_id) return run_over_history(services, rule, *body);
  }
  return error_response({Errc::not_found, "no rule with id '" + body->rule_id->substr(0, 64) + "' is loaded"});
}

}  // namespace redoubt::central
