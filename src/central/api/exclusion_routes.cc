// Exclusions: what rules do not hold for.
#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "central/api/rule_json.h"
#include "query/hunt.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kRuleIdMax = 4096;  // a list's id holds the path of its file

ordered_json exclusion_json(const Exclusion& exclusion, const RuleSnapshot& rules, base::Time now) {
  ordered_json json = {{"id", std::to_string(exclusion.id)},
                       {"name", exclusion.name},
                       {"condition", exclusion.condition},
                       {"note", exclusion.note},
                       {"author", exclusion.author},
                       {"created", base::format_time(exclusion.created)},
                       {"state", has_expired(exclusion, now) ? "expired"
                                 : exclusion.problem.empty() ? "on"
                                                             : "broken"}};
  if (!exclusion.rule_id.empty()) {
    json["rule_id"] = exclusion.rule_id;
    const auto rule = rules.find(exclusion.rule_id);
    if (rule) json["rule_title"] = rules.rule(*rule).title;
  }
  if (exclusion.expires.us != 0) json["expires"] = base::format_time(exclusion.expires);
  if (!exclusion.problem.empty()) json["problem"] = exclusion.problem;
  return json;
}

// A duration from now, or a time; null: never.
Result<std::optional<base::Time>> parse_expiry(const JsonBody& body) {
  if (body.is_null("expires")) return std::optional(base::Time{0});
  TRY(const auto text, body.optional_text("expires", {}));
  if (!text) return std::optional<base::Time>();
  const base::Time now = base::Time::now();
  const auto duration = base::parse_duration_us(*text);
  const auto time = duration ? Result<base::Time>(base::Time{now.us + *duration}) : base::parse_time(*text);
  if (!time)
    return fail(Errc::invalid_argument, "'expires': '" + *text + "' is no duration (30d) and no RFC 3339 time");
  if (*time <= now) return fail(Errc::invalid_argument, "'expires': '" + *text + "' is over already");
  return std::optional(*time);
}

Result<ExclusionChange> parse_change(const JsonBody& body) {
  ExclusionChange change;
  TRY(change.name, body.optional_text("name", {.bytes_min = 1, .bytes_max = kExclusionNameMax}));
  TRY(change.condition, body.optional_text("condition", {.bytes_min = 1, .bytes_max = kExclusionTextMax}));
  TRY(change.note, body.optional_text("note", {.bytes_max = kExclusionNoteMax}));
  TRY(change.expires, parse_expiry(body));
  return change;
}

Result<Exclusion> parse_exclusion(const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"rule_id", "name", "condition", "note", "expires"}));
  TRY(const ExclusionChange given, parse_change(body));
  TRY(const auto rule_id, body.optional_text("rule_id", {.bytes_min = 1, .bytes_max = kRuleIdMax}));
  if (!given.name || !given.condition) return fail(Errc::invalid_argument, "'name' and 'condition' must be there");
  Exclusion exclusion;
  exclusion.rule_id = rule_id.value_or("");
  exclusion.name = *given.name;
  exclusion.condition = *given.condition;
  exclusion.note = given.note.value_or("");
  exclusion.expires = given.expires.value_or(base::Time{0});
  return exclusion;
}

std::string note_of(const Exclusion& exclusion) {
  return (exclusion.rule_id.empty() ? "all rules" : "rule " + exclusion.rule_id) + ": " + exclusion.condition;
}

Response exclusion_response(Services& services, const RuleOutcome<Exclusion>& exclusion, const std::string& condition) {
  if (!exclusion) return error_response(exclusion.error(), condition);
  Response response = json_response(exclusion_json(*exclusion, *services.rules.current(), base::Time::now()));
  response.audit_note = note_of(*exclusion);
  return response;
}

}  // namespace

Response list_exclusions(Services& services, const Request& request) {
  const Status known = only_query_keys(request, {"rule_id"});
  if (!known) return error_response(known.error());
  const std::string_view rule_id = request.query_value("rule_id");
  const auto rules = services.rules.current();
  const base::Time now = base::Time::now();
  ordered_json list = ordered_json::array();
  for (const Exclusion& exclusion : rules->exclusions()) {
    if (!rule_id.empty() && !exclusion.rule_id.empty() && exclusion.rule_id != rule_id) continue;
    list.push_back(exclusion_json(exclusion, *rules, now));
  }
  return json_response({{"exclusions", std::move(list)}});
}

Response add_exclusion(Services& services, const Request& request) {
  const auto exclusion = parse_exclusion(request);
  if (!exclusion) return error_response(exclusion.error());
  Response response =
      exclusion_response(services, services.rules.add_exclusion(*exclusion, request.actor.user), exclusion->condition);
  if (response.status == 200) response.status = 201;
  return response;
}

Response check_exclusion(Services&, const Request& request) {
  const auto body = JsonBody::parse(request.body, {"condition"});
  if (!body) return error_response(body.error());
  const auto condition = body->text("condition", {.bytes_max = kExclusionTextMax});
  if (!condition) return error_response(condition.error());
  const auto sound = query::parse_condition(*condition, base::Time::now());
  return sound ? json_response({{"ok", true}}) : error_response(sound.error(), *condition);
}

Response change_exclusion(Services& services, const Request& request) {
  const auto id = path_number(request, "exclusion");
  const auto body = JsonBody::parse(request.body, {"name", "condition", "note", "expires"});
  if (!id || !body) return error_response(id ? body.error() : id.error());
  const auto change = parse_change(*body);
  if (!change) return error_response(change.error());
  return exclusion_response(services, services.rules.change_exclusion(*id, *change), change->condition.value_or(""));
}

Response remove_exclusion(Services& services, const Request& request) {
  const auto id = path_number(request, "exclusion");
  const Status done = id ? services.rules.remove_exclusion(*id) : tl::unexpected<Error>(id.error());
  return done ? no_content() : error_response(done.error());
}

}  // namespace redoubt::central
