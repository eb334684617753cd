// Hunts that are saved and run by schedule.
#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "central/api/rule_json.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

ordered_json hunt_json(const ScheduledHunt& hunt) {
  ordered_json json = {{"id", std::to_string(hunt.id)},
                       {"name", hunt.name},
                       {"query", hunt.query},
                       {"importance", rules::name_of(hunt.importance)},
                       {"interval_s", hunt.interval_us / base::kSecondUs},
                       {"window_s", hunt.window_us / base::kSecondUs},
                       {"enabled", hunt.state == HuntSwitch::on},
                       {"author", hunt.author},
                       {"created", base::format_time(hunt.created)},
                       {"detections", hunt.detections},
                       {"last_found", hunt.last_found},
                       {"last_new", hunt.last_new},
                       {"last_beyond", hunt.last_beyond}};
  if (hunt.state == HuntSwitch::on) json["next_run"] = base::format_time(hunt.next_run);
  if (hunt.last_run.us != 0) json["last_run"] = base::format_time(hunt.last_run);
  if (!hunt.last_problem.empty()) json["problem"] = hunt.last_problem;
  return json;
}

Result<HuntChange> parse_hunt_change(const Request& request) {
  TRY(const JsonBody body,
      JsonBody::parse(request.body, {"name", "query", "importance", "interval", "window", "enabled"}));
  HuntChange change;
  TRY(change.name, body.optional_text("name", {.bytes_min = 1, .bytes_max = kScheduledHuntNameMax}));
  TRY(change.query, body.optional_text("query", {.bytes_max = kScheduledHuntTextMax}));
  TRY(change.interval_us, body.optional_duration_us("interval"));
  TRY(change.window_us, body.optional_duration_us("window"));
  TRY(const auto enabled, body.optional_flag("enabled"));
  if (enabled) change.state = *enabled ? HuntSwitch::on : HuntSwitch::off;
  TRY(const auto name, body.optional_text("importance", {}));
  if (!name) return change;
  change.importance = importance_named(*name);
  if (change.importance) return change;
  return fail(Errc::invalid_argument, "'importance': informational, low, medium, high, critical");
}

Result<ScheduledHunt> parse_hunt(const Request& request) {
  TRY(const HuntChange given, parse_hunt_change(request));
  if (!given.name || !given.query || !given.interval_us) {
    return fail(Errc::invalid_argument, "'name', 'query' and 'interval' must be there");
  }
  ScheduledHunt hunt;
  hunt.name = *given.name;
  hunt.query = *given.query;
  hunt.interval_us = *given.interval_us;
  hunt.window_us = given.window_us.value_or(hunt.interval_us + kHuntOverlapUsDefault);
  hunt.importance = given.importance.value_or(hunt.importance);
  hunt.state = given.state.value_or(hunt.state);
  return hunt;
}

Response hunt_response(const HuntOutcome<ScheduledHunt>& hunt, const std::string& query) {
  if (!hunt) return error_response(hunt.error(), query);
  Response response = json_response(hunt_json(*hunt));
  response.audit_note = hunt->name + ": " + hunt->query;
  return response;
}

}  // namespace

Response list_saved_hunts(Services& services, const Request&) {
  ordered_json list = ordered_json::array();
  for (const ScheduledHunt& hunt : services.schedule.list()) list.push_back(hunt_json(hunt));
  return json_response({{"hunts", std::move(list)}});
}

Response save_hunt(Services& services, const Request& request) {
  const auto hunt = parse_hunt(request);
  if (!hunt) return error_response(hunt.error());
  Response response = hunt_response(services.schedule.save(*hunt, request.actor.user, base::Time::now()), hunt->query);
  if (response.status == 200) response.status = 201;
  return response;
}

Response change_saved_hunt(Services& services, const Request& request) {
  const auto id = path_number(request, "saved hunt");
  const auto change = parse_hunt_change(request);
  if (!id || !change) return error_response(id ? change.error() : id.error());
  return hunt_response(services.schedule.change(*id, *change, base::Time::now()), change->query.value_or(""));
}

Response delete_saved_hunt(Services& services, const Request& request) {
  const auto id = path_number(request, "saved hunt");
  const Status done = id ? services.schedule.remove(*id) : tl::unexpected<Error>(id.error());
  return done ? no_content() : error_response(done.error());
}

Response run_saved_hunt(Services& services, const Request& request) {
  const auto id = path_number(request, "saved hunt");
  if (!id) return error_response(id.error());
  const auto hunt = services.schedule.run(*id, base::Time::now());
  return hunt ? json_response(hunt_json(*hunt)) : error_response(hunt.error());
}

}  // namespace redoubt::central
