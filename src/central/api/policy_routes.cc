// The policy of hosts: what they leave out of their telemetry.
#include <nlohmann/json.hpp>

#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kPolicyKindMax = 32;

ordered_json policy_exclusion_json(const PolicyExclusion& exclusion) {
  return {{"id", std::to_string(exclusion.id)}, {"kind", name_of(exclusion.kind)},
          {"value", exclusion.value},           {"note", exclusion.note},
          {"author", exclusion.author},         {"created", base::format_time(exclusion.created)}};
}

Result<PolicyExclusion> try_add(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"kind", "value", "note"}));
  TRY(const std::string kind, body.text("kind", {.bytes_min = 1, .bytes_max = kPolicyKindMax}));
  const auto known = policy_kind_named(kind);
  if (!known) return fail(Errc::invalid_argument, "'kind': program, path or network");
  PolicyExclusion exclusion{.kind = *known};
  TRY(exclusion.value, body.text("value", {.bytes_min = 1, .bytes_max = link::kPolicyTextMax}));
  TRY(const auto note, body.optional_text("note", {.bytes_max = kPolicyNoteMax}));
  exclusion.note = note.value_or("");
  return services.policies.add(std::move(exclusion), request.actor.user);
}

}  // namespace

Response get_policy(Services& services, const Request&) {
  ordered_json list = ordered_json::array();
  for (const PolicyExclusion& exclusion : services.policies.list()) list.push_back(policy_exclusion_json(exclusion));
  const link::HostPolicy policy = services.policies.compiled();
  return json_response({{"version", policy.version},
                        {"exclusions", std::move(list)},
                        {"read_paths", policy.read_paths},
                        {"reads_elsewhere", services.rules.current()->reads().elsewhere}});
}

Response add_policy_exclusion(Services& services, const Request& request) {
  const auto exclusion = try_add(services, request);
  if (!exclusion) return error_response(exclusion.error());
  Response response = json_response(policy_exclusion_json(*exclusion), 201);
  response.audit_note = std::string(name_of(exclusion->kind)) + " " + exclusion->value;
  return response;
}

Response remove_policy_exclusion(Services& services, const Request& request) {
  const auto id = path_number(request, "exclusion");
  const Status done = id ? services.policies.remove(*id) : tl::unexpected<Error>(id.error());
  return done ? no_content() : error_response(done.error());
}

}  // namespace redoubt::central
