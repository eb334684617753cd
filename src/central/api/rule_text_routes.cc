// The text of rules that are not loaded: checked, and run over history.
#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/hunt_json.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "central/api/rule_json.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kRuleTextMax = size_t{256} << 10;
constexpr size_t kRuleNameMax = 255;
constexpr int64_t kBacktestEventsDefault = 100;
constexpr int64_t kBacktestEventsMax = 1000;
constexpr int64_t kBacktestSpanUs = 30 * base::kDayUs;

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
  std::string name;  // of the file that the text is of
  HistoryRange range;
  int64_t limit = kBacktestEventsDefault;
};

Result<BacktestBody> parse_backtest_body(const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"rule_id", "text", "name", "since", "until", "limit"}));
  BacktestBody backtest;
  TRY(backtest.rule_id, body.optional_text("rule_id", {}));
  TRY(backtest.text, body.optional_text("text", {.bytes_max = kRuleTextMax}));
  TRY(const auto name, body.optional_text("name", {.bytes_max = kRuleNameMax}));
  backtest.name = name.value_or("");
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

// What is run: one rule, or all rules of a text as one.
struct Subject {
  std::string title;
  rules::Importance importance{};  // the highest of its rules
  query::Expression expression;
};

Result<Subject> subject_of(const std::vector<rules::Rule>& rules) {
  Subject subject{.title = rules.front().title, .importance = rules.front().importance, .expression = {}};
  std::vector<query::Expression> each;
  for (const rules::Rule& rule : rules) {
    subject.importance = std::max(subject.importance, rule.importance);
    each.push_back(rule.expression.clone());
  }
  if (rules.size() > 1) subject.title = std::to_string(rules.size()) + " rules";
  TRY(subject.expression,
      base::within("the rules together", query::normalize(query::Expression::any_of(std::move(each)))));
  return subject;
}

Response backtest_response(const Result<Backtest>& found, const Subject& subject, const BacktestBody& body) {
  if (!found) return error_response(found.error());
  ordered_json days = ordered_json::array();
  for (const auto& [day, hits] : found->days) {
    days.push_back({{"day", base::format_time(day).substr(0, std::string_view("2026-11-22").size())}, {"hits", hits}});
  }
  ordered_json json = {{"title", subject.title},
                       {"importance", rules::name_of(subject.importance)},
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

Response run_over_history(Services& services, const Subject& subject, const BacktestBody& body) {
  return backtest_response(services.hunts.backtest(subject.expression, body.range, static_cast<uint32_t>(body.limit)),
                           subject, body);
}

Response run_over_history(Services& services, const rules::RuleSet& rules, size_t correlation,
                          const BacktestBody& body) {
  const rules::Rule& rule = rules.correlations()[correlation].rule;
  const Subject subject{.title = rule.title, .importance = rule.importance, .expression = {}};
  return backtest_response(services.hunts.backtest(rules, correlation, body.range, static_cast<uint32_t>(body.limit)),
                           subject, body);
}

// A text with correlations is about the last of those that raise alerts; its rules stand beside it.
std::optional<size_t> outermost(const std::vector<rules::Correlation>& correlations) {
  for (size_t i = correlations.size(); i-- > 0;) {
    if (correlations[i].rule.alerting == rules::Alerting::on) return i;
  }
  return std::nullopt;
}

Response run_over_history(Services& services, rules::RuleText text, const BacktestBody& body) {
  if (const auto correlation = outermost(text.correlations)) {
    const auto set = rules::RuleSet::of(std::move(text.rules), std::move(text.correlations));
    return set ? run_over_history(services, *set, *correlation, body) : error_response(set.error());
  }
  const auto subject = subject_of(text.rules);
  return subject ? run_over_history(services, *subject, body) : error_response(subject.error());
}

ordered_json checked_json(const rules::Rule& rule) {
  return {{"id", rule.id},
          {"title", rule.title},
          {"importance", rules::name_of(rule.importance)},
          {"techniques", rule.techniques},
          {"tactics", rule.tactics},
          {"warnings", warnings_json(rule)}};
}

// The refusal of a text of which nothing can be used.
Response refused(const rules::RuleText& read, const std::string& text) {
  const rules::Refusal& first = read.refusals.front();
  Response response = error_response(first.diagnostic, text);
  if (first.rendered.empty()) return response;
  ordered_json json = ordered_json::parse(response.body);
  json["error"]["diagnostic"]["rendered"] = first.rendered;
  return json_response(json, response.status);
}

}  // namespace

Response check_rule(Services&, const Request& request) {
  const auto body = JsonBody::parse(request.body, {"text", "name"});
  if (!body) return error_response(body.error());
  const auto text = body->text("text", {.bytes_max = kRuleTextMax});
  const auto name = body->optional_text("name", {.bytes_max = kRuleNameMax});
  if (!text || !name) return error_response(text ? name.error() : text.error());
  const rules::RuleText read = rules::read_text(*text, name->value_or(""));
  if (read.rules.empty() && read.correlations.empty()) return refused(read, *text);
  ordered_json list = ordered_json::array(), refusals = ordered_json::array(), warnings = ordered_json::array();
  for (const rules::Rule& rule : read.rules) list.push_back(checked_json(rule));
  for (const rules::Correlation& each : read.correlations) list.push_back(checked_json(each.rule));
  for (const rules::Refusal& refusal : read.refusals) refusals.push_back(refusal_json(refusal));
  for (const rules::Refusal& warning : read.warnings) warnings.push_back(refusal_json(warning));
  return json_response({{"format", read.format}, {"rules", list}, {"refusals", refusals}, {"warnings", warnings}});
}

Response backtest_rule(Services& services, const Request& request) {
  const auto body = parse_backtest_body(request);
  if (!body) return error_response(body.error());
  if (body->text) {
    rules::RuleText read = rules::read_text(*body->text, body->name);
    const bool whole = read.correlations.empty() || read.refusals.empty();  // a correlation needs all of its rules
    if (read.rules.empty() || !whole) return refused(read, *body->text);
    return run_over_history(services, std::move(read), *body);
  }
  const auto rules = services.rules.current();
  const auto rule = rules->find(*body->rule_id);
  if (!rule)
    return error_response(Error{Errc::not_found, "no rule with id '" + body->rule_id->substr(0, 64) + "' is loaded"});
  if (rules->is_correlation(*rule)) {
    return run_over_history(services, rules->files(), *rule - rules->rules().size(), *body);
  }
  return run_over_history(services,
                          {.title = rules->rules()[*rule].title,
                           .importance = rules->importance(*rule),
                           .expression = rules->expression(*rule).clone()},
                          *body);
}

}  // namespace redoubt::central
