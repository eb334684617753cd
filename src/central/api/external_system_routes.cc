// External systems as people see them: who asks to submit objects, with which certificate, and what was decided.
#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

ordered_json external_system_json(const ExternalSystem& system) {
  ordered_json json = {{"id", std::to_string(system.id)},
                       {"system_id", system.system_id},
                       {"fingerprint", system.fingerprint},
                       {"name", system.name},
                       {"address", system.address},
                       {"state", name_of(system.state)},
                       {"first_seen", base::format_time(system.first_seen)},
                       {"last_seen", base::format_time(system.last_seen)}};
  if (!system.decided_by.empty()) {
    json["decided_by"] = system.decided_by;
    json["decided"] = base::format_time(system.decided);
  }
  return json;
}

Result<ExternalSystem> try_decide(Services& services, const Request& request, SystemState state) {
  TRY(const int64_t id, path_number(request, "external system"));
  TRY(const JsonBody body, JsonBody::parse(request.body, {"name"}));
  TRY(const auto name, body.optional_text("name", {.bytes_max = kSystemNameBytesMax}));
  return services.external_systems.decide(id, {.state = state, .name = name, .by = request.actor.user});
}

Response decide_external_system(Services& services, const Request& request, SystemState state) {
  const auto system = try_decide(services, request, state);
  if (!system) return error_response(system.error());
  Response response = json_response(external_system_json(*system));
  response.audit_note = system->system_id + " with certificate " + system->fingerprint;
  return response;
}

}  // namespace

Response list_external_systems(Services& services, const Request&) {
  ordered_json list = ordered_json::array();
  for (const ExternalSystem& system : services.external_systems.list()) list.push_back(external_system_json(system));
  return json_response({{"external_systems", std::move(list)}});
}

Response approve_external_system(Services& services, const Request& request) {
  return decide_external_system(services, request, SystemState::approved);
}

Response reject_external_system(Services& services, const Request& request) {
  return decide_external_system(services, request, SystemState::rejected);
}

Response remove_external_system(Services& services, const Request& request) {
  const auto id = path_number(request, "external system");
  const Status done = id ? services.external_systems.remove(*id) : tl::unexpected<Error>(id.error());
  return done ? no_content() : error_response(done.error());
}

}  // namespace redoubt::central
