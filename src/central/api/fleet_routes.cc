#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr std::string_view kEnrolmentAccount = "(enrolment)";
constexpr int64_t kTokenValidSDefault = 3600;

// applied: the agent has this version; pending: it has an older one; refused: it cannot apply it; unknown: it has not
// said.
std::string_view policy_state(const Host& host, uint64_t wanted) {
  if (host.reported.us == 0) return "unknown";
  if (!host.report.policy_error.empty()) return "refused";
  return host.report.policy_version == wanted ? "applied" : "pending";
}

ordered_json loss_json(const HostLoss& loss) {
  ordered_json json = {{"cause", loss.cause}};
  if (!loss.kind.empty()) json["kind"] = loss.kind;
  if (!loss.cgroup.empty()) json["cgroup"] = loss.cgroup;
  if (loss.count != 0) json["count"] = loss.count;
  if (loss.since.us != 0) json["since"] = base::format_time(loss.since);
  if (loss.until.us != 0) json["until"] = base::format_time(loss.until);
  return json;
}

ordered_json host_json(const Host& host, const std::vector<store::HostActivity>& activity, uint64_t policy_version) {
  ordered_json json = {{"id", host.id},
                       {"name", host.name},
                       {"ip", host.ip},
                       {"os", host.os},
                       {"tier", host.tier},
                       {"agent_version", host.agent_version},
                       {"state", name_of(host.state)}};
  if (host.last_contact.us != 0) json["last_contact"] = base::format_time(host.last_contact);
  json["enrolled"] = base::format_time(host.enrolled);
  json["event_rate"] = host.event_rate;
  const auto found =
      std::find_if(activity.begin(), activity.end(), [&](const auto& a) { return a.host_id == host.id; });
  json["events"] = found != activity.end() ? found->events : 0;
  json["events_lost"] = found != activity.end() ? found->events_lost : 0;
  json["memory_bytes"] = host.memory_bytes;
  json["silent"] = !host.silent_alert.empty();
  if (!host.silent_alert.empty()) json["silent_alert"] = host.silent_alert;
  json["policy"] = {{"state", policy_state(host, policy_version)}, {"version", host.report.policy_version}};
  if (!host.report.policy_error.empty()) json["policy"]["error"] = host.report.policy_error;
  if (host.reported.us != 0) {
    json["cpu_permille"] = host.report.cpu_permille;
    json["degradation"] = host.report.degradation;
    json["spool_bytes"] = host.report.spool_bytes;
  }
  return json;
}

Response host_response(Services& services, const std::string& id) {
  const auto host = services.fleet.get(id);
  if (!host) return error_response(host.error());
  ordered_json json = host_json(*host, services.events.activity(), services.policies.version());
  json["recent_losses"] = ordered_json::array();
  for (const HostLoss& loss : services.fleet.recent_losses(id)) json["recent_losses"].push_back(loss_json(loss));
  return json_response(json);
}

Result<Response> try_create_enrollment_token(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"valid_s", "uses"}));
  Enrollment::TokenOptions options;
  TRY(options.valid_s, body.integer("valid_s", {kTokenValidSDefault, kTokenValidSMin, kTokenValidSMax}));
  TRY(options.uses, body.integer("uses", {1, 1, kTokenUsesMax}));
  TRY(const EnrollmentToken token, services.enrollment.create_token(options, request.actor.user));
  return json_response({{"token", token.token},
                        {"fingerprint", services.facts.fingerprint},
                        {"expires", base::format_time(token.expires)}},
                       201);
}

// An agent reaches the link by the name that it reached the API by, unless the configuration has another.
std::string link_address(const NodeFacts& facts, const Request& request) {
  if (!facts.link_address.empty()) return facts.link_address;
  std::string host(request.header("host"));
  const size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) host.resize(colon);
  constexpr std::string_view kHostAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
  if (host.empty() || host.find_first_not_of(kHostAlphabet) != std::string::npos) host = "localhost";
  return host + ":" + std::to_string(facts.link_port);
}

Result<Response> try_enroll(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"token", "csr", "host_name"}));
  EnrollmentRequest wanted;
  TRY(wanted.token, body.text("token", {.bytes_min = 1, .bytes_max = 256}));
  TRY(wanted.csr, body.text("csr", {.bytes_min = 1, .bytes_max = link::kRequestBytesMax}));
  TRY(wanted.host_name, body.text("host_name", {.bytes_min = 1, .bytes_max = 253}));
  const std::string account(kEnrolmentAccount);
  if (!services.throttle.try_login(account, request.address, base::Time::now())) {
    return fail(Errc::exhausted, "too many refused enrolments: wait a minute");
  }
  auto enrolled = services.enrollment.enroll(wanted);
  if (enrolled || enrolled.error().code != Errc::unauthenticated) services.throttle.succeeded(account, request.address);
  if (!enrolled) return tl::unexpected<Error>(std::move(enrolled).error());
  base::log_info("fleet", "host " + wanted.host_name + " is enrolled as " + enrolled->host_id);
  services.audit.record({.user = std::string(kEnrolmentAccount), .via = "token", .address = request.address}, "enrol",
                        enrolled->host_id, "ok");
  return json_response({{"host_id", enrolled->host_id},
                        {"certificate", enrolled->certificate},
                        {"ca", services.enrollment.ca_certificate()},
                        {"link_address", link_address(services.facts, request)}});
}

}  // namespace

Response list_hosts(Services& services, const Request&) {
  const auto hosts = services.fleet.list();
  if (!hosts) return error_response(hosts.error());
  const auto activity = services.events.activity();
  ordered_json list = ordered_json::array();
  const uint64_t policy_version = services.policies.version();
  for (const Host& host : *hosts) list.push_back(host_json(host, activity, policy_version));
  return json_response({{"hosts", list}});
}

Response get_host(Services& services, const Request& request) {
  return host_response(services, request.path_parameters[0]);
}

Response revoke_host(Services& services, const Request& request) {
  const std::string& id = request.path_parameters[0];
  const Status revoked = services.fleet.revoke(id);
  if (!revoked) return error_response(revoked.error());
  services.end_streams(id);
  base::log_warning("fleet", "host " + id + " is revoked by " + request.actor.user);
  return host_response(services, id);
}

Response create_enrollment_token(Services& services, const Request& request) {
  auto response = try_create_enrollment_token(services, request);
  return response ? *std::move(response) : error_response(response.error());
}

Response enroll_host(Services& services, const Request& request) {
  auto response = try_enroll(services, request);
  return response ? *std::move(response) : error_response(response.error());
}

}  // namespace redoubt::central
