#include "apps/redoubt/session.h"

#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

std::string json_member(const std::string& body, const char* name) {
  const json answer = json::parse(body, nullptr, false);
  return answer.is_object() && answer.contains(name) && answer[name].is_string() ? answer[name].get<std::string>() : "";
}

}  // namespace

Result<Profile> make_token(Profile profile, const Account& account) {
  profile.token.clear();
  const json who = {{"user", account.user}, {"password", account.password}};
  const Call log_in{
      .method = "POST", .target = "/session", .body = who.dump(-1, ' ', false, json::error_handler_t::replace)};
  TRY(const Answer session, send_call(profile, log_in));
  const std::string csrf = json_member(session.body, "csrf");
  if (session.status != 200 || session.cookie.empty() || csrf.empty()) {
    if (session.status == 401) return fail(Errc::unauthenticated, "wrong account or password");
    if (session.status == 429) return fail(Errc::exhausted, "too many attempts: wait a minute");
    return fail(Errc::internal, "log in: the node answered with status " + std::to_string(session.status));
  }
  const json request = {{"name", account.token_name}};
  Call create{.method = "POST", .target = "/tokens", .body = request.dump()};
  create.headers = {{"Cookie", session.cookie}, {"X-CSRF-Token", csrf}};
  TRY(const std::string made, call_api(profile, create));
  Call log_out{.method = "DELETE", .target = "/session", .headers = create.headers};
  TRY_STATUS(send_call(profile, log_out).map([](const Answer&) {}));
  profile.token = json_member(made, "token");
  if (profile.token.empty()) return fail(Errc::internal, "the node made no token");
  return profile;
}

}  // namespace redoubt::cli
