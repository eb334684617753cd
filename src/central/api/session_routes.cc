#include <nlohmann/json.hpp>

#include "central/api/gate.h"
#include "central/api/handlers.h"
#include "central/api/json_response.h"
#include "central/api/parameters.h"
#include "central/users/password.h"

namespace redoubt::central {

namespace {

std::string cookie(const std::string& value, int64_t life_s) {
  return std::string(kSessionCookie) + "=" + value +
         "; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=" + std::to_string(life_s);
}

Response session_response(const Account& account, const std::string& csrf) {
  return json_response({{"user", account.name}, {"role", name_of(account.role)}, {"csrf", csrf}});
}

Result<Response> try_log_in(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"user", "password"}));
  TRY(const std::string user, body.text("user", {.bytes_min = 1, .bytes_max = kNameBytesMax}));
  TRY(const std::string password, body.text("password", {.bytes_min = 1, .bytes_max = kPasswordBytesMax}));
  const base::Time now = base::Time::now();
  Actor actor = request.actor;
  actor.user = user;
  // No row in the audit log: whoever is throttled does not fill the disk with it. The tries before have theirs.
  if (!services.throttle.try_login(user, request.address, now)) {
    return fail(Errc::exhausted, "too many failed logins: wait a minute");
  }
  auto account = services.accounts.verify(user, password);
  services.audit.record(actor, "login", user, account ? "ok" : "refused");
  if (!account) return tl::unexpected<Error>(std::move(account).error());
  services.throttle.succeeded(user, request.address);
  const Session session = services.sessions.begin(user, account->credential, now);
  Response response = session_response(*account, session.csrf);
  response.headers.emplace_back("Set-Cookie", cookie(session.id, kSessionLifeUs / base::kSecondUs));
  return response;
}

Result<Response> try_create_token(Services& services, const Request& request) {
  TRY(const JsonBody body, JsonBody::parse(request.body, {"name"}));
  TRY(const std::string name, body.text("name", {.bytes_min = 1, .bytes_max = kNameBytesMax}));
  TRY(const NewApiToken made, services.accounts.create_token(request.actor.user, name));
  return json_response({{"id", made.token.id},
                        {"name", made.token.name},
                        {"token", made.secret},
                        {"created", base::format_time(made.token.created)}},
                       201);
}

}  // namespace

Response log_in(Services& services, const Request& request) {
  auto response = try_log_in(services, request);
  return response ? *std::move(response) : error_response(response.error());
}

Response who_am_i(Services&, const Request& request) {
  return session_response({.name = request.actor.user, .role = request.actor.role}, request.csrf);
}

Response log_out(Services& services, const Request& request) {
  if (!request.session_id.empty()) services.sessions.end(request.session_id);
  Response response = no_content();
  response.headers.emplace_back("Set-Cookie", cookie("", 0));
  return response;
}

Response list_tokens(Services& services, const Request& request) {
  const auto tokens = services.accounts.tokens(request.actor.user);
  if (!tokens) return error_response(tokens.error());
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ApiToken& token : *tokens) {
    list.push_back({{"id", token.id}, {"name", token.name}, {"created", base::format_time(token.created)}});
  }
  return json_response({{"tokens", list}});
}

Response create_token(Services& services, const Request& request) {
  auto response = try_create_token(services, request);
  return response ? *std::move(response) : error_response(response.error());
}

Response delete_token(Services& services, const Request& request) {
  const Status removed = services.accounts.remove_token(request.actor.user, request.path_parameters[0]);
  return removed ? no_content() : error_response(removed.error());
}

}  // namespace redoubt::central
