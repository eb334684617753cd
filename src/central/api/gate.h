// Who asks, and whether they may: the session cookie or API token of a request against the route's least role, and the
// CSRF token of every change that comes with a cookie; of an external system its certificate. The only place where
// rights are checked. Any thread; may block.
#pragma once

#include <string_view>

#include "base/result.h"
#include "central/api/http.h"
#include "central/api/routes.h"

namespace redoubt::central {

inline constexpr std::string_view kSessionCookie = "redoubt_session";

// Whether the session's account is there, or cannot be asked for now, and its password still that of the login.
bool session_holds(const Result<Account>& account, const Session& session);

// Fills in request.actor, session_id and csrf. unauthenticated: nobody known asks; permission_denied: somebody who may
// not.
Status admit(Services& services, const Route& route, Request& request);

}  // namespace redoubt::central
