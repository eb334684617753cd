#include "central/api/gate.h"

#include "base/hash.h"

namespace redoubt::central {

namespace {

constexpr std::string_view kBearer = "Bearer ";

std::string cookie_value(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view pair = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return std::string(pair.substr(name.size() + 1));
    }
  }
  return "";
}

Result<Account> account_of_session(Services& services, Request& request) {
  const std::string id = cookie_value(request.header("cookie"), kSessionCookie);
  if (id.empty()) return fail(Errc::unauthenticated, "log in first, or send an API token");
  const auto session = services.sessions.find(id, base::Time::now());
  if (!session) return fail(Errc::unauthenticated, "the session has ended: log in again");
  auto account = services.accounts.find(session->user);
  if (!session_holds(account, *session)) services.sessions.end(id);
  if (!account || !session_holds(account, *session)) {
    return fail(Errc::unauthenticated, "the session has ended: log in again");
  }
  request.session_id = id;
  request.csrf = session->csrf;
  return account;
}

Status admit_system(Services& services, Request& request) {
  if (request.client_fingerprint.empty()) {
    return fail(Errc::unauthenticated,
                "show a client certificate (self-signed will do) with an RSA key of 2048 bits at least, or an EC key");
  }
  const std::string& id = request.path_parameters.front();
  TRY_STATUS(services.external_systems.admit(
      {.system_id = id, .fingerprint = request.client_fingerprint, .address = request.address}, base::Time::now()));
  request.actor = {.user = id, .via = "certificate", .address = request.address};
  return {};
}

}  // namespace

bool session_holds(const Result<Account>& account, const Session& session) {
  return account ? account->credential == session.credential : account.error().code != Errc::not_found;
}

Status admit(Services& services, const Route& route, Request& request) {
  request.actor.address = request.address;
  // What a browser says of a page of somebody else; it covers what needs no session yet, the login.
  if (route.method != Method::get && request.header("sec-fetch-site") == "cross-site") {
    return fail(Errc::permission_denied, "pages of other sites may not do this");
  }
  if (route.least == Access::anyone) return {};
  if (route.least == Access::external_system) return admit_system(services, request);
  const std::string_view authorization = request.header("authorization");
  const bool with_token = authorization.starts_with(kBearer);
  auto account = with_token ? services.accounts.find_by_token(std::string(authorization.substr(kBearer.size())))
                            : account_of_session(services, request);
  if (!account) return tl::unexpected<Error>(std::move(account).error());
  request.actor = {.user = account->name,
                   .role = account->role,
                   .via = with_token ? "token" : "session",
                   .address = request.address};
  // A foreign page can make the browser send the cookie, but not this header.
  if (!with_token && route.method != Method::get && !base::equal_secret(request.header("x-csrf-token"), request.csrf)) {
    return fail(Errc::permission_denied, "the header X-CSRF-Token is missing or wrong");
  }
  if (!may(account->role, route.least)) {
    return fail(Errc::permission_denied, "the role " + std::string(name_of(account->role)) + " may not do this");
  }
  return {};
}

}  // namespace redoubt::central
